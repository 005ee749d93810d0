package stitch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"crosslift/jobs/sheet"
	"crosslift/schemas/table"
	"crosslift/transform/identity/evaluate"
	"crosslift/transform/identity/number"
	"crosslift/warehouse/columns"
)

// Evaluation is how well a map tells who is one person; it marshals to the documented JSON.
type Evaluation struct {
	evaluate.Scores
	Truth   int64 `json:"nodes_of_truth"`
	Map     int64 `json:"nodes_of_map"`
	NoMap   int64 `json:"missing_in_map"`   // of the truth, which therefore count nowhere
	NoTruth int64 `json:"missing_in_truth"` // of the map, likewise
}

// Evaluate compares a map with the truth. Nodes are compared as text: 16 bytes as a UUID's, whole numbers as decimal ones.
func Evaluate(ctx context.Context, truth, of string) (*Evaluation, error) {
	t, err := readCells(ctx, truth, "node", "type", "owner")
	if err != nil {
		return nil, err
	}
	m, err := readCells(ctx, of, "node", "component")
	if err != nil {
		return nil, err
	}
	nodes, err := number.RankTexts(ctx, 1, t.lists[0], m.lists[0])
	if err != nil {
		return nil, err
	}
	inTruth, inMap := t.lists[0].AppendNumbers(nil), m.lists[0].AppendNumbers(nil)
	owner, cluster := missing(len(nodes)), missing(len(nodes))
	account := make([]bool, len(nodes))
	owners, err := t.numbers(ctx, 2)
	if err != nil {
		return nil, err
	}
	types, err := number.RankTexts(ctx, 1, t.lists[1])
	if err != nil {
		return nil, err
	}
	for row, typ := range t.lists[1].AppendNumbers(nil) {
		node := inTruth[row]
		if owner[node] != absent {
			return nil, t.error(row, fmt.Errorf("the node is in %s too", t.place(slices.Index(inTruth, node))))
		}
		owner[node] = owners[row]
		if t.empty[2][row] {
			owner[node] = shared
		}
		account[node] = types[typ] == table.TypeAccount
	}
	clusters, err := m.numbers(ctx, 1)
	if err != nil {
		return nil, err
	}
	for row, node := range inMap {
		if cluster[node] != absent {
			return nil, m.error(row, fmt.Errorf("the node is in %s too", m.place(slices.Index(inMap, node))))
		}
		cluster[node] = clusters[row]
	}
	e := &Evaluation{Truth: int64(len(inTruth)), Map: int64(len(inMap))}
	var both []evaluate.Node
	for i := range nodes {
		n := evaluate.Node{Owner: uint32(owner[i]), Cluster: uint32(cluster[i]), Account: account[i]}
		switch {
		case owner[i] == absent:
			e.NoTruth++
		case cluster[i] == absent:
			e.NoMap++
		default:
			if owner[i] == shared {
				n.Owner = evaluate.None
			}
			both = append(both, n)
		}
	}
	e.Scores = evaluate.Score(both)
	return e, nil
}

// What a node's owner or cluster is when it is no number.
const (
	absent int64 = -1 - iota
	shared
)

func missing(n int) []int64 { return slices.Repeat([]int64{absent}, n) }

// cells are the columns of a file as texts.
type cells struct {
	name  string
	what  string // "line" or "row"
	lists []*number.TextList
	empty [][]bool
	lines []int64
}

func readCells(ctx context.Context, name string, names ...string) (_ *cells, err error) {
	s, err := sheet.Open(ctx, name, names, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	c := &cells{name: name, empty: make([][]bool, len(names))}
	for range names {
		c.lists = append(c.lists, &number.TextList{})
	}
	err = s.Read(ctx, 1, func(_ int, b *sheet.Batch) error {
		for i := range b.Rows {
			c.what, c.lines = b.What(), append(c.lines, b.Place(i))
		}
		for i, column := range s.Columns {
			for row := range b.Rows {
				value, ok := cell(column, &b.Vectors[i], row)
				if mayBeEmpty := column.Name == "owner" || column.Name == "type"; !ok && !mayBeEmpty {
					return b.Error(row, fmt.Errorf("%s: empty", column.Name))
				}
				c.lists[i].Add(value)
				c.empty[i] = append(c.empty[i], !ok)
			}
		}
		return nil
	})
	return c, err
}

// numbers ranks a column other than that of nodes.
func (c *cells) numbers(ctx context.Context, column int) ([]int64, error) {
	if _, err := number.RankTexts(ctx, 1, c.lists[column]); err != nil {
		return nil, err
	}
	var numbers []int64
	for _, n := range c.lists[column].AppendNumbers(nil) {
		numbers = append(numbers, int64(n))
	}
	return numbers, nil
}

func (c *cells) place(row int) string { return fmt.Sprintf("%s %d", c.what, c.lines[row]) }

func (c *cells) error(row int, err error) error {
	return &sheet.ContentError{Err: fmt.Errorf("%s %s: %w", c.name, c.place(row), err)}
}

// cell is a value as text; ok is false where there is none.
func cell(c sheet.Column, v *columns.Vector, row int) (value string, ok bool) {
	switch c.Kind {
	case sheet.Text, sheet.Bytes:
		if at := v.Index[row]; at >= 0 {
			value = v.Strings[at]
		}
		return value, value != ""
	case sheet.ID:
		if at := v.Index[row]; at >= 0 {
			return v.IDs[at].String(), true
		}
		return "", false
	}
	if v.Present != nil && !v.Present[row] {
		return "", false
	}
	if c.Kind == sheet.Unsigned {
		return strconv.FormatUint(uint64(v.Ints[row]), 10), true
	}
	return strconv.FormatInt(v.Ints[row], 10), true
}

// Table lays the evaluation out for people, rounded.
func (e *Evaluation) Table() (header []string, rows [][]string) {
	agreement := func(name string, a evaluate.Agreement) {
		rows = append(rows,
			[]string{name + ", precision", decimal(a.Precision.Share, a.Precision.N), grouping(a.Precision.N)},
			[]string{name + ", recall", decimal(a.Recall.Share, a.Recall.N), grouping(a.Recall.N)},
			[]string{name + ", F1", decimal(a.F1, a.Recall.N), ""})
	}
	agreement("pairs", e.Pairs)
	agreement("pairs of accounts", e.AccountPairs)
	agreement("B-cubed", e.BCubed)
	rows = append(rows, []string{"accounts over-merged", decimal(e.Overmerged.Share, e.Overmerged.N), grouping(e.Overmerged.N)})
	for _, c := range []struct {
		name string
		n    int64
	}{
		{"nodes with an owner", e.NodesOfOwner}, {"accounts of these", e.AccountsOfOwner}, {"nodes that several share", e.NodesWithout},
		{"nodes missing in the map", e.NoMap}, {"nodes missing in the truth", e.NoTruth},
	} {
		rows = append(rows, []string{c.name, "", grouping(c.n)})
	}
	return []string{"what", "share", "of"}, rows
}

// decimal writes a share; of nothing there is none.
func decimal(x float64, n int64) string {
	if n == 0 {
		return "–"
	}
	return strconv.FormatFloat(x, 'f', 4, 64)
}
