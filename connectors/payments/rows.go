package payments

import (
	"cmp"
	"strings"

	"github.com/stripe/stripe-go/v85"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// types lists event types with one beginning.
func types(prefix, endings string) []string {
	var all []string
	for ending := range strings.FieldsSeq(endings) {
		all = append(all, prefix+ending)
	}
	return all
}

// micros is an instant that Stripe gives in seconds since 1970.
func micros(seconds int64) table.Micros { return table.Micros(seconds * 1e6) }

// instant is one that may be absent.
func instant(seconds int64) *table.Micros {
	if seconds == 0 {
		return nil
	}
	return new(micros(seconds))
}

// account is the product's user behind a customer; of one that does not say, the object's own metadata may.
func (x *extract) account(customer *stripe.Customer, own map[string]string) identifier.ID {
	key := x.source.config.UserKey
	value := own[key]
	if customer != nil && customer.Metadata[key] != "" {
		value = customer.Metadata[key]
	}
	return x.hash(identifier.Account, value)
}

// hash is "none" for a value that identifies nobody.
func (x *extract) hash(kind identifier.Kind, value string) identifier.ID {
	id, err := x.source.env.Key.Hash(kind, value)
	if err != nil {
		return identifier.ID{}
	}
	return id
}

// card is the fingerprint's hash, which means something inside one account of Stripe only.
func (x *extract) card(fingerprint string) (identifier.ID, string) {
	token, err := identifier.CardToken(system, x.source.config.Account, fingerprint)
	if err != nil {
		return identifier.ID{}, ""
	}
	id := x.hash(identifier.Card, token)
	if id.IsZero() {
		return id, ""
	}
	return id, "fingerprint"
}

// taken is the amount of a charge: of an authorisation, the part that was captured.
func taken(c *stripe.Charge) int64 {
	if c.Captured && c.AmountCaptured > 0 {
		return c.AmountCaptured
	}
	return c.Amount
}

// confirmed is for how long, in seconds, a bank may take to confirm a charge. What moves the balance later is an
// authorisation that was captured then.
const confirmed = 3600

func payment(x *extract, c *stripe.Charge, changed table.Micros) (any, error) {
	r := &table.PaymentRow{
		SourceID: c.ID, ChangedAt: changed, PaidAt: micros(c.Created), AmountMinor: taken(c), Status: string(c.Status),
		Account: x.account(c.Customer, c.Metadata), Plan: c.Metadata[x.source.config.PlanKey], System: system,
	}
	if moved := c.BalanceTransaction; c.Captured && moved != nil && moved.Created-c.Created >= confirmed {
		r.PaidAt = micros(moved.Created)
	}
	if bill := x.billOf(c); bill != nil {
		r.InvoiceID, r.SubscriptionID = bill.invoice, bill.subscription
		r.Plan = cmp.Or(r.Plan, bill.plan, x.plans[bill.price])
	}
	if d := c.PaymentMethodDetails; d != nil && d.Card != nil {
		r.Card, r.CardKind = x.card(d.Card.Fingerprint)
		r.AuthCode = cmp.Or(d.Card.AuthorizationCode, c.AuthorizationCode)
		r.RRN = x.hash(identifier.Reference, d.Card.NetworkTransactionID)
	}
	var err error
	r.Currency, err = minor(string(c.Currency), &r.AmountMinor)
	return r, err
}

func refund(_ *extract, f *stripe.Refund, changed table.Micros) (any, error) {
	r := &table.RefundRow{
		SourceID: f.ID, PaymentID: f.Charge.ID, ChangedAt: changed, CreatedAt: micros(f.Created), AmountMinor: f.Amount,
		Status: string(f.Status), Reason: string(f.Reason), System: system,
	}
	if f.Status == stripe.RefundStatusRequiresAction {
		r.Status = string(stripe.RefundStatusPending)
	}
	var err error
	r.Currency, err = minor(string(f.Currency), &r.AmountMinor)
	return r, err
}

func dispute(_ *extract, d *stripe.Dispute, changed table.Micros) (any, error) {
	r := &table.DisputeRow{
		SourceID: d.ID, PaymentID: d.Charge.ID, ChangedAt: changed, CreatedAt: micros(d.Created), AmountMinor: d.Amount,
		Status: string(d.Status), Reason: string(d.Reason), System: system,
	}
	var err error
	r.Currency, err = minor(string(d.Currency), &r.AmountMinor)
	return r, err
}

func subscription(x *extract, s *stripe.Subscription, changed table.Micros) (any, error) {
	r := &table.SubscriptionRow{
		SourceID: s.ID, ChangedAt: changed, Account: x.account(s.Customer, s.Metadata), Status: string(s.Status),
		Plan: s.Metadata[x.source.config.PlanKey], StartedAt: micros(s.StartDate), TrialEndAt: instant(s.TrialEnd),
		CanceledAt: instant(s.CanceledAt), System: system,
	}
	if s.Items != nil && len(s.Items.Data) > 0 && s.Items.Data[0] != nil {
		item := s.Items.Data[0] // which has had the period since 2025
		r.PeriodStartAt, r.PeriodEndAt = instant(item.CurrentPeriodStart), instant(item.CurrentPeriodEnd)
		r.Plan = cmp.Or(r.Plan, x.planOf(item.Price))
	}
	return r, nil
}

// invoice takes the period from the first line that bills a subscription: the invoice's own is that of the usage
// before it.
func invoice(x *extract, i *stripe.Invoice, changed table.Micros) (any, error) {
	r := &table.InvoiceRow{
		SourceID: i.ID, ChangedAt: changed, CreatedAt: micros(i.Created), Account: x.account(i.Customer, i.Metadata),
		DueMinor: i.AmountDue, PaidMinor: i.AmountPaid, Status: string(i.Status), Reason: string(i.BillingReason),
		PeriodStartAt: instant(i.PeriodStart), PeriodEndAt: instant(i.PeriodEnd), System: system,
	}
	if t := i.StatusTransitions; t != nil {
		r.PaidAt = instant(t.PaidAt)
	}
	r.SubscriptionID = subscriptionOf(i)
	if line := subscriptionLine(i); line != nil && line.Period != nil {
		r.PeriodStartAt, r.PeriodEndAt = instant(line.Period.Start), instant(line.Period.End)
	}
	var err error
	r.Currency, err = minor(string(i.Currency), &r.DueMinor, &r.PaidMinor)
	return r, err
}

func balanceTransaction(_ *extract, b *stripe.BalanceTransaction, created table.Micros) (any, error) {
	r := &table.BalanceTransactionRow{
		SourceID: b.ID, CreatedAt: created, AvailableAt: instant(b.AvailableOn), Type: string(b.Type),
		AmountMinor: b.Amount, FeeMinor: b.Fee, NetMinor: b.Net, System: system,
	}
	if b.Source != nil {
		r.OfID = b.Source.ID
	}
	var err error
	r.Currency, err = minor(string(b.Currency), &r.AmountMinor, &r.FeeMinor, &r.NetMinor)
	return r, err
}
