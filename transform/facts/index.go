package facts

import (
	"encoding/binary"

	"crosslift/schemas/identifier"
)

// index numbers identifiers from 0 on in the order in which they are added. Identifiers are keyed hashes, uniform in all their
// bits, so that the leading ones are where to look, and looking up ascending identifiers, as those of sorted objects are, goes
// through memory in one direction. It takes 28 to 40 bytes an identifier.
type index struct {
	ids   []identifier.ID
	slots []slot // a power of two of them, at least half of which are free
	shift uint
}

// slot holds the number of an identifier plus 1, 0 while it is free, and the bits of it behind the leading ones.
type slot struct{ tag, number uint32 }

const none int32 = -1

// place is where an identifier is to be looked for first, and its tag.
func (x *index) place(id *identifier.ID) (at uint64, tag uint32) {
	lead := binary.BigEndian.Uint64(id[:8])
	return lead >> x.shift, uint32(binary.LittleEndian.Uint64(id[8:]) >> 32)
}

// find is the number of an identifier; none of one that was not added.
func (x *index) find(id *identifier.ID) int32 {
	if len(x.slots) == 0 {
		return none
	}
	mask := uint64(len(x.slots) - 1)
	for at, tag := x.place(id); ; at++ {
		switch s := x.slots[at&mask]; {
		case s.number == 0:
			return none
		case s.tag == tag && x.ids[s.number-1] == *id:
			return int32(s.number - 1)
		}
	}
}

// add gives an identifier its number.
func (x *index) add(id *identifier.ID) int32 {
	if n := x.find(id); n != none {
		return n
	}
	if 2*len(x.ids) >= len(x.slots) {
		x.grow()
	}
	x.ids = append(x.ids, *id)
	x.put(id, uint32(len(x.ids)))
	return int32(len(x.ids) - 1)
}

func (x *index) put(id *identifier.ID, number uint32) {
	mask := uint64(len(x.slots) - 1)
	at, tag := x.place(id)
	for x.slots[at&mask].number != 0 {
		at++
	}
	x.slots[at&mask] = slot{tag, number}
}

func (x *index) grow() {
	if x.shift == 0 {
		x.shift = 64 - 5
	} else {
		x.shift--
	}
	x.slots = make([]slot, 1<<(64-x.shift))
	for i := range x.ids {
		x.put(&x.ids[i], uint32(i)+1)
	}
}
