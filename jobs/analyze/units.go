package analyze

import (
	"bytes"
	"hash/maphash"
)

// units numbers keys from 0 in the order in which they are first seen. It is a hash table over one run of bytes, without
// a pointer or an allocation a key: about 16 bytes beside the key's own.
type units struct {
	seed  maphash.Seed
	slots []uint32 // number+1 of the key that hashes here or before; 0 is free; a power of two long, half full at most
	ends  []int    // where each key ends in text
	text  []byte
}

func newUnits() *units { return &units{seed: maphash.MakeSeed(), slots: make([]uint32, 1024)} }

func (u *units) key(i int) []byte {
	from := 0
	if i > 0 {
		from = u.ends[i-1]
	}
	return u.text[from:u.ends[i]]
}

// index is the number of a key, and whether it is new.
func (u *units) index(key []byte) (i int, isNew bool) {
	slot := u.find(key)
	if n := u.slots[slot]; n > 0 {
		return int(n - 1), false
	}
	u.text = append(u.text, key...)
	u.ends = append(u.ends, len(u.text))
	u.slots[slot] = uint32(len(u.ends))
	if 2*len(u.ends) > len(u.slots) {
		u.grow()
	}
	return len(u.ends) - 1, true
}

// find is the slot of a key: its own, or the free one where it belongs.
func (u *units) find(key []byte) int {
	mask := len(u.slots) - 1
	slot := int(maphash.Bytes(u.seed, key)) & mask
	for u.slots[slot] > 0 && !bytes.Equal(u.key(int(u.slots[slot]-1)), key) {
		slot = (slot + 1) & mask
	}
	return slot
}

func (u *units) grow() {
	u.slots = make([]uint32, 2*len(u.slots))
	for i := range u.ends {
		u.slots[u.find(u.key(i))] = uint32(i + 1)
	}
}
