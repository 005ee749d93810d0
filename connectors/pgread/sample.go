package pgread

import (
	"fmt"

	"crosslift/connectors"
	"crosslift/schemas/table"
)

// Sample is a sink for checks: it counts what would land.
type Sample struct {
	Table *table.Table

	Rows     int
	Rejected int
	Reason   string // of the first that was rejected
}

var _ connectors.Sink = (*Sample)(nil)

// Problem says what is wrong with the rows that were taken, or nil.
func (s *Sample) Problem() error {
	if s.Rejected == 0 {
		return nil
	}
	return fmt.Errorf("%d of the %d rows that were read would be rejected; the first: %s", s.Rejected, s.Rows+s.Rejected, s.Reason)
}

// Row implements connectors.Sink.
func (s *Sample) Row(row any, where connectors.Origin) error {
	if err := s.Table.Check(row); err != nil {
		return s.Reject(where, err.Error())
	}
	s.Rows++
	return nil
}

// Reject implements connectors.Sink.
func (s *Sample) Reject(_ connectors.Origin, reason string) error {
	if s.Rejected == 0 {
		s.Reason = reason
	}
	s.Rejected++
	return nil
}

// Resume implements connectors.Sink.
func (s *Sample) Resume() string { return "" }

// Page implements connectors.Sink.
func (s *Sample) Page(string) error { return nil }

// Total implements connectors.Sink.
func (s *Sample) Total(connectors.Total) error { return nil }

// Unclassified implements connectors.Sink.
func (s *Sample) Unclassified(string) {}
