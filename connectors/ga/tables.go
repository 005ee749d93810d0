package ga

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"cloud.google.com/go/bigquery"

	"crosslift/connectors"
	"crosslift/schemas/table"
)

// dayTable is a table that a business day is read from, as it was at some instant.
type dayTable struct {
	id     string
	window table.Window // of its day in the property's zone
	rows   uint64
	sum    string // of its state
	schema bigquery.Schema
}

const (
	daily    = "events_"
	intraday = "events_intraday_"
)

func suffix(day table.Day) string { return strings.ReplaceAll(day.String(), "-", "") }

// days are the property's days that overlap with a business day.
func (s *source) days(day table.Day) (first, last table.Day) {
	window := day.Window(s.env.Zone)
	return table.DayOf(window.From, s.zone), table.DayOf(window.To.Add(-time.Nanosecond), s.zone)
}

// tables finds the tables of a business day. One that is not there is not delivered yet.
func (s *source) tables(ctx context.Context, day table.Day) ([]dayTable, error) {
	var tables []dayTable
	first, last := s.days(day)
	for d := first; d <= last; d++ {
		id := daily + suffix(d)
		meta, err := s.service.metadata(ctx, id)
		if errors.Is(err, errMissing) && s.config.Intraday {
			id = intraday + suffix(d)
			meta, err = s.service.metadata(ctx, id)
		}
		if errors.Is(err, errMissing) {
			return nil, fmt.Errorf("table %s: not delivered yet, pending: %w", id, connectors.ErrDown)
		}
		if err != nil {
			return nil, err
		}
		tables = append(tables, dayTable{
			id: id, window: d.Window(s.zone), rows: meta.NumRows, sum: state(meta), schema: meta.Schema,
		})
	}
	return tables, nil
}

// state is a sum of what tells one state of a table from another.
func state(meta *bigquery.TableMetadata) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", meta.ETag, meta.NumRows, meta.LastModifiedTime.UnixMilli()))
	return hex.EncodeToString(sum[:])
}

// Inputs gives the tables of a day with a sum of their ETag, number of rows and time of change.
func (e *events) Inputs(ctx context.Context, day table.Day) ([]connectors.Input, error) {
	tables, err := e.tables(ctx, day)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", e.Name(), day, err)
	}
	inputs := make([]connectors.Input, len(tables))
	for i, t := range tables {
		inputs[i] = connectors.Input{Name: t.id, SHA256: t.sum}
	}
	return inputs, nil
}
