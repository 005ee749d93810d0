// Package sheet reads named columns of anybody's CSV, TSV, JSON Lines or Parquet file, a batch of rows at a time: a Parquet
// file's row groups by several goroutines, the lines of a text file by one, before several that take them. What is made from
// one is put in its place as a whole.
package sheet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"crosslift/connectors/files"
	"crosslift/warehouse/columns"
)

// Kind says what a column holds, and where in a Vector its values are.
type Kind uint8

// The kinds of column. A text file has text only.
const (
	Text     Kind = iota // Strings
	Bytes                // Strings that need not be text
	ID                   // IDs: 16 bytes, such as a UUID
	Int                  // Ints
	Unsigned             // Ints that hold the bits of an uint64
	Time                 // Ints: microseconds since 1970, or what they are scaled to it by
)

// Column is a column of a sheet.
type Column struct {
	Name string
	Kind Kind
	UUID bool // of an ID: the file says that it is one
	unit int64
	wide bool // of an Unsigned: 64 bits
}

// Sheet is an open file.
type Sheet struct {
	Columns []Column // the selected ones

	name    string
	file    *os.File
	parquet *columns.File // one of the two
	text    *files.Reader
}

// Open opens a file and selects columns, of which the optional ones are left out where the file lacks them. The error
// of a file that is no such thing, or that lacks a column, is a ContentError.
func Open(ctx context.Context, name string, required, optional []string) (*Sheet, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	s := &Sheet{name: name, file: f}
	if err := s.open(ctx, required, optional); err != nil {
		return nil, errors.Join(&ContentError{fmt.Errorf("%s: %w", name, err)}, s.Close())
	}
	return s, nil
}

// named are files whose name says how to read them.
var named = regexp.MustCompile(`(?i)\.(csv|tsv|jsonl|ndjson|json|parquet)(\.gz|\.zst)?$`)

// ContentError is an error of what a file holds.
type ContentError struct{ Err error }

func (e *ContentError) Error() string { return e.Err.Error() }
func (e *ContentError) Unwrap() error { return e.Err }

func (s *Sheet) open(ctx context.Context, required, optional []string) error {
	info, err := s.file.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return errors.New("it is a folder: name a file")
	}
	known, err := s.read(ctx, info.Size())
	if err != nil {
		return err
	}
	var selected []string
	for _, c := range required {
		if known != nil && !slices.Contains(known, c) {
			return fmt.Errorf("it has no column %q: its columns are %s", c, list(known))
		}
		selected = append(selected, c)
	}
	for _, c := range optional {
		if slices.Contains(known, c) {
			selected = append(selected, c)
		}
	}
	return s.choose(selected)
}

// read tells the type of the file, by its first bytes or else its name, and what columns it has: nil for JSON Lines.
func (s *Sheet) read(ctx context.Context, size int64) (known []string, err error) {
	var magic [4]byte
	if _, err := s.file.ReadAt(magic[:], 0); err != nil && err != io.EOF {
		return nil, err
	}
	if string(magic[:]) == "PAR1" {
		if s.parquet, err = columns.Open(s.file, size); err != nil {
			return nil, err
		}
		return s.parquet.Columns(), nil
	}
	f := files.Format{Null: []string{}, CRLF: true} // every text is a value as it stands
	name := named.FindStringSubmatch(s.name)
	if name == nil {
		f.Type = "csv"
	}
	if s.text, err = files.NewReader(ctx, s.file, size, s.name, f); err != nil {
		return nil, err
	}
	known = s.text.Columns()
	if known == nil && (name == nil || !strings.Contains(strings.ToLower(name[1]), "json")) {
		return nil, errors.New("it is empty: expected a header with the names of columns")
	}
	return known, nil
}

func (s *Sheet) choose(selected []string) error {
	if s.text != nil {
		for _, c := range selected {
			s.Columns = append(s.Columns, Column{Name: c})
		}
		return s.text.Select(selected...)
	}
	for _, name := range selected {
		c, err := s.column(name)
		if err != nil {
			return fmt.Errorf("column %q: %w", name, err)
		}
		s.Columns = append(s.Columns, c)
	}
	return nil
}

var errType = errors.New("expected text, whole numbers, times, or 16 bytes")

// column reads the type of a Parquet column.
func (s *Sheet) column(name string) (Column, error) {
	c := Column{Name: name}
	t, lists, err := s.parquet.Type(name)
	if err != nil {
		return c, err
	}
	if lists {
		return c, errors.New("a list has no single value a row")
	}
	var logical any
	if l := t.LogicalType(); l != nil {
		logical = l.Value
	}
	switch t.Kind() {
	case parquet.ByteArray:
		c.Kind = Bytes
		switch logical.(type) {
		case *format.StringType, *format.EnumType, *format.JsonType:
			c.Kind = Text
		case nil:
		default:
			return c, errType
		}
	case parquet.FixedLenByteArray:
		if t.Length() != 16 {
			return c, errType
		}
		c.Kind = ID
		_, c.UUID = logical.(*format.UUIDType)
	case parquet.Int32, parquet.Int64:
		switch l := logical.(type) {
		case nil:
			c.Kind = Int
		case *format.IntType:
			c.Kind = Int
			if !l.IsSigned {
				c.Kind, c.wide = Unsigned, t.Kind() == parquet.Int64
			}
		case *format.TimestampType:
			c.Kind, c.unit = Time, 1_000_000
			switch l.Unit.Value.(type) {
			case *format.MilliSeconds:
				c.unit = 1_000
			case *format.NanoSeconds:
				c.unit = 1_000_000_000
			}
		default:
			return c, errType
		}
	default:
		return c, errType
	}
	return c, nil
}

// Close frees what the sheet holds.
func (s *Sheet) Close() error {
	var err error
	if s.text != nil {
		err = s.text.Close()
	}
	return errors.Join(err, s.file.Close())
}

// list names columns, as far as fits in a line.
func list(known []string) string {
	const most = 30
	all := strings.Join(known[:min(len(known), most)], ", ")
	if len(known) > most {
		all += fmt.Sprintf(" and %d more", len(known)-most)
	}
	return all
}
