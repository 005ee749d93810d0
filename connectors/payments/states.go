package payments

import (
	"context"
	"encoding/json"
	"slices"

	"golang.org/x/sync/errgroup"
)

// state is an object as it was at the end of a day, as far as that can be known: see the package's comment.
type state struct {
	glimpse
	changed int64           // since when, in seconds since 1970
	now     json.RawMessage // the object as it is, where that is something else; else nil
}

func (x *extract) contains(second int64) bool {
	return second >= x.window.From.Unix() && second < x.window.To.Unix()
}

// gather asks for objects by their ids, several at once. An object that is gone, such as the draft of an invoice, and
// one that the list of the day has, is left out.
func (x *extract) gather(ctx context.Context, ids []string) ([]glimpse, error) {
	found := make([]json.RawMessage, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxAtOnce)
	for i, id := range ids {
		group.Go(func() (err error) {
			found[i], err = x.source.api.get(ctx, x.kind.path, id, x.kind.expand...)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var objects []glimpse
	for _, raw := range found {
		var gone struct {
			Deleted bool `json:"deleted"`
		}
		if raw == nil || json.Unmarshal(raw, &gone) == nil && gone.Deleted {
			continue
		}
		if o := glimpsed(raw); !x.contains(o.created) {
			objects = append(objects, o)
		}
	}
	return objects, nil
}

// states finds what objects, given as they are, were at the end of the day. An older object whose state of then is lost
// is left out: the day of its last change has it.
func (x *extract) states(ctx context.Context, found []glimpse) ([]state, error) {
	states := make([]state, len(found))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxAtOnce)
	for i, o := range found {
		c, changed := x.changes[o.id]
		switch {
		case !changed:
			states[i] = state{glimpse: o, changed: o.created}
		case !c.later:
			states[i] = state{glimpse: o, changed: c.last.at}
		case c.last.id == "":
			states[i] = x.lost(o)
		default:
			group.Go(func() error {
				then, err := x.snapshot(ctx, c.last.id, o)
				if states[i] = x.lost(o); then.raw != nil {
					states[i] = state{glimpse: then, changed: c.last.at, now: o.raw}
				}
				return err
			})
		}
	}
	err := group.Wait()
	return slices.DeleteFunc(states, func(s state) bool { return s.raw == nil }), err
}

// lost is what is left of an object whose state of the day is lost: of one that was created in it, that it was.
func (x *extract) lost(o glimpse) state {
	if x.contains(o.created) {
		return state{glimpse: o, changed: o.created}
	}
	return state{}
}

// snapshot is an object as an event has kept it, with what comes with the object as it is.
func (x *extract) snapshot(ctx context.Context, event string, now glimpse) (glimpse, error) {
	raw, err := x.source.api.get(ctx, eventsPath, event)
	if err != nil || raw == nil {
		return glimpse{}, err
	}
	var e struct {
		Data struct {
			Object map[string]json.RawMessage `json:"object"`
		} `json:"data"`
	}
	var present map[string]json.RawMessage
	if json.Unmarshal(raw, &e) != nil || json.Unmarshal(now.raw, &present) != nil {
		return glimpse{}, nil
	}
	for _, field := range x.kind.expand {
		var id string
		if json.Unmarshal(e.Data.Object[field], &id) == nil && id == glimpsed(present[field]).id {
			e.Data.Object[field] = present[field]
		}
	}
	then, err := json.Marshal(e.Data.Object)
	return glimpsed(then), err
}
