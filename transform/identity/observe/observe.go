// Package observe reads from the raw tables which identifiers belong together: the edges of core/identity_edge.
//
// A source shows a pair many times a day; the edge of the day says when first, when last, and how often. Of an attribute,
// which is a value that another one replaces, the same is kept of each value, and of its absence. Where a value returns on
// the day on which another one had replaced it, the other one is known to have ended no later than the last row that has the
// first again: when exactly, inside of that day, is not kept.
//
// Assignments and exposures link nothing. The experiment's own feeds must not decide who is linked: they show a device
// only to whoever was put in the experiment, and what they would link might depend on the arm. What a row of any table
// shows of an account alone is kept as an edge without a right end: the account is a profile, even when nothing is known of it.
package observe

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// Logic is raised when the same rows give other edges.
const Logic = 1

// Tables lists the raw tables that edges are read from.
func Tables() []*table.Table {
	tables := make([]*table.Table, len(observers))
	for i, o := range observers {
		tables[i] = o.table
	}
	return tables
}

// Partition is a day of one of Tables.
type Partition struct {
	Table *table.Table
	File  *columns.File
}

// Observe emits the edges that partitions of one day show, in no order, each with the table that shows it. Row groups are
// read in parallel. What is held in memory is one entry an edge, and a few row groups.
func Observe(ctx context.Context, day []Partition, workers int, emit func(*table.IdentityEdgeRow) error) error {
	type piece struct {
		observer
		file     *columns.File
		rowGroup int
	}
	var pieces []piece
	for _, p := range day {
		i := slices.IndexFunc(observers, func(o observer) bool { return o.table == p.Table })
		if i < 0 {
			return fmt.Errorf("%s is no table that identifiers are observed in", p.Table)
		}
		for rowGroup := range p.File.RowGroups() {
			pieces = append(pieces, piece{observers[i], p.File, rowGroup})
		}
	}
	all := edges{of: map[shape]pairs{}}
	var next atomic.Int64
	g, gctx := errgroup.WithContext(ctx)
	for range min(max(workers, 1), len(pieces)) {
		g.Go(func() error {
			r := reader{}
			for i := int(next.Add(1)) - 1; i < len(pieces); i = int(next.Add(1)) - 1 {
				p := pieces[i]
				rows, err := r.read(gctx, p.observer, p.file, p.rowGroup)
				if err != nil {
					return fmt.Errorf("%s: %w", p.table, err)
				}
				p.observe(rows)
				all.add(rows.tallies)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return all.emit(emit)
}
