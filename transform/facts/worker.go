package facts

import (
	"context"
	"slices"

	"crosslift/warehouse/columns"
)

// worker reads row groups, one after the other, in memory that it uses again.
type worker struct {
	b       *builder
	part    part
	again   bool     // only what needs percentiles, see pass
	sheets  []*sheet // by view, of all workers
	tallies []tally  // by experiment
	counts  Counts

	// Of the row group that is being read:
	ctx     context.Context
	task    task
	vectors map[string]*columns.Vector
	fresh   map[string]bool // vectors that have been read
	account dictionary
	device  dictionary
	at      []int64
	low     int64 // of the times
	high    int64
	live    []bool // of a table of changes: whether a row stands for its key
	all     []uint8
	facets  []facets
	runs    []run
	hits    [][]hit    // by view of the table
	worked  [][2]int32 // by view: the units of the part
	settled []int32    // by view: the last run that was settled by its device
	spare   []hit
	rules   []rule
	picked  []int32
	touched uint64 // by batches
}

// dictionary is a column of identifiers with the numbers that these have among all.
type dictionary struct {
	index   []int32 // by row: the place in numbers, −1 where there is none; nil where the column is not read
	numbers []int32
}

// number is what a row's identifier is called: its number, none of one that nobody knows, absent where there is none.
func (d *dictionary) number(row int) int32 {
	if d.index == nil || d.index[row] < 0 {
		return absent
	}
	return d.numbers[d.index[row]]
}

const absent int32 = -2

func newWorker(b *builder, p part, again bool, sheets []*sheet) *worker {
	w := &worker{b: b, part: p, again: again, sheets: sheets, vectors: map[string]*columns.Vector{}, fresh: map[string]bool{}}
	w.tallies = make([]tally, len(b.Experiments))
	for _, e := range b.trials {
		w.tallies[e.place] = newTally(e)
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
	return v, w.task.day.File.VectorOf(w.ctx, w.task.table, w.task.group, name, v)
}

// group reads a row group: first whose its events are, and the rest only where some unit is among them.
func (w *worker) group(ctx context.Context, t task) error {
	w.ctx, w.task = ctx, t
	clear(w.fresh)
	w.counts.Rows += t.day.File.RowGroupRows(t.group)
	known, err := w.identify()
	if err != nil || !known {
		return err
	}
	at, err := w.column(t.table.Occurred)
	if err != nil {
		return err
	}
	w.at = at.Ints
	w.low, w.high = slices.Min(w.at), slices.Max(w.at)
	w.cut()
	if err := w.choose(); err != nil {
		return err
	}
	w.facets = slices.Grow(w.facets[:0], len(t.sources))[:len(t.sources)]
	for i, s := range t.sources {
		f := &w.facets[i]
		if err := w.look(s, f); err != nil {
			return err
		}
		if !f.whole {
			continue
		}
		for j := range w.runs {
			f.totals = append(f.totals, f.sum(w.at, w.runs[j].from, w.runs[j].to, always, never))
		}
	}
	w.settle()
	for i := range t.views {
		v := &t.views[i]
		w.sheets[v.place].order(w, w.hits[i])
		w.add(v, w.hits[i])
	}
	return nil
}

// identify looks up the identifiers of the row group; known is false where none of them is of any unit.
func (w *worker) identify() (known bool, err error) {
	w.account.index, w.device.index = nil, nil
	bare := !w.task.account || w.task.day.File.Absent(w.task.group, "account") > 0
	if w.task.account {
		if known, err = w.lookUp(&w.account, "account", w.b.accounts); err != nil {
			return false, err
		}
	}
	if w.task.device && (bare || w.task.byDevice) {
		found, err := w.lookUp(&w.device, "device", w.b.devices)
		if err != nil {
			return false, err
		}
		known = known || found
	}
	return known, nil
}

// lookUp asks once for each identifier of the dictionary, not for each row.
func (w *worker) lookUp(d *dictionary, column string, among *index) (found bool, err error) {
	v, err := w.column(column)
	if err != nil {
		return false, err
	}
	d.index, d.numbers = v.Index, slices.Grow(d.numbers[:0], len(v.IDs))[:len(v.IDs)]
	return among.findAll(v.IDs, d.numbers), nil
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
