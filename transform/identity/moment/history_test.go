package moment_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
	"crosslift/transform/identity/moment"
	"crosslift/transform/identity/night"
	"crosslift/transform/identity/night/nighttest"
	"crosslift/transform/identity/trait"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/columns/columnstest"
)

const day = table.Micros(86400e6)

// tight are rules under which little is needed to be shared or refused, some of them of no use but to a test: devices of
// which a profile may have few, caps that are none.
func tight(r *rand.Rand) graph.Rules {
	rules := graph.DefaultRules()
	rules.MaxSize = 5 + r.IntN(10)
	for i := range rules.Types {
		if t := &rules.Types[i]; t.Cap > 0 {
			t.Cap = r.IntN(5)
		}
		if t := &rules.Types[i]; t.Device && r.IntN(12) == 0 {
			t.Limit = 1 + r.IntN(2)
		}
	}
	return rules
}

// decisions are some about the people of a random history.
var decisions = night.Decisions{
	Must:   [][2]identifier.ID{{id('d', 1), id('a', 2)}, {id('e', 0), id('p', 1)}, {id('d', 3), id('d', 3)}, {id('a', 0), id('z', 0)}},
	Cannot: [][2]identifier.ID{{id('a', 0), id('e', 0)}, {id('a', 1), id('d', 1)}},
}

func id(kind byte, n int) identifier.ID { return nighttest.ID(kind, n) }

// history is observations; random ones on some days.
type history []nighttest.Observation

func random(r *rand.Rand, from, to table.Day, people int) (h history) {
	for d := from; d <= to; d++ {
		h = append(h, nighttest.Day(r, d, people)...)
	}
	return h
}

func (h history) where(keep func(o *nighttest.Observation) bool) (kept history) {
	for i := range h {
		if keep(&h[i]) {
			kept = append(kept, h[i])
		}
	}
	return kept
}

func (h history) before(t table.Micros) history {
	return h.where(func(o *nighttest.Observation) bool { return o.At < t })
}

// made is what a night made of a history.
type made struct {
	links *columns.File
	// By identifier: its profile, if any, and whether it is shared. By profile: who belongs to it.
	profile map[identifier.ID]identifier.ID
	shared  map[identifier.ID]bool
	members map[identifier.ID][]moment.Member
}

