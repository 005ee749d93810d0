package whotest

import (
	"math/rand/v2"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// Random is a small, crowded world: few identifiers, many observations, every kind of edge.
func Random(r *rand.Rand, days, people int) Edges {
	e := Edges{}
	id := func(kind byte, n int) identifier.ID { return identifier.ID{kind, byte(n), 0x5a, kind} }
	near := func(n int) int { // mostly one's own
		if r.IntN(4) > 0 {
			return n
		}
		return r.IntN(people)
	}
	for day := range table.Day(days) {
		for range r.IntN(people + 2) {
			a := r.IntN(people)
			account, hour := id('a', a), r.IntN(20)
			add := func(left identifier.ID, leftType string, right identifier.ID, rightType string, rule int64, source string) {
				e.Add(day, hour, left, leftType, right, rightType, rule, source)
			}
			switch c, d := near(a), near(a); r.IntN(11) {
			case 0:
				add(account, table.TypeAccount, id('e', near(a)), table.TypeEmail, int64(2*r.IntN(2)), "product_user")
				add(account, table.TypeAccount, id('f', near(a)/2), table.TypeEmailFolded, 0, "product_user")
			case 1:
				add(account, table.TypeAccount, id('p', near(a)), table.TypePhone, table.RuleAccount, "product_user")
			case 2:
				add(id('c', c), table.TypeCRM, id('e', near(c)), table.TypeEmail, table.RuleTyped, "crm_contact")
			case 3:
				add(id('c', c), table.TypeCRM, account, table.TypeAccount, table.RuleAccount, "crm_contact")
			case 4:
				add(account, table.TypeAccount, id('k', near(a)), table.TypeCard, table.RuleCard, "payment")
				add(account, table.TypeAccount, id('r', r.IntN(30)), table.TypeReference, table.RuleAccount, "payment")
			case 5:
				add(id('b', a), table.TypeBankClient, id('r', r.IntN(30)), table.TypeReference, table.RuleAccount, "bank_transaction")
			case 6:
				add(id('d', d), []string{table.TypeApp, table.TypeTV, table.TypeCookie}[d%3], identifier.ID{}, table.TypeDevice, int64(4+d%3), "product_device")
			case 7:
				add(id('d', d), table.TypeCookie, id('e', a), table.TypeEmail, table.RuleCookie, "web_event")
			case 8:
				if r.IntN(3) == 0 {
					add(account, table.TypeAccount, identifier.ID{}, table.TypeConsent, 0, "product_user")
				}
			default:
				add(account, table.TypeAccount, id('d', d), table.TypeDevice, table.RuleApp, []string{"product_login", "viewing"}[r.IntN(2)])
			}
		}
	}
	return e
}
