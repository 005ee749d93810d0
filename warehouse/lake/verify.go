package lake

import (
	"context"
	"fmt"
	"io"
	"maps"

	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// Verify reads a partition back, row by row, and compares it with what its footer says: the order, the content hash,
// the number of rows and the control sums. Of a table that a job writes together with others, the siblings must have
// the same recipe.
func (l *Lake) Verify(ctx context.Context, p Partition) error {
	h, err := l.Head(ctx, p)
	if err != nil {
		return err
	}
	r, err := l.Read(ctx, h)
	if err != nil {
		return err
	}
	defer r.Close()
	codec, w := columns.NewCodec(p.Table), columns.NewWriter(io.Discard, p.Table)
	var encoded []byte
	for row, err := range r.Each(ctx, p.Table) {
		if err == nil {
			encoded, err = codec.Append(encoded[:0], row)
		}
		if err == nil {
			err = w.Write(encoded)
		}
		if err != nil {
			return fmt.Errorf("lake: %s: %w", p, err)
		}
	}
	s, err := w.Close(func(columns.Summary) map[string]string { return nil })
	switch {
	case err != nil:
		return err
	case s.Rows != h.Counts.Written:
		return fmt.Errorf("lake: %s: it has %d rows, its footer says %d", p, s.Rows, h.Counts.Written)
	case s.Content != h.Content:
		return fmt.Errorf("lake: %s: its rows hash to %.12s, its footer says %.12s", p, s.Content, h.Content)
	case !maps.Equal(s.Sums, h.Sums):
		return fmt.Errorf("lake: %s: its control sums are not those of its footer", p)
	}
	return l.siblings(ctx, h)
}

// siblings compares a head's recipe with those of the other tables that its job wrote for that day.
func (l *Lake) siblings(ctx context.Context, h *Head) error {
	for path := range h.Recipe.Tables {
		sibling := h.Partition
		if sibling.Table = table.Named(path); sibling.Table == nil || path == h.Table.Path() {
			continue
		}
		other, err := l.Head(ctx, sibling)
		if err != nil {
			return fmt.Errorf("its sibling: %w", err)
		}
		if other.Recipe.Hash() != h.Recipe.Hash() {
			return fmt.Errorf("lake: %s: %s was made by another recipe: run `%s` again", h.Partition, other.Partition, h.Recipe.Job)
		}
	}
	return nil
}