func (h history) night(t *testing.T, rules graph.Rules, d night.Decisions) made {
	t.Helper()
	in := night.Input{Night: 1 << 20, Rules: rules, Decisions: d}
	var rows []*table.IdentityEdgeRow // of all days in one: a night adds them up
	for _, day := range nighttest.Edges(h) {
		rows = append(rows, day...)
	}
	in.Edges = []night.Day{{Day: 1, File: columnstest.File(t, table.IdentityEdge, rows...)}}
	m := made{profile: map[identifier.ID]identifier.ID{}, shared: map[identifier.ID]bool{}, members: map[identifier.ID][]moment.Member{}}
	var links []*table.IdentityLinkRow
	first := map[identifier.ID]table.Micros{}
	_, _, err := night.Build(t.Context(), in, 2, func(_ *table.Table, row any) error {
		switch r := row.(type) {
		case *table.IdentityLinkRow:
			l := *r
			for _, p := range []**table.Micros{&l.ValidTo, &l.SealedFirstAt, &l.SealedLastAt} {
				if *p != nil {
					at := **p
					*p = &at
				}
			}
			if l.SealedCount != nil {
				n := *l.SealedCount
				l.SealedCount = &n
			}
			links = append(links, &l)
			for _, end := range []identifier.ID{l.Left, l.Right} {
				if at, seen := first[end]; !seen || l.FirstAt < at {
					first[end] = l.FirstAt
				}
			}
			left, right := l.Status == "shared_left" || l.Status == "shared_both", l.Status == "shared_right" || l.Status == "shared_both"
			m.shared[l.Left], m.shared[l.Right] = m.shared[l.Left] || left, m.shared[l.Right] || right
		case *table.ProfileIdentifierRow:
			if r.Stitching == table.Latest && r.ValidTo == nil {
				m.profile[r.Identifier] = r.Profile
				m.members[r.Profile] = append(m.members[r.Profile], moment.Member{ID: r.Identifier, Type: r.IdentifierType})
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, members := range m.members {
		for i := range members {
			members[i].FirstAt = first[members[i].ID]
		}
	}
	m.links = columnstest.File(t, table.IdentityLink, links...)
	return m
}

// refusing are the owners that refuse analysis by all that was observed.
func (h history) refusing() map[identifier.ID]bool {
	given, denied := map[identifier.ID]table.Micros{}, map[identifier.ID]table.Micros{}
	for _, o := range h {
		if o.RightType == table.TypeConsent && o.Right.IsZero() {
			denied[o.Left] = max(denied[o.Left], o.At)
		} else if o.RightType == table.TypeConsent {
			given[o.Left] = max(given[o.Left], o.At)
		}
	}
	is := map[identifier.ID]bool{}
	for owner, at := range denied {
		is[owner] = at >= given[owner]
	}
	return is
}

// consenting is a history in which exactly those owners refuse who do by the end of another one, and always did.
func (h history) consenting(refusing map[identifier.ID]bool) history {
	first, types := map[identifier.ID]table.Micros{}, map[identifier.ID]nighttest.Observation{}
	h = slices.Clone(h)
	for i := range h {
		o := &h[i]
		if o.RightType == table.TypeConsent {
			if o.Right = o.Left; refusing[o.Left] {
				o.Right = identifier.ID{}
			}
		}
		for _, end := range []struct {
			id  identifier.ID
			typ string
		}{{o.Left, o.LeftType}, {o.Right, o.RightType}} {
			if at, seen := first[end.id]; refusing[end.id] && (!seen || o.At < at) {
				first[end.id] = o.At
				types[end.id] = nighttest.Observation{At: o.At, Left: end.id, LeftType: end.typ, RightType: table.TypeConsent, Source: "product_user"}
			}
		}
	}
	for _, o := range types {
		h = append(h, o)
	}
	return h
}

// attribute reports whether an observation says which value something has that links to profiles.
func attribute(o *nighttest.Observation) bool {
	return o.RightType != table.TypeConsent && o.RightType != table.TypeEmailFolded && trait.Attribute(o.LeftType, o.RightType)
}

// toldOnce is a history in which a value of an attribute is told by each rule only once.
func (h history) toldOnce() history {
	first := map[nighttest.Observation]table.Micros{}
	key := func(o *nighttest.Observation) nighttest.Observation { k := *o; k.At = 0; return k }
	for i := range h {
		if at, seen := first[key(&h[i])]; !seen || h[i].At < at {
			first[key(&h[i])] = h[i].At
		}
	}
	return h.where(func(o *nighttest.Observation) bool { return !attribute(o) || o.At == first[key(o)] })
}

// returned reports whether some value of an attribute was told again after another had been told for the first time: the
// newest value is not what was told last.
func (h history) returned() bool {
	type of struct {
		owner       identifier.ID
		typ, source string
	}
	type value struct{ newest, last table.Micros }
	firsts := map[nighttest.Observation]table.Micros{}
	for _, o := range h.toldOnce() {
		at := o.At
		o.At = 0
		firsts[o] = at
	}
	all := map[of]map[identifier.ID]value{}
	for _, o := range h {
		if !attribute(&o) {
			continue
		}
		k := of{o.Left, o.RightType, o.Source}
		if all[k] == nil {
			all[k] = map[identifier.ID]value{}
		}
		at := o.At
		o.At = 0
		v := all[k][o.Right]
		all[k][o.Right] = value{max(v.newest, firsts[o]), max(v.last, at)}
	}
	for _, values := range all {
		var best value
		for _, v := range values {
			best = value{max(best.newest, v.newest), max(best.last, v.last)}
		}
		for _, v := range values {
			if (v.newest == best.newest) != (v.last == best.last) {
				return true
			}
		}
	}
	return false
}

// everyone is who may be asked about.
func everyone(people int) (all []identifier.ID) {
	for n := range people + 1 { // one more than there are
		for _, kind := range "abcdekp" {
			all = append(all, id(byte(kind), n))
		}
	}
	return all
}

func groups(t *testing.T, in moment.Input, workers int, queries ...moment.Query) []moment.Group {
	t.Helper()
	l, err := moment.Open(t.Context(), in, workers)
	if err != nil {
		t.Fatal(err)
	}
	of, err := l.Groups(t.Context(), queries, workers)
	if err != nil {
		t.Fatal(err)
	}
	return of
}

// differs says how a group is not what a night made then says of an identifier; "" when it is.
func (m *made) differs(q moment.Query, g moment.Group) string {
	profile := m.profile[q.ID]
	if profile.IsZero() {
		if len(g.Members) != 1 || g.Members[0].ID != q.ID || g.ID != identifier.Mint(identifier.Profile, q.ID, 0) {
			return fmt.Sprintf("in a group of %v, by a night alone", g.Members)
		}
		if g.Shared != m.shared[q.ID] {
			return fmt.Sprintf("shared %t, by a night %t", g.Shared, m.shared[q.ID])
		}
		return ""
	}
	order := func(x, y moment.Member) int { return strings.Compare(string(x.ID[:]), string(y.ID[:])) }
	got, want := slices.SortedFunc(slices.Values(g.Members), order), slices.SortedFunc(slices.Values(m.members[profile]), order)
	var account identifier.ID
	for _, member := range want {
		if member.Type == table.TypeAccount {
			account = member.ID
		}
	}
	if g.ID != profile || g.Account != account || g.Shared || !slices.Equal(got, want) {
		return fmt.Sprintf("in group %s of account %s, shared %t, with %v; by a night in %s of %s with %v", g.ID, g.Account, g.Shared, got, profile, account, want)
	}
	return ""
}
