package rest

import (
	"errors"
	"hash/maphash"
)

// maxGiven is how many elements of one answer are known again: beyond, an answer that is cut off is an error.
const maxGiven = 1 << 17

// given knows which elements of an answer were given already, by their hashes: when it is asked for again, their order
// may be another.
type given struct {
	seed  maphash.Seed
	sums  []uint64
	again map[uint64]int // of those that this reading has not met yet, how many; nil in the first reading
	met   int64          // elements that were read
	long  bool           // there are more than are known again
}

// errOther is an answer that lacks what was given of it before it was cut off.
var errOther = errors.New("the answer was cut off, and another one when asked for again")

// restart is the beginning of an answer.
func (g *given) restart() {
	if g.met = 0; g.sums == nil {
		g.seed = maphash.MakeSeed()
		return
	}
	g.again = make(map[uint64]int, len(g.sums))
	for _, sum := range g.sums {
		g.again[sum]++
	}
}

// isNew reports whether an element was not given yet.
func (g *given) isNew(v Value) bool {
	g.met++
	sum := maphash.Bytes(g.seed, v)
	if n := g.again[sum]; n > 1 {
		g.again[sum] = n - 1
		return false
	} else if n == 1 {
		delete(g.again, sum)
		return false
	}
	if g.long = len(g.sums) == maxGiven; !g.long {
		g.sums = append(g.sums, sum)
	}
	return true
}
