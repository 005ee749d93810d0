// Package columnstest makes files of lake tables for tests.
package columnstest

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// File writes rows, pointers to the table's row type in any order, and opens the file.
func File[Row any](t testing.TB, of *table.Table, rows ...*Row) *columns.File {
	t.Helper()
	list := make([]any, len(rows))
	for i, row := range rows {
		list[i] = row
	}
	return AnyFile(t, of, list...)
}

// AnyFile is File for rows whose type is known to the table alone.
func AnyFile(t testing.TB, of *table.Table, rows ...any) *columns.File {
	t.Helper()
	var b bytes.Buffer
	_, err := columns.WriteRows(&b, of, slices.Values(rows), os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f, err := columns.Open(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return f
}
