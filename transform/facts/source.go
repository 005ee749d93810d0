package facts

import (
	"encoding/json"
	"fmt"
	"math"
	"sync"

	"crosslift/schemas/identifier"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/transform/filter"
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

// integral reports whether the constant is a whole number, small enough that any number of rows have a sum of 64 bits.
func (s *source) integral() bool {
	return s.constant == math.Trunc(s.constant) && math.Abs(s.constant) < 1<<31
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
