package stitch

import (
	"context"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/compress/zstd"
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

// schema is the schema of the map, with the compression that pays: keys do not shrink, but they repeat.
func (n *nodes) schema() (*parquet.Schema, compress.Codec) {
	switch c := n.column; {
	case n.form == integer:
		return parquet.SchemaOf(row[int64]{}), &parquet.Snappy
	case n.form == unsigned:
		return parquet.SchemaOf(row[uint64]{}), &parquet.Snappy
	case c.Kind == sheet.ID && c.UUID:
		return parquet.SchemaOf(uuidRow{}), &parquet.Snappy
	case c.Kind == sheet.ID:
		return parquet.SchemaOf(row[identifier.ID]{}), &parquet.Snappy
	case c.Kind == sheet.Bytes:
		return parquet.SchemaOf(row[[]byte]{}), &parquet.Snappy
	}
	return parquet.SchemaOf(row[string]{}), &zstd.Codec{Level: zstd.SpeedFastest}
}

// values appends a node as one of Parquet's values; its text lies in room, behind what is there.
func (n *nodes) values(to []parquet.Value, room []byte, node uint32) ([]parquet.Value, []byte) {
	switch c := n.column; {
	case n.form == text:
		from := len(room)
		room = append(room, n.texts[node]...)
		return append(to, parquet.ByteArrayValue(room[from:])), room
	case n.form == integer || n.form == unsigned:
		return append(to, parquet.Int64Value(n.form.int(n.ids[node]))), room
	case c.Kind == sheet.ID:
		return append(to, parquet.FixedLenByteArrayValue(n.ids[node][:])), room
	case c.Kind == sheet.Bytes:
		return append(to, parquet.ByteArrayValue(n.ids[node][:])), room
	}
	from := len(room)
	room = n.form.appendID(room, n.ids[node])
	return append(to, parquet.ByteArrayValue(room[from:])), room
}

// groupRows are a row group's rows: the unit of writing beside each other, and of reading so.
const groupRows = 1 << 18

// writeParquet writes the map, some row groups at a time by a goroutine each.
func writeParquet(ctx context.Context, w io.Writer, n *nodes, m *grouped, workers int) error {
	schema, codec := n.schema()
	out := parquet.NewGenericWriter[any](w, schema, parquet.Compression(codec), parquet.MaxRowsPerRowGroup(groupRows))
	groups := make([]*parquet.ConcurrentRowGroupWriter, workers)
	for i := range groups {
		groups[i] = out.BeginRowGroup()
	}
	for left := m.rows; len(left) > 0; {
		g, ctx := errgroup.WithContext(ctx)
		begun := 0
		for ; begun < workers && len(left) > 0; begun++ {
			group, rows := groups[begun], left[:min(groupRows, len(left))]
			left = left[len(rows):]
			g.Go(func() error { return fillGroup(ctx, group.ColumnWriters(), n, m, rows) })
		}
		if err := g.Wait(); err != nil {
			return err
		}
		for _, group := range groups[:begun] {
			if _, err := group.Commit(); err != nil {
				return err
			}
		}
	}
	return out.Close()
}

// fillGroup encodes a row group.
func fillGroup(ctx context.Context, columns []*parquet.ColumnWriter, n *nodes, m *grouped, rows []uint32) error {
	var values []parquet.Value
	var room []byte
	for len(rows) > 0 {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		some := rows[:min(writeRows, len(rows))]
		rows = rows[len(some):]
		for k, column := range columns {
			values, room = values[:0], room[:0]
			for _, node := range some {
				if k == 1 {
					node = m.component[node]
				}
				values, room = n.values(values, room, node)
			}
			if _, err := column.WriteRowValues(values); err != nil {
				return err
			}
		}
	}
	for _, column := range columns {
		if err := column.Flush(); err != nil {
			return err
		}
	}
	return nil
}
