package facts

import (
	"context"
	"errors"
	"os"
	"strconv"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
)

// memory bounds the rows of one partition that are sorted at once.
const memory = 256 << 20

// writeViews writes a world: its arguments are the folder, and how many views, days and devices there are.
func writeViews(ctx context.Context, args []string) error {
	w := &World{}
	for i, n := range []*int{&w.Views, &w.Days, &w.Devices} {
		var err error
		if *n, err = strconv.Atoi(args[1+i]); err != nil {
			return err
		}
	}
	dir := args[0] + ".unfinished"
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		return err
	}
	w.populate()
	l := lakeOf(dir)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2)
	for day := firstDay; day <= w.night(); day++ {
		g.Go(func() error {
			return partition(ctx, l, lake.Partition{Table: table.Viewing, Day: day}, func(emit func(*table.ViewingRow) error) error { return w.views(ctx, day, emit) })
		})
	}
	g.Go(func() error {
		return partition(ctx, l, lake.Partition{Table: table.DeviceTimeline, Day: w.night()}, w.timeline)
	})
	for n, t := range trials {
		g.Go(func() error {
			x := w.expose(n)
			return errors.Join(
				partition(ctx, l, lake.Partition{Table: table.UnitExposure, Experiment: t.name, Day: w.night()},
					func(emit func(*table.UnitExposureRow) error) error { return x.rows(w, emit) }),
				partition(ctx, l, lake.Partition{Table: table.UnitIdentifier, Experiment: t.name, Day: w.night()},
					func(emit func(*table.UnitIdentifierRow) error) error { return x.identifiers(w, emit) }))
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return os.Rename(dir, args[0])
}

// partition commits the rows that fill emits.
func partition[Row any](ctx context.Context, l *lake.Lake, p lake.Partition, fill func(emit func(*Row) error) error) error {
	d := l.Draft(p, memory)
	defer d.Close()
	if err := fill(func(row *Row) error { return d.Add(row) }); err != nil {
		return err
	}
	_, _, err := d.Commit(ctx, lake.Recipe{Job: "bench"}, lake.Counts{}, nil)
	return err
}
