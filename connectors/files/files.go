// Package files reads CSV, JSON Lines and Parquet files from a folder or a prefix of a bucket, by a declared mapping
// onto a raw table of the lake.
//
// # Which day a row belongs to
//
// A row belongs to the business day of its own event time. Extract writes the rows of one business day, so that over
// all days every row is written once and every broken row is quarantined once:
//
//   - A file that is named for no day (its path has no {day} or {yyyymmdd}) is read for every business day, and each
//     day takes its own rows. A broken row whose time can be read belongs to the day of that time; one whose time
//     cannot be read, to the day of the nearest row above it that has a time, or else of the first row that has one.
//     When the mapping gives a constant time the file is read for that day only.
//   - A file named for a day holds that day in the zone that the source cuts its days in (`cut`, the business zone
//     without it). A business day reads all files whose days overlap with it, and needs every one of them. A row whose
//     time lies outside its file's day is rejected, and like any row without a readable time it is quarantined on the
//     business day in which the file's day begins.
//
// # Errors
//
// A row that cannot be read, or that breaks an assertion or the table's contract, is rejected and reading goes on. What
// makes a whole file doubtful fails the extract: a wrong encoding, compressed content cut off, a mapped column that the
// header lacks, a quote that is never closed, other content than Inputs saw.
package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"crosslift/connectors"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// Stream is a mapping over a store. It implements connectors.Stream.
type Stream struct {
	name       string
	mapping    Mapping
	definition string
	table      *table.Table
	store      Store
	sums       Sums
	key        identifier.Key
	zone, cut  *time.Location
	constant   *table.Micros // the time of all rows, when the mapping gives it
	free       map[string]bool
}

var _ connectors.Stream = (*Stream)(nil)

// New makes a stream. The zone is the business's; sums may be nil, so that every sum is computed.
func New(name string, m Mapping, store Store, sums Sums, key identifier.Key, zone *time.Location) (*Stream, error) {
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	definition, err := m.definition(zone.String())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s := &Stream{
		name: name, mapping: m, definition: definition, table: table.Named(m.Table), store: store, sums: sums, key: key,
		zone: zone, cut: zone, free: map[string]bool{},
	}
	if m.Cut != "" {
		if s.cut, err = loadZone(m.Cut); err != nil {
			return nil, fmt.Errorf("%s: cut: %w", name, err)
		}
	}
	for _, column := range m.Free {
		s.free[column] = true
	}
	if m.Columns[s.table.EventTime].Value != nil {
		rows, err := newRow(s.table, &m, key)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		at, err := rows.at(Record{})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		s.constant = &at
	}
	return s, nil
}

// Name is the stream's name.
func (s *Stream) Name() string { return s.name }

// Table is the contract of the rows.
func (s *Stream) Table() *table.Table { return s.table }

// Definition is a hash of the mapping and the business zone, but of neither threshold nor restatement window, which
// decide whether and when rows are taken, not what they are.
func (s *Stream) Definition() string { return s.definition }

// Quarantine is the share of a day's rows that may be rejected: 1 % unless the mapping says otherwise.
func (s *Stream) Quarantine() float64 { return connectors.Quarantine(s.mapping.Quarantine) }

// Restatement is for how many days the source may change; -1, for ever, unless the mapping says otherwise.
func (s *Stream) Restatement() int {
	if s.mapping.Restatement == nil {
		return -1
	}
	return *s.mapping.Restatement
}

// Versioned: the sums of files tell one delivery from another.
func (s *Stream) Versioned() bool { return true }

// Inputs gives name and SHA-256, as stored, of the files that may hold rows of a day. It is ErrMissing when one that
// the day needs is not there.
func (s *Stream) Inputs(ctx context.Context, day table.Day) ([]connectors.Input, error) {
	found, err := s.deliveries(ctx, day)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", s.name, day, err)
	}
	inputs := make([]connectors.Input, 0, len(found))
	for _, f := range found {
		compute := func() (string, error) { return s.sum(ctx, f.Object) }
		sum := ""
		if s.sums == nil {
			sum, err = compute()
		} else {
			sum, err = s.sums.SHA256(ctx, s.store.String(), f.Object, compute)
		}
		if err != nil {
			return nil, fmt.Errorf("%s %s: %s: %w", s.name, day, f.Name, err)
		}
		inputs = append(inputs, connectors.Input{Name: f.Name, SHA256: sum})
	}
	return inputs, nil
}

// sum reads a file through.
func (s *Stream) sum(ctx context.Context, o Object) (string, error) {
	content, err := s.store.Open(ctx, o)
	if err != nil {
		return "", err
	}
	defer content.Close()
	h := sha256.New()
	if _, err := io.Copy(h, sequential(ctx, content)); err != nil {
		return "", fmt.Errorf("reading: %w", cause(err))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
