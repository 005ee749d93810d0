package number

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"hash/maphash"
	"math"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/identifier"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// TextList is a sequence of texts of any kind that RankTexts numbers. It is to texts what List is to keys.
type TextList struct {
	order   []uint8
	text    [parts][]byte // of each piece, the texts with their lengths before them
	numbers [parts][]uint32
	first   [parts]uint32
	rank    []uint32
	scratch []byte
}

// Len is how many texts were added.
func (l *TextList) Len() int { return len(l.order) }

// Add appends a text, of which it keeps a copy.
func (l *TextList) Add(text string) {
	l.scratch = append(l.scratch[:0], text...)
	p := uint8(crc32.Checksum(l.scratch, castagnoli))
	l.text[p] = append(binary.AppendUvarint(l.text[p], uint64(len(text))), l.scratch...)
	l.order = append(l.order, p)
}

// AppendNumbers appends the number of each text, in the order in which they were added. It comes after RankTexts.
func (l *TextList) AppendNumbers(to []uint32) []uint32 {
	left := l.numbers
	for _, p := range l.order {
		to = append(to, l.rank[l.first[p]+left[p][0]])
		left[p] = left[p][1:]
	}
	return to
}

// RankTexts numbers the texts of all lists as Rank does keys, in the order of their bytes.
func RankTexts(ctx context.Context, workers int, lists ...*TextList) ([]string, error) {
	var all uint64
	for _, l := range lists {
		all += uint64(l.Len())
	}
	if all > math.MaxUint32 {
		return nil, fmt.Errorf("numbering: %d keys are more than the %d that can be numbered", all, uint64(math.MaxUint32))
	}
	var distinct [parts][]string
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(max(workers, 1))
	for p := range parts {
		g.Go(func() error {
			distinct[p] = distinctTexts(p, lists)
			return within.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	n := 0
	for p := range distinct {
		for _, l := range lists {
			l.first[p] = uint32(n)
		}
		n += len(distinct[p])
	}
	texts := slices.Concat(distinct[:]...)
	order, err := sortTexts(ctx, workers, texts)
	if err != nil {
		return nil, err
	}
	rank, sorted := make([]uint32, n), make([]string, n)
	for i, e := range order {
		rank[e.place], sorted[i] = uint32(i), texts[e.place]
	}
	for _, l := range lists {
		l.rank = rank
	}
	return sorted, nil
}

// sortTexts gives the places of distinct texts in the order of the texts: by their beginnings, then, where those are
// equal, by the whole.
func sortTexts(ctx context.Context, workers int, texts []string) ([]entry, error) {
	order := make([]entry, len(texts))
	for i, text := range texts {
		var begin identifier.ID
		copy(begin[:], text)
		order[i] = entry{binary.BigEndian.Uint64(begin[:8]), binary.BigEndian.Uint64(begin[8:]), uint32(i)}
	}
	if err := radix(ctx, workers, order, make([]entry, len(order)), 0); err != nil {
		return nil, err
	}
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && order[to].equal(&order[from]) {
			to++
		}
		slices.SortFunc(order[from:to], func(a, b entry) int { return cmp.Compare(texts[a.place], texts[b.place]) })
		from = to
	}
	return order, nil
}

// distinctTexts numbers a piece's texts from 0 as they come and gives them, each once.
func distinctTexts(p int, lists []*TextList) []string {
	t := newTable()
	for _, l := range lists {
		var numbers []uint32
		text := string(l.text[p])
		l.text[p] = nil
		for at := 0; at < len(text); {
			size, n := uvarint(text[at:])
			at += n
			numbers = append(numbers, t.number(text[at:at+size]))
			at += size
		}
		l.numbers[p] = numbers
	}
	size := 0
	for _, text := range t.texts {
		size += len(text)
	}
	var own strings.Builder // so that the copies of repeated texts are let go
	own.Grow(size)
	for i, text := range t.texts {
		own.WriteString(text)
		t.texts[i] = own.String()[own.Len()-len(text):]
	}
	return t.texts
}

func uvarint(text string) (value, size int) {
	for shift := 0; ; shift += 7 {
		b := text[size]
		size++
		value |= int(b&0x7f) << shift
		if b < 0x80 {
			return value, size
		}
	}
}

// table numbers texts as they come: open addressing, half full at most.
type table struct {
	seed  maphash.Seed
	slots []slot
	texts []string
}

// slot is a text's number+1 with a part of its hash, which spares most comparisons; 0 is free.
type slot struct{ number, hash uint32 }

func newTable() *table { return &table{seed: maphash.MakeSeed(), slots: make([]slot, 64)} }

func (t *table) number(text string) uint32 {
	if 2*len(t.texts) >= len(t.slots) {
		t.grow()
	}
	h := maphash.String(t.seed, text)
	mask := uint64(len(t.slots) - 1)
	for at := h & mask; ; at = (at + 1) & mask {
		s := &t.slots[at]
		if s.number == 0 {
			t.texts = append(t.texts, text)
			*s = slot{uint32(len(t.texts)), uint32(h >> 32)}
			return s.number - 1
		}
		if s.hash == uint32(h>>32) && t.texts[s.number-1] == text {
			return s.number - 1
		}
	}
}

func (t *table) grow() {
	t.slots = make([]slot, 2*len(t.slots))
	mask := uint64(len(t.slots) - 1)
	for i, text := range t.texts {
		h := maphash.String(t.seed, text)
		at := h & mask
		for t.slots[at].number > 0 {
			at = (at + 1) & mask
		}
		t.slots[at] = slot{uint32(i + 1), uint32(h >> 32)}
	}
}
