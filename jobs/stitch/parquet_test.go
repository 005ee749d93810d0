package stitch

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/parquet-go/parquet-go"

	"crosslift/jobs/sheet"
	"crosslift/schemas/identifier"
)

// Row groups that are written beside each other hold the rows in order, each once; one worker writes the same bytes.
func TestRowGroups(t *testing.T) {
	t.Parallel()
	n := &nodes{form: raw, column: sheet.Column{Kind: sheet.ID, UUID: true}, ids: make([]identifier.ID, groupRows+5)}
	component := make([]uint32, len(n.ids))
	for i := range n.ids {
		binary.BigEndian.PutUint32(n.ids[i][:], uint32(i))
		component[i] = uint32(i / 3)
	}
	var files [2]bytes.Buffer
	for i := range files {
		if err := writeParquet(t.Context(), &files[i], n, component, 2-i); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0].Bytes(), files[1].Bytes()) {
		t.Error("two workers write another file than one")
	}
	rows, err := parquet.Read[uuidRow](bytes.NewReader(files[0].Bytes()), int64(files[0].Len()))
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(n.ids) {
		t.Fatalf("%d rows instead of %d", len(rows), len(n.ids))
	}
	for i, r := range rows {
		if r.Node != n.ids[i] || r.Component != n.ids[i/3] {
			t.Fatalf("row %d: %v", i, r)
		}
	}
}
