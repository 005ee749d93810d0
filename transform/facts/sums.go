package facts

import (
	"math"

	"crosslift/transform/stats/exact"
)

// blockUnits is how many neighbouring units share a block of sums, which is made when the first event comes to one of them. A
// worker that reads the row groups of some accounts makes only their blocks.
const blockUnits = 256

// block is what some neighbouring units of a view did, by measure, as far as one worker has seen.
type block []sums

// sums are what the units of a block did by one measure.
type sums struct {
	events            [blockUnits]events
	value, divisor    exact.Vector
	covariate, before exact.Vector // before the first exposure
	met               map[meeting]int64
	metBefore         map[meeting]int64
}

// events are those inside a unit's window.
type events struct{ count, first, last int64 }

// meeting is a unit, by its place in the block, with a value; of it the time of the first is kept.
type meeting struct {
	unit  int32
	value uint64
}

func (e *events) add(o *events) {
	if o.count == 0 {
		return
	}
	if e.count == 0 {
		*e = *o
		return
	}
	e.count += o.count
	e.first, e.last = min(e.first, o.first), max(e.last, o.last)
}

func (s *sums) meet(unit int32, value uint64, at int64) {
	if s.met == nil {
		s.met = map[meeting]int64{}
	}
	meet(s.met, meeting{unit, value}, at)
}

func (s *sums) meetBefore(unit int32, value uint64) {
	if s.metBefore == nil {
		s.metBefore = map[meeting]int64{}
	}
	s.metBefore[meeting{unit, value}] = 0
}

func meet(met map[meeting]int64, m meeting, at int64) {
	if known, is := met[m]; !is || at < known {
		met[m] = at
	}
}

// merge takes another worker's sums of the same units in.
func (s *sums) merge(o *sums) {
	for i := range s.events {
		s.events[i].add(&o.events[i])
	}
	s.value.Merge(&o.value)
	s.divisor.Merge(&o.divisor)
	s.covariate.Merge(&o.covariate)
	s.before.Merge(&o.before)
	for m, at := range o.met {
		s.meet(m.unit, m.value, at)
	}
	for m := range o.metBefore {
		s.meetBefore(m.unit, m.value)
	}
}

// sheet is a worker's sums of a view's units of the range that is worked, by block.
type sheet struct {
	measures int
	blocks   []block
}

func newSheet(v *view, units int) sheet {
	return sheet{len(v.measures), make([]block, (units+blockUnits-1)/blockUnits)}
}

// of gives the sums of the block that a unit of the range is in.
func (s *sheet) of(unit int32) block {
	b := s.blocks[unit/blockUnits]
	if b == nil {
		b = make(block, s.measures)
		s.blocks[unit/blockUnits] = b
	}
	return b
}

// merge takes another worker's sheet in.
func (s *sheet) merge(o *sheet) {
	for i, theirs := range o.blocks {
		switch ours := s.blocks[i]; {
		case theirs == nil:
		case ours == nil:
			s.blocks[i] = theirs
		default:
			for m := range ours {
				ours[m].merge(&theirs[m])
			}
		}
	}
}

// unitBytes is about how much memory the sums of one unit take.
func (m *measure) unitBytes() int64 {
	vectors := int64(0)
	for _, s := range []*source{m.numerator, m.denominator} {
		if s == nil || s.kind == nothing && s == m.numerator && m.Covariate == 0 {
			continue
		}
		each := int64(8)
		if s.kind == floats || s.kind == amounts {
			each = 16
		}
		if s.kind == distinct {
			each = 256
		}
		if s.kind != nothing {
			vectors += each
		}
		if m.Covariate > 0 {
			vectors += each
		}
	}
	return int64(24) + vectors
}

const never = int64(math.MaxInt64)
