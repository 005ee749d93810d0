package whotest

import (
	"testing"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
)

// ID is an identifier that one can read: its name, in bytes.
func ID(name string) (id identifier.ID) {
	copy(id[:], name)
	return id
}

// First is the first day of the stories.
var First, _ = table.ParseDay("2026-09-01")

// Stories are two nights, the first and the seventh day, in which
//   - ann and bob pay with one card and watch one television,
//   - carl's contact in the CRM was typed with ann's address,
//   - dan gave up a phone number that is erin's now,
//   - fay came back on a browser of which only an address was known,
//   - gus has two accounts with one number and one address,
//   - a television in a hall is used by seven people.
func Stories(t testing.TB) (first, second *Made) {
	t.Helper()
	e := StoryEdges()
	span := func(day int, name, method string) *table.DeviceTimelineRow {
		from := table.Micros(First+table.Day(day)) * 86400e6
		return &table.DeviceTimelineRow{
			Device: ID("tv"), From: from, To: from + 3600e6, Account: ID("account " + name),
			Profile: identifier.Mint(identifier.Profile, ID("account "+name), 0), Method: method, Shared: true, Confidence: 0.9,
		}
	}
	timeline := []*table.DeviceTimelineRow{span(0, "ann", "session"), span(1, "bob", "session"), span(2, "ann", "span"), span(3, "ann", "session")}
	o := Options{Rules: graph.DefaultRules(), Timeline: timeline[:1]}
	first = Make(t, First, e, o)
	o.Before, o.Timeline = first, timeline
	return first, Make(t, First+6, e, o)
}

// StoryEdges are the observations of which Stories makes its nights.
func StoryEdges() Edges {
	e := Edges{}
	account := func(name string) identifier.ID { return ID("account " + name) }
	user := func(day, hour int, name string) {
		e.Add(First+table.Day(day), hour, account(name), table.TypeAccount, ID("email "+name), table.TypeEmail, table.RuleVerified, "product_user")
	}
	for i, name := range []string{"ann", "bob", "carl", "dan"} {
		user(0, i+1, name)
	}
	card := func(day, hour int, name string) {
		e.Add(First+table.Day(day), hour, account(name), table.TypeAccount, ID("card"), table.TypeCard, table.RuleCard, "payment")
	}
	login := func(day, hour int, name, device, typ string, rule int64) {
		e.Add(First+table.Day(day), hour, account(name), table.TypeAccount, ID(device), typ, rule, "product_login")
	}
	card(0, 5, "ann")
	login(0, 6, "ann", "tv", table.TypeTV, table.RuleShared)
	login(0, 7, "ann", "app ann", table.TypeApp, table.RuleApp)
	card(1, 5, "bob")
	login(1, 6, "bob", "tv", table.TypeTV, table.RuleShared)

	e.Add(First, 8, ID("contact carl"), table.TypeCRM, account("carl"), table.TypeAccount, table.RuleAccount, "crm_contact")
	e.Add(First+1, 8, ID("contact carl"), table.TypeCRM, ID("email ann"), table.TypeEmail, table.RuleTyped, "crm_contact")

	phone := func(day, hour int, name, number string) {
		e.Add(First+table.Day(day), hour, account(name), table.TypeAccount, ID(number), table.TypePhone, table.RuleAccount, "product_user")
	}
	phone(0, 9, "dan", "phone old")
	phone(3, 9, "dan", "phone new")
	user(4, 1, "erin")
	phone(4, 9, "erin", "phone old")

	e.Add(First, 10, ID("cookie fay"), table.TypeCookie, ID("email fay"), table.TypeEmail, table.RuleCookie, "web_event")
	user(2, 1, "fay")

	for i, name := range []string{"gus", "gus again"} {
		user(i, 11, name)
		phone(i, 12, name, "phone gus")
		e.Add(First+table.Day(i), 11, account(name), table.TypeAccount, ID("folded gus"), table.TypeEmailFolded, table.RuleVerified, "product_user")
	}
	for i := range 7 {
		login(i, 20, string(rune('1'+i)), "tv hall", table.TypeTV, table.RuleShared)
	}
	return e
}
