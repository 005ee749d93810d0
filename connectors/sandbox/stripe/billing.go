package stripe

import (
	"strconv"
	"strings"
	"time"

	"crosslift/connectors/sandbox/world"
)

// plans are those that the list of prices shows; a price of another name can be asked for all the same.
var plans = []string{"basic", "family", "first_month", "monthly"}

// priceSince is when all prices were made.
var priceSince = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// price is what a plan costs, of which only the name matters here.
func price(plan, currency string) object {
	return object{
		"id": "price_" + plan, "object": "price", "created": priceSince.Unix(), "livemode": false, "active": true,
		"billing_scheme": "per_unit", "currency": strings.ToLower(currency), "custom_unit_amount": nil, "lookup_key": plan,
		"metadata": object{}, "nickname": nil, "product": "prod_" + plan,
		"recurring":    object{"interval": "month", "interval_count": 1, "meter": nil, "trial_period_days": nil, "usage_type": "licensed"},
		"tax_behavior": "unspecified", "tiers_mode": nil, "transform_quantity": nil, "type": "recurring",
		"unit_amount": nil, "unit_amount_decimal": nil,
	}
}

func subscription(s world.Subscription) object {
	const currency = "usd" // of the price, which no stream reads
	item := object{
		"id": "si_" + strings.TrimPrefix(s.ID, "sub_"), "object": "subscription_item", "created": s.Created.Unix(),
		"billing_thresholds": nil, "current_period_start": s.PeriodStart.Unix(), "current_period_end": s.PeriodEnd.Unix(),
		"discounts": []any{}, "metadata": object{}, "price": price(s.Plan, currency), "quantity": 1, "subscription": s.ID,
		"tax_rates": []any{},
	}
	trialStart := time.Time{}
	if !s.TrialEnd.IsZero() {
		trialStart = s.Created
	}
	ended := time.Time{}
	if s.Status == "canceled" {
		ended = s.Canceled
	}
	return object{
		"id": s.ID, "object": "subscription", "created": s.Created.Unix(), "livemode": false, "customer": s.Customer,
		"status": s.Status, "start_date": s.Created.Unix(), "trial_start": seconds(trialStart), "trial_end": seconds(s.TrialEnd),
		"canceled_at": seconds(s.Canceled), "ended_at": seconds(ended), "cancel_at": nil, "cancel_at_period_end": false,
		"items":       embedded("/v1/subscription_items?subscription="+s.ID, item),
		"metadata":    plan(s.Plan),
		"application": nil, "application_fee_percent": nil, "automatic_tax": object{"disabled_reason": nil, "enabled": false, "liability": nil},
		"billing_cycle_anchor": s.PeriodStart.Unix(), "billing_cycle_anchor_config": nil, "billing_mode": object{"type": "classic"},
		"billing_schedules": []any{}, "billing_thresholds": nil, "cancellation_details": object{"comment": nil, "feedback": nil, "reason": nil},
		"collection_method": "charge_automatically", "currency": currency, "customer_account": nil, "days_until_due": nil,
		"default_payment_method": nil, "default_source": nil, "default_tax_rates": []any{}, "description": nil,
		"discounts":        []any{},
		"invoice_settings": object{"account_tax_ids": nil, "issuer": object{"type": "self"}}, "latest_invoice": nil,
		"next_pending_invoice_item_invoice": nil, "on_behalf_of": nil, "pause_collection": nil,
		"payment_settings":              object{"payment_method_options": nil, "payment_method_types": nil, "save_default_payment_method": "off"},
		"pending_invoice_item_interval": nil, "pending_setup_intent": nil, "pending_update": nil, "schedule": nil,
		"test_clock": nil, "transfer_data": nil,
		"trial_settings": object{"end_behavior": object{"missing_payment_method": "create_invoice"}},
	}
}

