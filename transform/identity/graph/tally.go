package graph

import "math/bits"

// A tally counts what a cluster has of every unique namespace at once: each has a field of bits in one word, so that two
// clusters are added, and held against all limits, by a few instructions.
type tally uint64

// traits are the types as phase C needs them: which are devices, and the fields of a tally. A field has one bit more than
// its limit needs, its guard. The bias fills each field up, so that adding it sets the guard exactly if the limit is
// exceeded.
type traits struct {
	device      [maxTypes]bool
	one         [maxTypes]tally // of a single node
	bias, guard tally
	of          [64]uint8 // the type that a guard bit belongs to
}

// fieldWidth is enough for the sum of two counts within the limit, with the bias.
func fieldWidth(limit int) int { return bits.Len(uint(limit)) + 1 }

func newTraits(types []Type) *traits {
	t := &traits{}
	at := 0
	for i, typ := range types {
		t.device[i] = typ.Device
		if typ.Limit == 0 {
			continue
		}
		top := at + fieldWidth(typ.Limit) - 1
		t.one[i] = 1 << at
		t.guard |= 1 << top
		t.bias |= 1<<top - tally(typ.Limit+1)<<at
		t.of[top] = uint8(i)
		at = top + 1
	}
	return t
}

// exceeded finds the first type, in the rules' order, of which there are too many.
func (t *traits) exceeded(sum tally) (typ uint8, is bool) {
	over := (sum + t.bias) & t.guard
	if over == 0 {
		return 0, false
	}
	return t.of[bits.TrailingZeros64(uint64(over))], true
}
