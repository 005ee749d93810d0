package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/rest"
	"crosslift/schemas/table"
)

// settle is for how long search may not know yet of a change.
const settle = 10 * time.Minute

// The phases of an extract, in their order.
const (
	byTime   = ""         // changes, oldest first
	byID     = "id"       // those of one millisecond, in the order of their ids
	archives = "archived" // the list of what is archived
)

// cursor is where an extract goes on.
type cursor struct {
	Phase  string   `json:"phase,omitempty"`
	Until  int64    `json:"until,omitempty"`  // changes before this millisecond are read
	From   int64    `json:"from,omitempty"`   // reading goes on with changes at or after this one
	Given  []string `json:"given,omitempty"`  // the names of those that were given already of those modified at From
	After  string   `json:"after,omitempty"`  // byID: the last id
	Before int64    `json:"before,omitempty"` // what HubSpot counted at the start
	Found  int64    `json:"found,omitempty"`  // changes that were given
	Moved  bool     `json:"moved,omitempty"`  // something changed meanwhile
	Next   string   `json:"next,omitempty"`   // archives: HubSpot's own cursor
	Gone   int64    `json:"gone,omitempty"`   // archived objects that were given
	Pages  int64    `json:"pages,omitempty"`
	Read   int64    `json:"read,omitempty"` // objects read: the position of the last one
}

// extract is the reading of a day.
type extract struct {
	stream *stream
	sink   connectors.Sink
	window table.Window
	path   string
	reader *reader
	decode decoder
	at     cursor
	page   found
	expect int64 // the total of the next search by time; -1: not known
}

func (x *extract) client() *rest.Client { return x.stream.source.client }

// Extract writes the objects that were modified or archived on a day.
func (s *stream) Extract(ctx context.Context, day table.Day, _ []connectors.Input, sink connectors.Sink) error {
	x := &extract{
		stream: s, sink: sink, window: day.Window(s.source.env.Zone), path: s.source.config.objects(s.object),
		reader: newReader(s, sink), decode: s.decode(s), expect: -1,
	}
	err := x.run(ctx)
	if err != nil {
		return fmt.Errorf("%s: %s %s: %w", Name, s.object, day, err)
	}
	return nil
}

func (x *extract) run(ctx context.Context) error {
	if resume := x.sink.Resume(); resume != "" {
		if json.Unmarshal([]byte(resume), &x.at) != nil {
			return errors.New("the cursor of the broken extract cannot be read: start it anew")
		}
	} else {
		x.at.From = ceil(x.window.From)
		x.at.Until = min(ceil(x.window.To), x.stream.source.env.Now().Add(-settle).UnixMilli())
	}
	if x.at.Phase != archives {
		if err := x.changes(ctx); err != nil {
			return err
		}
		if err := x.count(ctx); err != nil {
			return err
		}
		x.at = cursor{
			Phase: archives, Until: x.at.Until, Before: x.at.Before, Found: x.at.Found, Moved: x.at.Moved, Pages: x.at.Pages, Read: x.at.Read,
		}
		if err := x.finished(); err != nil {
			return err
		}
	}
	if err := x.archived(ctx); err != nil || x.at.Moved {
		return err
	}
	return x.sink.Total(connectors.Total{Measure: connectors.Rows, Value: x.at.Before + x.at.Gone})
}

// ceil is the first millisecond at or after an instant.
func ceil(t time.Time) int64 { return t.Add(time.Millisecond - 1).UnixMilli() }

// finished tells the sink of a page.
func (x *extract) finished() error {
	x.at.Pages++
	text, err := json.Marshal(x.at)
	if err != nil {
		return err
	}
	return x.sink.Page(string(text))
}

// give hands the page's objects on, but those that were given already, and those that changed again since and so are
// another day's.
func (x *extract) give(ctx context.Context) error {
	x.page.objects = slices.DeleteFunc(x.page.objects, func(o object) bool {
		return (o.changed == x.at.From || !o.dated) && slices.Contains(x.at.Given, o.name())
	})
	x.page.objects = slices.CompactFunc(x.page.objects, func(a, b object) bool { return a.name() == b.name() })
	if err := x.relate(ctx); err != nil {
		return err
	}
	for i := range x.page.objects {
		x.at.Read++
		o := &x.page.objects[i]
		if o.dated && o.changed >= x.at.Until {
			x.at.Moved = true
			continue
		}
		x.at.Found++
		if err := x.object(o, x.path+"/search", x.at.Read); err != nil {
			return err
		}
	}
	return nil
}

// object hands an object on, or rejects it.
func (x *extract) object(o *object, file string, position int64) error {
	where := connectors.Origin{File: file, Position: position, Raw: o.raw}
	if o.id == "" || !o.dated {
		return x.sink.Reject(where, "expected an object with its id and the time of its change")
	}
	row, reason := x.decode.row(o)
	if reason != "" {
		return x.sink.Reject(where, reason)
	}
	return x.sink.Row(row, where)
}

// count asks once more how much there is, so that what was lost on the way is seen. Objects that change while they are
// read leave the day, and then there is no total to be held against.
func (x *extract) count(ctx context.Context) error {
	if ceil(x.window.From) >= x.at.Until {
		return nil
	}
	if err := x.search(ctx, 1, x.stream.modified, x.modifiedSince(ceil(x.window.From))...); err != nil {
		return err
	}
	if x.page.total != x.at.Before {
		x.at.Moved = true
	}
	if least := min(x.at.Before, x.page.total); x.at.Moved && x.at.Found < least {
		return fmt.Errorf("%w: of %d changes only %d were read: they changed while they were read", connectors.ErrDown, least, x.at.Found)
	}
	return nil
}

// archived reads the list of what is archived and takes what was archived on the day.
func (x *extract) archived(ctx context.Context) error {
	q := url.Values{
		"archived": {"true"}, "limit": {text(maxBatch)}, "properties": {strings.Join(x.stream.properties(), ",")},
	}
	if x.stream.object != "contacts" {
		q.Set("associations", "contacts")
	}
	given := map[string]bool{}
	_, err := x.client().Pages(ctx, rest.Request{Path: x.path, Query: q, Array: "results"},
		rest.BodyCursor("paging.next.after", "after"), rest.Cursor{Next: x.at.Next, Pages: x.at.Pages, Read: x.at.Read},
		func(position int64, v rest.Value) error {
			o := x.reader.read(v, len(x.stream.slots))
			x.at.Read = position
			at := time.UnixMilli(o.changed)
			if o.dated && !x.window.Contains(at) || given[o.name()] {
				return nil
			}
			given[o.name()] = true
			o.archived = true
			x.at.Gone++
			return x.object(&o, x.path, x.at.Read)
		}, nil,
		func(c rest.Cursor) error {
			x.at.Next, x.at.Pages = c.Next, c.Pages-1
			return x.finished()
		})
	return err
}
