package bank

import (
	"errors"
	"fmt"
	"hash/maphash"
	"regexp"
	"slices"

	"crosslift/connectors"
	"crosslift/connectors/rest"
	"crosslift/schemas/identifier"
)

// object collects what is wrong with a JSON object while it is walked over: the first problem is its row's reason.
type object struct {
	problem error
	drift   *drift
}

func (o *object) fail(path string, err error) {
	if o.problem == nil {
		o.problem = fmt.Errorf("%s: %w", path, err)
	}
}

var (
	errText    = errors.New("expected text")
	errMissing = errors.New("required, but missing")
)

// text gives a string; null is as good as nothing.
func (o *object) text(path string, v rest.Value) string {
	if v.Absent() {
		return ""
	}
	if v.Kind() != '"' {
		o.fail(path, errText)
		return ""
	}
	return v.Text()
}

// number gives a whole number.
func (o *object) number(path string, v rest.Value) int64 {
	n, ok := v.Int()
	if !ok || v.Kind() != '0' {
		o.fail(path, errors.New("expected a whole number"))
	}
	return n
}

// need says that a member is missing.
func (o *object) need(path string, given bool) {
	if !given {
		o.fail(path, errMissing)
	}
}

// moneyText is {Amount, Currency} as it is written.
type moneyText struct{ amount, currency string }

func (o *object) money(path string, v rest.Value) (m moneyText) {
	if v.Absent() {
		return m
	}
	for name, member := range v.Members() {
		switch string(name) {
		case "Amount":
			m.amount = o.text(path+".Amount", member)
		case "Currency":
			m.currency = o.text(path+".Currency", member)
		default:
			o.drift.unknown(path+".", name)
		}
	}
	o.need(path+".Amount", m.amount != "")
	o.need(path+".Currency", m.currency != "")
	return m
}

// minor gives an amount in minor units.
func (o *object) minor(path string, m moneyText) int64 {
	if o.problem != nil {
		return 0
	}
	n, err := amount(m.amount, m.currency)
	if err != nil {
		o.fail(path, err)
	}
	return n
}

// direction reads a CreditDebitIndicator.
func (o *object) direction(text string) string {
	switch text {
	case "Credit":
		return "credit"
	case "Debit":
		return "debit"
	}
	o.fail("CreditDebitIndicator", errors.New("expected Credit or Debit"))
	return ""
}

// drift announces fields that the contract does not know, each once an extract.
type drift struct {
	sink connectors.Sink
	told map[string]bool
}

func newDrift(sink connectors.Sink) *drift { return &drift{sink, map[string]bool{}} }

var fieldName = regexp.MustCompile(`^[A-Za-z0-9_.]{1,64}$`)

// maxDrift bounds how many fields are announced: names that are not names, such as ids as keys, have no end.
const maxDrift = 200

func (d *drift) unknown(parent string, name []byte) {
	path := parent + string(name)
	if !fieldName.MatchString(path) || identifier.Redact(path) != path { // such as a card number as a key
		path = parent + "(unprintable)"
	}
	if d.told[path] || len(d.told) >= maxDrift {
		return
	}
	d.told[path] = true
	d.sink.Unclassified(path)
}

// members announces those of an object that are not among the known ones.
func (d *drift) members(parent string, v rest.Value, known ...string) {
	for name := range v.Members() {
		if !slices.Contains(known, string(name)) {
			d.unknown(parent, name)
		}
	}
}

var errObject = errors.New("expected an object")

// rejects passes on rows that could not be read, each once: a page that is served twice has them twice, and, unlike good
// rows, nobody drops them later.
type rejects struct {
	sink connectors.Sink
	seed maphash.Seed
	told map[uint64]bool
}

func newRejects(sink connectors.Sink) *rejects {
	return &rejects{sink, maphash.MakeSeed(), map[uint64]bool{}}
}

func (r *rejects) reject(where connectors.Origin, reason error) error {
	sum := maphash.Bytes(r.seed, where.Raw)
	if r.told[sum] {
		return nil
	}
	r.told[sum] = true
	return r.sink.Reject(where, reason.Error())
}
