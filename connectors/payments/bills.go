package payments

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/stripe/stripe-go/v85"
	"golang.org/x/sync/errgroup"
)

// bill is what a charge was made for. A charge does not name it: Stripe's invoice payments join the two by the payment
// intent (or, rarely, by the charge itself).
type bill struct {
	invoice, subscription string
	plan                  string // by the subscription's metadata
	price                 string // id of the price, which may name the plan
}

// slack is for how long before a charge the payment of its invoice is usually made, in seconds: the first try follows
// at once, later ones are looked up one by one.
const slack = 60

// bills finds the bills of a page of charges.
func bills(ctx context.Context, x *extract, page []*object) error {
	x.bills = map[string]*bill{}
	from, to := int64(0), int64(0)
	for _, o := range page {
		if c, ok := o.value.(*stripe.Charge); ok && c.PaymentIntent != nil {
			if from == 0 || c.Created < from {
				from = c.Created
			}
			to = max(to, c.Created)
		}
	}
	if from == 0 {
		return nil
	}
	if x.at.Phase == phaseCreated {
		if err := x.source.api.all(ctx, "/v1/invoice_payments", query{
			Created: between(from-slack, to+1), Expand: stripe.StringSlice([]string{"data.invoice"}),
		}, x.takeBill); err != nil {
			return err
		}
	}
	if err := missingBills(ctx, x, page); err != nil {
		return err
	}
	for _, o := range page {
		if err := namePlan(ctx, x, o); err != nil {
			return err
		}
	}
	return nil
}

// takeBill takes an invoice payment. Only what names a bill is read of it and its invoice; where that cannot be read, the
// charge is a row without an invoice.
func (x *extract) takeBill(raw json.RawMessage) error {
	var p struct {
		Invoice json.RawMessage `json:"invoice"`
		Payment struct {
			Intent string `json:"payment_intent"`
			Charge string `json:"charge"`
		} `json:"payment"`
	}
	var i struct {
		ID     string `json:"id"`
		Parent struct {
			Details struct {
				Subscription string            `json:"subscription"`
				Metadata     map[string]string `json:"metadata"`
			} `json:"subscription_details"`
		} `json:"parent"`
		Lines struct {
			Data []struct {
				Parent struct {
					Type string `json:"type"`
					Item struct {
						Proration bool `json:"proration"`
					} `json:"subscription_item_details"`
				} `json:"parent"`
				Pricing struct {
					Details struct {
						Price string `json:"price"`
					} `json:"price_details"`
				} `json:"pricing"`
			} `json:"data"`
		} `json:"lines"`
	}
	if json.Unmarshal(raw, &p) != nil || json.Unmarshal(p.Invoice, &i) != nil && json.Unmarshal(p.Invoice, &i.ID) != nil {
		return nil
	}
	b := &bill{invoice: i.ID, subscription: i.Parent.Details.Subscription, plan: i.Parent.Details.Metadata[x.source.config.PlanKey]}
	for _, line := range i.Lines.Data {
		if line.Parent.Type == "subscription_item_details" && !line.Parent.Item.Proration {
			b.price = line.Pricing.Details.Price
			break
		}
	}
	for _, paid := range []string{p.Payment.Intent, p.Payment.Charge} {
		if paid != "" {
			x.bills[paid] = b
		}
	}
	return nil
}

// missingBills looks up the payment intents whose bill is older than the page. One that is for no invoice has none.
func missingBills(ctx context.Context, x *extract, page []*object) error {
	var intents []string
	for _, o := range page {
		if c, ok := o.value.(*stripe.Charge); ok && c.PaymentIntent != nil && x.billOf(c) == nil {
			intents = append(intents, c.PaymentIntent.ID)
		}
	}
	found := make([]json.RawMessage, len(intents))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxAtOnce)
	for i, intent := range intents {
		group.Go(func() error {
			p, err := x.source.api.list(ctx, "/v1/invoice_payments", billOfIntent(intent), "")
			if err == nil && len(p.Data) > 0 {
				found[i] = p.Data[0]
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, raw := range found {
		if raw != nil {
			if err := x.takeBill(raw); err != nil {
				return err
			}
		}
	}
	return nil
}

// billOfIntent asks for the invoice that a payment intent pays.
func billOfIntent(intent string) query {
	return query{
		Limit: 1, Expand: stripe.StringSlice([]string{"data.invoice"}),
		Payment: &stripe.InvoicePaymentListPaymentParams{Type: stripe.String("payment_intent"), PaymentIntent: &intent},
	}
}

// billOf is what a charge was made for, or nil.
func (x *extract) billOf(c *stripe.Charge) *bill {
	if b := x.bills[c.ID]; b != nil || c.PaymentIntent == nil {
		return b
	}
	return x.bills[c.PaymentIntent.ID]
}

// namePlan asks for the price of a charge whose plan nothing else names.
func namePlan(ctx context.Context, x *extract, o *object) error {
	c, ok := o.value.(*stripe.Charge)
	if !ok || c.Metadata[x.source.config.PlanKey] != "" {
		return nil
	}
	b := x.billOf(c)
	if b == nil || b.plan != "" || b.price == "" {
		return nil
	}
	if _, known := x.plans[b.price]; known {
		return nil
	}
	raw, err := x.source.api.get(ctx, "/v1/prices", b.price)
	if err != nil {
		return err
	}
	var price stripe.Price
	if raw != nil && json.Unmarshal(raw, &price) != nil {
		price = stripe.Price{}
	}
	x.plans[b.price] = x.planOf(&price)
	return nil
}

// planOf is what a price calls its plan.
func (x *extract) planOf(p *stripe.Price) string {
	switch {
	case p == nil:
		return ""
	case x.source.config.PlanPrice == priceNickname:
		return cmp.Or(p.Nickname, p.ID)
	case x.source.config.PlanPrice == priceLookupKey:
		return cmp.Or(p.LookupKey, p.ID)
	}
	return p.ID
}

// subscriptionOf is the id of the subscription that an invoice bills; "" for none.
func subscriptionOf(i *stripe.Invoice) string {
	if p := i.Parent; p != nil && p.SubscriptionDetails != nil && p.SubscriptionDetails.Subscription != nil {
		return p.SubscriptionDetails.Subscription.ID
	}
	return ""
}

// subscriptionLine is the first line that bills a subscription, or nil.
func subscriptionLine(i *stripe.Invoice) *stripe.InvoiceLineItem {
	if i.Lines == nil {
		return nil
	}
	for _, line := range i.Lines.Data {
		if line != nil && line.Parent != nil && line.Parent.SubscriptionItemDetails != nil && !line.Parent.SubscriptionItemDetails.Proration {
			return line
		}
	}
	return nil
}