func (b *build) invoice(i world.Invoice) object {
	who := b.customers[i.Customer]
	due, paid := units(i.Due, i.Currency), units(i.Paid, i.Currency)
	currency := strings.ToLower(i.Currency)
	// The invoice's own period is that of the usage before: none on the first one.
	from, to := i.PeriodStart, i.PeriodStart
	if i.Reason == "subscription_cycle" {
		from = i.PeriodStart.Add(-i.PeriodEnd.Sub(i.PeriodStart))
	}
	var parent any
	var lineParent any
	if i.Subscription != "" {
		parent = object{"type": "subscription_details", "quote_details": nil,
			"subscription_details": object{"metadata": object{}, "subscription": i.Subscription}}
		lineParent = object{"type": "subscription_item_details", "invoice_item_details": nil,
			"subscription_item_details": object{"invoice_item": nil, "proration": false, "proration_details": nil,
				"subscription": i.Subscription, "subscription_item": "si_" + strings.TrimPrefix(i.Subscription, "sub_")}}
	}
	planName := b.charges[i.Charge].Plan
	var pricing any
	if planName != "" {
		pricing = object{"type": "price_details", "unit_amount_decimal": strconv.FormatInt(due, 10),
			"price_details": object{"price": "price_" + planName, "product": "prod_" + planName}}
	}
	line := object{
		"id": "il_" + strings.TrimPrefix(i.ID, "in_"), "object": "line_item", "amount": due, "currency": currency,
		"description": nil, "discount_amounts": []any{}, "discountable": true, "discounts": []any{}, "invoice": i.ID,
		"livemode": false, "metadata": object{}, "parent": lineParent,
		"period":                object{"start": i.PeriodStart.Unix(), "end": i.PeriodEnd.Unix()},
		"pretax_credit_amounts": []any{}, "pricing": pricing, "quantity": 1, "subscription": text(i.Subscription),
		"subtotal": due, "taxes": []any{},
	}
	finalized := i.Created
	if i.Status == "draft" {
		finalized = time.Time{}
	}
	transitions := object{"finalized_at": seconds(finalized), "marked_uncollectible_at": nil, "paid_at": seconds(i.PaidAt), "voided_at": nil}
	switch i.Status {
	case "void":
		transitions["voided_at"] = i.Changed.Unix()
	case "uncollectible":
		transitions["marked_uncollectible_at"] = i.Changed.Unix()
	}
	attempts := 0
	if i.Charge != "" {
		attempts = 1
	}
	return object{
		"id": i.ID, "object": "invoice", "created": i.Created.Unix(), "livemode": false, "customer": i.Customer,
		"customer_email": text(who.Email), "customer_phone": text(who.Phone), "customer_name": nil, "customer_address": nil,
		"customer_shipping": nil, "customer_tax_exempt": "none", "customer_tax_ids": []any{}, "customer_account": nil,
		"amount_due": due, "amount_paid": paid, "amount_remaining": due - paid, "amount_overpaid": 0, "amount_shipping": 0,
		"amount_paid_off_stripe": 0, "currency": currency, "status": i.Status, "billing_reason": text(i.Reason),
		"period_start": from.Unix(), "period_end": to.Unix(), "status_transitions": transitions, "parent": parent,
		"lines":    embedded("/v1/invoices/"+i.ID+"/lines", line),
		"subtotal": due, "subtotal_excluding_tax": due, "total": due, "total_excluding_tax": due,
		"attempt_count": attempts, "attempted": attempts > 0, "auto_advance": i.Status == "draft" || i.Status == "open",
		"automatic_tax":     object{"disabled_reason": nil, "enabled": false, "liability": nil, "provider": nil, "status": nil},
		"collection_method": "charge_automatically", "default_tax_rates": []any{}, "discounts": []any{},
		"issuer": object{"type": "self"}, "payment_settings": object{"default_mandate": nil, "payment_method_options": nil, "payment_method_types": nil},
		"post_payment_credit_notes_amount": 0, "pre_payment_credit_notes_amount": 0, "starting_balance": 0,
		"account_country": nil, "account_name": nil, "account_tax_ids": nil, "application": nil, "custom_fields": nil,
		"default_payment_method": nil, "default_source": nil, "description": nil, "due_date": nil, "effective_at": seconds(finalized),
		"ending_balance": nil, "footer": nil, "from_invoice": nil, "hosted_invoice_url": nil, "invoice_pdf": nil,
		"last_finalization_error": nil, "latest_revision": nil, "metadata": object{}, "next_payment_attempt": nil, "number": nil,
		"on_behalf_of": nil, "receipt_number": nil, "rendering": nil, "shipping_cost": nil, "shipping_details": nil,
		"statement_descriptor": nil, "test_clock": nil, "total_discount_amounts": []any{}, "total_pretax_credit_amounts": []any{},
		"total_taxes": []any{}, "webhooks_delivered_at": nil,
	}
}

func invoicePayment(id string, c world.Charge, paid *world.Charge) object {
	o := object{
		"id": id, "object": "invoice_payment", "created": c.Created.Unix(), "livemode": false,
		"amount_paid": nil, "amount_requested": units(c.Amount, c.Currency), "currency": strings.ToLower(c.Currency),
		"invoice": c.Invoice, "is_default": true, "payment": object{"type": "payment_intent", "payment_intent": c.PaymentIntent},
		"status": "open", "status_transitions": object{"canceled_at": nil, "paid_at": nil},
	}
	if paid != nil {
		o["status"], o["amount_paid"] = "paid", units(paid.Amount, paid.Currency)
		o["status_transitions"] = object{"canceled_at": nil, "paid_at": paid.Changed.Unix()}
	}
	return o
}
