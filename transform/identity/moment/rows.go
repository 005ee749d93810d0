package moment

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
	"crosslift/transform/identity/night"
	"crosslift/transform/identity/trait"
	"crosslift/warehouse/columns"
)

// types is what is to be known of the types of identifier, by their numbers, which are those of the rules.
type types struct {
	graph.Rules
	openness []int
	class    []uint8
	account  uint8
	referred uint8 // of a payment's reference
	// limited: some type of device is a unique namespace.
	limited bool
}

// noType is of what is no node: a right end whose type takes no part in profiles.
const noType = 255

func newTypes(rules graph.Rules) types {
	t := types{Rules: rules, account: noType, referred: noType}
	for i, of := range rules.Types {
		t.openness, t.class = append(t.openness, trait.Openness(of.Name)), append(t.class, trait.Class(of.Name))
		t.limited = t.limited || of.Device && of.Limit > 0
		switch of.Name {
		case table.TypeAccount:
			t.account = uint8(i)
		case table.TypeReference:
			t.referred = uint8(i)
		}
	}
	return t
}

// number finds a type that may be a node's.
func (t *types) number(name string) uint8 {
	i, known := t.Type(name)
	if !known || t.Rules.Types[i].Outside {
		return noType
	}
	return i
}

// row is a row of the night's links.
type row struct {
	left, right         identifier.ID
	leftType, rightType uint8 // noType: outside of profiles
	rule, source        uint8
	attribute           bool // right, which may be absent, is a value that another one ends
	refused             bool // for want of consent
	first               table.Micros
}

// joins reports whether a row is of two identifiers, rather than about one.
func (r *row) joins() bool { return !r.right.IsZero() && r.rightType != noType && r.left != r.right }

// reader reads row groups, one after another, into the same memory.
type reader struct {
	file    *columns.File
	types   *types
	sources *sources

	block, left, right, leftType, rightType, rule, source, first, status columns.Vector

	is struct { // by place in the row group's dictionaries
		leftType, rightType, source []uint8
		refused                     []bool
	}
}

// ends reads of a row group only which identifiers are in which blocks.
func (r *reader) ends(ctx context.Context, group int) (rows int, err error) {
	return r.vectors(ctx, group, map[string]*columns.Vector{"block": &r.block, "left": &r.left, "right": &r.right})
}

// rows reads all that is needed of a row group.
func (r *reader) rows(ctx context.Context, group int) (rows int, err error) {
	if rows, err = r.ends(ctx, group); err != nil {
		return 0, err
	}
	if _, err = r.vectors(ctx, group, map[string]*columns.Vector{
		"left_type": &r.leftType, "right_type": &r.rightType, "rule": &r.rule, "source": &r.source, "first_ts": &r.first, "status": &r.status,
	}); err != nil {
		return 0, err
	}
	r.is.leftType, r.is.rightType, r.is.source, r.is.refused = r.is.leftType[:0], r.is.rightType[:0], r.is.source[:0], r.is.refused[:0]
	for _, name := range r.leftType.Strings {
		r.is.leftType = append(r.is.leftType, r.types.number(name))
	}
	for _, name := range r.rightType.Strings {
		r.is.rightType = append(r.is.rightType, r.types.number(name))
	}
	for _, name := range r.source.Strings {
		number, err := r.sources.number(name)
		if err != nil {
			return 0, err
		}
		r.is.source = append(r.is.source, number)
	}
	for _, name := range r.status.Strings {
		r.is.refused = append(r.is.refused, name == night.NoConsent)
	}
	return rows, nil
}

func (r *reader) vectors(ctx context.Context, group int, of map[string]*columns.Vector) (int, error) {
	rows := int(r.file.RowGroupRows(group))
	for name, v := range of {
		if err := r.file.Vector(ctx, group, name, v); err != nil {
			return 0, err
		}
		if len(v.Index) != rows && len(v.Ints) != rows {
			return 0, fmt.Errorf("column %s, row group %d: not one of %s", name, group, table.IdentityLink)
		}
	}
	return rows, nil
}

// id is an identifier of a row; zero where it has none.
func id(v *columns.Vector, at int) identifier.ID {
	if i := v.Index[at]; i >= 0 {
		return v.IDs[i]
	}
	return identifier.ID{}
}

// row is a row of the row group that was read.
func (r *reader) row(at int) (row, error) {
	lt, rt, source, status := r.leftType.Index[at], r.rightType.Index[at], r.source.Index[at], r.status.Index[at]
	if min(lt, rt, source, status) < 0 || r.left.Index[at] < 0 {
		return row{}, fmt.Errorf("a row of %s without what it must have", table.IdentityLink)
	}
	rule := r.rule.Ints[at]
	if rule < 0 || rule > table.RuleShared {
		return row{}, fmt.Errorf("rule %d of a link from %s: expected 0 to %d", rule, r.source.Strings[source], table.RuleShared)
	}
	l := row{
		left: r.left.IDs[r.left.Index[at]], right: id(&r.right, at), leftType: r.is.leftType[lt], rightType: r.is.rightType[rt],
		rule: uint8(rule), source: r.is.source[source], refused: r.is.refused[status], first: table.Micros(r.first.Ints[at]),
	}
	l.attribute = l.rightType != noType && trait.Attribute(r.leftType.Strings[lt], r.rightType.Strings[rt])
	return l, nil
}

// sources numbers the few tables that show links.
type sources struct {
	mu sync.Mutex
	of map[string]uint8
}

func (s *sources) number(name string) (uint8, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, known := s.of[name]
	if !known {
		if len(s.of) == 256 {
			return 0, fmt.Errorf("more than 256 sources of links: %q is one too many", name)
		}
		i = uint8(len(s.of))
		s.of[name] = i
	}
	return i, nil
}

// inParallel calls do for each of 0…n−1, from several goroutines with a reader each.
func inParallel(ctx context.Context, n, workers int, newReader func() *reader, do func(context.Context, *reader, int) error) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range max(1, min(workers, n)) {
		g.Go(func() error {
			r := newReader()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := do(ctx, r, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}
