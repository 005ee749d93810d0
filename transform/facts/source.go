package facts

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"crosslift/schemas/identifier"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/transform/filter"
	"crosslift/warehouse/columns"
)

// kind is what is added up of a source's events, besides how many there are.
type kind int

const (
	nothing  kind = iota
	constant      // the same number for every event
	ints          // an integer column
	floats        // a column of floats
	amounts       // money, converted to one currency
	distinct      // which values a column has
)

// source is where events come from and what they count for. Metrics, also of several experiments, that have equal ones share it,
// and so what is found out about a row group's rows.
type source struct {
	table    *table.Table
	filter   *filter.Filter // nil: every row
	value    string         // a column that must have a value; "" where none is given
	money    bool           // which must not be negative
	kind     kind
	constant float64
	currency string // of amounts: what they are converted to
	rates    rates
	names    *names // of distinct strings and identifiers
}

// column finds a column of a table that may be nil.
func column(t *table.Table, name string) (table.Column, bool) {
	if t == nil {
		return table.Column{}, false
	}
	return t.Column(name)
}

// source gives the source of a metric, shared with all that are equal.
func (b *builder) source(m *metric.Metric, from *metric.Source) (*source, error) {
	t := table.Named(from.Table)
	if t == nil || t.Occurred == "" {
		return nil, fmt.Errorf("metric %s: no metric can be read from %q", m.Name, from.Table)
	}
	s := &source{table: t}
	if from.Value.Given {
		s.value, s.constant = from.Value.Column, from.Value.Constant
	} else {
		s.constant = 1
	}
	var of table.Column
	if s.value != "" {
		found := false
		if of, found = t.Column(s.value); !found {
			return nil, fmt.Errorf("metric %s: %s has no column %q", m.Name, t, s.value)
		}
		s.money = of.Unit == "minor"
	}
	switch m.Type {
	case metric.Mean, metric.Quantile, metric.Ratio:
		switch {
		case s.value == "":
			s.kind = constant
		case s.money && m.Currency != "":
			s.kind, s.currency = amounts, m.Currency
		case of.Type == table.Int:
			s.kind = ints
		case of.Type == table.Float:
			s.kind = floats
		default:
			return nil, fmt.Errorf("metric %s: %s is a %s: expected a column with numbers", m.Name, s.value, of.Type)
		}
	case metric.CountDistinct:
		if s.kind, s.names = distinct, newNames(); s.value == "" || of.Type == table.Float || of.Type == table.Bool {
			return nil, fmt.Errorf("metric %s: different values are counted of a column of text, identifiers or integers", m.Name)
		}
	}
	if s.kind != constant {
		s.constant = 0
	}
	written, err := json.Marshal(from.Filter)
	if err != nil {
		return nil, fmt.Errorf("metric %s: %w", m.Name, err)
	}
	key := fmt.Sprint(t, s.value, s.kind, s.constant, s.currency, string(written))
	if known := b.sources[key]; known != nil {
		return known, nil
	}
	if len(from.Filter) > 0 {
		if s.filter, err = filter.New(t, from.Filter); err != nil {
			return nil, fmt.Errorf("metric %s: %w", m.Name, err)
		}
	}
	b.sources[key] = s
	return s, nil
}

// What a row is to a source.
const (
	out      = iota // it does not count
	counts          // it counts, inside a window
	negative        // it would, if its amount were not below zero
	unrated         // it does, but nothing is known of its currency then
)

// facets are a source's view of one row group.
type facets struct {
	state  []uint8 // by row
	odd    bool    // some rows are negative or unrated
	ints   []int64
	floats []float64
	values *columns.Vector
	names  []uint64 // of distinct values: the number of each entry of the dictionary, plus 1
}

// look fills facets for the rows of a row group that are live; nil: all of them.
func (s *source) look(f *facets, rows int, live []bool, at []int64, column func(string) (*columns.Vector, error)) error {
	f.state, f.odd = slices.Grow(f.state[:0], rows)[:rows], false
	for i := range f.state {
		f.state[i] = counts
		if live != nil && !live[i] {
			f.state[i] = out
		}
	}
	if s.filter != nil {
		meets, err := s.filter.Bind(column)
		if err != nil {
			return err
		}
		for i := range f.state {
			if f.state[i] == counts && !meets(i) {
				f.state[i] = out
			}
		}
	}
	if s.value == "" {
		return nil
	}
	v, err := column(s.value)
	if err != nil {
		return err
	}
	f.values, f.ints, f.floats, f.names = v, v.Ints, v.Floats, nil
	for i := range f.state {
		if len(v.Index) > 0 && v.Index[i] < 0 || v.Present != nil && !v.Present[i] {
			f.state[i] = out
		}
	}
	if s.money {
		for i, amount := range v.Ints {
			if amount < 0 && f.state[i] == counts {
				f.state[i], f.odd = negative, true
			}
		}
	}
	switch s.kind {
	case amounts:
		return s.convert(f, at, column)
	case distinct:
		f.names = make([]uint64, max(len(v.Strings), len(v.IDs)))
	}
	return nil
}

// convert turns amounts into those of the source's currency.
func (s *source) convert(f *facets, at []int64, column func(string) (*columns.Vector, error)) error {
	currencies, err := column("currency")
	if err != nil {
		return err
	}
	amounts := f.values.Ints
	f.floats = make([]float64, len(amounts))
	for i, of := range currencies.Index {
		switch {
		case f.state[i] != counts:
		case of >= 0 && currencies.Strings[of] == s.currency:
			f.floats[i] = float64(amounts[i])
		default:
			name := ""
			if of >= 0 {
				name = currencies.Strings[of]
			}
			converted, ok := s.rates.convert(amounts[i], name, at[i])
			if f.floats[i] = converted; !ok {
				f.state[i], f.odd = unrated, true
			}
		}
	}
	return nil
}

// name is the number of a row's value among a source's different ones; of integers it is the value itself.
func (s *source) name(f *facets, row int) uint64 {
	if len(f.values.Index) == 0 {
		return uint64(f.values.Ints[row])
	}
	at := f.values.Index[row]
	if f.names[at] == 0 {
		if len(f.values.IDs) > 0 {
			f.names[at] = 1 + s.names.id(f.values.IDs[at])
		} else {
			f.names[at] = 1 + s.names.text(f.values.Strings[at])
		}
	}
	return f.names[at] - 1
}

// names numbers the values of a column, for all workers.
type names struct {
	mu    sync.Mutex
	texts map[string]uint64
	ids   map[identifier.ID]uint64
}

func newNames() *names { return &names{texts: map[string]uint64{}, ids: map[identifier.ID]uint64{}} }

func (n *names) text(s string) uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	number, known := n.texts[s]
	if !known {
		number = uint64(len(n.texts))
		n.texts[string([]byte(s))] = number // a dictionary's strings share one piece of memory
	}
	return number
}

func (n *names) id(id identifier.ID) uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	number, known := n.ids[id]
	if !known {
		number = uint64(len(n.ids))
		n.ids[id] = number
	}
	return number
}
