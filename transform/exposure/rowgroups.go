package exposure

import (
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// rowGroup is a row group that is being read: of its columns, those that somebody asks for.
type rowGroup struct {
	ctx   context.Context
	file  *columns.File
	group int
	rows  int

	memory map[string]*columns.Vector // of columns, here or in a row group before
	read   map[string]bool            // here
}

// column reads a column, once.
func (g *rowGroup) column(name string) (*columns.Vector, error) {
	v := g.memory[name]
	if g.read[name] {
		return v, nil
	}
	if v == nil {
		v = &columns.Vector{}
		g.memory[name] = v
	}
	if err := g.file.Vector(g.ctx, g.group, name, v); err != nil {
		return nil, err
	}
	if max(len(v.Index), len(v.Ints), len(v.Floats), len(v.Bools)) != g.rows {
		return nil, fmt.Errorf("column %s, row group %d: it has not %d rows", name, g.group, g.rows)
	}
	g.read[name] = true
	return v, nil
}

// columns reads several.
func (g *rowGroup) columns(names ...string) ([]*columns.Vector, error) {
	all := make([]*columns.Vector, len(names))
	for i, name := range names {
		var err error
		if all[i], err = g.column(name); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// eachRowGroup calls do for every row group of files of a table, from several goroutines.
func eachRowGroup(ctx context.Context, t *table.Table, files []*columns.File, workers int, do func(*rowGroup) error) error {
	type piece struct {
		file  *columns.File
		group int
	}
	var pieces []piece
	for _, f := range files {
		for group := range f.RowGroups() {
			pieces = append(pieces, piece{f, group})
		}
	}
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range max(1, min(workers, len(pieces))) {
		g.Go(func() error {
			r := rowGroup{ctx: ctx, memory: map[string]*columns.Vector{}, read: map[string]bool{}}
			for i := int(next.Add(1)) - 1; i < len(pieces); i = int(next.Add(1)) - 1 {
				r.file, r.group = pieces[i].file, pieces[i].group
				r.rows = int(r.file.RowGroupRows(r.group))
				clear(r.read)
				if err := do(&r); err != nil {
					return fmt.Errorf("%s: %w", t, err)
				}
			}
			return nil
		})
	}
	return g.Wait()
}
