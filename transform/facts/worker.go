package facts

import (
	"context"
	"fmt"
	"math"

	"crosslift/schemas/identifier"
	"crosslift/warehouse/columns"
)

// worker reads row groups in memory that it uses again, and adds them to the sums.
//
// Of neighbouring accounts only a few have events on a day, and what is known of them and their units is spread over more memory
// than a processor has near. So a worker reads the row groups of several days that hold the same accounts, and then goes through
// them side by side, a few thousand accounts at a time: what was fetched for one day is there for the others.
type worker struct {
	b       *builder
	part    part
	again   bool     // only what needs percentiles, see pass
	sheets  []*sheet // by view, of all workers
	tallies []tally  // by experiment
	counts  Counts
	groups  []*group
	who     who

	// Of the runs that are being worked:
	*group
	hits    [][]hit    // by view of the table
	worked  [][2]int32 // by view: the units of the part
	settled []int32    // by view: the last run that was settled by its device
	spare   []hit
	rules   []rule
	picked  []int32
	ids     []identifier.ID
	numbers []int32
	touched uint64 // by batches
}

// abreast is how many accounts are worked together.
const abreast = 1 << 11

func newWorker(b *builder, p part, again bool, sheets []*sheet) *worker {
	w := &worker{b: b, part: p, again: again, sheets: sheets, tallies: make([]tally, len(b.Experiments))}
	for _, e := range b.trials {
		w.tallies[e.place] = newTally(e)
	}
	return w
}

// work reads row groups and adds their events.
func (w *worker) work(ctx context.Context, tasks []task) error {
	for len(w.groups) < len(tasks) {
		w.groups = append(w.groups, &group{b: w.b, who: &w.who, vectors: map[string]*columns.Vector{}, fresh: map[string]bool{}})
	}
	groups := w.groups[:len(tasks)]
	for i, g := range groups {
		w.counts.Rows += tasks[i].day.File.RowGroupRows(tasks[i].group)
		if err := g.load(ctx, tasks[i], w.again); err != nil {
			return fmt.Errorf("%s %s: %w", tasks[i].table, tasks[i].day.Day, err)
		}
	}
	for {
		least := int32(math.MaxInt32) // the first account that has not been worked
		for _, g := range groups {
			if g.next < len(g.runs) {
				least = min(least, max(g.runs[g.next].account, 0))
			}
		}
		if least == math.MaxInt32 {
			return ctx.Err()
		}
		for _, w.group = range groups {
			w.add(w.upTo(least + abreast))
		}
	}
}

// upTo takes the runs that have not been worked, to the first of an account from a number on.
func (g *group) upTo(account int32) []run {
	from := g.next
	for g.next < len(g.runs) && g.runs[g.next].account < account {
		g.next++
	}
	return g.runs[from:g.next]
}

// add adds the events of runs.
func (w *worker) add(runs []run) {
	if len(runs) == 0 {
		return
	}
	w.findDevices(runs)
	for i := range w.facets {
		f := &w.facets[i]
		f.totals = f.totals[:0]
		for j := range runs {
			if f.whole {
				f.totals = append(f.totals, f.sum(w.at, runs[j].from, runs[j].to, always, never))
			}
		}
	}
	w.settle(runs)
	for i := range w.views {
		v := &w.views[i]
		w.sheets[v.place].order(w, w.hits[i])
		w.addHits(v, w.hits[i])
	}
}

// findDevices gives runs the numbers of their devices, in place of places in the dictionary.
func (w *worker) findDevices(runs []run) {
	w.ids = w.ids[:0]
	for i := range runs {
		if runs[i].device >= 0 {
			w.ids = append(w.ids, w.devices[runs[i].device])
		}
	}
	if len(w.ids) > len(w.numbers) {
		w.numbers = make([]int32, 2*len(w.ids))
	}
	w.b.devices.findAll(w.ids, w.numbers)
	found := w.numbers
	for i := range runs {
		if runs[i].device >= 0 {
			runs[i].device, found = found[0], found[1:]
		}
	}
}
