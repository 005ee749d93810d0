// Package nighttest makes random observations for tests of nights, and of what is read from them.
package nighttest

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// Rounds is how many random histories a test takes: many more in the soak.
func Rounds(n int) int {
	if os.Getenv("CROSSLIFT_SOAK") != "" {
		return 50 * n
	}
	return n
}

// Random is a source of chance whose seed is logged, so that a failure can be had again.
func Random(t testing.TB) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 13))
}

// Observation is one row of a source that shows a pair: what core/identity_edge holds many of as one edge.
type Observation struct {
	At                  table.Micros
	Left, Right         identifier.ID
	LeftType, RightType string
	Rule                int64
	Source              string
}

const dayMicros = table.Micros(86400e6)

// ID is the identifier of a number among those of a letter: a account, b bank client, c CRM contact, d device, e e-mail, f
// folded e-mail, k card, p phone, r reference.
func ID(kind byte, n int) identifier.ID {
	return identifier.ID{kind, byte(n >> 8), byte(n), 0x5a, kind}
}

// Day is what is observed on a day of a small, crowded world: few identifiers, many observations, every kind of edge, and
// many at one instant.
func Day(r *rand.Rand, day table.Day, people int) (all []Observation) {
	add := func(left identifier.ID, lt string, right identifier.ID, rt string, rule int64, source string) {
		at := table.Micros(day)*dayMicros + table.Micros(r.IntN(20))*3600e6
		all = append(all, Observation{At: at, Left: left, LeftType: lt, Right: right, RightType: rt, Rule: rule, Source: source})
	}
	none := identifier.ID{}
	near := func(n int) int { // mostly one's own
		if r.IntN(4) > 0 {
			return n
		}
		return r.IntN(people)
	}
	maybe := func(id identifier.ID) identifier.ID {
		if r.IntN(6) == 0 {
			return none
		}
		return id
	}
	for range r.IntN(people + 2) {
		a := r.IntN(people)
		account := ID('a', a)
		switch r.IntN(12) {
		case 0:
			add(account, table.TypeAccount, maybe(ID('e', near(a))), table.TypeEmail, int64(2*r.IntN(2)), "product_user")
			add(account, table.TypeAccount, ID('f', near(a)/2), table.TypeEmailFolded, 0, "product_user")
		case 1:
			add(account, table.TypeAccount, maybe(ID('p', near(a))), table.TypePhone, table.RuleAccount, "product_user")
		case 2:
			if r.IntN(3) == 0 {
				add(account, table.TypeAccount, maybe(account), table.TypeConsent, 0, "product_user")
			}
		case 3:
			c := near(a)
			add(ID('c', c), table.TypeCRM, ID('e', near(c)), table.TypeEmail, table.RuleTyped, "crm_contact")
			if r.IntN(2) == 0 {
				add(ID('c', c), table.TypeCRM, maybe(account), table.TypeAccount, table.RuleAccount, "crm_contact")
			}
			if r.IntN(9) == 0 {
				add(ID('c', c), table.TypeCRM, maybe(ID('c', c)), table.TypeConsent, 0, "crm_contact")
			}
		case 4:
			add(account, table.TypeAccount, ID('k', near(a)), table.TypeCard, table.RuleCard, "payment")
			add(account, table.TypeAccount, ID('r', r.IntN(30)), table.TypeReference, table.RuleAccount, "payment")
		case 5:
			add(ID('b', a), table.TypeBankClient, ID('r', r.IntN(30)), table.TypeReference, table.RuleAccount, "bank_transaction")
		case 6:
			d := near(a)
			add(ID('d', d), []string{table.TypeApp, table.TypeTV, table.TypeCookie}[d%3], none, table.TypeDevice, int64(4+d%3), "product_device")
		case 7:
			add(ID('d', near(a)), table.TypeCookie, ID('e', a), table.TypeEmail, table.RuleCookie, "web_event")
		case 8:
			add(account, table.TypeAccount, none, table.TypeAccount, 0, "exposure")
		default:
			add(account, table.TypeAccount, ID('d', near(a)), table.TypeDevice, table.RuleApp, []string{"product_login", "viewing"}[r.IntN(2)])
		}
	}
	return all
}

// Edges are the rows of core/identity_edge that observations make, by day, in no order.
func Edges(all []Observation) map[table.Day][]*table.IdentityEdgeRow {
	type key struct {
		day table.Day
		Observation
	}
	rows, days := map[key]*table.IdentityEdgeRow{}, map[table.Day][]*table.IdentityEdgeRow{}
	for _, o := range all {
		k := key{table.Day(o.At / dayMicros), o}
		k.At = 0
		if e := rows[k]; e != nil {
			e.FirstAt, e.LastAt, e.Count = min(e.FirstAt, o.At), max(e.LastAt, o.At), e.Count+1
			continue
		}
		rows[k] = &table.IdentityEdgeRow{
			Left: o.Left, LeftType: o.LeftType, Right: o.Right, RightType: o.RightType, Rule: o.Rule, Source: o.Source, FirstAt: o.At, LastAt: o.At, Count: 1,
		}
		days[k.day] = append(days[k.day], rows[k])
	}
	return days
}
