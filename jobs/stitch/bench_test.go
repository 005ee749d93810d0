package stitch

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"testing"

	"crosslift/jobs/sheet"
	"crosslift/schemas/identifier"
)

// BenchmarkWrite writes a map of random keys to nowhere.
func BenchmarkWrite(b *testing.B) {
	const n = 1 << 20
	for name, f := range map[string]form{"uuid": raw, "text": uuid} {
		b.Run(name, func(b *testing.B) {
			nodes := &nodes{form: f, ids: make([]identifier.ID, n)}
			if f == raw {
				nodes.column = sheet.Column{Kind: sheet.ID, UUID: true}
			}
			component := make([]uint32, n)
			r := rand.New(rand.NewPCG(1, 1))
			for i := range nodes.ids {
				binary.NativeEndian.PutUint64(nodes.ids[i][:8], r.Uint64())
				binary.NativeEndian.PutUint64(nodes.ids[i][8:], r.Uint64())
				component[i] = r.Uint32N(uint32(i + 1))
			}
			for b.Loop() {
				if err := writeParquet(b.Context(), io.Discard, nodes, component, 2); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
		})
	}
}
