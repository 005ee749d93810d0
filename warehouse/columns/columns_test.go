package columns

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// TestBytesOrderAsRows compares encodings with columns: the codec's one promise.
func TestBytesOrderAsRows(t *testing.T) {
	t.Parallel()
	r := random(t)
	for _, of := range table.All() {
		codec := NewCodec(of)
		for range 2000 {
			a, b := randomRow(r, of), randomRow(r, of)
			if r.IntN(4) == 0 {
				b = a
			}
			x, err := codec.Append(nil, a)
			if err != nil {
				t.Fatal(err)
			}
			y, err := codec.Append(nil, b)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := bytes.Compare(x, y), less(of, a, b); got != want {
				t.Fatalf("%s: encodings compare as %d, rows as %d:\n%s\n%s", of, got, want, text(of, a), text(of, b))
			}
		}
	}
}

// TestRoundTrip reads every table back as rows and as vectors, in order, with more than one row group.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	r := random(t)
	for _, of := range table.All() {
		n := 3000
		if of == table.Viewing {
			n = rowGroupRows + 500
		}
		rows := make([]any, n)
		for i := range rows {
			rows[i] = randomRow(r, of)
		}
		b, s := written(t, of, rows)
		f := opened(t, b)
		if f.Rows() != int64(n) || s.Rows != int64(n) || f.RowGroups() != (n+rowGroupRows-1)/rowGroupRows {
			t.Fatalf("%s: %d rows in %d groups", of, f.Rows(), f.RowGroups())
		}
		slices.SortFunc(rows, func(a, b any) int { return less(of, a, b) })
		i := 0
		for row, err := range f.Each(t.Context(), of) {
			if err != nil {
				t.Fatal(err)
			}
			if text(of, row) != text(of, rows[i]) {
				t.Fatalf("%s: row %d is\n%s, expected\n%s", of, i, text(of, row), text(of, rows[i]))
			}
			i++
		}
		checkVectors(t, f, of, rows)
	}
}

func checkVectors(t *testing.T, f *File, of *table.Table, rows []any) {
	t.Helper()
	var v Vector
	for _, c := range of.Columns {
		at := 0
		for g := range f.RowGroups() {
			if err := f.Vector(t.Context(), g, c.Name, &v); err != nil {
				t.Fatal(err)
			}
			for i := range int(f.RowGroupRows(g)) {
				want := of.Text(rows[at], c)
				if c.Type == table.Float && want == "-0" {
					want = "0"
				}
				if got := cell(&v, c, i); got != want {
					t.Fatalf("%s: %s of row %d is %q in the vector, expected %q", of, c.Name, at, got, want)
				}
				at++
			}
			if low, high, ok := f.IntBounds(g, c.Name); ok && v.Present == nil && len(v.Ints) > 0 {
				if low != slices.Min(v.Ints) || high != slices.Max(v.Ints) {
					t.Errorf("%s: %s: bounds %d, %d, values from %d to %d", of, c.Name, low, high, slices.Min(v.Ints), slices.Max(v.Ints))
				}
			}
		}
	}
}

// cell prints a vector's value as the table prints the row's.
func cell(v *Vector, c table.Column, i int) string {
	if v.Present != nil && !v.Present[i] {
		return ""
	}
	switch c.Type {
	case table.String:
		if v.Index[i] < 0 {
			return ""
		}
		return v.Strings[v.Index[i]]
	case table.ID:
		if v.Index[i] < 0 {
			return ""
		}
		return v.IDs[v.Index[i]].String()
	case table.Float:
		return strconv.FormatFloat(v.Floats[i], 'g', -1, 64)
	case table.Bool:
		return fmt.Sprint(v.Bools[i])
	case table.Timestamp:
		return table.Micros(v.Ints[i]).Time().Format("2006-01-02T15:04:05.999999Z07:00")
	case table.Date:
		return table.Day(v.Ints[i]).String()
	}
	return fmt.Sprint(v.Ints[i])
}

