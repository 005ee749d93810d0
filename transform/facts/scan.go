package facts

import (
	"context"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// scan reads some columns of row groups, several at a time: of those that only, if any, is true for.
func scan(ctx context.Context, f *columns.File, t *table.Table, workers int, names []string, only func(group int) bool, do func(group int, v []columns.Vector) error) error {
	g, ctx := errgroup.WithContext(ctx)
	groups := make(chan int)
	g.Go(func() error {
		defer close(groups)
		for group := range f.RowGroups() {
			if only != nil && !only(group) {
				continue
			}
			select {
			case groups <- group:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range workers {
		g.Go(func() error {
			v := make([]columns.Vector, len(names))
			for group := range groups {
				for i, name := range names {
					if err := f.VectorOf(ctx, t, group, name, &v[i]); err != nil {
						return err
					}
				}
				if err := do(group, v); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// parallel does something for each of some numbers, several at a time.
func (b *builder) parallel(n int, do func(int) error) error {
	var g errgroup.Group
	g.SetLimit(b.workers)
	for i := range n {
		g.Go(func() error { return do(i) })
	}
	return g.Wait()
}
