// Package connectorstest is for tests of sources: a Sink that keeps what it is given.
package connectorstest

import (
	"fmt"
	"reflect"

	"crosslift/connectors"
	"crosslift/schemas/table"
)

// Discard is a Sink that takes everything and keeps nothing; other sinks of tests embed it.
type Discard struct{}

func (Discard) Row(any, connectors.Origin) error       { return nil }
func (Discard) Reject(connectors.Origin, string) error { return nil }
func (Discard) Resume() string                         { return "" }
func (Discard) Page(string) error                      { return nil }
func (Discard) Total(connectors.Total) error           { return nil }
func (Discard) Unclassified(string)                    {}

// Sink keeps what a stream writes, and checks every row against the table's contract and window as the real one does.
type Sink[Row any] struct {
	Table  *table.Table
	Window table.Window // of the day; rows outside of it are an error
	From   string       // what Resume answers

	Rows     []Row
	Rejected []Rejection
	Cursors  []string
	Totals   []connectors.Total
	Fields   map[string]int
	Fail     func(rows int) error // nil, or asked before each row: an error ends the extract there
}

// Rejection is a row that was not taken.
type Rejection struct {
	Where  connectors.Origin
	Reason string
}

var _ connectors.Sink = (*Sink[struct{}])(nil)

// Row implements connectors.Sink.
func (s *Sink[Row]) Row(row any, where connectors.Origin) error {
	if s.Fail != nil {
		if err := s.Fail(len(s.Rows)); err != nil {
			return err
		}
	}
	if err := s.Table.Check(row); err != nil {
		return s.Reject(where, err.Error())
	}
	if at, timed := s.Table.TimeOf(row); timed && !s.Window.Contains(at.Time()) {
		return fmt.Errorf("%s %d: its time %s lies outside %s", where.File, where.Position, at.Time(), s.Window)
	}
	s.Rows = append(s.Rows, reflect.ValueOf(row).Elem().Interface().(Row))
	return nil
}

// Reject implements connectors.Sink.
func (s *Sink[Row]) Reject(where connectors.Origin, reason string) error {
	s.Rejected = append(s.Rejected, Rejection{where, reason})
	return nil
}

// Resume implements connectors.Sink.
func (s *Sink[Row]) Resume() string { return s.From }

// Page implements connectors.Sink.
func (s *Sink[Row]) Page(cursor string) error {
	s.Cursors = append(s.Cursors, cursor)
	return nil
}

// Total implements connectors.Sink.
func (s *Sink[Row]) Total(t connectors.Total) error {
	s.Totals = append(s.Totals, t)
	return nil
}

// Unclassified implements connectors.Sink.
func (s *Sink[Row]) Unclassified(field string) {
	if s.Fields == nil {
		s.Fields = map[string]int{}
	}
	s.Fields[field]++
}
