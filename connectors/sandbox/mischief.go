package sandbox

import (
	"net/http"
	"strconv"
	"strings"

	"crosslift/connectors/sandbox/faults"
	"crosslift/connectors/sandbox/stripe"
	"crosslift/connectors/sandbox/world"
)

// FaultNames are what can go wrong on demand: of the servers, then of the data.
var FaultNames = []string{"limits", "errors", "slow", "cut", "repeats", "disorder", "malformed", "drift", "restated"}

// Faults gives the faults that are on, of the data and of the servers. (More events that come late, which restate their
// days, are the world's Late.)
func Faults(seed uint64, on func(name string) bool) (data world.Faults, servers faults.Options) {
	rate := func(name string, rate float64) float64 {
		if on(name) {
			return rate
		}
		return 0
	}
	servers = faults.Options{ // a 429 costs one to two seconds, a failure or a cut a quarter of one: most of a run's time
		Seed: seed, TooMany: rate("limits", 0.01), Failure: rate("errors", 0.02), Slow: rate("slow", 0.01), Cut: rate("cut", 0.02),
		Repeat: rate("repeats", 0.05), Shuffle: rate("disorder", 0.2),
	}
	data = world.Faults{Malformed: rate("malformed", 0.002), Drift: rate("drift", 0.01), Streams: weak}
	return data, servers
}

// weak says which members of an object a row cannot be read without, of those that the sandbox itself can do without.
var weak = map[string]world.Weak{
	"stripe/charges":       {Members: []string{"amount", "currency"}},
	"stripe/refunds":       {Members: []string{"amount", "currency"}},
	"stripe/invoices":      {Members: []string{"amount_due"}},
	"stripe/subscriptions": {Members: []string{"status"}},
	"hubspot/contacts":     {},
	"hubspot/deals":        {Members: []string{"properties.dealstage"}},
	"bank/transactions":    {Members: []string{"CreditDebitIndicator"}},
	"bank/accruals":        {Members: []string{"Status"}},
	"ga/events":            {Members: []string{"event_name"}},
	"product/logins":       {Members: []string{"user_id", "device_id", "kind"}},
	"assignment/rows":      {Members: []string{"experiment", "variant", "unit_id"}},
}

// faultsOf completes the servers' faults with what is particular to a service: what tells its pages apart, what has no
// order, and what it says when it refuses.
func faultsOf(service string, o faults.Options) faults.Options {
	switch service {
	case "stripe":
		o.Cursors = []string{"starting_after"}
		o.Body = stripe.ErrorBody
	case "hubspot":
		o.Cursors, o.Arrays = []string{"after"}, []string{"results"}
		o.Body = func(status int) (contentType, body string) {
			return "application/json", `{"status":"error","message":"` + http.StatusText(status) + `","category":"RATE_LIMITS"}`
		}
	case "bank":
		o.Cursors, o.Arrays = []string{"page"}, []string{"Data.Transaction"}
		o.Body = func(int) (contentType, body string) { return "", "" }
		o.Only = func(r *http.Request) bool { return !strings.HasSuffix(r.URL.Path, "/token") }
	case "bigquery":
		o.Repeat = 0 // rows have no ids: a page served twice would be two pages
		o.Body = func(status int) (contentType, body string) {
			return "application/json", `{"error":{"code":` + strconv.Itoa(status) + `,"message":"backend error","errors":[{"reason":"backendError"}]}}`
		}
		o.Only = func(r *http.Request) bool { return !strings.HasSuffix(r.URL.Path, "/token") }
	}
	return o
}
