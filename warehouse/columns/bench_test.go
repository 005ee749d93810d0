package columns

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// The benchmarks answer which reader serves which access pattern better: Arrow's batches or vectors, which are
// parquet-go's pages and dictionaries. `go test -bench Read ./warehouse/columns` prints them side by side.

const benchRows = 500_000

// payments is a day of payments: few statuses and currencies, accounts that come several times.
func payments(b *testing.B) *File {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 1))
	rows := make([]any, benchRows)
	for i := range rows {
		var account identifier.ID
		binary.BigEndian.PutUint64(account[:], uint64(1+r.IntN(benchRows/4))*0x9E3779B97F4A7C15)
		rows[i] = &table.PaymentRow{SourceID: fmt.Sprintf("pay_%08x", r.Uint32()), PaidAt: table.Micros(1.7e15 + r.Int64N(86400e6)),
			Account: account, AmountMinor: int64(r.IntN(5)) * 10000, Currency: "RUB", Status: []string{"succeeded", "failed", "pending"}[r.IntN(3)]}
	}
	whole, _ := written(b, table.Payment, rows)
	b.Logf("%d rows in %d bytes", benchRows, len(whole))
	return opened(b, whole)
}

func perRow(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}

// BenchmarkReadProjection sums one number of eight columns.
func BenchmarkReadProjection(b *testing.B) {
	f := payments(b)
	b.Run("batches", func(b *testing.B) {
		for b.Loop() {
			sum := int64(0)
			for batch, err := range f.Batches(b.Context(), []string{"amount_minor"}) {
				if err != nil {
					b.Fatal(err)
				}
				for _, x := range batch.Column(0).(*array.Int64).Int64Values() {
					sum += x
				}
			}
		}
		perRow(b)
	})
	b.Run("vectors", func(b *testing.B) {
		var v Vector
		for b.Loop() {
			sum := int64(0)
			for g := range f.RowGroups() {
				if err := f.Vector(b.Context(), g, "amount_minor", &v); err != nil {
					b.Fatal(err)
				}
				for _, x := range v.Ints {
					sum += x
				}
			}
		}
		perRow(b)
	})
}

// BenchmarkReadDictionary looks up each account and filters by status: the shape of the facts.
func BenchmarkReadDictionary(b *testing.B) {
	f := payments(b)
	known := func(id identifier.ID) bool { return id[0]&1 == 1 }
	b.Run("batches", func(b *testing.B) {
		for b.Loop() {
			n := 0
			for batch, err := range f.Batches(b.Context(), []string{"account", "status"}) {
				if err != nil {
					b.Fatal(err)
				}
				accounts := batch.Column(0).(*array.FixedSizeBinary)
				statuses := batch.Column(1).(*array.String)
				for i := range int(batch.NumRows()) {
					if known(identifier.ID(accounts.Value(i))) && statuses.Value(i) == "succeeded" {
						n++
					}
				}
			}
		}
		perRow(b)
	})
	b.Run("vectors", func(b *testing.B) {
		var accounts, statuses Vector
		for b.Loop() {
			n := 0
			for g := range f.RowGroups() {
				if err := f.Vector(b.Context(), g, "account", &accounts); err != nil {
					b.Fatal(err)
				}
				if err := f.Vector(b.Context(), g, "status", &statuses); err != nil {
					b.Fatal(err)
				}
				knows, paid := make([]bool, len(accounts.IDs)), make([]bool, len(statuses.Strings))
				for i, id := range accounts.IDs {
					knows[i] = known(id)
				}
				for i, s := range statuses.Strings {
					paid[i] = s == "succeeded"
				}
				for i, at := range accounts.Index {
					if knows[at] && paid[statuses.Index[i]] {
						n++
					}
				}
			}
		}
		perRow(b)
	})
}

// BenchmarkReadPruned reads the one row group of four that an account can lie in.
func BenchmarkReadPruned(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	rows := make([]any, benchRows)
	for i := range rows {
		rows[i] = &table.ViewingRow{SourceID: fmt.Sprint(i), Account: identifier.ID{1}, Device: identifier.ID{1}, ViewedAt: table.Micros(i), Seconds: r.Int64N(5000)}
	}
	whole, _ := written(b, table.Viewing, rows)
	f := opened(b, whole)
	late := func(g int) bool { _, high, ok := f.IntBounds(g, "viewed_at"); return !ok || high >= benchRows-1000 }
	b.Run("batches", func(b *testing.B) {
		for b.Loop() {
			var groups []int
			for g := range f.RowGroups() {
				if late(g) {
					groups = append(groups, g)
				}
			}
			for _, err := range f.Batches(b.Context(), []string{"seconds"}, groups...) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		perRow(b)
	})
	b.Run("vectors", func(b *testing.B) {
		var v Vector
		for b.Loop() {
			for g := range f.RowGroups() {
				if !late(g) {
					continue
				}
				if err := f.Vector(b.Context(), g, "seconds", &v); err != nil {
					b.Fatal(err)
				}
			}
		}
		perRow(b)
	})
}

// BenchmarkReadWhole reads every column, as the bulk load does.
func BenchmarkReadWhole(b *testing.B) {
	f := payments(b)
	b.Run("batches", func(b *testing.B) {
		for b.Loop() {
			for _, err := range f.Batches(b.Context(), nil) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		perRow(b)
	})
	b.Run("vectors", func(b *testing.B) {
		var v Vector
		for b.Loop() {
			for g := range f.RowGroups() {
				for _, name := range f.Columns() {
					if err := f.Vector(b.Context(), g, name, &v); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
		perRow(b)
	})
}

// BenchmarkWrite encodes, sorts and writes a day, in memory and spilling.
func BenchmarkWrite(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	rows := make([]*table.PaymentRow, benchRows)
	for i := range rows {
		rows[i] = &table.PaymentRow{SourceID: fmt.Sprintf("pay_%08x", r.Uint32()), PaidAt: table.Micros(r.Int64N(86400e6)),
			Account: identifier.ID{byte(1 + r.IntN(200)), byte(r.IntN(256))}, AmountMinor: 29900, Currency: "RUB", Status: "succeeded"}
	}
	for name, memory := range map[string]int64{"in memory": 1 << 30, "with 8 MB": 8 << 20} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				codec, sorter, w := NewCodec(table.Payment), NewSorter(memory, b.TempDir()), NewWriter(io.Discard, table.Payment)
				var encoded []byte
				for _, row := range rows {
					var err error
					if encoded, err = codec.Append(encoded[:0], row); err != nil {
						b.Fatal(err)
					}
					if err := sorter.Add(encoded); err != nil {
						b.Fatal(err)
					}
				}
				for row, err := range sorter.Rows() {
					if err != nil {
						b.Fatal(err)
					}
					if err := w.Write(row); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := w.Close(func(Summary) map[string]string { return nil }); err != nil {
					b.Fatal(err)
				}
				if err := sorter.Close(); err != nil {
					b.Fatal(err)
				}
			}
			perRow(b)
		})
	}
}
