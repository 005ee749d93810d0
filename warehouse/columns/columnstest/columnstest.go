// Package columnstest makes files of lake tables for tests.
package columnstest

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"

	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// File writes rows, pointers to the table's row type in any order, and opens the file.
func File[Row any](t testing.TB, of *table.Table, rows ...*Row) *columns.File {
	t.Helper()
	return AnyFile(t, of, anys(rows)...)
}

// AnyFile is File for rows whose type is known to the table alone.
func AnyFile(t testing.TB, of *table.Table, rows ...any) *columns.File {
	t.Helper()
	return open(t, written(t, of, rows))
}

// Grouped is AnyFile with so many rows in a row group, far fewer than the lake has: for what must not depend on it.
func Grouped(t testing.TB, of *table.Table, rowGroup int, rows ...any) *columns.File {
	t.Helper()
	whole := written(t, of, rows)
	in, err := parquet.OpenFile(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	out := parquet.NewGenericWriter[any](&b, in.Schema(), parquet.MaxRowsPerRowGroup(int64(rowGroup)))
	for _, g := range in.RowGroups() {
		rows := g.Rows()
		if _, err := parquet.CopyRows(out, rows); err != nil {
			t.Fatal(err)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, b.Bytes())
}

func anys[Row any](rows []*Row) []any {
	list := make([]any, len(rows))
	for i, row := range rows {
		list[i] = row
	}
	return list
}

func written(t testing.TB, of *table.Table, rows []any) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := columns.WriteRows(&b, of, slices.Values(rows), os.TempDir()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(t testing.TB, content []byte) *columns.File {
	t.Helper()
	f, err := columns.Open(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}
