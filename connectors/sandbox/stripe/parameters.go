package stripe

import (
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// filters are the parameters of a list that compare a field, by stream.
var filters = map[string][]string{
	"charges":              {"customer", "payment_intent"},
	"refunds":              {"charge", "payment_intent"},
	"disputes":             {"charge", "payment_intent"},
	"subscriptions":        {"customer", "status"},
	"invoices":             {"customer", "status"},
	"invoice_payments":     {"invoice", "status"},
	"balance_transactions": {"type", "source", "currency"},
	"customers":            {"email"},
}

// span is a created range, from from to to, both included.
type span struct{ from, to int64 }

// parameters are what a list is asked for.
type parameters struct {
	limit         int
	after, before string
	created       span
	expand        []string
	equal         map[string]string
	types         []string // of events
}

var indexed = regexp.MustCompile(`^(\w+)\[(\w*)\]$`)

// parse reads the query of a list. What Stripe does not know is refused.
func parse(stream string, q url.Values) (*parameters, *problem) {
	p := &parameters{limit: 10, created: span{math.MinInt64, math.MaxInt64}, equal: map[string]string{}}
	for _, key := range sortedKeys(q) {
		name, inner := key, ""
		if m := indexed.FindStringSubmatch(key); m != nil {
			name, inner = m[1], m[2]
			if inner == "" {
				inner = "0"
			}
		}
		for _, value := range q[key] {
			if problem := p.set(stream, key, name, inner, value); problem != nil {
				return nil, problem
			}
		}
	}
	if p.after != "" && p.before != "" {
		return nil, badParameter("ending_before", "", "You cannot parse both ending_before and starting_after.")
	}
	if len(p.types) > 20 {
		return nil, badParameter("types", "", "You can specify at most 20 types.")
	}
	return p, nil
}

func (p *parameters) set(stream, key, name, inner, value string) *problem {
	_, number := strconv.Atoi(inner)
	element := inner != "" && number == nil
	switch {
	case key == "limit":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > 100 {
			return badParameter(key, "parameter_invalid_integer", "This value must be between 1 and 100.")
		}
		p.limit = n
	case key == "starting_after":
		p.after = value
	case key == "ending_before":
		p.before = value
	case name == "created":
		return p.between(key, inner, value)
	case name == "expand" && element:
		p.expand = append(p.expand, value)
	case stream == "events" && name == "types" && element, stream == "events" && key == "type":
		p.types = append(p.types, value)
	case stream == "invoice_payments" && key == "payment[type]":
		if value != "payment_intent" {
			return badParameter(key, "", "Invalid payment[type]: must be payment_intent")
		}
	case stream == "invoice_payments" && key == "payment[payment_intent]":
		p.equal["payment_intent"] = value
	case inner == "" && slices.Contains(filters[stream], key):
		p.equal[key] = value
	default:
		return unknownParameter(key)
	}
	return nil
}

// between reads created, created[gte] and so on.
func (p *parameters) between(key, bound, value string) *problem {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return badParameter(key, "parameter_invalid_integer", "Invalid integer: "+value)
	}
	switch bound {
	case "":
		p.created = span{n, n}
	case "gt":
		p.created.from = max(p.created.from, n+1)
	case "gte":
		p.created.from = max(p.created.from, n)
	case "lt":
		p.created.to = min(p.created.to, n-1)
	case "lte":
		p.created.to = min(p.created.to, n)
	default:
		return unknownParameter(key)
	}
	return nil
}

// matches reports whether an entry is one of those that were asked for.
func (p *parameters) matches(stream string, e entry) bool {
	if e.created < p.created.from || e.created > p.created.to {
		return false
	}
	if stream == "events" && !wanted(e.facts["type"], p.types) {
		return false
	}
	status, filtered := p.equal["status"]
	if stream == "subscriptions" && !filtered && e.facts["status"] == "canceled" {
		return false // hidden unless asked for
	}
	for name, value := range p.equal {
		if name == "status" && stream == "subscriptions" && status == "all" {
			continue
		}
		if !strings.EqualFold(e.facts[name], value) {
			return false
		}
	}
	return true
}

func sortedKeys(q url.Values) []string {
	keys := make([]string, 0, len(q))
	for key := range q {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
