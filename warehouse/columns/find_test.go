package columns_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// TestFind looks identifiers up in a file of three row groups, by the column that it is sorted by and by one that it is not.
// It finds what a pass over all rows finds, and reads neither row groups that cannot hold them nor those to be skipped.
func TestFind(t *testing.T) {
	t.Parallel()
	const groups, size = 3, 1 << 17
	id := func(n int) (id identifier.ID) {
		binary.BigEndian.PutUint32(id[:], uint32(n))
		id[15] = 1
		return id
	}
	row := func(n int) *table.HouseholdRow {
		return &table.HouseholdRow{Profile: id(2 * n), Household: id(n % 1000), Profiles: int64(n)}
	}
	var b bytes.Buffer
	w, codec := columns.NewWriter(&b, table.Household), columns.NewCodec(table.Household)
	var encoded []byte
	for n := range groups * size {
		var err error
		if encoded, err = codec.Append(encoded[:0], row(n)); err != nil {
			t.Fatal(err)
		}
		if err := w.Write(encoded); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(func(columns.Summary) map[string]string { return nil }); err != nil {
		t.Fatal(err)
	}
	f, err := columns.Open(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if low, high, ok := f.IDBounds(1, "profile_id"); !ok || low != id(2*size) || high != id(4*size-2) {
		t.Fatalf("the second row group is from %s to %s, %t", low, high, ok)
	}
	for _, c := range []struct {
		name    string
		ids     []identifier.ID
		columns []string
		want    func(n int) bool
		asked   []int // row groups of which it is asked whether to skip them
	}{
		{"one in the middle", []identifier.ID{id(2*size + 20)}, []string{"profile_id"}, func(n int) bool { return n == size+10 }, []int{1}},
		{"the first and the last", []identifier.ID{id(0), id(2 * (groups*size - 1))}, []string{"profile_id"}, func(n int) bool { return n == 0 || n == groups*size-1 }, []int{0, 2}},
		{"none that lies between two", []identifier.ID{id(2*size + 21)}, []string{"profile_id"}, func(int) bool { return false }, []int{1}},
		{"none before the first", []identifier.ID{{0, 0, 0, 0, 0}}, []string{"profile_id"}, func(int) bool { return false }, nil},
		{"one by a column without order", []identifier.ID{id(7)}, []string{"household_id"}, func(n int) bool { return n%1000 == 7 }, []int{0, 1, 2}},
		{"one by either column", []identifier.ID{id(8)}, []string{"profile_id", "household_id"}, func(n int) bool { return n%1000 == 8 || n == 4 }, []int{0, 1, 2}},
	} {
		for skipped := -1; skipped < groups; skipped++ {
			var asked []int
			set := identifier.Set{}
			for _, id := range c.ids {
				set[id] = struct{}{}
			}
			rows, err := columns.Find[table.HouseholdRow](t.Context(), f, table.Household, set, func(g int) bool {
				asked = append(asked, g)
				return g == skipped
			}, c.columns...)
			if err != nil {
				t.Fatal(err)
			}
			var want []table.HouseholdRow
			for n := range groups * size {
				if n/size != skipped && c.want(n) {
					want = append(want, *row(n))
				}
			}
			got := []table.HouseholdRow(nil)
			for _, r := range rows {
				got = append(got, *r)
			}
			if !slices.Equal(got, want) || !slices.Equal(asked, c.asked) {
				t.Fatalf("%s, row group %d skipped: %d rows, expected %d; row groups %v, expected %v", c.name, skipped, len(got), len(want), asked, c.asked)
			}
		}
	}
	if _, err := columns.Find[table.PersonRow](t.Context(), f, table.Household, nil, nil, "profile_id"); err == nil {
		t.Error("rows of another table are read")
	}
	if _, err := columns.Find[table.HouseholdRow](t.Context(), f, table.Household, identifier.Set{id(1): {}}, nil, "person_id"); err == nil {
		t.Error("a column that is not there is read")
	}
}
