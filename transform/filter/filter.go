// Package filter tests rows of a table by the filters of definitions.
package filter

import (
	"fmt"
	"slices"

	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// Filter is filters that all hold, prepared for a table. It may be used by several goroutines at once.
type Filter struct {
	all     node
	columns []string
}

// node is a filter whose operands have been read: a comparison, or a list of nodes of which all or any hold.
type node struct {
	kind     kind
	nodes    []*node // of allOf and anyOf; the one of notOf
	column   table.Column
	op       metric.Op
	operands []metric.Operand
	only     string // the one column that the node reads; "" where it reads several
}

type kind int

const (
	comparison kind = iota
	allOf
	anyOf
	notOf
)

// New prepares filters. An error names the filter that does not fit the table's contract.
func New(t *table.Table, filters []metric.Filter) (*Filter, error) {
	if err := metric.CheckFilters(t, filters); err != nil {
		return nil, fmt.Errorf("filter of %s: %w", t, err)
	}
	f := &Filter{}
	f.all = *f.list(t, allOf, filters)
	return f, nil
}

func (f *Filter) list(t *table.Table, of kind, filters []metric.Filter) *node {
	n := &node{kind: of}
	for i := range filters {
		n.nodes = append(n.nodes, f.prepare(t, &filters[i]))
	}
	return n.joined()
}

// joined notes which column a node's nodes read, where it is one.
func (n *node) joined() *node {
	for i, inner := range n.nodes {
		if n.only = inner.only; i > 0 && inner.only != n.nodes[0].only {
			n.only = ""
			break
		}
	}
	return n
}

func (f *Filter) prepare(t *table.Table, of *metric.Filter) *node {
	switch {
	case of.All != nil:
		return f.list(t, allOf, of.All)
	case of.Any != nil:
		return f.list(t, anyOf, of.Any)
	case of.Not != nil:
		return (&node{kind: notOf, nodes: []*node{f.prepare(t, of.Not)}}).joined()
	}
	n := &node{kind: comparison, op: of.Op, only: of.Column}
	n.column, _ = t.Column(of.Column)
	for _, text := range of.Value {
		operand, _ := metric.ParseOperand(n.column.Type, text) // the filters have been checked
		n.operands = append(n.operands, operand)
	}
	if !slices.Contains(f.columns, of.Column) {
		f.columns = append(f.columns, of.Column)
	}
	return n
}

// Columns are the columns that the tests read, each once.
func (f *Filter) Columns() []string { return slices.Clone(f.columns) }

// Bind gives the test over one row group, whose vectors column gives; they must stay as they are while it is used. What can be
// asked of a dictionary is asked once a distinct value, here.
func (f *Filter) Bind(column func(name string) (*columns.Vector, error)) (meets func(row int) bool, err error) {
	vectors := make(map[string]*columns.Vector, len(f.columns))
	for _, name := range f.columns {
		if vectors[name], err = column(name); err != nil {
			return nil, fmt.Errorf("filter by %s: %w", name, err)
		}
	}
	b := f.all.bind(vectors)
	if b.test == nil {
		return func(int) bool { return b.always }, nil
	}
	return b.test, nil
}
