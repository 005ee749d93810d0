package payments

import (
	"encoding/json"
	"errors"
)

// errStuck is the error of a list that repeats itself.
var errStuck = errors.New("the list gives the same page again and again")

// maxRepeats is how often a page may bring nothing new before its list is given up.
const maxRepeats = 3

// walk follows a list from its newest object to its oldest. Stripe gives every object once and in order; so that a
// page which comes twice, late or shuffled does no harm all the same, what was seen is not given again, and reading
// goes on behind the oldest object, wherever on its page it stands.
type walk struct {
	after string // the object behind which the next page begins
	floor int64  // when that one was created, in seconds since 1970; 0: nothing was read yet

	seen    map[string]bool // of the last page that brought something
	repeats int
}

// glimpse is what a list needs to know of an object that may be broken.
type glimpse struct {
	raw     json.RawMessage
	id      string // "" where it cannot be read
	created int64  // seconds since 1970; 0 where it cannot be read
}

func glimpsed(raw json.RawMessage) glimpse {
	var o struct {
		ID      any `json:"id"`
		Created any `json:"created"`
	}
	g := glimpse{raw: raw}
	if json.Unmarshal(raw, &o) == nil {
		g.id, _ = o.ID.(string)
		created, _ := o.Created.(float64)
		g.created = int64(created)
	}
	return g
}

// next gives a page's objects that were not seen before, and moves on behind them.
func (w *walk) next(p *page) ([]glimpse, error) {
	seen := map[string]bool{}
	var fresh []glimpse
	after, floor := "", int64(0)
	for _, raw := range p.Data {
		o := glimpsed(raw)
		key := o.id
		if key == "" {
			key = string(raw)
		}
		if seen[key] || w.seen[key] || o.id != "" && o.id == w.after || w.floor != 0 && o.created > w.floor {
			continue
		}
		seen[key] = true
		fresh = append(fresh, o)
		if o.id != "" && o.created != 0 && (after == "" || o.created <= floor) {
			after, floor = o.id, o.created
		}
	}
	switch {
	case after != "":
		w.after, w.floor, w.seen, w.repeats = after, floor, seen, 0
	case *p.HasMore && len(fresh) > 0: // all of them broken: behind the last that has a name
		for _, o := range fresh {
			if o.id != "" {
				w.after = o.id
			}
		}
		w.seen = seen
		fallthrough
	case *p.HasMore:
		if w.repeats++; w.repeats > maxRepeats {
			return nil, errStuck
		}
	}
	return fresh, nil
}
