// Package connectors holds what every source agrees on: a source offers streams, and a stream writes the rows of a day
// into the Sink it is given. A source knows nothing of the lake, of jobs or of other sources.
package connectors

import (
	"context"

	"crosslift/schemas/table"
)

// Stream is one kind of row that a source offers, mapped onto a lake table.
type Stream interface {
	// Name is source/stream, unique in a project.
	Name() string
	// Table is the contract of the rows.
	Table() *table.Table
	// Definition is a hash of everything in the configuration that decides what Extract writes; never of secrets.
	Definition() string
	// Inputs lists what Extract would read for a day. The answer enters the recipe, so it must be the same for the same
	// content wherever it lies.
	Inputs(ctx context.Context, day table.Day) ([]Input, error)
	// Extract writes the rows of a business day, in any order, and refuses to go on when it meets other content than
	// inputs says.
	Extract(ctx context.Context, day table.Day, inputs []Input, sink Sink) error
	// Quarantine is the share of the rows read for a day that may be rejected before the day fails.
	Quarantine() float64
	// Restatement is how many days before the newest night the source may still change; negative: for ever.
	Restatement() int
}

// Input is something that a stream reads, known by its content.
type Input struct {
	Name   string // relative to the source's root
	SHA256 string // hexadecimal
}

// Sink receives what a stream reads. It belongs to one extract and is used by one goroutine.
type Sink interface {
	// Row takes a pointer to the table's row type and copies it. A row that breaks the contract is quarantined under
	// where; an error means that the extract must stop.
	Row(row any, where Origin) error
	// Reject takes a row that could not be read, with the reason: what was expected, never a value.
	Reject(where Origin, reason string) error
}

// Origin is where in the source a row was found.
type Origin struct {
	File     string            // the file or page
	Position int64             // line of a text file, row of a Parquet file; from 1
	Raw      []byte            // the row's bytes where it has any; only their length and keyed hash are kept
	Fields   map[string]string // the row's fields, only when each is free of personal data; else nil
}
