package facts

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"crosslift/schemas/identifier"
)

const none int32 = -1

// index finds the numbers of identifiers: their places in a list. It takes 24 bytes an identifier.
//
// Identifiers are keyed hashes, uniform in all their bits, so that the leading ones serve as hash. Looking ascending ones up, as
// the accounts of sorted objects are, then goes through memory in one direction. A slot is small, and holds a few bits of the
// identifier beside its number: so strangers are told by it alone. Where neighbours in the objects are neighbours in the list,
// that is read in its order.
type index struct {
	ids   []identifier.ID
	slots []uint32 // a number plus 1 and, above it, bits of its identifier; 0 while free, as the last one is
	homes uint64   // how many slots identifiers are first looked for in
	shift uint     // of those bits
	mixed bool     // the leading bits are not uniform: others are mixed in
}

// newIndex makes an index of different identifiers.
func newIndex(ids []identifier.ID) *index {
	x := &index{ids: ids, homes: 2*uint64(len(ids)) + 1, shift: uint(bits.Len(uint(len(ids))))}
	if !x.fill() {
		x.mixed = true
		x.fill()
	}
	return x
}

// fill puts every identifier into a slot; it gives up where they lie too far from their homes.
func (x *index) fill() bool {
	const near = 64
	x.slots = make([]uint32, x.homes+near)
	clear(x.slots) // as cells are, see open
	for i := range x.ids {
		home, tag := x.home(&x.ids[i])
		at := home
		for x.slots[at] != 0 {
			if at++; at == home+near-1 && !x.mixed {
				return false
			}
			if at+1 == uint64(len(x.slots)) {
				x.slots = append(x.slots, 0)
			}
		}
		x.slots[at] = tag | uint32(i+1)
	}
	return true
}

// home is the slot that an identifier is first looked for in, and the bits that slots hold of it.
func (x *index) home(id *identifier.ID) (at uint64, tag uint32) {
	lead, rest := binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])
	if x.mixed {
		lead = (lead ^ rest) * 0x9e3779b97f4a7c15
		lead = (lead ^ lead>>29) * 0x9e3779b97f4a7c15
	}
	at, _ = bits.Mul64(lead, x.homes)
	return at, uint32(rest) << x.shift
}

// find is the number of an identifier; none of one that is not there.
func (x *index) find(id *identifier.ID) int32 {
	home, tag := x.home(id)
	number, at := x.probe(home, tag)
	for number != none && x.ids[number] != *id {
		number, at = x.probe(at+1, tag)
	}
	return number
}

// probe looks from a slot on for one with a tag: it gives the number there, and where that is.
func (x *index) probe(at uint64, tag uint32) (int32, uint64) {
	for ; ; at++ {
		switch s := x.slots[at]; {
		case s == 0:
			return none, at
		case (s^tag)>>x.shift == 0:
			return int32(s^tag) - 1, at
		}
	}
}

// findAll looks many identifiers up, batch by batch, and reports whether any is there.
func (x *index) findAll(ids []identifier.ID, numbers []int32) (any bool) {
	var homes [batch]uint64
	var tags, slots [batch]uint32
	most := none
	for len(ids) > 0 {
		n := min(batch, len(ids))
		for i := range n {
			homes[i], tags[i] = x.home(&ids[i])
			slots[i] = x.slots[homes[i]]
		}
		for i := range n {
			if numbers[i] = none; slots[i] != 0 {
				numbers[i], _ = x.probe(homes[i], tags[i])
			}
		}
		for i := range n {
			if numbers[i] != none && x.ids[numbers[i]] != ids[i] {
				numbers[i] = x.find(&ids[i])
			}
			most = max(most, numbers[i])
		}
		ids, numbers = ids[n:], numbers[n:]
	}
	return most != none
}

func compare(a, b identifier.ID) int { return bytes.Compare(a[:], b[:]) }

// less is compare(*a, *b) < 0, where that is asked of millions.
func less(a, b *identifier.ID) bool {
	if x, y := binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(b[:8]); x != y {
		return x < y
	}
	return binary.BigEndian.Uint64(a[8:]) < binary.BigEndian.Uint64(b[8:])
}

// union merges ascending identifiers, each of which it gives once.
func union(a, b []identifier.ID) []identifier.ID {
	all := make([]identifier.ID, 0, len(a)+len(b))
	for len(a) > 0 || len(b) > 0 {
		var next *identifier.ID
		if len(b) == 0 || len(a) > 0 && less(&a[0], &b[0]) {
			next, a = &a[0], a[1:]
		} else {
			next, b = &b[0], b[1:]
		}
		if n := len(all); n == 0 || all[n-1] != *next {
			all = append(all, *next)
		}
	}
	return all
}
