package pgread

import (
	"maps"
	"strings"

	"github.com/lib/pq"
)

// Table says where rows lie: a table or view of the database, and its columns by the names of the lake's contract.
type Table struct {
	Table   string            `yaml:"table"` // name, or schema.name; as the database spells it
	Columns map[string]Column `yaml:"columns"`
	Ignore  []string          `yaml:"ignore"` // columns that are known and not read
}

// Column says where a lake column's value comes from: a column of the database, or a constant. One that names neither
// is a column that the database lacks.
type Column struct {
	From   string            `yaml:"from"`
	Value  *string           `yaml:"value"`
	Map    map[string]string `yaml:"map"`                 // the database's texts and what they mean; others are rejected
	Region string            `yaml:"region"`              // of phone numbers without a country's code: ISO 3166-1
	Hash   bool              `yaml:"hash"`                // keep only a keyed hash of the text
	When   *Condition        `yaml:"-"`                   // holds in the rows that From is for; in others the value is
	Else   string            `yaml:"-" json:",omitempty"` // that of this column of the database, or absent without one
}

// UnmarshalText reads the short form: the name of the database's column, or nothing.
func (c *Column) UnmarshalText(text []byte) error {
	c.From = string(text)
	return nil
}

// Over lays what a configuration says over defaults. What the default hashes stays hashed.
func (t Table) Over(defaults Table) Table {
	merged := Table{Table: t.Table, Columns: maps.Clone(defaults.Columns), Ignore: t.Ignore}
	if merged.Table == "" {
		merged.Table = defaults.Table
	}
	if merged.Ignore == nil {
		merged.Ignore = defaults.Ignore
	}
	for name, c := range t.Columns {
		known := defaults.Columns[name]
		c.Hash = c.Hash || known.Hash && c.Value == nil
		if c.Region == "" && c.Value == nil {
			c.Region = known.Region
		}
		merged.Columns[name] = c
	}
	return merged
}

// Condition holds for rows in which a column's text is one of some; NULL is the empty text. Not turns it round.
type Condition struct {
	Column string
	Values []string
	Not    bool
}

func (c Condition) sql() string {
	var values []string
	for _, v := range c.Values {
		values = append(values, pq.QuoteLiteral(v))
	}
	not := ""
	if c.Not {
		not = "NOT "
	}
	return "coalesce(" + of(c.Column) + "::text, '') " + not + "IN (" + strings.Join(values, ", ") + ")"
}

// Refusal is a rule for rows that are rejected where the condition holds.
type Refusal struct {
	Condition
	Reason string
}

// quoted gives a table's name as SQL.
func quoted(table string) string {
	parts := strings.Split(table, ".")
	for i, part := range parts {
		parts[i] = pq.QuoteIdentifier(part)
	}
	return strings.Join(parts, ".")
}

// of gives a column of the table that is read, which queries call t. Without the t, ORDER BY would take a name for that of
// the column's text, which the query gives too, and sort by it.
func of(name string) string { return "t." + pq.QuoteIdentifier(name) }

// columns of a server's table by name.
type columns map[string]column

type column struct {
	kind     string // its type's name, without modifiers
	readable bool   // by our role
}

// Types of columns, as format_type names them.
const (
	timestamptz = "timestamp with time zone"
	timestamp   = "timestamp without time zone"
	date        = "date"
	xid8        = "xid8"
)

// instant gives SQL for a column as a timestamptz; zone is that of columns without one.
func instant(name, kind, zone string) string {
	name = of(name)
	switch kind {
	case timestamp:
		return "(" + name + " AT TIME ZONE " + pq.QuoteLiteral(zone) + ")"
	case date:
		return "(" + name + "::timestamp AT TIME ZONE " + pq.QuoteLiteral(zone) + ")"
	}
	return name
}

// bound gives SQL for a parameter as a value of a time column, so that an index on the column can be used.
func bound(parameter, kind, zone string) string {
	parameter += "::timestamptz"
	if kind == timestamp {
		return "(" + parameter + " AT TIME ZONE " + pq.QuoteLiteral(zone) + ")"
	}
	return parameter
}
