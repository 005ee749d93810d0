// Package jobs says when things happen: a Job makes partitions for a day, and the graph of jobs follows from what each
// reads and writes.
package jobs

import (
	"context"
	"slices"

	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/postgres"
)

// Job makes the partitions of its tables for one day, or publishes to the warehouse what it reads.
type Job struct {
	Name       string // extract/payment, facts/cashback_99: unique in a project
	Experiment string // of jobs by experiment, else ""
	Writes     []*table.Table
	Reads      []Read

	// What decides the rows besides the inputs; all of it enters the recipe.
	Logic       int                                                                 // raised when the code gives other rows
	Definitions map[string]string                                                   // what it uses of the YAML, by name, such as metric revenue: its hash
	Key         string                                                              // of identifiers, where it hashes them
	Files       func(ctx context.Context, day table.Day) (map[string]string, error) // of extracts: name → SHA-256

	Restatement int                        // of extracts: days for which the source may still change; negative: for ever. Others change with what they read
	Unversioned bool                       // of extracts: only reading tells whether the source has restated a day
	Idle        func(day table.Day) string // why there is nothing to do for a day, "" where there is; nil: always
	Last        *table.Day                 // of jobs by experiment: the last night that can tell anything new; nil while it is open
	Make        func(context.Context, *Work) error

	// Together, where it is set, names what a job is made with: jobs of one night that share it wait for each other's
	// inputs, and MakeTogether makes those that are wanted in one go, instead of Make. It gives an error a work, by place; works
	// one by one, or in any company, have the same rows.
	Together     string
	MakeTogether func(context.Context, []*Work) []error

	// Of a job that publishes: whether the warehouse holds a partition already, and how to load it there.
	Published func(ctx context.Context, result *lake.Head) (bool, error)
	Publish   func(ctx context.Context, l *lake.Lake, result *lake.Head, claim *postgres.Claim) (rows int64, err error)
}

// Read is a table that a job reads.
type Read struct {
	Table *table.Table
	// Span gives the first and last day that are read for a day, of tables by day. Nil: the partition of that very
	// night, which must exist. A night takes the days that exist; a job by day waits for those that are missing since the
	// table's first.
	Span func(day table.Day) (from, to table.Day)
	// Previous marks the job's own state of the night before: recorded, not compared, and absent on the first night.
	Previous bool
}

// Kind is the kind of the tables a job writes; of a job that publishes, that of what it reads.
func (j *Job) Kind() table.Kind {
	if len(j.Writes) == 0 {
		return j.Reads[0].Table.Kind
	}
	return j.Writes[0].Kind
}

// Night reports whether the job is a step of the night, rather than one that makes a day: from a source, or from what
// sources gave.
func (j *Job) Night() bool { return j.Kind() == table.State || j.Kind() == table.Result }

// Derived reports whether the job makes what it makes from tables of the lake, rather than from a source.
func (j *Job) Derived() bool { return len(j.Reads) > 0 }

// Produces reports whether the job writes a table that another reads.
func (j *Job) Produces(r Read) bool { return !r.Previous && slices.Contains(j.Writes, r.Table) }

// FeedsInto reports whether a job reads what this one writes. Jobs of different experiments have no business with
// each other.
func (j *Job) FeedsInto(next *Job) bool {
	return (j.Experiment == "" || j.Experiment == next.Experiment) && slices.ContainsFunc(next.Reads, j.Produces)
}
