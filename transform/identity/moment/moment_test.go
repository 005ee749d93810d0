package moment_test

import (
	"reflect"
	"slices"
	"testing"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/moment"
	"crosslift/transform/identity/night"
	"crosslift/transform/identity/night/nighttest"
)

// TestAsIfMadeThen holds the groups of everyone at random instants against nights that are made of what was observed before
// each. Consent is the last night's, by definition. Attributes are those that were told for the first time most recently: a
// night is made that is told each value once; and of the one that is told all, groups may differ only if a value returned.
func TestAsIfMadeThen(t *testing.T) {
	t.Parallel()
	r := nighttest.Random(t)
	asked, joined, shared, returned, differ := 0, 0, 0, 0, 0
	for round := range nighttest.Rounds(6) {
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
	r := nighttest.Random(t)
	for range nighttest.Rounds(12) {
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
	r := nighttest.Random(t)
	for range nighttest.Rounds(6) {
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
