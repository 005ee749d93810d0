package moment_test

import (
	"slices"
	"strings"
	"testing"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
	"crosslift/transform/identity/moment"
	"crosslift/transform/identity/night"
	"crosslift/transform/identity/night/nighttest"
)

// named are the identifiers of the cases below, by name: a letter that says what it is, and a number.
func named(name string) identifier.ID { return id(name[0], int(name[1]-'0')) }

// seen is an observation. An identifier's name says its type; an absent right end is told by the type alone.
func seen(at table.Micros, left, right string, source string) nighttest.Observation {
	types := map[byte]string{'a': table.TypeAccount, 'c': table.TypeCRM, 'd': table.TypeApp, 't': table.TypeTV, 'e': table.TypeEmail, 'p': table.TypePhone, 'n': table.TypeConsent}
	rules := map[byte]int64{'d': table.RuleApp, 't': table.RuleShared, 'e': table.RuleVerified, 'p': table.RuleAccount}
	o := nighttest.Observation{At: at, Left: named(left), LeftType: types[left[0]], RightType: types[right[0]], Rule: rules[right[0]], Source: source}
	if len(right) > 1 {
		o.Right = named(right)
	}
	return o
}

// TestWhatIsKnownThen tells case by case what a group is as of an instant.
func TestWhatIsKnownThen(t *testing.T) {
	t.Parallel()
	lone := func(limit int) graph.Rules { // what more than so many touch is shared
		r := graph.DefaultRules()
		for i := range r.Types {
			r.Types[i].Cap = min(r.Types[i].Cap, limit)
		}
		return r
	}
	type ask struct {
		of   string
		at   table.Micros
		want string // members; with a star when it is shared
	}
	for name, c := range map[string]struct {
		rules     graph.Rules
		decisions night.Decisions
		history   history
		asks      []ask
	}{
		"a link is known after it was seen": {
			rules:   graph.DefaultRules(),
			history: history{seen(10, "a1", "d1", "login"), seen(20, "a1", "d2", "login")},
			asks:    []ask{{"d1", 10, "d1"}, {"d1", 11, "a1 d1"}, {"d2", 20, "d2"}, {"d2", 21, "a1 d1 d2"}, {"d1", 21, "a1 d1 d2"}, {"d9", 99, "d9"}},
		},
		"a device is one's own until others use it": {
			rules:   lone(1),
			history: history{seen(10, "a1", "d1", "login"), seen(11, "a1", "d2", "login"), seen(20, "a2", "d1", "login"), seen(30, "a3", "d1", "login")},
			asks:    []ask{{"d1", 15, "a1 d1 d2"}, {"d1", 20, "a1 d1 d2"}, {"d1", 21, "d1*"}, {"a1", 21, "a1 d2"}, {"a2", 15, "a2"}, {"a2", 31, "a2"}},
		},
		"what links to a device is trusted as the device is known then": {
			// Until 30 the login of a2 is better than that a1 was seen to watch; then it is a television's, and a1 was first.
			rules: graph.DefaultRules(),
			history: history{
				{At: 10, Left: named("a1"), LeftType: table.TypeAccount, Right: named("t1"), RightType: table.TypeDevice, Rule: table.RuleShared, Source: "viewing"},
				{At: 20, Left: named("a2"), LeftType: table.TypeAccount, Right: named("t1"), RightType: table.TypeDevice, Rule: table.RuleApp, Source: "login"},
				{At: 30, Left: named("t1"), LeftType: table.TypeTV, RightType: table.TypeDevice, Rule: table.RuleShared, Source: "device"},
			},
			asks: []ask{{"t1", 11, "a1 t1"}, {"t1", 30, "a2 t1"}, {"t1", 31, "a1 t1"}, {"a2", 31, "a2"}},
		},
		"an account's address is the one that is new": {
			rules:   graph.DefaultRules(),
			history: history{seen(10, "a1", "e1", "user"), seen(20, "a1", "e2", "user"), seen(30, "a1", "e", "user")},
			asks:    []ask{{"a1", 15, "a1 e1"}, {"a1", 21, "a1 e2"}, {"e1", 21, "e1"}, {"a1", 31, "a1"}},
		},
		"addresses that were new at one instant hold both": {
			rules:   graph.DefaultRules(),
			history: history{seen(10, "a1", "e1", "user"), seen(20, "a1", "e2", "user"), seen(20, "a1", "e3", "user")},
			asks:    []ask{{"a1", 21, "a1 e2 e3"}},
		},
		"another source does not end an address": {
			rules:   graph.DefaultRules(),
			history: history{seen(10, "a1", "e1", "user"), seen(20, "a1", "e2", "elsewhere")},
			asks:    []ask{{"a1", 21, "a1 e1 e2"}},
		},
		"a contact's account is the one that is new": {
			rules:   graph.DefaultRules(),
			history: history{seen(10, "c1", "a1", "crm"), seen(20, "c1", "a2", "crm"), seen(30, "c1", "a", "crm")},
			asks:    []ask{{"c1", 15, "a1 c1"}, {"c1", 25, "a2 c1"}, {"a1", 25, "a1"}, {"c1", 35, "c1"}},
		},
		"an address that returns is not noticed": {
			rules:   graph.DefaultRules(),
			history: history{seen(10, "a1", "e1", "user"), seen(20, "a1", "e2", "user"), seen(30, "a1", "e1", "user")},
			asks:    []ask{{"a1", 15, "a1 e1"}, {"a1", 25, "a1 e2"}, {"a1", 35, "a1 e2"}},
		},
		"an address is shared by whom it belongs to then": {
			// c1 is nobody's from 20 on, since two accounts name it, and has another address from 40 on: e1 is c2's alone.
			rules: lone(1),
			history: history{
				seen(10, "a8", "c1", "payment"), seen(20, "a9", "c1", "payment"), seen(30, "c1", "e1", "crm"), seen(40, "c1", "e2", "crm"),
				seen(50, "c2", "e1", "crm"), seen(51, "a1", "e1", "user"),
			},
			asks: []ask{{"e1", 35, "e1"}, {"e1", 60, "a1 c2 e1"}, {"a1", 60, "a1 c2 e1"}, {"c1", 60, "c1*"}},
		},
		"an address is whose it is when the others have gone": {
			rules: lone(1),
			history: history{
				seen(10, "a2", "e1", "user"), seen(20, "a3", "e1", "user"), seen(30, "a2", "e2", "user"), seen(30, "a3", "e3", "user"), seen(40, "a1", "e1", "user"),
			},
			asks: []ask{{"e1", 15, "a2 e1"}, {"e1", 25, "e1*"}, {"e1", 35, "e1"}, {"e1", 41, "a1 e1"}, {"a3", 41, "a3 e3"}},
		},
		"who refuses does not count": {
			rules:   lone(1),
			history: history{seen(10, "a1", "d1", "login"), seen(20, "a2", "d1", "login"), seen(30, "a3", "d1", "login"), seen(50, "a1", "n", "user"), seen(50, "a2", "n", "user")},
			asks:    []ask{{"d1", 25, "d1"}, {"d1", 31, "a3 d1"}},
		},
		"what is counted may be a device that others share": {
			// t1 is nobody's from 20 on, and known to be a television from 40 on: e1 is seen on two of them.
			rules: func() graph.Rules {
				r := lone(1)
				tv, _ := r.Type(table.TypeTV)
				r.Types[tv].Limit = 1
				return r
			}(),
			history: history{
				{At: 10, Left: named("a8"), LeftType: table.TypeAccount, Right: named("t1"), RightType: table.TypeCookie, Rule: table.RuleCookie, Source: "login"},
				{At: 20, Left: named("a9"), LeftType: table.TypeAccount, Right: named("t1"), RightType: table.TypeCookie, Rule: table.RuleCookie, Source: "login"},
				{At: 30, Left: named("t1"), LeftType: table.TypeCookie, Right: named("e1"), RightType: table.TypeEmail, Rule: table.RuleCookie, Source: "web"},
				{At: 40, Left: named("t1"), LeftType: table.TypeTV, RightType: table.TypeDevice, Rule: table.RuleShared, Source: "device"},
				{At: 50, Left: named("t2"), LeftType: table.TypeTV, Right: named("e1"), RightType: table.TypeEmail, Rule: table.RuleShared, Source: "web"},
			},
			asks: []ask{{"t2", 60, "t2"}, {"e1", 60, "e1*"}, {"e1", 45, "e1"}},
		},
		"who refuses is joined to nothing at any time": {
			rules:   graph.DefaultRules(),
			history: history{seen(10, "a1", "d1", "login"), seen(11, "a2", "d2", "login"), seen(50, "a1", "n", "user"), seen(50, "a2", "n", "user"), seen(60, "a2", "n2", "user")},
			asks:    []ask{{"d1", 20, "d1"}, {"a1", 20, "a1"}, {"d2", 20, "a2 d2"}},
		},
		"decisions hold once both were seen": {
			rules:     graph.DefaultRules(),
			decisions: night.Decisions{Must: [][2]identifier.ID{{named("a1"), named("d2")}}, Cannot: [][2]identifier.ID{{named("d1"), named("a1")}}},
			history:   history{seen(10, "a1", "d1", "login"), seen(20, "d2", "p1", "web")},
			asks:      []ask{{"d1", 11, "d1"}, {"a1", 20, "a1"}, {"a1", 21, "a1 d2"}, {"d2", 21, "a1 d2"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, a := range c.asks {
				in := moment.Input{Links: c.history.night(t, c.rules, c.decisions).links, Rules: c.rules, Decisions: c.decisions, IDs: []identifier.ID{named(a.of)}}
				g := groups(t, in, 1, moment.Query{ID: named(a.of), At: a.at})[0]
				var got []string
				for _, m := range g.Members {
					name := string(m.ID[0]) + string('0'+m.ID[2])
					if g.Shared {
						name += "*"
					}
					got = append(got, name)
				}
				if anchor := g.Members[0]; g.ID != identifier.Mint(identifier.Profile, anchor.ID, 0) || !g.Account.IsZero() && g.Account != anchor.ID {
					t.Errorf("group %s of account %s is anchored at %v", g.ID, g.Account, anchor)
				}
				slices.Sort(got)
				if got := strings.Join(got, " "); got != a.want {
					t.Errorf("%s as of %d: %s, want %s", a.of, a.at, got, a.want)
				}
			}
		})
	}
}

// TestRefused: what cannot be answered is an error that says why.
func TestRefused(t *testing.T) {
	t.Parallel()
	in := moment.Input{Links: history{seen(10, "a1", "d1", "login")}.night(t, graph.DefaultRules(), night.Decisions{}).links, Rules: graph.DefaultRules(), IDs: []identifier.ID{named("d1")}, Until: 50}
	links, err := moment.Open(t.Context(), in, 1)
	if err != nil {
		t.Fatal(err)
	}
	for want, q := range map[string]moment.Query{
		"not among the identifiers": {ID: named("a1"), At: 20},
		"opened until 1970":         {ID: named("d1"), At: 51},
	} {
		if _, err := links.Groups(t.Context(), []moment.Query{q}, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want one that says %q", q, err, want)
		}
	}
	in.Decisions.Cannot = [][2]identifier.ID{{named("d1"), named("d1")}}
	if _, err := moment.Open(t.Context(), in, 1); err == nil || !strings.Contains(err.Error(), "parts") {
		t.Errorf("error %v of a cannot-link of one", err)
	}
}
