package who_test

import (
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
	"crosslift/transform/identity/night"
	"crosslift/transform/identity/who"
	"crosslift/transform/identity/who/whotest"
)

func seeded(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 13))
}

// world makes two nights of a random world; decided: with links that people have decided.
func world(t *testing.T, r *rand.Rand, decided bool) (before, after *whotest.Made, edges whotest.Edges, o whotest.Options) {
	o = whotest.Options{Rules: graph.DefaultRules()}
	o.Rules.MaxSize = 9 // small enough to be met
	if decided {
		id := func(kind byte, n int) identifier.ID { return identifier.ID{kind, byte(n), 0x5a, kind} }
		o.Decisions = night.Decisions{Must: [][2]identifier.ID{{id('d', 1), id('a', 2)}, {id('e', 0), id('p', 1)}}, Cannot: [][2]identifier.ID{{id('a', 0), id('e', 0)}}}
	}
	days := 6 + r.IntN(10)
	edges = whotest.Random(r, days, 4+r.IntN(8))
	before = whotest.Make(t, table.Day(days/2), edges, o)
	o.Before = before
	return before, whotest.Make(t, table.Day(days-1), edges, o), edges, o
}

// memberships are the profiles of identifiers, under the latest stitching.
func memberships(m *whotest.Made) map[identifier.ID]identifier.ID {
	of := map[identifier.ID]identifier.ID{}
	for _, row := range m.Rows[table.ProfileIdentifier] {
		if r := row.(*table.ProfileIdentifierRow); r.Stitching == table.Latest && r.ValidTo == nil {
			of[r.Identifier] = r.Profile
		}
	}
	return of
}

// TestRandomWorlds asks about every pair and every profile of random nights, and holds the answers against the tables.
func TestRandomWorlds(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	rounds := 2
	if os.Getenv("CROSSLIFT_SOAK") != "" {
		rounds = 200
	}
	for round := range rounds {
		before, after, edges, o := world(t, r, round%2 == 1)
		explained(t, r, after)
		shown(t, after)
		for _, m := range []*whotest.Made{before, after} {
			findings, err := m.Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range findings {
				if f.Fault != "" {
					t.Errorf("night %s: %s: %s", m.Day, f.Check, f.Fault)
				}
			}
		}
		compared(t, before, after)
		cut(t, r, after, edges, o)
	}
}

// explained: two identifiers are together exactly if they are of one profile, and then by a path of accepted links.
func explained(t *testing.T, r *rand.Rand, m *whotest.Made) {
	of := memberships(m)
	ids := slices.SortedFunc(maps.Keys(of), compare)
	for i, a := range ids {
		for _, b := range ids[i:] {
			if of[a] != of[b] && r.IntN(5) > 0 {
				continue
			}
			e, err := m.Explain(t.Context(), a, b)
			if err != nil {
				t.Fatal(err)
			}
			if e.Together != (of[a] == of[b]) {
				t.Fatalf("%s of %s and %s of %s: together is %t", a, of[a], b, of[b], e.Together)
			}
			at := a
			for i, s := range e.Path {
				if s.From != at || s.Link == nil && s.Class != who.Decided || s.Link != nil && (s.Link.Status != "linked" || s.Class < s.Link.Rule) {
					t.Fatalf("from %s to %s: step %d is %+v", a, b, i, s)
				}
				if at = s.To; s.Class > e.Path[e.Weakest].Class {
					t.Fatalf("from %s to %s: step %d is weaker than %d", a, b, i, e.Weakest)
				}
			}
			if e.Together && at != b {
				t.Fatalf("from %s to %s: the path ends at %s", a, b, at)
			}
		}
	}
}

