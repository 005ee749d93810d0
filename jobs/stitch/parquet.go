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

// schema is the schema of the map, with the compression that pays: 16 bytes that look like chance do not shrink.
func (n *nodes) schema() (*parquet.Schema, compress.Codec) {
	switch c := n.column; {
	case n.form == integer:
		return parquet.SchemaOf(row[int64]{}), &parquet.Snappy
	case n.form == unsigned:
		return parquet.SchemaOf(row[uint64]{}), &parquet.Snappy
	case c.Kind == sheet.ID && c.UUID:
		return parquet.SchemaOf(uuidRow{}), &parquet.Uncompressed
	case c.Kind == sheet.ID:
		return parquet.SchemaOf(row[identifier.ID]{}), &parquet.Uncompressed
	case c.Kind == sheet.Bytes:
		return parquet.SchemaOf(row[[]byte]{}), &parquet.Snappy
	case n.form == uuid, n.form == hex32: // their digits look like chance: halving them would take longer than the clusters
		return parquet.SchemaOf(row[string]{}), &parquet.Uncompressed
	}
	return parquet.SchemaOf(row[string]{}), &zstd.Codec{Level: zstd.SpeedFastest}
}

// pageRows of a column are written at a time, and groupRows are those of a row group: the unit of writing beside each
// other, and of reading so.
const (
	pageRows  = 1 << 12
	groupRows = 1 << 18
)

// writeParquet writes the map, some row groups at a time by a goroutine each.
func writeParquet(ctx context.Context, w io.Writer, n *nodes, component []uint32, workers int) error {
	schema, codec := n.schema()
	out := parquet.NewGenericWriter[any](w, schema, parquet.Compression(codec), parquet.MaxRowsPerRowGroup(groupRows))
	groups, pages := make([]*parquet.ConcurrentRowGroupWriter, workers), make([]pageWriter, workers)
	for i := range groups {
		groups[i], pages[i].nodes = out.BeginRowGroup(), n
	}
	for from := 0; from < len(component); {
		g, ctx := errgroup.WithContext(ctx)
		begun := 0
		for ; begun < workers && from < len(component); begun++ {
			group, page, first, end := groups[begun], &pages[begun], from, min(from+groupRows, len(component))
			g.Go(func() error { return page.group(ctx, group.ColumnWriters(), component, first, end) })
			from = end
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

// pageWriter holds what writing some rows of a column needs, for the next.
type pageWriter struct {
	nodes  *nodes
	which  []uint32
	ids    []identifier.ID
	text   []byte
	values []parquet.Value
}

// group encodes the nodes from one to another as a row group.
func (p *pageWriter) group(ctx context.Context, columns []*parquet.ColumnWriter, component []uint32, from, to int) error {
	for ; from < to; from += pageRows {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		until := min(from+pageRows, to)
		p.which = p.which[:0]
		for i := from; i < until; i++ {
			p.which = append(p.which, uint32(i))
		}
		if err := p.write(columns[0], p.which); err != nil {
			return err
		}
		if err := p.write(columns[1], component[from:until]); err != nil {
			return err
		}
	}
	for _, column := range columns {
		if err := column.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// write writes nodes to a column.
func (p *pageWriter) write(column *parquet.ColumnWriter, which []uint32) error {
	n := p.nodes
	p.values, p.text, p.ids = p.values[:0], p.text[:0], p.ids[:0]
	if n.form != text {
		for _, at := range which { // nothing else, so that the processor waits for many of them at once
			p.ids = append(p.ids, n.ids[at])
		}
	}
	switch {
	case n.form == text:
		for _, at := range which {
			p.add(append(p.text, n.texts[at]...))
		}
	case n.form == integer || n.form == unsigned:
		for i := range p.ids {
			p.values = append(p.values, parquet.Int64Value(n.form.int(p.ids[i])))
		}
	case n.column.Kind == sheet.ID:
		for i := range p.ids {
			p.values = append(p.values, parquet.FixedLenByteArrayValue(p.ids[i][:]))
		}
	case n.form == raw:
		for i := range p.ids {
			p.values = append(p.values, parquet.ByteArrayValue(p.ids[i][:]))
		}
	default:
		for i := range p.ids {
			p.add(n.form.appendID(p.text, p.ids[i]))
		}
	}
	_, err := column.WriteRowValues(p.values)
	return err
}

// add adds a value: what text has more than before.
func (p *pageWriter) add(text []byte) {
	p.values = append(p.values, parquet.ByteArrayValue(text[len(p.text):]))
	p.text = text
}
