package payments

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"crosslift/connectors"
	"crosslift/schemas/table"
)

// The phases of an extract, in their order.
const (
	phaseCreated = "created" // the list of what was created in the day
	phaseChanged = "changed" // what was created before and changed in the day, one by one
	phaseTotals  = "totals"
)

// cursor is where an extract goes on. It carries what the rest of the extract needs to know of the pages before.
type cursor struct {
	Phase    string           `json:"phase"`
	After    string           `json:"after,omitempty"`    // id behind which the next page begins
	Floor    int64            `json:"floor,omitempty"`    // of walk
	Objects  int64            `json:"objects"`            // given to the sink so far
	Doubtful bool             `json:"doubtful,omitempty"` // something could not be read, so that no sum can agree
	Apart    map[string]int64 `json:"apart,omitempty"`    // see totals.go
}

// parseCursor reads a cursor; "" is the beginning.
func parseCursor(text string) (cursor, error) {
	c := cursor{Phase: phaseCreated}
	if text == "" {
		return c, nil
	}
	if err := json.Unmarshal([]byte(text), &c); err != nil || c.Objects < 0 {
		return c, fmt.Errorf("the cursor to resume at cannot be read: extract the day from its beginning")
	}
	switch c.Phase {
	case phaseCreated, phaseChanged, phaseTotals:
		return c, nil
	}
	return c, fmt.Errorf("the cursor to resume at has no phase that is known: extract the day from its beginning")
}

// extract is one run over a day of a stream.
type extract struct {
	*stream
	window  table.Window
	sink    connectors.Sink
	at      cursor
	page    int
	changes map[string]change
	told    map[string]bool   // fields that were announced
	bills   map[string]*bill  // of the page's charges
	plans   map[string]string // of prices that were asked for
}

// Extract writes the rows of a business day. See the package's comment for which rows these are.
func (s *stream) Extract(ctx context.Context, day table.Day, _ []connectors.Input, sink connectors.Sink) error {
	x := s.extract(day.Window(s.source.env.Zone), sink)
	err := x.run(ctx)
	if err != nil && x.page > 0 {
		err = fmt.Errorf("page %d of what was %s: %w", x.page, x.at.Phase, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %s %s: %w", name, s.kind.name, day, err)
	}
	return nil
}

func (s *stream) extract(w table.Window, sink connectors.Sink) *extract {
	return &extract{stream: s, window: w, sink: sink, told: map[string]bool{}, plans: map[string]string{}}
}

func (x *extract) run(ctx context.Context) (err error) {
	if x.at, err = parseCursor(x.sink.Resume()); err != nil {
		return err
	}
	if err := x.read(ctx); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	if x.at.Phase == phaseCreated {
		if err := x.created(ctx); err != nil {
			return err
		}
	}
	if x.at.Phase == phaseChanged {
		if err := x.changed(ctx); err != nil {
			return err
		}
	}
	return x.totals(ctx)
}

// read asks the feed what changed in the day. A change of nobody knows what is rejected as a row would be.
func (x *extract) read(ctx context.Context) error {
	if x.feed == nil {
		return nil
	}
	changes, broken, err := x.feed.day(ctx, x.window)
	if err != nil {
		return err
	}
	x.changes = changes
	if x.sink.Resume() != "" {
		return nil // they were rejected before the first page
	}
	for _, raw := range broken {
		x.at.Objects++
		x.at.Doubtful = true
		origin := connectors.Origin{File: eventsPath, Position: x.at.Objects, Raw: []byte(raw)}
		if err := x.sink.Reject(origin, "data.object.id: expected text"); err != nil {
			return err
		}
	}
	return nil
}

// created reads the list of what was created in the day.
func (x *extract) created(ctx context.Context) error {
	q := x.query(pageSize)
	q.Created = between(x.window.From.Unix(), x.window.To.Unix())
	walk := walk{after: x.at.After, floor: x.at.Floor}
	for more := true; more; {
		x.page++
		p, err := x.source.api.list(ctx, x.kind.path, q, walk.after)
		if err != nil {
			return err
		}
		found, err := walk.next(p)
		if err != nil {
			return answer(ctx, x.kind.path, err)
		}
		if err := x.take(ctx, found); err != nil {
			return err
		}
		x.at.After, x.at.Floor = walk.after, walk.floor
		if more = *p.HasMore; !more {
			x.at.Phase, x.at.After, x.at.Floor = phaseChanged, "", 0
		}
		if err := x.turn(); err != nil {
			return err
		}
	}
	return nil
}

// changed reads what was created before the day and changed in it, in the order of ids.
func (x *extract) changed(ctx context.Context) error {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(x.changes)) {
		c := x.changes[id]
		if id > x.at.After && (!c.later || c.last.id != "") && !x.contains(c.created) {
			ids = append(ids, id)
		}
	}
	x.page = 0
	for chunk := range slices.Chunk(ids, pageSize) {
		x.page++
		found, err := x.gather(ctx, chunk)
		if err != nil {
			return err
		}
		if err := x.take(ctx, found); err != nil {
			return err
		}
		x.at.After = chunk[len(chunk)-1]
		if err := x.turn(); err != nil {
			return err
		}
	}
	x.at.Phase, x.at.After, x.page = phaseTotals, "", 0
	return x.turn()
}

// take reads a page of objects and gives them to the sink.
func (x *extract) take(ctx context.Context, found []glimpse) error {
	states, err := x.states(ctx, found)
	if err != nil {
		return err
	}
	objects := make([]*object, len(states))
	for i, s := range states {
		objects[i] = x.kind.read(s, x.drift)
	}
	if x.kind.prepare != nil {
		if err := x.kind.prepare(ctx, x, objects); err != nil {
			return err
		}
	}
	for _, o := range objects {
		if err := x.give(o); err != nil {
			return err
		}
	}
	return nil
}

// give gives the sink an object's row, or says why there is none.
func (x *extract) give(o *object) error {
	x.at.Objects++
	origin := connectors.Origin{File: x.kind.path, Position: x.at.Objects, Raw: o.raw}
	var row any
	err := o.problem
	if err == nil {
		row, err = x.kind.row(x, o.value, micros(o.changed))
	}
	if err == nil && !x.contains(o.changed) {
		err = fieldError("created", "outside of the day that was asked for")
	}
	if err == nil {
		err = x.kind.table.Check(row)
	}
	if err != nil {
		x.at.Doubtful = true
		origin.Raw = x.kind.bare(o.raw)
		return x.sink.Reject(origin, err.Error())
	}
	x.apart(o, row)
	return x.sink.Row(row, origin)
}

// turn ends a page.
func (x *extract) turn() error {
	next, err := json.Marshal(x.at)
	if err != nil {
		return err
	}
	return x.sink.Page(string(next))
}
