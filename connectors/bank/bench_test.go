package bank

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
)

// BenchmarkRegistry is the cost of a row of a registry file, which is read twice: to be checked, and for its rows.
func BenchmarkRegistry(b *testing.B) {
	const rows = 10000
	var content bytes.Buffer
	content.WriteString("HD;1;bank1;cinema;2026-11-03;7;2026-11-04T02:00:00+03:00;6\n")
	for i := range rows {
		fmt.Fprintf(&content, "D;%d;ac%d;1;client-%d;220012******1234;;A00001;2026-11-02T10:00:00+03:00;299.00;RUB;1.00;C;Accrued;;2026-11-03T10:00:00+03:00\n", i+1, i, i)
	}
	fmt.Fprintf(&content, "TD;%d;%d.00;0.00;RUB;0\n", rows, rows)
	sum := sha256.Sum256(content.Bytes())
	stored := held{file7: content.Bytes(), file7 + ".sha256": []byte(hex.EncodeToString(sum[:]))}
	s, err := New(Config{Registry: &Registry{Campaign: "cinema", Store: stored}}, connectors.Env{Key: key(b), Zone: moscow, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	r, d := s.Streams()[0], day(b, "2026-11-03")
	inputs, err := r.Inputs(b.Context(), d)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Extract(b.Context(), d, inputs, connectorstest.Discard{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}
