package facts

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"crosslift/schemas/metric"
	"crosslift/schemas/table"
)

// TestSpanIsBounds holds spans to Metric.Bounds, for windows of every form.
func TestSpanIsBounds(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	zone := time.FixedZone("", 3*3600)
	length := func(most int) metric.Duration { return metric.Duration(time.Duration(r.IntN(most)) * time.Hour) }
	for range 2000 {
		m := &metric.Metric{Delay: length(50), PostingLag: length(50), Covariate: length(50)}
		switch r.IntN(4) {
		case 0:
			m.Days = &metric.Days{From: r.IntN(3), To: 3 + r.IntN(3)}
			m.Delay = 0
		case 1:
			m.Window.Until = new(table.Day(20000 + r.IntN(10)))
		case 2:
			m.Window.Whole = true
		default:
			m.Window.For = 1 + length(100)
		}
		if r.IntN(2) == 0 && m.Days == nil {
			m.LookBack = length(80)
		}
		h := metric.Horizon{Night: table.Day(20000 + r.IntN(10)).Window(zone).To.UnixMicro(), End: math.MaxInt64, Zone: zone}
		if r.IntN(2) == 0 {
			h.End = table.Day(20000 + r.IntN(10)).Window(zone).To.UnixMicro()
		}
		first := table.Day(20000+r.IntN(10)).Window(zone).From.UnixMicro() + r.Int64N(86400e6)
		s := newSpan(m, h)
		from, to := s.bounds(first)
		wantFrom, wantTo, wantMatured := m.Bounds(first, h)
		if from != wantFrom || to != wantTo || s.maturity(first) != wantMatured {
			t.Fatalf("seed %d: %+v: from %d to %d, matured %d, expected %d, %d, %d", seed, m, from, to, s.maturity(first), wantFrom, wantTo, wantMatured)
		}
	}
}