// shown: a profile is shown with its members, past ones too; an identifier with its profile.
func shown(t *testing.T, m *whotest.Made) {
	members := map[identifier.ID][]*table.ProfileIdentifierRow{}
	for _, row := range m.Rows[table.ProfileIdentifier] {
		if r := row.(*table.ProfileIdentifierRow); r.Stitching == table.Latest {
			members[r.Profile] = append(members[r.Profile], r)
		}
	}
	for _, row := range m.Rows[table.Profile] {
		p := row.(*table.ProfileRow)
		s, err := m.Show(t.Context(), p.Profile)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case p.Status != "current":
			if s.Alias == nil || s.Alias.Profile != p.Profile || !p.AliasOf.IsZero() && s.Profile.Profile != p.AliasOf {
				t.Fatalf("%+v is shown as %+v", p, s)
			}
			continue
		case s.Profile.Profile != p.Profile:
			t.Fatalf("profile %s is shown as %s", p.Profile, s.Profile.Profile)
		}
		if got, want := idsOf(s.Members), idsOf(members[p.Profile]); !slices.Equal(got, want) {
			t.Fatalf("profile %s is shown with %v instead of %v", p.Profile, got, want)
		}
	}
	for id, profile := range memberships(m) {
		s, err := m.Show(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if s.Profile == nil || s.Profile.Profile != profile || s.Standing.Profile != profile {
			t.Fatalf("identifier %s of %s is shown as %+v", id, profile, s.Profile)
		}
	}
}

func idsOf(rows []*table.ProfileIdentifierRow) (ids []string) {
	for _, r := range rows {
		ended := ""
		if r.ValidTo != nil {
			ended = " ended"
		}
		ids = append(ids, r.Identifier.String()+ended)
	}
	slices.Sort(ids)
	return ids
}

// compared: what two states tell is what the night between them has recorded.
func compared(t *testing.T, before, after *whotest.Made) {
	changes, err := who.Compare(t.Context(), &before.Night, &after.Night)
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := who.Read(t.Context(), []who.Changes{{Night: after.Day, File: after.Files[table.IdentityChange]}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text := func(changes []who.Change) (all []string) {
		for _, c := range changes {
			all = append(all, c.Level+" "+c.Kind+" "+c.From.String()+" "+c.To.String()+" "+c.Identifier.String()+" "+c.IdentifierType)
		}
		slices.Sort(all)
		return all
	}
	if got, want := text(changes), text(recorded); !slices.Equal(got, want) {
		t.Fatalf("night %s against %s: %d changes by the states, %d recorded\n%q\n%q", after.Day, before.Day, len(got), len(want), got, want)
	}
}

// cut: what a cut says would change is what a night with that decision changes.
func cut(t *testing.T, r *rand.Rand, m *whotest.Made, edges whotest.Edges, o whotest.Options) {
	of := memberships(m)
	var pairs [][2]identifier.ID
	ids := slices.SortedFunc(maps.Keys(of), compare)
	for i, a := range ids {
		for _, b := range ids[:i] {
			if of[a] == of[b] {
				pairs = append(pairs, [2]identifier.ID{a, b})
			}
		}
	}
	r.Shuffle(len(pairs), func(i, k int) { pairs[i], pairs[k] = pairs[k], pairs[i] })
	for _, pair := range pairs[:min(3, len(pairs))] {
		c, err := m.Cut(t.Context(), pair[0], pair[1])
		if err != nil {
			t.Fatal(err)
		}
		decided := o
		decided.Decisions.Cannot = append(slices.Clone(o.Decisions.Cannot), pair)
		now := memberships(whotest.Make(t, m.Day, edges, decided))
		want := map[identifier.ID][2]identifier.ID{}
		for _, ids := range []map[identifier.ID]identifier.ID{of, now} {
			for id := range ids {
				if of[id] != now[id] {
					want[id] = [2]identifier.ID{of[id], now[id]}
				}
			}
		}
		for _, l := range c.Leaving {
			if want[l.Identifier] != [2]identifier.ID{l.From, l.To} {
				t.Fatalf("cut %v: %+v, a night says %v", pair, l, want[l.Identifier])
			}
		}
		if len(c.Leaving) != len(want) {
			t.Fatalf("cut %v: %d identifiers leave, a night says %d", pair, len(c.Leaving), len(want))
		}
	}
}

func compare(x, y identifier.ID) int { return slices.Compare(x[:], y[:]) }
