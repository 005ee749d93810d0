package observe

import (
	"context"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// observer says how the rows of a table become edges.
type observer struct {
	table   *table.Table
	columns []string // that it needs, beside the time
	observe func(*rows)
}

// reader reads row groups one after another, into the same memory.
type reader struct{ memory map[string]*columns.Vector }

// rows is a row group: the columns that an observer needs, and the edges that it finds.
type rows struct {
	source  string
	at      []int64 // each row's event time
	columns map[string]*columns.Vector
	tallies map[shape]*tally
}

func (r *reader) read(ctx context.Context, o observer, f *columns.File, rowGroup int) (*rows, error) {
	if r.memory == nil {
		r.memory = map[string]*columns.Vector{}
	}
	for _, name := range append([]string{o.table.EventTime}, o.columns...) {
		if r.memory[name] == nil {
			r.memory[name] = &columns.Vector{}
		}
		if err := f.Vector(ctx, rowGroup, name, r.memory[name]); err != nil {
			return nil, err
		}
	}
	return &rows{source: o.table.Name, at: r.memory[o.table.EventTime].Ints, columns: r.memory, tallies: map[shape]*tally{}}, nil
}

// tally gives the place for edges between two types by a rule.
func (r *rows) tally(left, right string, rule int64) *tally {
	s := shape{left, right, rule, r.source}
	t := r.tallies[s]
	if t == nil {
		t = &tally{pairs: pairs{}}
		r.tallies[s] = t
	}
	return t
}

// ids gives each row's identifier of a column, zero where it has none.
func (r *rows) ids(column string) func(row int) identifier.ID {
	v := r.columns[column]
	return func(row int) identifier.ID {
		if at := v.Index[row]; at >= 0 {
			return v.IDs[at]
		}
		return identifier.ID{}
	}
}

// is gives whether a row says so in a column of yes and no: where it says nothing, it does not.
func (r *rows) is(column string, what bool) func(row int) bool {
	v := r.columns[column]
	return func(row int) bool { return v.Bools[row] == what && (v.Present == nil || v.Present[row]) }
}

// each asks something of a column of texts, once a distinct value, and answers by row; an absent text is "".
func each[T any](r *rows, column string, ask func(text string) T) func(row int) T {
	v := r.columns[column]
	answers, absent := make([]T, len(v.Strings)), ask("")
	for i, text := range v.Strings {
		answers[i] = ask(text)
	}
	return func(row int) T {
		if at := v.Index[row]; at >= 0 {
			return answers[at]
		}
		return absent
	}
}
