// Package number gives keys dense numbers: a key's number is its place among all distinct keys, in ascending order. So
// equal keys in any order, and split in any way, get equal numbers, and the smallest number of a set is its smallest key.
//
// Keys are compared as a whole; no hash is trusted. The work is that of a sort by radix in pieces that fit into a
// processor's cache, beside each other.
package number

import "crosslift/schemas/identifier"

// parts is how many pieces keys are dealt into, by their first byte. Keys that are hashes fill them evenly; others are
// numbered as rightly, on fewer processors.
const parts = 256

// Chunks grow from the least to the most keys, so that small lists stay small and long ones are not copied.
const (
	leastChunk = 1 << 4
	mostChunk  = 1 << 13
)

// List is a sequence of keys that Rank numbers. It belongs to one goroutine; several may be filled beside each other. The
// zero List is empty.
type List struct {
	order   []uint8 // of each key, the piece it went to
	chunks  [parts][][]identifier.ID
	open    [parts][]identifier.ID // the last chunk of each
	numbers [parts][]uint32        // of the keys of each piece, once ranked, less the piece's first
	first   [parts]uint32
}

// Len is how many keys were added.
func (l *List) Len() int { return len(l.order) }

// Add appends a key.
func (l *List) Add(id identifier.ID) {
	p := id[0]
	if len(l.open[p]) == cap(l.open[p]) {
		l.grow(p)
	}
	l.open[p] = append(l.open[p], id)
	l.order = append(l.order, p)
}

func (l *List) grow(p uint8) {
	size := leastChunk
	if full := l.open[p]; full != nil {
		l.chunks[p] = append(l.chunks[p], full)
		size = min(4*cap(full), mostChunk)
	}
	l.open[p] = make([]identifier.ID, 0, size)
}

// take gives the keys of a piece, which the list forgets.
func (l *List) take(p int) [][]identifier.ID {
	all := append(l.chunks[p], l.open[p])
	l.chunks[p], l.open[p] = nil, nil
	return all
}

// AppendNumbers appends the number of each key, in the order in which they were added. It comes after Rank, which once
// numbered holds nothing else of the list.
func (l *List) AppendNumbers(to []uint32) []uint32 {
	left := l.numbers
	for _, p := range l.order {
		to = append(to, l.first[p]+left[p][0])
		left[p] = left[p][1:]
	}
	return to
}
