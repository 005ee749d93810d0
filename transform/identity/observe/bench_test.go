package observe_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/observe"
	"crosslift/warehouse/columns/columnstest"
)

// BenchmarkObserve reads a day of half a million spans of watching: 5 a pair of account and device.
func BenchmarkObserve(b *testing.B) {
	const n, each = 500_000, 5
	r := rand.New(rand.NewPCG(1, 1))
	hash := func(kind byte, of int) (id identifier.ID) {
		id[15] = kind
		binary.BigEndian.PutUint64(id[:], uint64(of+1)*0x9E3779B97F4A7C15)
		return id
	}
	rows := make([]*table.ViewingRow, n)
	for i := range rows {
		device := r.IntN(n / each)
		rows[i] = &table.ViewingRow{SourceID: fmt.Sprint(i), ViewedAt: table.Micros(i), Account: hash(1, device/2), Device: hash(2, device), Seconds: 60}
	}
	day := []observe.Partition{{Table: table.Viewing, File: columnstest.File(b, table.Viewing, rows...)}}
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := observe.Observe(b.Context(), day, workers, func(*table.IdentityEdgeRow) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
		})
	}
}
