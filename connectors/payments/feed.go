package payments

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/stripe/stripe-go/v85"

	"crosslift/schemas/table"
)

// eventsPath is that of the feed.
const eventsPath = "/v1/events"

const (
	kept    = 30 * 24 * time.Hour // for how long Stripe keeps events
	fresh   = time.Hour           // for how long after it was last read the feed is held
	overlap = time.Minute         // is read again when the feed is read on, in case an event was late
)

// feed is what Stripe's events tell of a stream's objects: which of them changed, and when. It is shared by the extracts
// of all days, since each needs every event since its day, and so is read once for all of them. It holds about 100 bytes
// an event: a night's since the oldest day that is read again, a first installation's of 30 days.
type feed struct {
	api   *api
	types []string
	now   func() time.Time

	mu          sync.Mutex
	from, until int64 // what was read, in seconds since 1970: [from, until)
	objects     map[string]*history
	broken      map[string]int64 // events that name no object, as they are, and when they happened
}

// history is one object's.
type history struct {
	created int64 // seconds since 1970; 0 where no event tells
	events  []event
}

// event is a change of an object.
type event struct {
	at int64  // seconds since 1970
	id string // of the event, if its snapshot of the object can be read: if it is written in the library's API version
}

// change is what the feed tells of an object that has an event in a day.
type change struct {
	created int64 // 0 where no event tells
	last    event // the last one in the day
	later   bool  // it has events after the day
}

// day gives the objects with an event in a window, by id, and the events of the window that name none. Nothing is known
// of what is older than 30 days.
func (f *feed) day(ctx context.Context, w table.Window) (changes map[string]change, broken []string, err error) {
	now := f.now()
	from, to := max(w.From.Unix(), now.Add(-kept).Unix()), w.To.Unix()
	if from >= to {
		return nil, nil, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.reach(ctx, from, now); err != nil {
		return nil, nil, err
	}
	changes = map[string]change{}
	for id, h := range f.objects {
		c := change{created: h.created}
		for _, e := range h.events {
			switch {
			case e.at >= to:
				c.later = true
			case e.at >= from && e.at > c.last.at:
				c.last = e
			}
		}
		if c.last.at != 0 {
			changes[id] = c
		}
	}
	for raw, at := range f.broken {
		if at >= from && at < to {
			broken = append(broken, raw)
		}
	}
	slices.Sort(broken)
	return changes, broken, nil
}

// reach reads what is missing of the feed from an instant to now. Where it fails, what was read before stays valid.
func (f *feed) reach(ctx context.Context, from int64, now time.Time) error {
	until := now.Unix() + 1
	if f.objects == nil || time.Duration(until-f.until)*time.Second > fresh {
		f.objects, f.broken, f.from, f.until = map[string]*history{}, map[string]int64{}, until, until
	}
	if until > f.until {
		if err := f.read(ctx, f.until-int64(overlap/time.Second), until); err != nil {
			return err
		}
		f.until = until
	}
	if from < f.from {
		if err := f.read(ctx, from, f.from); err != nil {
			return err
		}
		f.from = from
	}
	return nil
}

func (f *feed) read(ctx context.Context, from, to int64) error {
	return f.api.all(ctx, eventsPath, query{Created: between(from, to), Types: stripe.StringSlice(f.types)}, f.take)
}

// take adds an event.
func (f *feed) take(raw json.RawMessage) error {
	var e struct {
		Version any `json:"api_version"`
		Data    struct {
			Object json.RawMessage `json:"object"`
		} `json:"data"`
	}
	g := glimpsed(raw)
	if json.Unmarshal(raw, &e) != nil || g.created <= 0 {
		return errEvent
	}
	found := event{at: g.created}
	if e.Version == stripe.APIVersion {
		found.id = g.id
	}
	o := glimpsed(e.Data.Object)
	if o.id == "" {
		f.broken[string(raw)] = g.created
		return nil
	}
	h := f.objects[o.id]
	if h == nil {
		h = &history{}
		f.objects[o.id] = h
	}
	h.created = o.created
	// The newest comes first, and of several in one second the last.
	if !slices.ContainsFunc(h.events, func(known event) bool { return known.at == found.at }) {
		h.events = append(h.events, found)
	}
	return nil
}
