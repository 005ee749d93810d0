package columns

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
)

// fanIn is how many sorted runs are merged at once. More runs are merged in several passes, so that neither memory
// nor open files grow with the input.
const fanIn = 16

// Sorter sorts encoded rows within a bound of memory, spilling sorted runs to temporary files. The order it gives is
// that of the bytes, so it depends on nothing else: neither on the memory nor on the order in which rows came.
type Sorter struct {
	memory int
	dir    string
	rows   []span
	used   int      // bytes of rows
	chunks [][]byte // the rows, each after four bytes with its length; they are filled one after the other, and kept
	filled int      // chunks before the one being filled
	runs   []*os.File
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
	return &Sorter{memory: int(min(max(memory, 1<<16), 1<<40)), dir: dir}
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
	return nil
}

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
	slices.SortFunc(s.rows, func(a, b span) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		return bytes.Compare(s.row(a), s.row(b))
	})
}

// spill writes the rows in memory as a sorted run.
func (s *Sorter) spill() error {
	s.sort()
	err := s.write(func(w *bufio.Writer) error {
		for _, r := range s.rows {
			if err := writeRow(w, s.row(r)); err != nil {
				return err
			}
		}
		return nil
	})
	for i := range s.chunks {
		s.chunks[i] = s.chunks[i][:0]
	}
	s.rows, s.used, s.filled = s.rows[:0], 0, 0
	return err
}

// write makes a run. The file has no name: whatever happens to the program, nothing is left behind.
func (s *Sorter) write(fill func(*bufio.Writer) error) error {
	f, err := os.CreateTemp(s.dir, "crosslift-sort-*")
	if err != nil {
		return fmt.Errorf("sort: %w", err)
	}
	s.runs = append(s.runs, f)
	if err := os.Remove(f.Name()); err != nil {
		return fmt.Errorf("sort: %w", err)
	}
	w := bufio.NewWriterSize(f, s.buffer())
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
		if len(s.runs) == 0 {
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
		for row, err := range merge(s.runs, s.buffer()) {
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// mergeDown spills what is in memory and merges runs until one last merge is left.
func (s *Sorter) mergeDown() error {
	if len(s.rows) > 0 {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.rows, s.chunks = nil, nil
	for len(s.runs) > fanIn {
		head := s.runs[:fanIn]
		s.runs = s.runs[fanIn:]
		err := s.write(func(w *bufio.Writer) error {
			for row, err := range merge(head, s.buffer()) {
				if err != nil {
					return err
				}
				if err := writeRow(w, row); err != nil {
					return err
				}
			}
			return nil
		})
		for _, f := range head {
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			return err
		}
	}
	return nil
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

// run reads one sorted run.
type run struct {
	r   *bufio.Reader
	row []byte
}

func (r *run) next() error {
	n, err := binary.ReadUvarint(r.r)
	if err != nil {
		return err // io.EOF between rows is the end
	}
	r.row = slices.Grow(r.row[:0], int(n))[:n]
	if _, err := io.ReadFull(r.r, r.row); err != nil {
		return fmt.Errorf("sort: reading a spilled run: %w", err)
	}
	return nil
}

type runHeap []*run

func (h runHeap) Len() int           { return len(h) }
func (h runHeap) Less(i, j int) bool { return bytes.Compare(h[i].row, h[j].row) < 0 }
func (h runHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *runHeap) Push(x any)        { *h = append(*h, x.(*run)) }
func (h *runHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// merge yields the rows of sorted runs in order.
func merge(files []*os.File, buffer int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var h runHeap
		for _, f := range files {
			if _, err := f.Seek(0, io.SeekStart); err != nil {
				yield(nil, fmt.Errorf("sort: %w", err))
				return
			}
			r := &run{r: bufio.NewReaderSize(f, buffer)}
			switch err := r.next(); {
			case err == io.EOF:
			case err != nil:
				yield(nil, err)
				return
			default:
				h = append(h, r)
			}
		}
		heap.Init(&h)
		for len(h) > 0 {
			if !yield(h[0].row, nil) {
				return
			}
			switch err := h[0].next(); {
			case err == io.EOF:
				heap.Pop(&h)
			case err != nil:
				yield(nil, err)
				return
			default:
				heap.Fix(&h, 0)
			}
		}
	}
}
