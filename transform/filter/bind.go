package filter

import (
	"slices"
	"strings"

	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// bound is a test over one row group.
type bound struct {
	test   func(row int) bool
	always bool // what every row answers, where test is nil
}

func constant(answer bool) bound { return bound{always: answer} }

func (n *node) bind(vectors map[string]*columns.Vector) bound {
	if n.only != "" {
		if c := n.first().column; c.Type == table.String || c.Type == table.ID {
			return n.byDictionary(vectors[n.only])
		}
	}
	switch n.kind {
	case allOf, anyOf:
		return n.combine(vectors)
	case notOf:
		inner := n.nodes[0].bind(vectors)
		if inner.test == nil {
			return constant(!inner.always)
		}
		return bound{test: func(row int) bool { return !inner.test(row) }}
	}
	return n.compare(vectors[n.column.Name])
}

// first is a comparison within a node.
func (n *node) first() *node {
	for n.kind != comparison {
		n = n.nodes[0]
	}
	return n
}

// combine joins the tests of nodes of which all, or any, hold. A row's answer is known once one of them decides it.
func (n *node) combine(vectors map[string]*columns.Vector) bound {
	decides := n.kind == anyOf // the answer that decides
	var tests []func(row int) bool
	for _, inner := range n.nodes {
		switch b := inner.bind(vectors); {
		case b.test != nil:
			tests = append(tests, b.test)
		case b.always == decides:
			return b
		}
	}
	switch {
	case len(tests) == 0:
		return constant(!decides)
	case len(tests) == 1:
		return bound{test: tests[0]}
	case len(tests) == 2 && decides:
		return bound{test: func(row int) bool { return tests[0](row) || tests[1](row) }}
	case len(tests) == 2:
		return bound{test: func(row int) bool { return tests[0](row) && tests[1](row) }}
	}
	return bound{test: func(row int) bool {
		for _, test := range tests {
			if test(row) == decides {
				return decides
			}
		}
		return !decides
	}}
}

// byDictionary asks a node that reads one column of strings or identifiers once a distinct value.
func (n *node) byDictionary(v *columns.Vector) bound {
	answers := make([]bool, 1, 1+max(len(v.Strings), len(v.IDs))) // of rows without a value, then by place in the dictionary
	answers[0] = n.asks(nil)
	for i := range v.Strings {
		answers = append(answers, n.asks(&v.Strings[i]))
	}
	if len(v.IDs) > 0 { // identifiers are asked only whether they are there
		answers = append(answers, slices.Repeat([]bool{n.asks(new(""))}, len(v.IDs))...)
	}
	if !slices.Contains(answers, !answers[0]) {
		return constant(answers[0])
	}
	index := v.Index
	return bound{test: func(row int) bool { return answers[index[row]+1] }}
}

// asks holds a node that reads one column against a value of it, nil where there is none.
func (n *node) asks(value *string) bool {
	switch n.kind {
	case allOf:
		return !slices.ContainsFunc(n.nodes, func(inner *node) bool { return !inner.asks(value) })
	case anyOf:
		return slices.ContainsFunc(n.nodes, func(inner *node) bool { return inner.asks(value) })
	case notOf:
		return !n.nodes[0].asks(value)
	}
	if value == nil || n.op == metric.IsNull {
		return value == nil && n.op == metric.IsNull
	}
	return text(n.op, *value, n.operands)
}

func text(op metric.Op, s string, operands []metric.Operand) bool {
	switch x := operands[0].Text; op {
	case metric.Equal:
		return s == x
	case metric.NotEqual:
		return s != x
	case metric.Less:
		return s < x
	case metric.AtMost:
		return s <= x
	case metric.More:
		return s > x
	case metric.AtLeast:
		return s >= x
	case metric.Between:
		return x <= s && s <= operands[1].Text
	case metric.HasPrefix:
		return strings.HasPrefix(s, x)
	}
	return slices.ContainsFunc(operands, func(o metric.Operand) bool { return o.Text == s })
}
