package stitch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"crosslift/jobs/sheet"
)

// writer writes the map: the nodes in their order, each with its component, which is told by its smallest node's number.
type writer func(ctx context.Context, n *nodes, component []uint32) error

// writerFor tells from its name how the map is to be written.
func writerFor(o Options) (writer, error) {
	encode := writeCSV
	switch ext := strings.ToLower(filepath.Ext(o.Out)); ext {
	case ".csv":
	case ".parquet":
		encode = writeParquet
	default:
		return nil, &UsageError{fmt.Errorf("%s: expected a name that ends in .csv or .parquet", o.Out)}
	}
	if err := sheet.Replaceable(o.Out); err != nil {
		return nil, &UsageError{err}
	}
	if sameFile(o.Edges, o.Out) {
		return nil, &UsageError{fmt.Errorf("%s: the map would replace the edges", o.Out)}
	}
	return func(ctx context.Context, n *nodes, component []uint32) error {
		return sheet.Replace(o.Out, func(w io.Writer) error { return encode(ctx, w, n, component, o.Workers) })
	}, nil
}

func writeCSV(ctx context.Context, w io.Writer, n *nodes, component []uint32, _ int) error {
	line := []byte("node,component\n")
	var cell []byte
	quoted := n.form == text
	for i, c := range component {
		if i%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for k, at := range [2]uint32{uint32(i), c} {
			if quoted {
				cell = n.append(cell[:0], at)
				line = appendCell(line, cell)
			} else {
				line = n.append(line, at)
			}
			line = append(line, ",\n"[k])
		}
		if len(line) > 1<<15 {
			if _, err := w.Write(line); err != nil {
				return err
			}
			line = line[:0]
		}
	}
	_, err := w.Write(line)
	return err
}

// appendCell appends a cell of CSV (RFC 4180), in quotes where it needs them.
func appendCell(to, cell []byte) []byte {
	if !bytes.ContainsAny(cell, ",\"\r\n") {
		return append(to, cell...)
	}
	to = append(to, '"')
	for _, b := range cell {
		if b == '"' {
			to = append(to, '"')
		}
		to = append(to, b)
	}
	return append(to, '"')
}
