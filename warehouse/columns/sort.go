package columns

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
)

// fanIn is how many sorted runs are merged at once. More runs are merged in several passes, so that neither memory
// nor open files grow with the input.
const fanIn = 16

// Sorter sorts encoded rows within a bound of memory, spilling sorted runs to temporary files. The order it gives is
// that of the bytes, so it depends on nothing else: neither on the memory nor on the order in which rows came. Rows that come in
// order are not sorted, and however many they are, they spill into one run.
type Sorter struct {
	memory int
	dir    string
	rows   []span
	used   int      // bytes of rows
	chunks [][]byte // the rows, each after four bytes with its length; they are filled one after the other, and kept
	filled int      // chunks before the one being filled

	ordered bool   // the rows came in order
	last    []byte // of the rows, while they are ordered
	runs    []*os.File
	tail    []byte // the last row of the last run
	files   []func() ([]byte, error)
}

// span is where a row is; prefix is its first 8 bytes, so that most comparisons touch nothing else.
type span struct {
	prefix    uint64
	chunk, at uint32
}

const (
	spanSize   = 16
	firstChunk = 16 << 10 // each next one has twice as much, up to
	chunkSize  = 1 << 20
)

// NewSorter makes a sorter that holds about memory bytes of rows (at least 64 KiB) and spills into dir.
func NewSorter(memory int64, dir string) *Sorter {
	return &Sorter{memory: int(min(max(memory, 1<<16), 1<<40)), dir: dir, ordered: true}
}

// Add copies a row.
func (s *Sorter) Add(row []byte) error {
	if len(s.rows) > 0 && s.used+len(row)+(len(s.rows)+1)*spanSize > s.memory {
		if err := s.spill(); err != nil {
			return err
		}
	}
	need := 4 + len(row)
	for s.filled < len(s.chunks) && len(s.chunks[s.filled])+need > cap(s.chunks[s.filled]) {
		s.filled++
	}
	if s.filled == len(s.chunks) {
		size := min(firstChunk<<min(len(s.chunks), 8), chunkSize, s.memory)
		s.chunks = append(s.chunks, make([]byte, 0, max(need, size)))
	}
	chunk := &s.chunks[s.filled]
	s.rows = append(s.rows, span{prefix: prefix(row), chunk: uint32(s.filled), at: uint32(len(*chunk))})
	*chunk = append(binary.LittleEndian.AppendUint32(*chunk, uint32(len(row))), row...)
	s.used += need
	if s.ordered {
		s.ordered = bytes.Compare(s.last, row) <= 0
		s.last = (*chunk)[len(*chunk)-len(row):]
	}
	return nil
}

// Ordered reports whether all rows are in memory, and came in order.
func (s *Sorter) Ordered() bool { return s.ordered && len(s.runs)+len(s.files) == 0 }

// Len is the number of rows in memory.
func (s *Sorter) Len() int { return len(s.rows) }

// row gives the bytes of a span.
func (s *Sorter) row(r span) []byte {
	b := s.chunks[r.chunk][r.at:]
	n := 4 + binary.LittleEndian.Uint32(b)
	return b[4:n:n]
}

func prefix(row []byte) uint64 {
	if len(row) >= 8 {
		return binary.BigEndian.Uint64(row)
	}
	var b [8]byte
	copy(b[:], row)
	return binary.BigEndian.Uint64(b[:])
}

func (s *Sorter) sort() {
	if s.ordered {
		return
	}
	slices.SortFunc(s.rows, func(a, b span) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		return bytes.Compare(s.row(a), s.row(b))
	})
}

// spill writes the rows in memory as a sorted run, or at the end of the last one, where that ends before them.
func (s *Sorter) spill() error {
	s.sort()
	more := len(s.runs) > 0 && bytes.Compare(s.tail, s.row(s.rows[0])) <= 0
	err := s.write(more, func(w *bufio.Writer) error {
		for _, r := range s.rows {
			if err := writeRow(w, s.row(r)); err != nil {
				return err
			}
		}
		return nil
	})
	s.tail = append(s.tail[:0], s.row(s.rows[len(s.rows)-1])...)
	s.forget()
	return err
}

// forget empties the memory, and keeps it.
func (s *Sorter) forget() {
	for i := range s.chunks {
		s.chunks[i] = s.chunks[i][:0]
	}
	s.rows, s.used, s.filled, s.ordered, s.last = s.rows[:0], 0, 0, true, nil
}

// write makes a run, or writes more of the last one. The file has no name: whatever happens to the program, nothing is left
// behind.
func (s *Sorter) write(more bool, fill func(*bufio.Writer) error) error {
	if !more {
		f, err := os.CreateTemp(s.dir, "crosslift-sort-*")
		if err != nil {
			return fmt.Errorf("sort: %w", err)
		}
		s.runs = append(s.runs, f)
		if err := os.Remove(f.Name()); err != nil {
			return fmt.Errorf("sort: %w", err)
		}
	}
	w := bufio.NewWriterSize(s.runs[len(s.runs)-1], s.buffer())
	if err := errors.Join(fill(w), w.Flush()); err != nil {
		return fmt.Errorf("sort: spilling to %s: %w", s.dir, err)
	}
	return nil
}

// buffer is the size of one run's buffer while merging.
func (s *Sorter) buffer() int { return min(max(s.memory/(fanIn+1), 4<<10), 1<<20) }

func writeRow(w *bufio.Writer, row []byte) error {
	var n [binary.MaxVarintLen64]byte
	if _, err := w.Write(n[:binary.PutUvarint(n[:], uint64(len(row)))]); err != nil {
		return err
	}
	_, err := w.Write(row)
	return err
}

// Rows yields the rows in order. A row is valid until the next one. It may be called once, after the last Add.
func (s *Sorter) Rows() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if len(s.runs)+len(s.files) == 0 {
			s.sort()
			for _, r := range s.rows {
				if !yield(s.row(r), nil) {
					return
				}
			}
			return
		}
		if err := s.mergeDown(); err != nil {
			yield(nil, err)
			return
		}
		for row, err := range merge(append(spilled(s.runs, s.buffer()), s.files...)) {
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// Drain yields the rows in memory, in order, and empties it.
func (s *Sorter) Drain() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		s.sort()
		for _, r := range s.rows {
			if !yield(s.row(r)) {
				break
			}
		}
		s.forget()
	}
}

// Close frees the temporary files.
func (s *Sorter) Close() error {
	var err error
	for _, f := range s.runs {
		err = errors.Join(err, f.Close())
	}
	s.runs, s.rows, s.chunks = nil, nil, nil
	return err
}
