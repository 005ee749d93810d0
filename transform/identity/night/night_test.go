package night_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
	"crosslift/transform/identity/night"
	"crosslift/transform/identity/night/nighttest"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/columns/columnstest"
)

// made is what a night has made: the files of its tables.
type made struct {
	night   table.Day
	files   map[*table.Table]*columns.File
	rows    map[*table.Table][]string // each row as text, in order
	known   night.Known
	summary night.Summary
}

// build makes a night and writes its tables.
func build(t testing.TB, in night.Input, workers int) made {
	t.Helper()
	m := made{night: in.Night, files: map[*table.Table]*columns.File{}, rows: map[*table.Table][]string{}}
	kept := map[*table.Table][]any{}
	var err error
	keep := func(of *table.Table, row any) error {
		v := reflect.New(of.Row)
		v.Elem().Set(reflect.ValueOf(row).Elem())
		for i := range v.Elem().NumField() { // what pointers point at is not ours
			if f := v.Elem().Field(i); f.Kind() == reflect.Pointer && !f.IsNil() {
				c := reflect.New(f.Type().Elem())
				c.Elem().Set(f.Elem())
				f.Set(c)
			}
		}
		kept[of] = append(kept[of], v.Interface())
		return nil
	}
	if m.known, m.summary, err = night.Build(t.Context(), in, workers, keep); err != nil {
		t.Fatal(err)
	}
	if err := night.Quality(t.Context(), in, m.known.Numbers, keep); err != nil {
		t.Fatal(err)
	}
	for _, of := range night.Tables() {
		m.files[of] = columnstest.AnyFile(t, of, kept[of]...)
		for row, err := range m.files[of].Each(t.Context(), of) {
			if err != nil {
				t.Fatal(err)
			}
			m.rows[of] = append(m.rows[of], text(row))
		}
	}
	return m
}

// text is a row with what its pointers point at.
func text(row any) string {
	v := reflect.ValueOf(row).Elem()
	var b strings.Builder
	for i := range v.NumField() {
		f := v.Field(i)
		if f.Kind() == reflect.Pointer {
			if f.IsNil() {
				b.WriteString("- ")
				continue
			}
			f = f.Elem()
		}
		if id, is := f.Interface().(identifier.ID); is {
			fmt.Fprintf(&b, "%s ", id.String()[:8])
			continue
		}
		fmt.Fprintf(&b, "%v ", f.Interface())
	}
	return b.String()
}

// after is the input that a night gives the next one. whole: without its links.
func (m made) after(whole bool) *night.Previous {
	p := &night.Previous{
		Night: m.night, Links: m.files[table.IdentityLink], Identifiers: m.files[table.ProfileIdentifier], Profiles: m.files[table.Profile],
		Persons: m.files[table.Person], Households: m.files[table.Household], Refused: m.files[table.IdentityRefused], Quality: m.files[table.IdentityQuality],
	}
	if whole {
		p.Links = nil
	}
	return p
}

// history is files of edges by day.
type history map[table.Day]*columns.File

// from gives the days after one, until a night.
func (h history) from(after, until table.Day) (days []night.Day) {
	for _, day := range slices.Sorted(maps.Keys(h)) {
		if day > after && day <= until {
			days = append(days, night.Day{Day: day, File: h[day]})
		}
	}
	return days
}

const dayMicros = table.Micros(86400e6)

func id(kind byte, n int) identifier.ID { return nighttest.ID(kind, n) }

// randomHistory is a small, crowded world: few identifiers, many observations, every kind of edge.
func randomHistory(t *testing.T, r *rand.Rand, days int, people int) history {
	h := history{}
	for day := 1; day <= days; day++ {
		h[table.Day(day)] = randomDay(t, r, table.Day(day), people)
	}
	return h
}

func randomDay(t *testing.T, r *rand.Rand, day table.Day, people int) *columns.File {
	t.Helper()
	return columnstest.File(t, table.IdentityEdge, nighttest.Edges(nighttest.Day(r, day, people))[day]...)
}

