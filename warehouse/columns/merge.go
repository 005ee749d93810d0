package columns

import (
	"bufio"
	"bytes"
	"container/heap"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"reflect"
	"slices"

	"crosslift/schemas/table"
)

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
		err := s.write(false, func(w *bufio.Writer) error {
			for row, err := range merge(spilled(head, s.buffer())) {
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

// AddFile adds the rows of a file of the table, in which they are in order. They are read when all are, and until then the file
// has to stay open.
func (s *Sorter) AddFile(f *File, t *table.Table) { s.files = append(s.files, f.encoded(t)) }

// encoded reads rows in the canonical encoding, each of which is valid until the next; io.EOF after the last.
func (f *File) encoded(t *table.Table) func() ([]byte, error) {
	r, codec, group, at := newRowReader(f, t), NewCodec(t), 0, 0
	row := reflect.New(t.Row)
	decoded := row.Interface()
	var encoded []byte
	return func() (_ []byte, err error) {
		for at == r.rows {
			if group == f.RowGroups() {
				return nil, io.EOF
			}
			if err := r.read(context.Background(), group); err != nil { // whoever asks for rows knows when to stop
				return nil, err
			}
			group, at = group+1, 0
		}
		r.fill(row.UnsafePointer(), at, false)
		at++
		encoded, err = codec.Append(encoded[:0], decoded)
		return encoded, err
	}
}

// spilled reads runs, as encoded does a file; each with a buffer of so many bytes.
func spilled(runs []*os.File, buffer int) (rows []func() ([]byte, error)) {
	for _, f := range runs {
		r, row := bufio.NewReaderSize(io.NewSectionReader(f, 0, math.MaxInt64), buffer), []byte(nil)
		rows = append(rows, func() ([]byte, error) {
			n, err := binary.ReadUvarint(r)
			if err != nil {
				return nil, err // io.EOF between rows is the end
			}
			row = slices.Grow(row[:0], int(n))[:n]
			if _, err := io.ReadFull(r, row); err != nil {
				return nil, fmt.Errorf("sort: reading a spilled run: %w", err)
			}
			return row, nil
		})
	}
	return rows
}

// source is sorted rows that are being merged, and the first of them that is left.
type source struct {
	next func() ([]byte, error)
	row  []byte
}

type sources []source

func (h sources) Len() int           { return len(h) }
func (h sources) Less(i, j int) bool { return bytes.Compare(h[i].row, h[j].row) < 0 }
func (h sources) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *sources) Push(x any)        { *h = append(*h, x.(source)) }
func (h *sources) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// merge yields sorted rows in order.
func merge(of []func() ([]byte, error)) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var h sources
		for _, next := range of {
			switch row, err := next(); {
			case err == io.EOF:
			case err != nil:
				yield(nil, err)
				return
			default:
				h = append(h, source{next, row})
			}
		}
		heap.Init(&h)
		for len(h) > 0 {
			if !yield(h[0].row, nil) {
				return
			}
			switch row, err := h[0].next(); {
			case err == io.EOF:
				heap.Pop(&h)
			case err != nil:
				yield(nil, err)
				return
			default:
				h[0].row = row
				heap.Fix(&h, 0)
			}
		}
	}
}
