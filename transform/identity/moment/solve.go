package moment

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/transform/identity/graph"
)

// solve answers the queries that were taken.
func (s *solver) solve(ctx context.Context) error {
	if len(s.asked) == 0 {
		return ctx.Err()
	}
	p := &s.problem
	p.Rules = s.l.types.Rules
	solution, err := graph.Solve(ctx, p, 1)
	if err != nil {
		return err
	}
	members := make([]Member, 0, len(s.nodes))
	var of []uint32
	for _, a := range s.asked {
		of = of[:0]
		for at := a.from; at < a.to; at++ {
			if solution.Latest[at] == solution.Latest[a.from] {
				of = append(of, uint32(at))
			}
		}
		slices.SortFunc(of, s.compare)
		from := len(members)
		for _, at := range of {
			if typ := p.Types[at]; typ != s.l.types.referred || len(of) == 1 {
				members = append(members, Member{p.Keys[at], s.l.types.Types[typ].Name, s.l.nodes[s.nodes[at]].first})
			}
		}
		g := &s.groups[a.query]
		*g = Group{ID: identifier.Mint(identifier.Profile, p.Keys[of[0]], 0), Members: members[from:len(members):len(members)]}
		if p.Types[of[0]] == s.l.types.account {
			g.Account = p.Keys[of[0]]
		}
	}
	s.nodes, s.asked = s.nodes[:0], s.asked[:0]
	*p = graph.Problem{Keys: p.Keys[:0], Types: p.Types[:0], Must: p.Must[:0], Cannot: p.Cannot[:0], Links: graph.Links{
		A: p.Links.A[:0], B: p.Links.B[:0], Class: p.Links.Class[:0], First: p.Links.First[:0],
	}}
	return nil
}

// compare puts the anchor of a group first, as a night does: an account before all, then what was observed first. A
// payment's reference anchors nothing else than itself.
func (s *solver) compare(x, y uint32) int {
	p := &s.problem
	rank := func(at uint32) int {
		switch p.Types[at] {
		case s.l.types.account:
			return 0
		case s.l.types.referred:
			return 2
		}
		return 1
	}
	n, m := &s.l.nodes[s.nodes[x]], &s.l.nodes[s.nodes[y]]
	return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(n.first, m.first), cmp.Compare(p.Types[x], p.Types[y]), bytes.Compare(n.id[:], m.id[:]))
}