// same compares two nights, table by table.
func same(t *testing.T, what string, got, want made, tables ...*table.Table) {
	t.Helper()
	if tables == nil {
		tables = night.Tables()
	}
	for _, of := range tables {
		if slices.Equal(got.rows[of], want.rows[of]) {
			continue
		}
		t.Errorf("%s: night %s: %s differs", what, got.night, of)
		for _, row := range got.rows[of] {
			if !slices.Contains(want.rows[of], row) {
				t.Logf("  only here: %s", row)
			}
		}
		for _, row := range want.rows[of] {
			if !slices.Contains(got.rows[of], row) {
				t.Logf("  only there: %s", row)
			}
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

var rules = func() graph.Rules {
	r := graph.DefaultRules()
	r.MaxSize = 9 // small enough to be met
	return r
}()

// TestIncrementalIsFull makes nights one by one, each from the links of the night before, and beside each the same night
// from all observations: every row of every table is equal. Days that may still change do change in between.
func TestIncrementalIsFull(t *testing.T) {
	t.Parallel()
	r := nighttest.Random(t)
	for round := range nighttest.Rounds(2) {
		people := 4 + r.IntN(14)
		h := randomHistory(t, r, 12+r.IntN(40), people)
		days := slices.Max(slices.Collect(maps.Keys(h)))
		decisions := night.Decisions{
			Must:   [][2]identifier.ID{{id('d', 1), id('a', 2)}, {id('e', 0), id('p', 1)}},
			Cannot: [][2]identifier.ID{{id('a', 0), id('e', 0)}, {id('a', 1), id('d', 1)}},
		}
		if round%2 == 0 {
			decisions = night.Decisions{}
		}
		var last *made
		for n := table.Day(1 + r.IntN(10)); n <= days; n += table.Day(1 + r.IntN(4)) {
			for range r.IntN(4) { // restated, not before what the night before has sealed
				day := n - table.Day(r.IntN(8))
				if last != nil && day < night.Unsealed(last.night) || day < 1 {
					continue
				}
				h[day] = randomDay(t, r, day, people)
			}
			in := night.Input{Night: n, Rules: rules, Decisions: decisions, Edges: h.from(0, n)}
			if last != nil {
				in.Previous = last.after(true)
			}
			full := build(t, in, 2)
			if last == nil {
				last = &full
				continue
			}
			in.Previous, in.Edges = last.after(false), h.from(night.Unsealed(last.night)-1, n)
			next := build(t, in, 1+r.IntN(3))
			same(t, "incremental against full", next, full)
			if !maps.Equal(next.known.Types, full.known.Types) || !maps.Equal(next.known.Refused, full.known.Refused) {
				t.Fatalf("night %s: %+v is known, by a full run %+v", n, next.known, full.known)
			}
			last = &next
		}
	}
}

// TestAnySplitIntoNights ends in the same memberships, ids and refusals, whether every night was made or only the last.
func TestAnySplitIntoNights(t *testing.T) {
	t.Parallel()
	r := nighttest.Random(t)
	for range nighttest.Rounds(1) {
		h := randomHistory(t, r, 10+r.IntN(40), 4+r.IntN(12))
		days := slices.Max(slices.Collect(maps.Keys(h)))
		once := build(t, night.Input{Night: days, Rules: rules, Edges: h.from(0, days)}, 2)
		var last *made
		for n := table.Day(1); ; n += table.Day(1 + r.IntN(5)) {
			n = min(n, days)
			in := night.Input{Night: n, Rules: rules, Edges: h.from(0, n)}
			if last != nil {
				in.Previous, in.Edges = last.after(false), h.from(night.Unsealed(last.night)-1, n)
			}
			m := build(t, in, 2)
			if last = &m; n == days {
				break
			}
		}
		same(t, "night by night against at once", *last, once,
			table.ProfileIdentifier, table.IdentityLink, table.Person, table.Household, table.IdentityRefused)
	}
}

// TestAnyOrder gives the same rows for the observations in any order and cut into days in any way.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	r := nighttest.Random(t)
	for range nighttest.Rounds(1) {
		h := randomHistory(t, r, 20, 8)
		want := build(t, night.Input{Night: 20, Rules: rules, Edges: h.from(0, 20)}, 1)
		days := h.from(0, 20)
		r.Shuffle(len(days), func(i, k int) { days[i], days[k] = days[k], days[i] })
		same(t, "shuffled days", build(t, night.Input{Night: 20, Rules: rules, Edges: days}, 3), want)
	}
}

// TestIds are never an account's other than its own, point where their anchor is, and are never two things.
func TestIds(t *testing.T) {
	t.Parallel()
	r := nighttest.Random(t)
	for range nighttest.Rounds(1) {
		h := randomHistory(t, r, 40, 6+r.IntN(8))
		var last *made
		known := map[identifier.ID]identifier.ID{} // anchor by id
		profileOf := map[identifier.ID]identifier.ID{}
		for n := table.Day(1); n <= 40; n++ {
			in := night.Input{Night: n, Rules: rules, Edges: h.from(0, n)}
			if last != nil {
				in.Previous, in.Edges = last.after(false), h.from(night.Unsealed(last.night)-1, n)
			}
			m := build(t, in, 2)
			ids := map[identifier.ID]*table.ProfileRow{}
			for row := range each[table.ProfileRow](t, m, table.Profile) {
				ids[row.Profile] = row
				if anchor, is := known[row.Profile]; is && anchor != row.Anchor {
					t.Fatalf("night %s: id %s was anchored at %s, now at %s", n, row.Profile, anchor, row.Anchor)
				}
				known[row.Profile] = row.Anchor
			}
			for was := range known {
				if ids[was] == nil {
					t.Fatalf("night %s: id %s is forgotten", n, was)
				}
			}
			for _, row := range ids {
				switch of := ids[row.AliasOf]; {
				case (row.Status == "merged") != !row.AliasOf.IsZero():
					t.Fatalf("night %s: %+v", n, row)
				case row.Status == "merged" && (of == nil || of.Status != "current"):
					t.Fatalf("night %s: %s is an alias of %s, which is no profile", n, row.Profile, row.AliasOf)
				}
			}
			for row := range each[table.ProfileIdentifierRow](t, m, table.ProfileIdentifier) {
				if ids[row.Profile] == nil && row.Stitching == "latest" {
					t.Fatalf("night %s: %s belongs to %s, which is no id", n, row.Identifier, row.Profile)
				}
				if row.IdentifierType != table.TypeAccount {
					continue
				}
				if was, is := profileOf[row.Identifier]; is && was != row.Profile {
					t.Fatalf("night %s: account %s is renamed", n, row.Identifier)
				}
				profileOf[row.Identifier] = row.Profile
			}
			last = &m
		}
	}
}

func each[Row any](t *testing.T, m made, of *table.Table) func(func(*Row) bool) {
	return func(yield func(*Row) bool) {
		for row, err := range m.files[of].Each(t.Context(), of) {
			if err != nil {
				t.Fatal(err)
			}
			if !yield(row.(*Row)) {
				return
			}
		}
	}
}

// TestOnlyWhatChangedIsRedone: a quiet night redoes nothing, and one new link only its blocks.
func TestOnlyWhatChangedIsRedone(t *testing.T) {
	t.Parallel()
	h := history{}
	var rows []*table.IdentityEdgeRow
	for a := range 200 {
		rows = append(rows, &table.IdentityEdgeRow{Left: id('a', a), LeftType: table.TypeAccount, Right: id('d', a), RightType: table.TypeApp,
			Rule: table.RuleApp, Source: "product_login", FirstAt: dayMicros, LastAt: dayMicros, Count: 1})
	}
	h[1] = columnstest.File(t, table.IdentityEdge, rows...)
	first := build(t, night.Input{Night: 1, Rules: rules, Edges: h.from(0, 1)}, 2)
	again := func(day table.Day, rows ...*table.IdentityEdgeRow) made {
		h[day] = columnstest.File(t, table.IdentityEdge, rows...)
		return build(t, night.Input{Night: day, Rules: rules, Edges: h.from(night.Unsealed(1)-1, day), Previous: first.after(false)}, 2)
	}
	seen := *rows[7]
	seen.FirstAt, seen.LastAt = 2*dayMicros, 2*dayMicros
	if s := again(2, &seen).summary; s.Redone != 0 || s.Links != 200 {
		t.Errorf("a link that was seen again: %+v", s)
	}
	joint := &table.IdentityEdgeRow{Left: id('a', 7), LeftType: table.TypeAccount, Right: id('d', 8), RightType: table.TypeApp,
		Rule: table.RuleApp, Source: "product_login", FirstAt: 2 * dayMicros, LastAt: 2 * dayMicros, Count: 1}
	if s := again(2, joint).summary; s.Redone != 3 || s.Identifiers != 4 {
		t.Errorf("a link between two blocks: %+v", s)
	}
}
