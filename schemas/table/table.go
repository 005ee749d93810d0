// Package table says what each lake table means: its Go row type and its contract, which is read from the row type's
// field tags. Everything that writes, reads, sorts, hashes or checks rows is driven by the contract, so a table is
// added by adding a row type here.
package table

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"crosslift/schemas/identifier"
)

// Kind says what dt means and whether a partition may change later.
type Kind int

// The four kinds of table (README, "Time").
const (
	Event  Kind = iota // dt is the business day of the event
	Change             // dt is the business day of the change; a row is the whole entity after it
	State              // dt is the night: what was known then; only the newest night is open
	Result             // dt is the night; never changes, a correction is a new revision
)

func (k Kind) String() string { return [...]string{"event", "change", "state", "result"}[k] }

// Type is the type of a column.
type Type int

// The column types, with the Go field types that stand for them. A pointer makes a number, bool or time optional; an
// optional string or ID is absent when zero.
const (
	String    Type = iota // string
	Int                   // int64
	Float                 // float64, never NaN
	Bool                  // bool
	Timestamp             // Micros
	ID                    // identifier.ID
	Date                  // Day
)

func (t Type) String() string {
	return [...]string{"string", "int", "float", "bool", "timestamp", "identifier", "date"}[t]
}

// Micros is an instant: microseconds since 1970-01-01 UTC.
type Micros int64

// MicrosOf cuts an instant to the microsecond at or before it.
func MicrosOf(t time.Time) Micros { return Micros(t.UnixMicro()) }

// Time is the instant in UTC.
func (m Micros) Time() time.Time { return time.UnixMicro(int64(m)).UTC() }

// Class says how a column relates to persons.
type Class int

// The classes. The lake holds no third one: what identifies a person directly is hashed before it gets here.
const (
	Free      Class = iota // says nothing about who a person is; may be shown, and kept in quarantine
	Pseudonym              // a keyed hash, or something that tells persons apart; never in messages or quarantine
)

// Column is one column of a contract.
type Column struct {
	Name     string
	Type     Type
	Optional bool
	Blank    bool            // a required string that may be empty
	Dict     bool            // few distinct values in a row group: dictionary-encoded
	Class    Class           //
	Kind     identifier.Kind // of an ID that sources give as text; connectors hash it as this kind
	Unit     string          // "minor" for money in minor units, "currency" for ISO 4217 codes; else empty
	Field    int             // index of the field in the row type
}

// Table is the contract of a lake table.
type Table struct {
	Layer        string // raw, core, facts, results or quarantine
	Name         string
	Version      int // raised when the meaning or the columns change; part of the recipe
	Kind         Kind
	ByExperiment bool // partitioned by experiment, then dt
	Columns      []Column
	Order        []int  // a permutation of Columns: rows are sorted by these columns in this order, a total order
	Key          []int  // places of the columns that tell a source's rows apart, in file order; nil where there is no source
	EventTime    string // the column that decides the day of an event or change row; "" for states and results
	Occurred     string // the column at whose time an outcome counts: EventTime unless the contract names another
	Row          reflect.Type

	quarantine *Table
	pointer    reflect.Type // to Row
	ruled      []ruled      // the columns that Check looks at
	checks     bool         // rows have rules across columns
}

// Path is the table's folder in the lake: layer/name.
func (t *Table) Path() string { return t.Layer + "/" + t.Name }

func (t *Table) String() string { return t.Path() }

// Column finds a column by name.
func (t *Table) Column(name string) (Column, bool) {
	for _, c := range t.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return Column{}, false
}

// ColumnNames lists the columns in file order.
func (t *Table) ColumnNames() []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// define reads a contract from the tags of Row's fields:
//
//	lake:"name[,optional][,blank][,dict][,personal][,minor|currency][,key][,time][,occurred][,kind]"
//
// where kind is one of package identifier's; sources give such an ID as text, and connectors hash it.
//
// order names the leading sort columns; the rest follow in file order, so that the order is total. A mistake in a tag
// is a mistake in this package and panics when the program starts.
func define[Row any](path string, kind Kind, version int, order ...string) *Table {
	layer, name, _ := strings.Cut(path, "/")
	t := &Table{Layer: layer, Name: name, Kind: kind, Version: version, Row: reflect.TypeFor[Row]()}
	for i := range t.Row.NumField() {
		f := t.Row.Field(i)
		parts := strings.Split(f.Tag.Get("lake"), ",")
		c := Column{Name: parts[0], Field: i}
		c.Type, c.Optional = columnType(f.Type)
		for _, option := range parts[1:] {
			switch option {
			case "optional":
				c.Optional = true
			case "blank":
				c.Blank = true
			case "dict":
				c.Dict = true
			case "personal":
				c.Class = Pseudonym
			case "minor", "currency":
				c.Unit = option
			case "key":
				t.Key = append(t.Key, i)
			case "time":
				t.EventTime = c.Name
			case "occurred":
				t.Occurred = c.Name
			default:
				if c.Kind, c.Class = identifier.Kind(option), Pseudonym; identifier.Known(c.Kind) {
					continue
				}
				panic(fmt.Sprintf("table %s: column %s: unknown option %q", path, c.Name, option))
			}
		}
		t.Columns = append(t.Columns, c)
	}
	placed := make([]bool, len(t.Columns))
	place := func(i int) {
		if !placed[i] {
			placed[i] = true
			t.Order = append(t.Order, i)
		}
	}
	if t.Occurred == "" {
		t.Occurred = t.EventTime
	}
	for _, name := range order {
		c, ok := t.Column(name)
		if !ok {
			panic(fmt.Sprintf("table %s: order names no column: %s", path, name))
		}
		place(c.Field)
	}
	for i := range t.Columns {
		place(i)
	}
	t.rules()
	return t
}

// Quarantine is where a raw table's broken rows go, day by day; nil for other layers.
func (t *Table) Quarantine() *Table { return t.quarantine }

// raw gives a table that sources fill its quarantine.
func raw(t *Table) *Table {
	t.quarantine = define[QuarantineRow]("quarantine/"+t.Name, Event, 1, "source", "file", "position")
	return t
}

// byExperiment marks a table as partitioned by experiment.
func byExperiment(t *Table) *Table {
	t.ByExperiment = true
	return t
}

func columnType(t reflect.Type) (_ Type, optional bool) {
	if t.Kind() == reflect.Pointer {
		t, optional = t.Elem(), true
	}
	switch t {
	case reflect.TypeFor[Micros]():
		return Timestamp, optional
	case reflect.TypeFor[identifier.ID]():
		return ID, optional
	case reflect.TypeFor[Day]():
		return Date, optional
	}
	switch t.Kind() {
	case reflect.String:
		return String, optional
	case reflect.Int64:
		return Int, optional
	case reflect.Float64:
		return Float, optional
	case reflect.Bool:
		return Bool, optional
	}
	panic("table: no column type for " + t.String())
}