// TestContentHash depends on the rows and nothing else, and is known: a change of the encoding would make every lake
// stale, so it must be noticed.
func TestContentHash(t *testing.T) {
	t.Parallel()
	r := random(t)
	rows := make([]any, 5000)
	for i := range rows {
		rows[i] = randomRow(r, table.Payment)
	}
	first, want := written(t, table.Payment, rows)
	for _, memory := range []int64{1 << 16, 1 << 20, 1 << 30} {
		r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		codec, sorter := NewCodec(table.Payment), NewSorter(memory, t.TempDir())
		for _, row := range rows {
			b, err := codec.Append(nil, row)
			if err != nil {
				t.Fatal(err)
			}
			if err := sorter.Add(b); err != nil {
				t.Fatal(err)
			}
		}
		var out bytes.Buffer
		w := NewWriter(&out, table.Payment)
		for row, err := range sorter.Rows() {
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Write(row); err != nil {
				t.Fatal(err)
			}
		}
		got, err := w.Close(func(Summary) map[string]string { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) || !bytes.Equal(out.Bytes(), first) {
			t.Errorf("memory %d: %+v, expected %+v", memory, got, want)
		}
		if err := sorter.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, known := written(t, table.Payment, []any{&table.PaymentRow{SourceID: "p1", PaidAt: 1700000000000000, Account: identifier.ID{1},
		AmountMinor: 29900, Currency: "RUB", Status: "succeeded"}})
	if known.Content != knownContent || known.Sums["amount_minor"] != "29900" {
		t.Errorf("content %s, expected %s", known.Content, knownContent)
	}
}

const knownContent = "ccf6a50f9cca8d0797c7bc0665ce212c9e32c53c8398f4d2ceaf343d58aed780"

// TestSorter sorts more runs than are merged at once, keeps equal rows, and leaves no file behind.
func TestSorter(t *testing.T) {
	t.Parallel()
	r := random(t)
	dir := t.TempDir()
	s := NewSorter(0, dir)
	var want []string
	for range 400_000 {
		row := make([]byte, r.IntN(12))
		for i := range row {
			row[i] = byte(r.IntN(3))
		}
		want = append(want, string(row))
		if err := s.Add(row); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.runs) <= fanIn*fanIn/4 {
		t.Fatalf("%d runs: too few to need several passes", len(s.runs))
	}
	slices.Sort(want)
	i := 0
	for row, err := range s.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		if string(row) != want[i] {
			t.Fatalf("row %d is %q, expected %q", i, row, want[i])
		}
		i++
	}
	if i != len(want) {
		t.Errorf("%d rows of %d", i, len(want))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestSorterInOrder spills rows that come in order into one run, and those of two ranges into three: one is of the end of the first
// and the beginning of the second.
func TestSorterInOrder(t *testing.T) {
	t.Parallel()
	for ranges := 1; ranges <= 2; ranges++ {
		s := NewSorter(0, t.TempDir())
		const n = 20_000
		for range ranges {
			for i := range n {
				if err := s.Add(binary.BigEndian.AppendUint32(nil, uint32(i))); err != nil {
					t.Fatal(err)
				}
			}
		}
		i := 0
		for row, err := range s.Rows() {
			if err != nil || binary.BigEndian.Uint32(row) != uint32(i/ranges) {
				t.Fatalf("row %d of %d ranges: %x, %v", i, ranges, row, err)
			}
			i++
		}
		if len(s.runs) != 2*ranges-1 || i != ranges*n {
			t.Errorf("%d rows in %d runs of %d ranges", i, len(s.runs), ranges)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestSorterWithoutRoom says where it could not spill.
func TestSorterWithoutRoom(t *testing.T) {
	t.Parallel()
	s := NewSorter(0, t.TempDir()+"/gone")
	var err error
	for range 100_000 {
		if err = s.Add([]byte("0123456789")); err != nil {
			break
		}
	}
	if err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("got %v", err)
	}
}

// TestOutOfOrder refuses rows that are not sorted.
func TestOutOfOrder(t *testing.T) {
	t.Parallel()
	w, codec := NewWriter(io.Discard, table.Viewing), NewCodec(table.Viewing)
	for i, seconds := range []int64{2, 1} {
		row, err := codec.Append(nil, &table.ViewingRow{SourceID: "v", Seconds: seconds})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(row); (err != nil) != (i == 1) {
			t.Errorf("row %d: %v", i, err)
		}
	}
}

// flips turns one bit of what passes through it.
type flips struct {
	out bytes.Buffer
	at  int
}

func (f *flips) Write(p []byte) (int, error) {
	if at := f.at - f.out.Len(); at >= 0 && at < len(p) {
		p = bytes.Clone(p)
		p[at] ^= 0x10
	}
	return f.out.Write(p)
}

// TestDamage damages a file anywhere: reading it gives an error or other rows, never a panic.
func TestDamage(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	rows := make([]any, 300)
	for i := range rows {
		rows[i] = randomRow(r, table.WebEvent)
	}
	whole, _ := written(t, table.WebEvent, rows)
	noticed := 0
	for at := 0; at < len(whole); at += 1 + len(whole)/400 {
		damaged := &flips{at: at}
		if _, err := damaged.Write(whole); err != nil {
			t.Fatal(err)
		}
		if readAll(t.Context(), damaged.out.Bytes()) != nil {
			noticed++
		}
	}
	if noticed == 0 {
		t.Error("no damage was noticed")
	}
}

// readAll reads a file in both ways.
func readAll(ctx context.Context, b []byte) error {
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return err
	}
	var v Vector
	for _, name := range f.Columns() {
		for g := range f.RowGroups() {
			err = errors.Join(err, f.Vector(ctx, g, name, &v))
		}
	}
	for _, each := range f.Each(ctx, table.WebEvent) {
		err = errors.Join(err, each)
	}
	return err
}

// FuzzOpen reads arbitrary bytes as a file.
func FuzzOpen(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	whole, _ := written(f, table.WebEvent, []any{randomRow(r, table.WebEvent), randomRow(r, table.WebEvent)})
	f.Add(whole)
	f.Add([]byte("PAR1PAR1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 1<<16 {
			_ = readAll(t.Context(), b)
		}
	})
}

// FuzzCodec decodes arbitrary bytes as a row: an error, or a row that can be encoded.
func FuzzCodec(f *testing.F) {
	codec := NewCodec(table.Payment)
	row, err := codec.Append(nil, randomRow(rand.New(rand.NewPCG(1, 1)), table.Payment))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(row)
	f.Fuzz(func(t *testing.T, b []byte) {
		row, err := codec.Row(b)
		if err != nil {
			return
		}
		if _, err := codec.Append(nil, row); err != nil && !strings.Contains(err.Error(), "not a number") {
			t.Error(err)
		}
	})
}
