package sheet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"

	"golang.org/x/sync/errgroup"

	"crosslift/connectors/files"
	"crosslift/warehouse/columns"
)

// Batch is some consecutive rows. It is valid until the function that it was given to ends.
type Batch struct {
	Rows    int
	Vectors []columns.Vector // of the selected columns
	first   int64            // the file's rows before it
	lines   []int64          // of each row, in a text file
	text    []byte
	ends    []int
}

// rowError is an error with the place that it is of.
type rowError struct {
	place int64
	what  string // "line" or "row"
	err   error
}

func (e *rowError) Error() string { return fmt.Sprintf("%s %d: %s", e.what, e.place, e.err) }
func (e *rowError) Unwrap() error { return e.err }

// Error makes an error of what a row of the batch holds. Of several in a file, that of the first row is told.
func (b *Batch) Error(row int, err error) error { return &rowError{b.Place(row), b.What(), err} }

// First gives the error of the earliest row; nil when there is none.
func First(errs ...error) error {
	var f failures
	for _, err := range errs {
		if err != nil {
			f.add(0, err)
		}
	}
	return f.err
}

// Place is where a row of the batch stands in the file, and What says what is counted there: lines or rows.
func (b *Batch) Place(row int) int64 {
	if b.lines != nil {
		return b.lines[row]
	}
	return b.first + int64(row) + 1
}

// What is "line" or "row".
func (b *Batch) What() string {
	if b.lines != nil {
		return "line"
	}
	return "row"
}

// Read gives all rows to a function, in batches. It is called by as many goroutines as there are workers, each of which
// has a number from 0, and sees its batches in the order of the file. A sheet is read once.
func (s *Sheet) Read(ctx context.Context, workers int, take func(worker int, b *Batch) error) error {
	read := s.readText
	if s.parquet != nil {
		read = s.readParquet
	}
	err := read(ctx, max(workers, 1), take)
	var broken *files.RecordError
	var row *rowError
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case errors.As(err, &row), errors.As(err, &broken):
		return &ContentError{fmt.Errorf("%s %w", s.name, err)}
	}
	return &ContentError{fmt.Errorf("%s: %w", s.name, err)}
}

// failures keeps the error that belongs to the earliest place. Batches are given out in the order of the file, and those
// that were given out are finished: so the answer does not depend on who is faster.
type failures struct {
	mu    sync.Mutex
	first int64
	err   error
}

func (f *failures) add(first int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var row *rowError
	if errors.As(err, &row) {
		first = row.place
	}
	if f.err == nil || first < f.first {
		f.first, f.err = first, err
	}
}

func (f *failures) any() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (s *Sheet) readParquet(ctx context.Context, workers int, take func(int, *Batch) error) error {
	type group struct {
		n     int
		first int64
	}
	groups := make(chan group, s.parquet.RowGroups())
	first := int64(0)
	for n := range s.parquet.RowGroups() {
		groups <- group{n, first}
		first += s.parquet.RowGroupRows(n)
	}
	close(groups)
	var failed failures
	var g errgroup.Group
	for w := range workers {
		g.Go(func() error {
			b := &Batch{Vectors: make([]columns.Vector, len(s.Columns))}
			for group := range groups {
				if failed.any() != nil || ctx.Err() != nil {
					break
				}
				b.first, b.Rows = group.first, int(s.parquet.RowGroupRows(group.n))
				err := s.readGroup(ctx, group.n, b)
				if err == nil {
					err = take(w, b)
				}
				if err != nil {
					failed.add(group.first+1, err)
				}
			}
			return nil
		})
	}
	_ = g.Wait() // the errors are in failed
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return failed.err
}

func (s *Sheet) readGroup(ctx context.Context, group int, b *Batch) error {
	for i, c := range s.Columns {
		v := &b.Vectors[i]
		if err := s.parquet.Vector(ctx, group, c.Name, v); err != nil {
			return err
		}
		switch {
		case c.Kind == Unsigned && !c.wide:
			for k, x := range v.Ints {
				v.Ints[k] = x & math.MaxUint32
			}
		case c.Kind == Time && c.unit < 1_000_000:
			for k, x := range v.Ints {
				v.Ints[k] = x * (1_000_000 / c.unit)
			}
		case c.Kind == Time && c.unit > 1_000_000:
			for k, x := range v.Ints {
				v.Ints[k] = floor(x, c.unit/1_000_000)
			}
		}
	}
	return nil
}

func floor(x, by int64) int64 {
	q := x / by
	if x%by < 0 {
		q--
	}
	return q
}

// batchRows of a text file go on together.
const batchRows = 1 << 13

func (s *Sheet) readText(ctx context.Context, workers int, take func(int, *Batch) error) error {
	full, free := make(chan *Batch, workers), make(chan *Batch, 2*workers+1)
	for range cap(free) {
		free <- &Batch{Vectors: make([]columns.Vector, len(s.Columns)), lines: []int64{}}
	}
	var failed failures
	var g errgroup.Group
	for w := range workers {
		g.Go(func() error {
			for b := range full {
				if err := take(w, b); err != nil {
					failed.add(b.lines[0], err)
				}
				free <- b
			}
			return nil
		})
	}
	var end error
	line := int64(0)
	for end == nil && failed.any() == nil {
		b := <-free
		end = s.fill(b)
		if b.Rows > 0 {
			line = b.lines[b.Rows-1]
			full <- b
		}
	}
	close(full)
	_ = g.Wait() // the errors are in failed
	if end != nil && end != io.EOF {
		failed.add(line+1, end)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return failed.err
}

// fill reads records into a batch until it is full.
func (s *Sheet) fill(b *Batch) error {
	var end error
	b.Rows, b.lines, b.text, b.ends = 0, b.lines[:0], b.text[:0], b.ends[:0]
	for b.Rows < batchRows {
		record, err := s.text.Next()
		if err != nil {
			end = err
			break
		}
		for i := range s.Columns {
			value, _ := record.Cell(i)
			b.text = append(b.text, value...)
			b.ends = append(b.ends, len(b.text))
		}
		b.lines = append(b.lines, record.Position)
		b.Rows++
	}
	all, from := string(b.text), 0
	for i := range b.Vectors {
		v := &b.Vectors[i]
		v.Strings, v.Index = v.Strings[:0], v.Index[:0]
	}
	for k, to := range b.ends {
		v := &b.Vectors[k%len(b.Vectors)]
		v.Index = append(v.Index, int32(len(v.Strings)))
		v.Strings = append(v.Strings, all[from:to])
		from = to
	}
	return end
}
