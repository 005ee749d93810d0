package facts

import (
	"context"
	"slices"

	"crosslift/transform/identity/timeline"
	"crosslift/warehouse/columns"
)

// worker reads row groups, one after the other, into sums of its own.
type worker struct {
	b       *builder
	part    part
	again   bool // only what needs percentiles, see pass
	sheets  []sheet
	tallies []tally // by experiment
	counts  Counts

	// Of the row group that is being read:
	ctx                 context.Context
	task                task
	vectors             map[string]*columns.Vector
	fresh               map[string]bool // vectors that have been read
	rows                int
	at                  []int64
	late                bool // some rows may lie after the end of the night
	accountOf           []int32
	deviceOf            []int32 // numbers, by place in the dictionary
	devices             *columns.Vector
	spans               map[*users][]lookup
	facets              []facets
	hits                []int32
	live                []bool
	accountAt, deviceAt []int32 // by row: places in the dictionaries, −1 where there is none
}

// lookup is the spans of a device, once they have been looked up.
type lookup struct {
	timeline.Spans
	known bool
}

func newWorker(b *builder, p part, again bool) *worker {
	w := &worker{b: b, part: p, again: again, vectors: map[string]*columns.Vector{}, fresh: map[string]bool{}, spans: map[*users][]lookup{}}
	w.tallies = make([]tally, len(b.Experiments))
	for _, e := range b.trials {
		w.tallies[e.place] = newTally(e)
	}
	for _, v := range b.views {
		from, to := p.units(v)
		w.sheets = append(w.sheets, newSheet(v, int(to-from)))
	}
	return w
}

// column reads a column of the row group, once.
func (w *worker) column(name string) (*columns.Vector, error) {
	v := w.vectors[name]
	if v == nil {
		v = &columns.Vector{}
		w.vectors[name] = v
	}
	if w.fresh[name] {
		return v, nil
	}
	w.fresh[name] = true
	return v, w.task.day.File.Vector(w.ctx, w.task.group, name, v)
}

// group reads a row group: first whose its events are, and the rest only where some unit is among them.
func (w *worker) group(ctx context.Context, t task) error {
	w.ctx, w.task = ctx, t
	clear(w.fresh)
	w.rows = int(t.day.File.RowGroupRows(t.group))
	w.counts.Rows += int64(w.rows)
	known, err := w.identify()
	if err != nil || !known {
		return err
	}
	at, err := w.column(t.table.Occurred)
	if err != nil {
		return err
	}
	w.at = at.Ints
	w.late = slices.Max(w.at) >= w.b.end
	if err := w.choose(); err != nil {
		return err
	}
	w.facets = slices.Grow(w.facets[:0], len(t.sources))[:len(t.sources)]
	for i, s := range t.sources {
		if err := s.look(&w.facets[i], w.rows, w.live, w.at, w.column); err != nil {
			return err
		}
	}
	w.walk()
	return nil
}

// identify looks up the identifiers of the row group; known is false where none of them is of any unit.
func (w *worker) identify() (known bool, err error) {
	w.accountAt, w.deviceAt, w.accountOf, w.deviceOf = nil, nil, w.accountOf[:0], w.deviceOf[:0]
	bare := !w.task.account || w.task.day.File.Absent(w.task.group, "account") > 0
	if w.task.account {
		v, err := w.column("account")
		if err != nil {
			return false, err
		}
		w.accountAt = v.Index
		for i := range v.IDs {
			number := w.b.accounts.find(&v.IDs[i])
			w.accountOf = append(w.accountOf, number)
			known = known || number != none
		}
	}
	if !w.task.device || !bare && !w.task.byDevice {
		return known, nil
	}
	v, err := w.column("device")
	if err != nil {
		return false, err
	}
	w.devices, w.deviceAt = v, v.Index
	for i := range v.IDs {
		number := w.b.devices.find(&v.IDs[i])
		w.deviceOf = append(w.deviceOf, number)
		known = known || number != none
	}
	for _, view := range w.task.views {
		if view.users != nil && bare {
			known = true
			w.spans[view.users] = slices.Grow(w.spans[view.users][:0], len(v.IDs))[:len(v.IDs)]
			clear(w.spans[view.users])
		}
	}
	return known, nil
}

// choose says which rows of a table of changes stand for their key.
func (w *worker) choose() error {
	if w.live = w.live[:0]; w.task.newest == nil {
		w.live = nil
		return nil
	}
	keys, err := w.column("source_id")
	if err != nil {
		return err
	}
	changed, err := w.column(w.task.table.EventTime)
	if err != nil {
		return err
	}
	for row, key := range keys.Index {
		w.live = append(w.live, w.task.newest.is(keys.Strings[key], place{changed.Ints[row], w.task.day.Day, w.task.first + int64(row)}))
	}
	return nil
}

// currency is that of a row's amount; "" where it has none.
func (w *worker) currency(row int) string {
	v := w.vectors["currency"]
	if at := v.Index[row]; at >= 0 {
		return v.Strings[at]
	}
	return ""
}
