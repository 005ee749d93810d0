package facts

import (
	"slices"

	"crosslift/transform/stats/exact"
	"crosslift/warehouse/columns"
)

// What a row is to a source.
const (
	counts   = iota // it counts, inside a window
	out             // it does not
	negative        // it would, if its amount were not below zero
	unrated         // it does, but nothing is known of its currency then
)

// facets are a source's view of one row group.
type facets struct {
	*source
	state []uint8 // by row
	own   []uint8 // memory of state
	// strange reports rows that are negative, unrated or later than the night: they are to be counted.
	strange bool
	whole   bool // what rows count for are whole numbers, whose sum over a run of rows fits 64 bits
	ints    []int64
	floats  []float64
	values  *columns.Vector
	named   []uint64 // of distinct values: the number of each entry of the dictionary, plus 1
	totals  []total  // of whole numbers: by run
}

// look finds out what the rows of the row group are to a source.
func (g *group) look(s *source, f *facets) error {
	*f = facets{source: s, own: f.own, floats: f.floats, named: f.named, totals: f.totals[:0]}
	n := len(g.at)
	f.state, f.whole = g.b.everything[:min(n, len(g.b.everything))], s.kind == nothing || s.kind == constant && s.integral()
	if s.filter == nil && len(g.live) == 0 && s.value == "" && n == len(f.state) {
		return nil
	}
	f.own = slices.Grow(f.own[:0], n)[:n]
	clear(f.own)
	f.state = f.own
	for i, is := range g.live {
		if !is {
			f.state[i] = out
		}
	}
	if s.filter != nil {
		meets, err := s.filter.Bind(g.column)
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
	return g.lookAtValue(s, f)
}

func (g *group) lookAtValue(s *source, f *facets) error {
	v, err := g.column(s.value)
	if err != nil {
		return err
	}
	f.values, f.ints = v, v.Ints
	for i, at := range v.Index {
		if at < 0 {
			f.state[i] = out
		}
	}
	for i, is := range v.Present {
		if !is {
			f.state[i] = out
		}
	}
	if s.money {
		for i, amount := range v.Ints {
			if amount < 0 && f.state[i] == counts {
				f.state[i], f.strange = negative, true
			}
		}
	}
	switch s.kind {
	case ints:
		const large = 1 << 40 // 2^17 rows of a row group, and more, sum up to less than 2^63
		least, most := int64(0), int64(0)
		for _, x := range f.ints {
			least, most = min(least, x), max(most, x)
		}
		f.whole = least > -large && most < large && len(f.ints) < 1<<22
	case floats:
		f.floats = v.Floats
	case amounts:
		return g.convert(s, f)
	case distinct:
		f.named = slices.Grow(f.named[:0], max(len(v.Strings), len(v.IDs)))[:max(len(v.Strings), len(v.IDs))]
		clear(f.named)
	}
	return nil
}

// convert turns amounts into those of the source's currency.
func (g *group) convert(s *source, f *facets) error {
	currencies, err := g.column("currency")
	if err != nil {
		return err
	}
	f.floats = make([]float64, len(f.ints))
	for i, of := range currencies.Index {
		if f.state[i] != counts {
			continue
		}
		name := ""
		if of >= 0 {
			name = currencies.Strings[of]
		}
		if name == s.currency {
			f.floats[i] = float64(f.ints[i])
			continue
		}
		converted, ok := s.rates.convert(f.ints[i], name, g.at[i])
		if f.floats[i] = converted; !ok {
			f.state[i], f.strange = unrated, true
		}
	}
	return nil
}

// total is what some rows are together that count: how many, the first and the last time, and what they count for.
type total struct {
	n                int32
	first, last, sum int64
}

// sum adds up the rows from one to another that count and whose times lie in a span, [opens, closes).
func (f *facets) sum(at []int64, from, to int32, opens, closes int64) total {
	t := total{first: never, last: always}
	for row := from; row < to; row++ {
		if x := at[row]; x >= opens && x < closes && f.state[row] == counts {
			if t.n, t.first, t.last = t.n+1, min(t.first, x), max(t.last, x); f.kind == ints {
				t.sum += f.ints[row]
			}
		}
	}
	switch f.kind {
	case nothing:
		t.sum = int64(t.n)
	case constant:
		t.sum = int64(t.n) * int64(f.constant)
	}
	return t
}

// add adds what a row counts for to a sum.
func (f *facets) add(into *exact.Vector, i int, row int32) {
	switch f.kind {
	case constant:
		into.Add(i, f.constant)
	case ints:
		into.AddInt(i, f.ints[row])
	case floats, amounts:
		into.Add(i, f.floats[row])
	}
}

// name is the number of a row's value among a source's different ones; of integers it is the value itself.
func (f *facets) name(row int32) uint64 {
	if len(f.values.Index) == 0 {
		return uint64(f.values.Ints[row])
	}
	at := f.values.Index[row]
	if f.named[at] == 0 {
		if len(f.values.IDs) > 0 {
			f.named[at] = 1 + f.names.id(f.values.IDs[at])
		} else {
			f.named[at] = 1 + f.names.text(f.values.Strings[at])
		}
	}
	return f.named[at] - 1
}
