package facts

import (
	"slices"
	"testing"

	"crosslift/schemas/identifier"
	"crosslift/schemas/metric"
)

// TestParts works units in as few ranges as the memory takes that what is known leaves, and never leaves sums less than a quarter.
func TestParts(t *testing.T) {
	t.Parallel()
	const n = 1000
	m := &measure{Metric: &metric.Metric{}, numerator: &source{}}
	measures := slices.Repeat([]*measure{m}, 10)
	sums := n * (10*m.unitBytes() + perEmitted)
	v := &view{units: units{ids: make([]identifier.ID, n)}, measures: measures}
	b := &builder{workers: 2, views: []*view{v}, accounts: newIndex(v.ids[:1]), devices: newIndex(nil), ofAccounts: newOwners(1, nil), ofDevices: newOwners(0, nil)}
	_, reading := b.groupsAtOnce()
	known := b.known() + reading
	for memory, parts := range map[int64]int{
		0:                     1,
		known + sums:          1,
		known + sums - 1:      2,
		known + sums/2:        2,
		known + sums/2 - 1:    3,
		known / 2:             int((sums + known/8 - 1) / (known / 8)),
		1:                     n,
		1000 * (known + sums): 1,
	} {
		if b.Memory = memory; b.parts() != parts {
			t.Errorf("%d bytes, %d of them known: %d ranges, expected %d", memory, known, b.parts(), parts)
		}
	}
}
