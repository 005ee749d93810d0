package facts

import (
	"context"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/warehouse/columns"
)

// group is a row group in memory, as far as it is needed, and how far it has been worked.
type group struct {
	task
	b         *builder
	ctx       context.Context
	vectors   map[string]*columns.Vector
	fresh     map[string]bool // vectors that have been read
	at        []int64
	low, high int64  // of at
	live      []bool // of a table of changes: whether a row stands for its key; nil where all do
	facets    []facets
	who       *who
	devices   []identifier.ID // the dictionary of the device column
	runs      []run
	next      int // the first run that has not been worked
}

// who is the identifiers of the row group that is being loaded: one memory serves all groups of a worker.
type who struct {
	account, device       columns.Vector
	hasAccount, hasDevice bool    // whether the columns were read
	numbers               []int32 // of accounts, by place in the dictionary
}

// load reads a row group: first whose its events are, and the rest only where some unit is among them; else it has no runs.
func (g *group) load(ctx context.Context, t task, again bool) error {
	g.ctx, g.task, g.runs, g.next = ctx, t, g.runs[:0], 0
	clear(g.fresh)
	known, err := g.identify()
	if err != nil || !known {
		return err
	}
	at, err := g.column(t.table.Occurred)
	if err != nil || len(at.Ints) == 0 {
		return err
	}
	g.at = at.Ints
	g.low, g.high = slices.Min(g.at), slices.Max(g.at)
	g.cut()
	if err := g.choose(); err != nil {
		return err
	}
	g.facets = slices.Grow(g.facets[:0], len(t.sources))[:len(t.sources)]
	for i, s := range t.sources {
		if err := g.look(s, &g.facets[i]); err != nil {
			return err
		}
		g.facets[i].strange = !again && (g.facets[i].strange || g.high >= g.b.end)
	}
	return nil
}

// column reads a column, once.
func (g *group) column(name string) (*columns.Vector, error) {
	v := g.vectors[name]
	if v == nil {
		v = &columns.Vector{}
		g.vectors[name] = v
	}
	if g.fresh[name] {
		return v, nil
	}
	g.fresh[name] = true
	return v, g.day.File.VectorOf(g.ctx, g.table, g.group, name, v)
}

// identify looks up the accounts of the row group; known is false where neither they nor its devices are of any unit.
func (g *group) identify() (known bool, err error) {
	w := g.who
	bare := !g.account || g.day.File.Absent(g.group, "account") > 0
	w.hasAccount, w.hasDevice = g.account, g.device && (bare || g.byDevice)
	if w.hasAccount {
		if err := g.day.File.VectorOf(g.ctx, g.table, g.group, "account", &w.account); err != nil {
			return false, err
		}
		w.numbers = slices.Grow(w.numbers[:0], len(w.account.IDs))[:len(w.account.IDs)]
		known = g.b.accounts.findAll(w.account.IDs, w.numbers)
	}
	if !w.hasDevice {
		return known, nil
	}
	if err := g.day.File.VectorOf(g.ctx, g.table, g.group, "device", &w.device); err != nil {
		return false, err
	}
	if !known {
		known = g.b.devices.findAll(w.device.IDs, make([]int32, len(w.device.IDs)))
	}
	g.devices, w.device.IDs = w.device.IDs, g.devices
	return known, nil
}

// choose says which rows of a table of changes stand for their key.
func (g *group) choose() error {
	g.live = g.live[:0]
	if g.newest == nil {
		return nil
	}
	keys, err := g.column("source_id")
	if err != nil {
		return err
	}
	changed, err := g.column(g.table.EventTime)
	if err != nil {
		return err
	}
	for row, key := range keys.Index {
		g.live = append(g.live, g.newest.is(keys.Strings[key], place{changed.Ints[row], g.day.Day, g.first + int64(row)}))
	}
	return nil
}

// currency is that of a row's amount; "" where it has none.
func (g *group) currency(row int) string {
	v := g.vectors["currency"]
	if at := v.Index[row]; at >= 0 {
		return v.Strings[at]
	}
	return ""
}
