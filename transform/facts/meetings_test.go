package facts

import (
	"math/rand/v2"
	"testing"
)

// TestMeetings holds meetings against a map.
func TestMeetings(t *testing.T) {
	t.Parallel()
	type pair struct {
		unit  int32
		value uint64
	}
	r := rand.New(rand.NewPCG(7, 8))
	for _, n := range []int{0, 1, 60, 5000} {
		var m meetings
		firsts, distinct := map[pair]int64{}, map[int32]int{}
		for range n {
			p, at := pair{r.Int32N(40), r.Uint64() << r.IntN(64) % 97 << (32 * r.IntN(2))}, r.Int64()
			m.meet(p.unit, p.value, at)
			first, known := firsts[p]
			if !known {
				distinct[p.unit]++
			}
			if !known || at < first {
				firsts[p] = at
			}
		}
		for p, first := range firsts {
			if s := m.slot(p.unit+1, p.value); s.unit == 0 || s.at != first {
				t.Fatalf("of %d: %v is %v, want at %d", n, p, *s, first)
			}
		}
		for unit := range m.all() {
			distinct[unit]--
		}
		for unit, n := range distinct {
			if n != 0 {
				t.Errorf("of %d: unit %d lacks %d", n, unit, n)
			}
		}
	}
}
