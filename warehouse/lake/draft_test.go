package lake

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/lake/object"
)

var facts = Partition{Table: table.UnitMetric, Experiment: "e", Day: 20000}

// rows are facts of so many units for each of a few metrics, in the order of their table.
func rows(r *rand.Rand, units int) (list []*table.UnitMetricRow) {
	ids := make([]identifier.ID, units)
	for i := range ids {
		ids[i] = identifier.ID{1 + byte(i>>16), byte(i >> 8), byte(i), byte(r.IntN(256))}
	}
	for _, metric := range []string{"paid", "viewers", "watched"} {
		for _, id := range ids {
			row := &table.UnitMetricRow{Metric: metric, Stitching: table.AsOfExposure, Unit: id, Matured: r.IntN(2) == 0}
			if row.Count = int64(r.IntN(3)); row.Count > 0 {
				row.Sum, row.FirstAt, row.LastAt = r.NormFloat64(), new(table.Micros(r.Int64N(1e15))), new(table.Micros(r.Int64N(1e15)))
			}
			list = append(list, row)
		}
	}
	return list
}

// TestAnyOrder makes one partition, byte by byte, of rows that come in any order, with any memory.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	for range 4 {
		sorted := rows(r, 1+r.IntN(6000))
		n := len(sorted)
		at := r.IntN(n)
		var want []byte
		var hash string
		for _, c := range []struct {
			name string
			rows []*table.UnitMetricRow
		}{
			{"in order", sorted},
			{"the last one first", append(slices.Clone(sorted[n-1:]), sorted[:n-1]...)},
			{"the first one last", append(slices.Clone(sorted[1:]), sorted[0])},
			{"one late", append(slices.Concat(sorted[:at], sorted[at+1:]), sorted[at])},
			{"two ranges", append(slices.Clone(sorted[at:]), sorted[:at]...)},
			{"backwards", reversed(sorted)},
			{"every third, three times", slices.Concat(every(sorted, 3, 0), every(sorted, 3, 1), every(sorted, 3, 2))},
			{"shuffled", shuffled(r, sorted)},
		} {
			for _, memory := range []int64{0, 1 << 20, 1 << 30} {
				store, temp := t.TempDir(), t.TempDir()
				l := New(object.NewFolder(store), temp)
				d := l.Draft(facts, memory)
				for _, row := range c.rows {
					if err := d.Add(row); err != nil {
						t.Fatal(err)
					}
				}
				h := must(t, Written)(d.Commit(t.Context(), recipe(1), Counts{}, nil))
				if err := d.Close(); err != nil {
					t.Fatal(err)
				}
				got, err := os.ReadFile(store + "/" + facts.Key())
				if err != nil {
					t.Fatal(err)
				}
				if want == nil {
					want, hash = got, h.Content
				}
				if h.Rows != int64(n) || h.Content != hash || string(got) != string(want) {
					t.Errorf("seed %d: %d rows %s in %d bytes of memory: another partition than in order", seed, n, c.name, memory)
				}
				empty(t, temp)
			}
		}
	}
}

// TestUniqueInAnyOrder drops rows that come again, at once or much later.
func TestUniqueInAnyOrder(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	once := rows(r, 2000)
	twice := append(slices.Clone(once), once...)
	for name, rows := range map[string][]*table.UnitMetricRow{"shuffled": shuffled(r, twice), "after all": twice, "at once": neighbours(once)} {
		l := New(object.NewFolder(t.TempDir()), t.TempDir())
		d := l.Draft(facts, 0)
		defer d.Close()
		d.Unique = true
		for _, row := range rows {
			if err := d.Add(row); err != nil {
				t.Fatal(err)
			}
		}
		alone := recipe(1)
		alone.Tables = Tables(table.UnitMetric)
		if h := must(t, Written)(d.Commit(t.Context(), alone, Counts{}, nil)); h.Rows != int64(len(once)) {
			t.Errorf("%s: %d rows, expected %d", name, h.Rows, len(once))
		}
		if err := l.Verify(t.Context(), facts); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAbandoned leaves nothing behind of a draft that is not committed, wherever it was left.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	sorted := rows(rand.New(rand.NewPCG(1, 1)), 3000)
	for name, rows := range map[string][]*table.UnitMetricRow{
		"no row": nil, "a few": sorted[:inOrder-1], "in order": sorted, "in order no more": append(slices.Clone(sorted[1:]), sorted[0]), "backwards": reversed(sorted),
	} {
		store, temp := t.TempDir(), t.TempDir()
		d := New(object.NewFolder(store), temp).Draft(facts, 0)
		for _, row := range rows {
			if err := d.Add(row); err != nil {
				t.Fatal(err)
			}
		}
		empty(t, temp) // even before it is closed: a program that dies does not close
		if err := d.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		empty(t, store)
	}
}

// TestWithoutRoom says of which partition rows could not be kept.
func TestWithoutRoom(t *testing.T) {
	t.Parallel()
	sorted := rows(rand.New(rand.NewPCG(1, 1)), 300)
	d := New(object.NewFolder(t.TempDir()), t.TempDir()+"/gone").Draft(facts, 0)
	defer d.Close()
	var err error
	for _, row := range sorted {
		if err = d.Add(row); err != nil {
			break
		}
	}
	if err == nil {
		t.Error("rows were kept in a folder that is not there")
	}
}

func empty(t *testing.T, dir string) {
	t.Helper()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func reversed[T any](list []T) []T {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

func shuffled[T any](r *rand.Rand, list []T) []T {
	list = slices.Clone(list)
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// every gives each n-th element from one on.
func every[T any](list []T, n, from int) (some []T) {
	for i := from; i < len(list); i += n {
		some = append(some, list[i])
	}
	return some
}

func neighbours[T any](list []T) (twice []T) {
	for _, x := range list {
		twice = append(twice, x, x)
	}
	return twice
}

// BenchmarkDraft checks, sorts, hashes, writes and commits facts: in their order, in two ranges each of which is in order, and in
// none.
func BenchmarkDraft(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	sorted := rows(r, 200_000)
	half := len(sorted) / 2
	for _, c := range []struct {
		name string
		rows []*table.UnitMetricRow
	}{{"in order", sorted}, {"in two ranges", append(slices.Clone(sorted[half:]), sorted[:half]...)}, {"shuffled", shuffled(r, sorted)}} {
		for _, memory := range []int64{8 << 20, 1 << 30} {
			b.Run(fmt.Sprintf("%s, %d MB", c.name, memory>>20), func(b *testing.B) {
				l := New(object.NewFolder(b.TempDir()), b.TempDir())
				for n := 0; b.Loop(); n++ {
					p := facts
					p.Day += table.Day(n)
					d := l.Draft(p, memory)
					for _, row := range c.rows {
						if err := d.Add(row); err != nil {
							b.Fatal(err)
						}
					}
					if _, _, err := d.Commit(b.Context(), recipe(1), Counts{}, nil); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(c.rows)), "ns/row")
			})
		}
	}
}

// BenchmarkCheck looks at a row, and encodes it.
func BenchmarkCheck(b *testing.B) {
	row := rows(rand.New(rand.NewPCG(1, 1)), 1)[0]
	codec := columns.NewCodec(table.UnitMetric)
	var encoded []byte
	for b.Loop() {
		if err := table.UnitMetric.Check(row); err != nil {
			b.Fatal(err)
		}
		var err error
		if encoded, err = codec.Append(encoded[:0], row); err != nil {
			b.Fatal(err)
		}
	}
}
