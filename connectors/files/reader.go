package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"crosslift/schemas/strictyaml"
)

// Record is one row of a file. It is valid until the next call of Next.
type Record struct {
	Position int64  // the line where it starts in a text file, the row in a Parquet file; from 1
	Raw      []byte // its bytes as UTF-8 without the end of line; nil in a Parquet file
	reader   *Reader
}

// RecordError is a broken record, after which reading goes on.
type RecordError struct {
	Position int64
	Reason   string // what was expected; never a value
	Raw      []byte // valid until the next call of Next
}

func (e *RecordError) Error() string { return fmt.Sprintf("line %d: %s", e.Position, e.Reason) }

// source reads one type of file.
type source interface {
	// columns lists a CSV file's header or a Parquet file's leaves; nil for JSON Lines.
	columns() []string
	// choose says which columns next is to give, in the order of its cells; each is one of columns, where there are
	// any.
	choose(columns []string) error
	// next reads a record, into cells as far as they are present.
	next(cells []cell) (position int64, raw []byte, err error)
	// fields gives all fields of the record that was read last, as far as next saw them.
	fields(visit func(column string, c cell)) error
	close() error
}

// cell is a value of a record: bytes that are valid until the next record.
type cell struct {
	value   []byte
	present bool
}

// Reader reads the records of a CSV, JSON Lines or Parquet file. It belongs to one goroutine.
type Reader struct {
	ctx    context.Context
	format Format
	source source
	chosen []string
	cells  []cell
	count  int64
}

// NewReader opens a file's content of the given size for reading. The name is used for its extensions only; the
// content stays open when the reader is closed. An error of NewReader, or one of Next that is no RecordError, concerns
// the whole file.
func NewReader(ctx context.Context, content io.ReaderAt, size int64, name string, f Format) (*Reader, error) {
	f, err := f.resolve(name)
	if err != nil {
		return nil, err
	}
	if f.Type == typeParquet {
		src, err := openParquet(content, size)
		if err != nil {
			return nil, err
		}
		return newReader(ctx, f, src)
	}
	return newTextReader(ctx, io.NewSectionReader(content, 0, size), name, f)
}

// newTextReader reads a CSV or JSON Lines file from its stored bytes; f is resolved.
func newTextReader(ctx context.Context, stored io.Reader, name string, f Format) (*Reader, error) {
	text, err := openText(stored, name, f.Encoding)
	if err != nil {
		return nil, err
	}
	var src source = &jsonLines{text: text}
	if f.Type == typeCSV {
		src, err = openCSV(text, f)
	}
	if err != nil {
		text.close()
		return nil, err
	}
	return newReader(ctx, f, src)
}

func newReader(ctx context.Context, f Format, src source) (*Reader, error) {
	r := &Reader{ctx: ctx, format: f, source: src}
	for _, c := range src.columns() { // all that can be read: each name once, no lists
		if !slices.Contains(r.chosen, c) && src.choose([]string{c}) == nil {
			r.chosen = append(r.chosen, c)
		}
	}
	if err := r.choose(r.chosen); err != nil {
		src.close()
		return nil, err
	}
	return r, nil
}

// Columns lists the columns of the file: a CSV file's header, a Parquet file's leaves (dotted); nil for JSON Lines.
func (r *Reader) Columns() []string { return r.source.columns() }

// Select limits the reader to some columns, which Record.Cell numbers in this order; without it they are those of
// Columns that have one value a row, and none for JSON Lines, where a column is a dotted path. It comes before the
// first Next.
func (r *Reader) Select(columns ...string) error {
	if known := r.source.columns(); known != nil {
		for _, c := range columns {
			switch n := count(known, c); {
			case n == 0:
				return unknownColumn(c, known)
			case n > 1:
				return fmt.Errorf("column %q appears %d times in the header", c, n)
			}
		}
	}
	return r.choose(columns)
}

func (r *Reader) choose(columns []string) error {
	r.chosen, r.cells = columns, make([]cell, len(columns))
	return r.source.choose(columns)
}

// Next reads the next record: io.EOF at the end, a *RecordError for a broken one, after which reading goes on.
func (r *Reader) Next() (Record, error) {
	if r.count++; r.count%1024 == 0 && r.ctx.Err() != nil {
		return Record{}, r.ctx.Err()
	}
	position, raw, err := r.source.next(r.cells)
	if err != nil {
		return Record{}, err
	}
	for i := range r.cells {
		if c := &r.cells[i]; c.present && r.format.null(c.value) {
			c.present = false
		}
	}
	return Record{Position: position, Raw: raw, reader: r}, nil
}

// Close frees what the reader holds.
func (r *Reader) Close() error { return r.source.close() }

// Cell gives the value of the i-th selected column; it is valid until the next call of Next.
func (r Record) Cell(i int) (value []byte, present bool) {
	c := r.reader.cells[i]
	return c.value, c.present
}

// Get gives the value of a selected column by its name.
func (r Record) Get(column string) (value string, present bool) {
	i := slices.Index(r.reader.chosen, column)
	if i < 0 || !r.reader.cells[i].present {
		return "", false
	}
	return string(r.reader.cells[i].value), true
}

// fields gives all fields of the record by name, when each of them is in a set; else nil.
func (r Record) fields(allowed map[string]bool) map[string]string {
	if len(allowed) == 0 {
		return nil
	}
	all := map[string]string{}
	err := r.reader.source.fields(func(column string, c cell) {
		if c.present {
			all[column] = string(c.value)
		}
		if !allowed[column] {
			allowed = nil
		}
	})
	if err != nil || allowed == nil {
		return nil
	}
	return all
}

func count(all []string, s string) (n int) {
	for _, x := range all {
		if x == s {
			n++
		}
	}
	return n
}

// errTooLong is a record that does not end.
var errTooLong = errors.New("record too long")

// unknownColumn names the nearest column and, as far as fits in a line, all of them.
func unknownColumn(column string, known []string) error {
	nearest := strictyaml.Suggest(column, known)
	if !strings.HasPrefix(nearest, "did you mean") {
		nearest = "no name is near"
	}
	const most = 30
	all := strings.Join(known[:min(len(known), most)], ", ")
	if len(known) > most {
		all += fmt.Sprintf(" and %d more", len(known)-most)
	}
	return fmt.Errorf("it has no column %q: %s (its columns: %s)", column, nearest, all)
}
