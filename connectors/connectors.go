// Package connectors holds what every source agrees on: a source offers streams, and a stream writes the rows of a day
// into the Sink it is given. A source knows nothing of the lake, of jobs or of other sources.
package connectors

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// What an error of a source means for its caller; errors wrap one of these, and anything else is a fault of ours.
var (
	// ErrDown: the source does not answer, refuses our credentials, is out of quota or has not delivered yet. Waiting, or
	// the source's owner, mends it.
	ErrDown = errors.New("the source is down")
	// ErrContract: the source answers what its documentation rules out, as a whole: a row that is wrong is rejected.
	ErrContract = errors.New("the source broke its contract")
)

// Source is a system that rows come from, as a project has configured it.
type Source interface {
	// Name is unique in a project: bank, payments.
	Name() string
	// Streams are what it offers, in a fixed order.
	Streams() []Stream
	// Check tries what a night will need: credentials, permissions, the clocks' difference, and one page of each stream
	// against its contract. It writes nothing anywhere.
	Check(ctx context.Context) []Finding
	// Close frees what the source holds.
	Close() error
}

// Finding is what a Check found of one thing.
type Finding struct {
	What    string // "token", "stream charges"
	Problem error  // nil: it is as it should be
	Remedy  string // what to do about the problem, in one sentence
}

// Env is what a source needs beside its own settings.
type Env struct {
	Key  identifier.Key // by which identifiers are hashed
	Zone *time.Location // the business's, which cuts days
	Log  *slog.Logger
	Now  func() time.Time
}

// Stream is one kind of row that a source offers, mapped onto a lake table.
type Stream interface {
	// Name is source/stream, unique in a project.
	Name() string
	// Table is the contract of the rows.
	Table() *table.Table
	// Definition is a hash of everything in the configuration that decides what Extract writes; never of secrets.
	Definition() string
	// Versioned reports whether Inputs tells one state of a source's day from another, as the sums of files or the ETags of
	// tables do. The days of a stream that cannot are read again by every run while the source may still change them.
	Versioned() bool
	// Inputs lists what Extract would read for a day, at little cost. The answer enters the recipe, so it must be the same
	// for the same content wherever it lies. Of a stream that is not Versioned it is empty.
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
	SHA256 string // hexadecimal; of a source that is no file, whatever stands for it, such as a table's ETag
}

// Sink receives what a stream reads. It belongs to one extract and is used by one goroutine.
type Sink interface {
	// Row takes a pointer to the table's row type and copies it. A row that breaks the contract is quarantined under
	// where; an error means that the extract must stop.
	Row(row any, where Origin) error
	// Reject takes a row that could not be read, with the reason: what was expected, never a value.
	Reject(where Origin, reason string) error
	// Resume is the cursor of the last page that an extract of this day had finished when it broke off; its rows are taken
	// already. "": start at the beginning.
	Resume() string
	// Page says that a page is finished: every row so far is taken, and reading goes on at cursor.
	Page(cursor string) error
	// Total takes what the source itself says it has of the day. The extract fails where something else has landed.
	Total(t Total) error
	// Unclassified announces a field that the contract does not know, by its path in the source. Its values are dropped.
	Unclassified(field string)
}

// Total is a count or a sum by the source's own word.
type Total struct {
	Measure  string // Rows, or the integer column of the table that is summed
	Currency string // of a sum of money, ISO 4217: only the rows of that currency are summed; else ""
	Value    int64
}

// Rows is the measure of a Total that counts rows, those that are rejected too.
const Rows = "rows"

// Origin is where in the source a row was found.
type Origin struct {
	File     string            // the file or page
	Position int64             // line of a text file, row of a Parquet file; from 1
	Raw      []byte            // the row's bytes where it has any; only their length and keyed hash are kept
	Fields   map[string]string // the row's fields, only when each is free of personal data; else nil
}
