package payments

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/stripe/stripe-go/v85"

	"crosslift/connectors"
	"crosslift/schemas/table"
)

// settled is how an object shows in the balance.
type settled struct {
	currency stripe.Currency
	created  int64
	moved    *stripe.BalanceTransaction // nil: not yet, or never
}

// Stripe counts nothing for us, so the number of rows is how many objects its lists and its feed gave. The amounts are
// vouched for by the balance transactions: of what was created in the day, in its own currency, and moved the balance
// in the day, their sum is a second account of the same money. What no balance transaction of the day can vouch for
// (failed and pending ones, other currencies, changes of older ones) is summed as it comes and added: apart. Where anything
// of this cannot be read, there is no sum that could agree, and none is told.

// vouched reports whether a balance transaction of the day has an object's amount.
func (x *extract) vouched(s settled) bool {
	m := s.moved
	return m != nil && x.contains(s.created) && x.contains(m.Created) && m.ExchangeRate == 0 && m.Currency == s.currency &&
		slices.Contains(x.kind.balance, string(m.Type))
}

// apart adds the amount of a row that no balance transaction of the day vouches for.
func (x *extract) apart(o *object, row any) {
	var amount int64
	var code string
	switch r := row.(type) {
	case *table.PaymentRow:
		amount, code = r.AmountMinor, r.Currency
	case *table.RefundRow:
		amount, code = r.AmountMinor, r.Currency
	default:
		return
	}
	value, partial := o.value, o.partial
	if o.now != nil { // the balance is as it is now
		var err error
		if value, partial, err = x.kind.whole(o.now); err != nil {
			partial = true
		}
	}
	if partial {
		x.at.Doubtful = true
		return
	}
	if x.at.Apart == nil {
		x.at.Apart = map[string]int64{}
	}
	s := x.kind.settle(value)
	s.currency = stripe.Currency(strings.ToLower(code)) // it never changes, and the object may have lost it since
	if x.vouched(s) {
		moved := max(s.moved.Amount, -s.moved.Amount)
		if _, err := minor(string(s.currency), &moved); err != nil || moved != amount {
			x.at.Doubtful = true // it was captured in parts, or in another one than it was made for
		}
		amount = 0
	}
	x.at.Apart[code] += amount
}

// totals says what Stripe has of the day.
func (x *extract) totals(ctx context.Context) error {
	if err := x.sink.Total(connectors.Total{Measure: connectors.Rows, Value: x.at.Objects}); err != nil {
		return err
	}
	if x.kind.settle == nil || x.at.Doubtful {
		return nil
	}
	sums := maps.Clone(x.at.Apart)
	if sums == nil {
		sums = map[string]int64{}
	}
	agree := true
	for _, t := range x.kind.balance {
		q := query{
			Created: between(x.window.From.Unix(), x.window.To.Unix()), Type: &t,
			Expand: stripe.StringSlice([]string{"data.source"}),
		}
		if err := x.source.api.all(ctx, "/v1/balance_transactions", q, func(raw json.RawMessage) error {
			agree = x.vouch(raw, sums) && agree
			return nil
		}); err != nil {
			return err
		}
	}
	if !agree {
		return nil
	}
	for _, code := range slices.Sorted(maps.Keys(sums)) {
		if err := x.sink.Total(connectors.Total{Measure: "amount_minor", Currency: code, Value: sums[code]}); err != nil {
			return err
		}
	}
	return nil
}

// vouch adds the amount of a balance transaction, where it is that of an object of the day. It reports whether all that
// this takes can be read.
func (x *extract) vouch(raw json.RawMessage, sums map[string]int64) bool {
	var b struct {
		Amount       *int64          `json:"amount"`
		Currency     string          `json:"currency"`
		ExchangeRate *float64        `json:"exchange_rate"`
		Source       json.RawMessage `json:"source"` // its id only, where it cannot be shown
	}
	source := int64(0)
	if json.Unmarshal(raw, &b) == nil {
		source = glimpsed(b.Source).created
	}
	if b.Amount == nil || source == 0 || glimpsed(raw).created == 0 {
		return false
	}
	if b.ExchangeRate != nil || !x.contains(source) {
		return true
	}
	amount := max(*b.Amount, -*b.Amount) // of a refund it is negative
	code, err := minor(b.Currency, &amount)
	if err != nil {
		return false
	}
	sums[code] += amount
	return true
}
