package stitch

import (
	"context"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"golang.org/x/sync/errgroup"

	"crosslift/jobs/sheet"
	"crosslift/schemas/identifier"
)

// row is a row of the map, in the type that the file of edges had.
type row[T any] struct {
	Node      T `parquet:"node"`
	Component T `parquet:"component"`
}

// uuidRow is one of identifiers of which the file of edges said that they are UUIDs.
type uuidRow struct {
	Node      identifier.ID `parquet:"node,uuid"`
	Component identifier.ID `parquet:"component,uuid"`
}

// textRow is one of texts, in memory that serves again.
type textRow struct {
	Node      []byte `parquet:"node,string"`
	Component []byte `parquet:"component,string"`
}

func writeParquet(ctx context.Context, w io.Writer, n *nodes, m *grouped) error {
	switch c := n.column; {
	case n.form == integer:
		return pour(ctx, w, &parquet.Snappy, m, func(to *row[int64], node, component uint32) {
			to.Node, to.Component = n.form.int(n.ids[node]), n.form.int(n.ids[component])
		})
	case n.form == unsigned:
		return pour(ctx, w, &parquet.Snappy, m, func(to *row[uint64], node, component uint32) {
			to.Node, to.Component = uint64(n.form.int(n.ids[node])), uint64(n.form.int(n.ids[component]))
		})
	case c.Kind == sheet.ID && c.UUID:
		return pour(ctx, w, &parquet.Snappy, m, func(to *uuidRow, node, component uint32) {
			to.Node, to.Component = n.ids[node], n.ids[component]
		})
	case c.Kind == sheet.ID:
		return pour(ctx, w, &parquet.Snappy, m, func(to *row[identifier.ID], node, component uint32) {
			to.Node, to.Component = n.ids[node], n.ids[component]
		})
	case c.Kind == sheet.Bytes:
		return pour(ctx, w, &parquet.Zstd, m, func(to *row[[]byte], node, component uint32) {
			to.Node, to.Component = n.bytes(node), n.bytes(component)
		})
	}
	return pour(ctx, w, &parquet.Zstd, m, func(to *textRow, node, component uint32) {
		to.Node, to.Component = n.append(to.Node[:0], node), n.append(to.Component[:0], component)
	})
}

func (n *nodes) bytes(node uint32) []byte {
	if n.form == text {
		return []byte(n.texts[node])
	}
	return n.ids[node][:]
}

// groupRows are a row group's rows.
const groupRows = 1 << 18

// pour writes the map's rows, which one goroutine makes while the other encodes those before.
func pour[R any](ctx context.Context, w io.Writer, codec compress.Codec, m *grouped, set func(to *R, node, component uint32)) error {
	full, free := make(chan []R, 3), make(chan []R, 3)
	for range cap(free) {
		free <- make([]R, writeRows)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(full)
		for from := 0; from < len(m.rows); from += writeRows {
			nodes := m.rows[from:min(from+writeRows, len(m.rows))]
			select {
			case <-ctx.Done():
				return ctx.Err()
			case rows := <-free:
				rows = rows[:len(nodes)]
				for i, node := range nodes {
					set(&rows[i], node, m.component[node])
				}
				full <- rows
			}
		}
		return nil
	})
	g.Go(func() error {
		out := parquet.NewGenericWriter[R](w, parquet.Compression(codec), parquet.MaxRowsPerRowGroup(groupRows))
		for rows := range full {
			if _, err := out.Write(rows); err != nil {
				return err
			}
			free <- rows[:cap(rows)]
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return out.Close()
	})
	return g.Wait()
}
