package facts

import (
	"sync"

	"crosslift/transform/stats/exact"
)

// blockUnits is how many neighbouring units share a block.
const blockUnits = 1 << 12

// sheet is the sums of a view's units of the part that is worked, in blocks of neighbours. All workers add to it: one locks a
// block as long as its hits stay there, which in sorted objects is thousands of them, and the others' are elsewhere.
type sheet struct {
	units  int
	blocks []block
	ranks  []int32 // of the units in the order of their ids, once all events are read
}

type block struct {
	sync.Mutex
	measures int
	cells    []cell // by unit, then measure; nil while no event has come to a unit of the block
	sums     []sums // by measure
}

// sums are what the units of a block did by one measure, beside what is in cells.
type sums struct {
	value, divisor    exact.Vector // value: what is no whole number, or too much for a cell
	covariate, before exact.Vector // before the first exposure
	met, metBefore    meetings
}

// cell is what a unit did inside its window. A cache line has more than two of them: the times, from the unit's first exposure
// on, share their words with the number of events, whose lower half is in first.
type cell struct {
	first, last uint64 // of the events: 48 bits of microseconds are eight years; above them 16 bits of how many there are
	sum         int64
}

const (
	timeBits = 48
	longest  = 1<<timeBits - 1 // microseconds
)

func (c *cell) count() uint64 { return c.first>>timeBits | c.last>>timeBits<<16 }

// times are those of the first event and the last, of which there is one, by a unit with a first exposure.
func (c *cell) times(exposed int64) (first, last int64) {
	return exposed + int64(c.first&longest), exposed + int64(c.last&longest)
}

// add notes n events, the first and the last of them so long after the unit's first exposure.
func (c *cell) add(n, first, last uint64) {
	count := c.count()
	if count > 0 {
		first, last = min(c.first&longest, first), max(c.last&longest, last)
	}
	count += n
	c.first, c.last = first|count<<timeBits, last|count>>16<<timeBits
}

func newSheet(units, measures int) *sheet {
	s := &sheet{units: units, blocks: make([]block, (units+blockUnits-1)/blockUnits)}
	for i := range s.blocks {
		s.blocks[i].measures = measures
	}
	return s
}

// rank gives the units their ranks, where numbers are those of all units in the order of their ids and the sheet's begin with one.
func (s *sheet) rank(numbers []int32, from int32) {
	s.ranks = make([]int32, s.units)
	rank := int32(0)
	for _, number := range numbers {
		if unit := int(number - from); unit >= 0 && unit < s.units {
			s.ranks[unit] = rank
			rank++
		}
	}
}

// open locks a block.
func (s *sheet) open(at int32) *block {
	b := &s.blocks[at]
	b.Lock()
	if b.cells == nil {
		n := min(blockUnits, s.units-int(at)*blockUnits)
		b.cells, b.sums = make([]cell, n*b.measures), make([]sums, b.measures)
		clear(b.cells) // by now, since whoever reads memory before writing it makes the system hand it out twice
		for i := range b.sums {
			m := &b.sums[i]
			for _, v := range []*exact.Vector{&m.value, &m.divisor, &m.covariate, &m.before} {
				v.Expect(n)
			}
		}
	}
	return b
}

// cell is that of a unit and a measure.
func (b *block) cell(unit, measure int) *cell { return &b.cells[unit*b.measures+measure] }

// order brings hits that jump between blocks, as those of a row group do that is sorted by something else than accounts, into
// the order of blocks.
func (s *sheet) order(w *worker, hits []hit) {
	jumps := 0
	for i := 1; i < len(hits); i++ {
		if hits[i].unit/blockUnits != hits[i-1].unit/blockUnits {
			jumps++
		}
	}
	if jumps <= 2*len(s.blocks) {
		return
	}
	starts := make([]int, len(s.blocks)+1)
	for i := range hits {
		starts[hits[i].unit/blockUnits+1]++
	}
	for i := 1; i < len(starts); i++ {
		starts[i] += starts[i-1]
	}
	w.spare = append(w.spare[:0], hits...)
	for _, h := range w.spare {
		at := &starts[h.unit/blockUnits]
		hits[*at] = h
		*at++
	}
}

// unitBytes is about how much memory the sums of one unit take.
func (m *measure) unitBytes() int64 {
	vectors := int64(0)
	for _, s := range []*source{m.numerator, m.denominator} {
		if s == nil {
			continue
		}
		each := int64(0)
		if s == m.denominator {
			each = 8
		}
		switch s.kind {
		case floats, amounts:
			each = 16
		case distinct:
			each = 256
		}
		vectors += each
		if m.Covariate > 0 {
			vectors += max(each, 8)
		}
	}
	return 24 + vectors
}
