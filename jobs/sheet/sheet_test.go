package sheet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
)

func save(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func parquetOf[R any](t *testing.T, rows ...R) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[R](&b, parquet.MaxRowsPerRowGroup(2))
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What a column of Parquet holds follows from its type; what has no text of its own is refused by name.
func TestKinds(t *testing.T) {
	t.Parallel()
	type good struct {
		Text     string    `parquet:"text,dict"`
		Bytes    []byte    `parquet:"bytes"`
		UUID     [16]byte  `parquet:"uuid,uuid"`
		ID       [16]byte  `parquet:"id"`
		Int      int32     `parquet:"int"`
		Unsigned uint32    `parquet:"unsigned"`
		Millis   time.Time `parquet:"millis,timestamp(millisecond)"`
		Nanos    time.Time `parquet:"nanos,timestamp(nanosecond)"`
	}
	at := time.Date(1969, 12, 31, 23, 59, 59, 999_000_000, time.UTC)
	name := save(t, "good", parquetOf(t, good{"a", []byte{0xff}, [16]byte{1}, [16]byte{2}, -3, 4_000_000_000, at, at.Add(-1)}))
	s, err := Open(t.Context(), name, []string{"text", "bytes", "uuid", "id", "int", "unsigned", "millis", "nanos"}, []string{"none"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var kinds []Kind
	for _, c := range s.Columns {
		kinds = append(kinds, c.Kind)
	}
	if fmt.Sprint(kinds) != fmt.Sprint([]Kind{Text, Bytes, ID, ID, Int, Unsigned, Time, Time}) || !s.Columns[2].UUID || s.Columns[3].UUID {
		t.Errorf("%+v", s.Columns)
	}
	err = s.Read(t.Context(), 2, func(_ int, b *Batch) error {
		v := b.Vectors
		if v[4].Ints[0] != -3 || v[5].Ints[0] != 4_000_000_000 || v[6].Ints[0] != -1000 || v[7].Ints[0] != -1001 || b.What() != "row" {
			t.Errorf("%v %v %v %v", v[4].Ints, v[5].Ints, v[6].Ints, v[7].Ints)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	type bad struct {
		Float float64   `parquet:"float"`
		Eight [8]byte   `parquet:"eight"`
		Price int64     `parquet:"price,decimal(2:9)"`
		Many  []string  `parquet:"many"`
		Day   time.Time `parquet:"day,date"`
		Yes   bool      `parquet:"yes"`
	}
	name = save(t, "bad.parquet", parquetOf(t, bad{}))
	for _, column := range []string{"float", "eight", "price", "many", "day", "yes"} {
		_, err := Open(t.Context(), name, []string{column}, nil)
		var content *ContentError
		if !errors.As(err, &content) || !strings.Contains(err.Error(), fmt.Sprintf("column %q: ", column)) {
			t.Errorf("%s: %v", column, err)
		}
	}
}

// Of several errors that of the earliest row is told, whoever finds his first.
func TestFirstError(t *testing.T) {
	t.Parallel()
	type row struct {
		N int64 `parquet:"n"`
	}
	var rows []row
	lines := "n\n"
	for n := range int64(3 * batchRows) {
		rows = append(rows, row{n})
		lines += fmt.Sprintln(n)
	}
	for file, place := range map[string]string{
		save(t, "n.parquet", parquetOf(t, rows[:200]...)): "n.parquet row 101: bad",
		save(t, "n.csv", []byte(lines)):                   "n.csv line 102: bad",
	} {
		for range 10 {
			s, err := Open(t.Context(), file, []string{"n"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = s.Read(t.Context(), 3, func(_ int, b *Batch) error {
				var errs []error
				for i := range b.Rows {
					n := fmt.Sprint(b.Place(i) - 1)
					if b.What() == "line" {
						n = b.Vectors[0].Strings[b.Vectors[0].Index[i]]
					}
					if n == "100" || n > "150" && len(n) == 3 || len(n) == 5 {
						errs = append(errs, b.Error(i, errors.New("bad")))
					}
				}
				return First(errs...)
			})
			if err == nil || !strings.HasSuffix(err.Error(), place) {
				t.Fatalf("%v instead of %s", err, place)
			}
			s.Close()
		}
	}
}

// A damaged file is an error, and an end that was asked for is no error of the file.
func TestDamagedAndEnded(t *testing.T) {
	t.Parallel()
	type row struct {
		Text string `parquet:"text"`
	}
	whole := parquetOf(t, row{"a"}, row{"b"}, row{"c"})
	cut := save(t, "cut.parquet", whole[:len(whole)-9])
	if _, err := Open(t.Context(), cut, []string{"text"}, nil); err == nil {
		t.Error("a file without its end was opened")
	}
	for i := 4; i < len(whole)-8; i += 3 { // any damage is an error or unseen, but no panic
		damaged := bytes.Clone(whole)
		damaged[i] ^= 0x55
		s, err := Open(t.Context(), save(t, "d.parquet", damaged), []string{"text"}, nil)
		if err != nil {
			continue
		}
		_ = s.Read(t.Context(), 1, func(int, *Batch) error { return nil })
		s.Close()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, name := range []string{save(t, "w.parquet", whole), save(t, "w.csv", []byte("text\na\nb\n"))} {
		s, err := Open(t.Context(), name, []string{"text"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		var content *ContentError
		if err := s.Read(ctx, 2, func(int, *Batch) error { return nil }); !errors.Is(err, context.Canceled) || errors.As(err, &content) {
			t.Errorf("%v", err)
		}
	}
}
