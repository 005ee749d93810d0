package facts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/lake/object"
)

// lakeIn is the folder of a world's lake.
const lakeIn = "lake"

func lakeOf(world string) *lake.Lake {
	return lake.New(object.NewFolder(filepath.Join(world, lakeIn)), world)
}

// opener opens partitions of a lake, until something fails.
type opener struct {
	lake *lake.Lake
	open []io.Closer
	err  error
}

// heads are a table's partitions in the order of days.
func (o *opener) heads(ctx context.Context, t *table.Table, experiment string) []*lake.Head {
	heads, err := o.lake.Heads(ctx, t, experiment)
	if err == nil && len(heads) == 0 {
		err = fmt.Errorf("no partition of %s", t)
	}
	o.err = errors.Join(o.err, err)
	return heads
}

func (o *opener) file(ctx context.Context, h *lake.Head) *columns.File {
	r, err := o.lake.Read(ctx, h)
	if err != nil {
		o.err = errors.Join(o.err, err)
		return nil
	}
	o.open = append(o.open, r)
	return r.File
}

// only is a state's only night.
func (o *opener) only(ctx context.Context, t *table.Table, experiment string) *columns.File {
	heads := o.heads(ctx, t, experiment)
	if o.err != nil {
		return nil
	}
	return o.file(ctx, heads[len(heads)-1])
}

func (o *opener) close() {
	for _, c := range o.open {
		c.Close()
	}
}
