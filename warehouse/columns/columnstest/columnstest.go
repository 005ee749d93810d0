// Package columnstest makes files of lake tables for tests.
package columnstest

import (
	"bytes"
	"testing"

	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// File writes rows, pointers to the table's row type in any order, and opens the file.
func File[Row any](t testing.TB, of *table.Table, rows ...*Row) *columns.File {
	t.Helper()
	var b bytes.Buffer
	_, err := columns.WriteRows(&b, of, func(yield func(any) bool) {
		for _, row := range rows {
			if !yield(row) {
				return
			}
		}
	}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f, err := columns.Open(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return f
}
