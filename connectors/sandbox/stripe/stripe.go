// Package stripe is a Stripe account of the sandbox, as its API of version 2026-03-25.dahlia shows it.
//
// Builder writes the streams customers, charges, refunds, disputes, subscriptions, invoices, invoice_payments and
// balance_transactions of the source stripe. A record's object is what Stripe sends: amounts in Stripe's own units,
// seconds since 1970, ids where objects can be expanded. Prices are made from their plan's name, price_<plan>, and
// events from the versions of the other streams, so neither is on disk.
//
// Handler serves them read-only: lists with created, limit, starting_after, ending_before and the filters that
// parameters.go names; single objects; expand of the fields in expand.go, one level deep; events of the last 30 days. What
// Stripe refuses, it refuses in Stripe's words.
package stripe

import (
	"encoding/json"
	"strings"
	"time"

	"crosslift/connectors/sandbox/world"
)

// Source is the name under which records are kept.
const Source = "stripe"

// version is the API version that answers are written in.
const version = "2026-03-25.dahlia"

// object is a JSON object of Stripe's.
type object map[string]any

// Builder writes the wire format of a Stripe account.
func Builder() world.Builder { return builder{} }

type builder struct{}

// Build implements world.Builder.
func (builder) Build(c *world.Chunk, to world.Writer) error {
	b := &build{to: to, customers: byID(c.Customers, func(x world.Customer) string { return x.ID }),
		charges:  byID(c.Charges, func(x world.Charge) string { return x.ID }),
		balances: byID(c.Balances, func(x world.Balance) string { return x.ID })}
	for _, x := range c.Customers {
		b.write("customers", x.ID, x.Created, x.Created, customer(x))
	}
	for _, x := range c.Charges {
		b.write("charges", x.ID, x.Changed, x.Visible, charge(x, b.customers[x.Customer]))
	}
	for _, x := range c.Refunds {
		b.write("refunds", x.ID, x.Changed, x.Visible, refund(x, b.charges[x.Charge]))
	}
	for _, x := range c.Disputes {
		b.write("disputes", x.ID, x.Changed, x.Visible, b.dispute(x))
	}
	for _, x := range c.Subscriptions {
		b.write("subscriptions", x.ID, x.Changed, x.Visible, subscription(x))
	}
	for _, x := range c.Invoices {
		b.write("invoices", x.ID, x.Changed, x.Visible, b.invoice(x))
	}
	for _, x := range c.Balances {
		b.write("balance_transactions", x.ID, x.Created, x.Visible, balance(x))
	}
	b.invoicePayments(c)
	return b.err
}

// build is a chunk on its way. Versions of one charge share everything that others need of it.
type build struct {
	to        world.Writer
	customers map[string]world.Customer
	charges   map[string]world.Charge
	balances  map[string]world.Balance
	err       error
}

func byID[T any](all []T, id func(T) string) map[string]T {
	m := make(map[string]T, len(all))
	for _, x := range all {
		m[id(x)] = x
	}
	return m
}

func (b *build) write(stream, id string, at, visible time.Time, o object) {
	if b.err != nil {
		return
	}
	raw, err := json.Marshal(o)
	if err == nil {
		err = b.to.Write(Source, stream, world.Record{ID: id, At: at, Visible: visible, Object: raw})
	}
	b.err = err
}

// invoicePayments joins invoices to the payment intents of their charges: one a pair, as old as the first of its charges
// and paid once one of them succeeded.
func (b *build) invoicePayments(c *world.Chunk) {
	first := map[string]world.Charge{}
	paid := map[string]world.Charge{}
	var order []string
	for _, x := range c.Charges {
		if x.Invoice == "" || x.PaymentIntent == "" {
			continue
		}
		key := x.Invoice + " " + x.PaymentIntent
		if known, ok := first[key]; !ok {
			order = append(order, key)
			first[key] = x
		} else if x.Created.Before(known.Created) || x.Created.Equal(known.Created) && x.Visible.Before(known.Visible) {
			first[key] = x
		}
		if known, ok := paid[key]; x.Status == "succeeded" && (!ok || x.Changed.Before(known.Changed)) {
			paid[key] = x
		}
	}
	for _, key := range order {
		x := first[key]
		id := "inpay_" + strings.TrimPrefix(x.PaymentIntent, "pi_")
		p, done := paid[key]
		if !done || p.Changed.After(x.Created) {
			b.write("invoice_payments", id, x.Created, x.Visible, invoicePayment(id, x, nil))
		}
		if done {
			b.write("invoice_payments", id, p.Changed, p.Visible, invoicePayment(id, x, &p))
		}
	}
}

// units turns minor units of ISO 4217 into Stripe's: hundredths of ISK and UGX, whole MGA, else the same.
func units(amount int64, currency string) int64 {
	switch strings.ToUpper(currency) {
	case "ISK", "UGX":
		return amount * 100
	case "MGA":
		return amount / 100
	}
	return amount
}

// seconds is an instant of the API; nil for none.
func seconds(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Unix()
}

// text is a text of the API; nil for none.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// embedded is a list inside an object.
func embedded(url string, data ...any) object {
	if data == nil {
		data = []any{}
	}
	return object{"object": "list", "url": url, "has_more": false, "data": data}
}
