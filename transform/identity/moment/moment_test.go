package moment_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity"
	"crosslift/transform/identity/graph"
	"crosslift/transform/identity/moment"
	"crosslift/transform/identity/night"
	"crosslift/transform/identity/night/nighttest"
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
			left, right := l.Status == "shared_left" || l.Status == "shared_both", l.Status == "shared_right" || l.Status == "shared_both"
			m.shared[l.Left], m.shared[l.Right] = m.shared[l.Left] || left, m.shared[l.Right] || right
		case *table.ProfileIdentifierRow:
			if r.Stitching == identity.Latest && r.ValidTo == nil {
				m.profile[r.Identifier] = r.Profile
				m.members[r.Profile] = append(m.members[r.Profile], moment.Member{ID: r.Identifier, Type: r.IdentifierType})
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
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

func attribute(o *nighttest.Observation) bool {
	return (o.LeftType == table.TypeAccount || o.LeftType == table.TypeCRM) && (o.RightType == table.TypeEmail || o.RightType == table.TypePhone)
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

// rounds is how many random histories a test takes: many more in the soak.
func rounds(n int) int {
	if os.Getenv("CROSSLIFT_SOAK") != "" {
		return 40 * n
	}
	return n
}

func seeded(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 21))
}

// TestAsIfMadeThen holds the groups of everyone at random instants against nights that are made of what was observed before
// each. Consent is the last night's, by definition. Attributes are those that were told for the first time most recently: a
// night is made that is told each value once; and of the one that is told all, groups may differ only if a value returned.
func TestAsIfMadeThen(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	asked, joined, shared, returned, differ := 0, 0, 0, 0, 0
	for round := range rounds(10) {
		people, days := 4+r.IntN(14), table.Day(6+r.IntN(40))
		h := random(r, 1, days, people)
		if round%4 == 1 { // much at one instant
			for i := range h {
				h[i].At -= h[i].At % (5 * day)
			}
		}
		if round%3 == 0 { // values never return
			h = h.toldOnce()
		}
		d := decisions
		if round%2 == 0 {
			d = night.Decisions{}
		}
		rules := tight(r)
		in := moment.Input{Links: h.night(t, rules, d).links, Rules: rules, Decisions: d, IDs: everyone(people)}
		instants := []table.Micros{0, 1 << 60}
		for range 6 { // just before and just after something
			if len(h) > 0 {
				at := h[r.IntN(len(h))].At
				instants = append(instants, at, at+1)
			}
		}
		var queries []moment.Query
		for _, at := range instants {
			for _, id := range in.IDs {
				queries = append(queries, moment.Query{ID: id, At: at})
			}
		}
		got := groups(t, in, 2, queries...)
		for i, at := range instants {
			cut := h.before(at).consenting(h.refusing())
			once, all := cut.toldOnce().night(t, rules, d), cut.night(t, rules, d)
			again := cut.returned()
			if again {
				returned++
			}
			differed := false
			for k := range in.IDs {
				k += i * len(in.IDs)
				if what := once.differs(queries[k], got[k]); what != "" {
					t.Fatalf("round %d: %s as of %s: %s", round, queries[k].ID, at.Time(), what)
				}
				if what := all.differs(queries[k], got[k]); what != "" && !again {
					t.Fatalf("round %d, no value returned: %s as of %s: %s", round, queries[k].ID, at.Time(), what)
				} else if what != "" {
					differed = true
				}
				asked++
				if len(got[k].Members) > 1 {
					joined++
				}
				if got[k].Shared {
					shared++
				}
			}
			if differed {
				differ++
			}
		}
	}
	t.Logf("%d groups: %d of several, %d of shared ones; at %d instants an attribute had returned, at %d of them it matters", asked, joined, shared, returned, differ)
	if joined == 0 || shared == 0 || returned == 0 {
		t.Error("the histories do not show what they are to")
	}
}

// TestNothingLaterMatters: whatever is observed at or after t, but for refusals, the groups at t are the same.
func TestNothingLaterMatters(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	for range rounds(12) {
		people := 4 + r.IntN(10)
		at := day*table.Micros(5+r.IntN(10)) + table.Micros(r.IntN(20))*3600e6
		h := random(r, 1, 20, people).before(at)
		var queries []moment.Query
		for _, id := range everyone(people) {
			queries = append(queries, moment.Query{ID: id, At: at})
		}
		rules := tight(r)
		in := moment.Input{Links: h.night(t, rules, decisions).links, Rules: rules, Decisions: decisions, IDs: everyone(people)}
		want := groups(t, in, 1, queries...)
		for range 3 {
			later := random(r, table.Day(at/day), table.Day(at/day)+table.Day(1+r.IntN(30)), people).where(func(o *nighttest.Observation) bool {
				return o.At >= at && o.RightType != table.TypeConsent
			})
			in.Links = append(slices.Clone(h), later...).night(t, rules, decisions).links
			if got := groups(t, in, 2, queries...); !reflect.DeepEqual(got, want) {
				t.Fatalf("as of %s, after %d more observations:\n%v\nbefore them\n%v", at.Time(), len(later), got, want)
			}
		}
	}
}

// TestOnlyWhatIsReached: opened for one identifier and until the instant that is asked about, links say what they say when
// they are opened for everyone; in any order and by any number of workers.
func TestOnlyWhatIsReached(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	for range rounds(10) {
		people := 4 + r.IntN(14)
		h := random(r, 1, 30, people)
		rules := tight(r)
		in := moment.Input{Links: h.night(t, rules, decisions).links, Rules: rules, Decisions: decisions, IDs: everyone(people)}
		r.Shuffle(len(h), func(i, k int) { h[i], h[k] = h[k], h[i] })
		var queries []moment.Query
		for range 40 {
			queries = append(queries, moment.Query{ID: in.IDs[r.IntN(len(in.IDs))], At: table.Micros(r.Int64N(32 * int64(day)))})
		}
		want := groups(t, in, 1, queries...)
		r.Shuffle(len(in.IDs), func(i, k int) { in.IDs[i], in.IDs[k] = in.IDs[k], in.IDs[i] })
		in.Links = h.night(t, rules, decisions).links
		if got := groups(t, in, 3, queries...); !reflect.DeepEqual(got, want) {
			t.Fatalf("in another order\n%v\nat first\n%v", got, want)
		}
		for i, q := range queries {
			one := in
			one.IDs = []identifier.ID{q.ID, q.ID}
			if one.Until = q.At; i%2 == 0 {
				one.Until = 0
			}
			if got := groups(t, one, 2, q); !reflect.DeepEqual(got[0], want[i]) {
				t.Fatalf("%s as of %s, opened for it alone: %v, for everyone: %v", q.ID, q.At.Time(), got[0], want[i])
			}
		}
	}
}
