package facts

import (
	"iter"
	"math/bits"
)

// meetings are the values that the units of a block have met, each with the time of the first: a hash table with open addressing.
// Distinct counts put every event into one, which takes them half the time that it would with a map.
type meetings struct {
	slots []meeting // a power of two; none while nothing was met
	n     int
}

// meeting is a unit's first with a value.
type meeting struct {
	unit  int32 // its place in the block plus 1; 0 of a free slot
	value uint64
	at    int64
}

// meet notes that a unit, by its place in the block, has met a value.
func (m *meetings) meet(unit int32, value uint64, at int64) {
	if 4*m.n >= 3*len(m.slots) {
		m.grow()
	}
	if s := m.slot(unit+1, value); s.unit == 0 {
		*s = meeting{unit + 1, value, at}
		m.n++
	} else {
		s.at = min(s.at, at)
	}
}

// slot is the one of a meeting, or the free one where it would be.
func (m *meetings) slot(unit int32, value uint64) *meeting {
	const odd = 0x9e3779b97f4a7c15 // 2⁶⁴ over the golden ratio: neighbours go far apart
	high, low := bits.Mul64(value^odd, uint64(unit)<<32^odd)
	for i := (high ^ low) * odd >> 20; ; i++ {
		s := &m.slots[i&uint64(len(m.slots)-1)]
		if s.unit == 0 || s.unit == unit && s.value == value {
			return s
		}
	}
}

func (m *meetings) grow() {
	old := m.slots
	m.slots = make([]meeting, max(64, 2*len(old)))
	clear(m.slots) // as cells are, see open
	for i := range old {
		if s := &old[i]; s.unit != 0 {
			*m.slot(s.unit, s.value) = *s
		}
	}
}

// all gives the units, by their places in the block, with the time of each of their meetings.
func (m *meetings) all() iter.Seq2[int32, int64] {
	return func(yield func(int32, int64) bool) {
		for i := range m.slots {
			if s := &m.slots[i]; s.unit != 0 && !yield(s.unit-1, s.at) {
				return
			}
		}
	}
}
