package stripe

import (
	"strings"

	"crosslift/connectors/sandbox/world"
)

func customer(c world.Customer) object {
	return object{
		"id": c.ID, "object": "customer", "created": c.Created.Unix(), "livemode": false,
		"email": text(c.Email), "phone": text(c.Phone), "name": nil, "description": nil, "currency": nil,
		"address": nil, "balance": 0, "default_source": nil, "delinquent": false, "discount": nil,
		"invoice_prefix": strings.ToUpper(strings.TrimPrefix(c.ID, "cus_")), "next_invoice_sequence": 1,
		"invoice_settings":  object{"custom_fields": nil, "default_payment_method": nil, "footer": nil, "rendering_options": nil},
		"metadata":          object{"user_id": c.Account},
		"preferred_locales": []string{}, "shipping": nil, "tax_exempt": "none", "test_clock": nil,
	}
}

func charge(c world.Charge, who world.Customer) object {
	succeeded := c.Status == "succeeded"
	amount := units(c.Amount, c.Currency)
	o := object{
		"id": c.ID, "object": "charge", "created": c.Created.Unix(), "livemode": false,
		"amount": amount, "amount_captured": int64(0), "amount_refunded": units(c.Refunded, c.Currency),
		"currency": strings.ToLower(c.Currency), "status": c.Status, "paid": succeeded, "captured": succeeded,
		"refunded": c.Refunded > 0 && c.Refunded >= c.Amount, "disputed": c.Disputed,
		"customer": text(c.Customer), "payment_intent": text(c.PaymentIntent), "balance_transaction": text(c.BalanceTransaction),
		"metadata":        plan(c.Plan),
		"billing_details": object{"address": nil, "email": text(who.Email), "name": nil, "phone": text(who.Phone), "tax_id": nil},
		"receipt_email":   text(who.Email), "receipt_number": nil, "receipt_url": nil,
		"payment_method": "pm_" + strings.TrimPrefix(c.ID, "ch_"), "payment_method_details": cardDetails(c, amount),
		"application": nil, "application_fee": nil, "application_fee_amount": nil, "calculated_statement_descriptor": nil,
		"description": nil, "failure_balance_transaction": nil, "failure_code": nil, "failure_message": nil,
		"fraud_details": object{}, "on_behalf_of": nil, "outcome": outcome("authorized"), "radar_options": object{},
		"review": nil, "shipping": nil, "source_transfer": nil, "statement_descriptor": nil,
		"statement_descriptor_suffix": nil, "transfer_data": nil, "transfer_group": nil,
	}
	switch c.Status {
	case "succeeded":
		o["amount_captured"] = amount
	case "failed":
		o["failure_code"], o["failure_message"] = "card_declined", "Your card was declined."
		o["outcome"] = outcome("issuer_declined")
	}
	return o
}

func outcome(kind string) object {
	status := "approved_by_network"
	if kind != "authorized" {
		status = "declined_by_network"
	}
	return object{
		"advice_code": nil, "network_advice_code": nil, "network_decline_code": nil, "network_status": status,
		"reason": nil, "seller_message": nil, "type": kind,
	}
}

func cardDetails(c world.Charge, amount int64) object {
	brand := "visa"
	if strings.HasPrefix(c.Card.First6, "5") || strings.HasPrefix(c.Card.First6, "2") {
		brand = "mastercard"
	}
	return object{"type": "card", "card": object{
		"amount_authorized": amount, "authorization_code": text(c.AuthCode), "brand": brand,
		"checks":  object{"address_line1_check": nil, "address_postal_code_check": nil, "cvc_check": "pass"},
		"country": nil, "exp_month": 12, "exp_year": c.Created.Year() + 2, "fingerprint": text(c.Card.Fingerprint),
		"funding": "debit", "installments": nil, "last4": text(c.Card.Last4), "mandate": nil, "network": brand,
		"network_token": object{"used": false}, "network_transaction_id": text(c.RRN), "regulated_status": "unregulated",
		"three_d_secure": nil, "transaction_link_id": nil, "wallet": nil,
	}}
}

func plan(name string) object {
	if name == "" {
		return object{}
	}
	return object{"plan": name}
}

func refund(r world.Refund, of world.Charge) object {
	o := object{
		"id": r.ID, "object": "refund", "created": r.Created.Unix(), "amount": units(r.Amount, r.Currency),
		"currency": strings.ToLower(r.Currency), "charge": r.Charge, "payment_intent": text(of.PaymentIntent),
		"status": r.Status, "reason": text(r.Reason), "balance_transaction": text(r.Balance), "metadata": object{},
		"destination_details": object{"type": "card", "card": object{"type": "refund", "reference_status": "pending"}},
		"receipt_number":      nil, "source_transfer_reversal": nil, "transfer_reversal": nil,
	}
	if r.Status == "failed" {
		o["failure_reason"] = "unknown"
	}
	return o
}

func (b *build) dispute(d world.Dispute) object {
	moves := []any{}
	for _, id := range d.Balances {
		if m, ok := b.balances[id]; ok {
			moves = append(moves, balance(m))
		}
	}
	open := strings.HasSuffix(d.Status, "needs_response")
	return object{
		"id": d.ID, "object": "dispute", "created": d.Created.Unix(), "livemode": false,
		"amount": units(d.Amount, d.Currency), "currency": strings.ToLower(d.Currency), "charge": d.Charge,
		"payment_intent": text(b.charges[d.Charge].PaymentIntent), "status": d.Status, "reason": d.Reason,
		"balance_transactions": moves, "enhanced_eligibility_types": []any{},
		"evidence": object{"enhanced_evidence": object{}},
		"evidence_details": object{
			"due_by": d.Created.AddDate(0, 0, 20).Unix(), "enhanced_eligibility": object{}, "has_evidence": !open,
			"past_due": false, "submission_count": map[bool]int{false: 1}[open],
		},
		"is_charge_refundable": strings.HasPrefix(d.Status, "warning_"), "metadata": object{},
	}
}

func balance(m world.Balance) object {
	category := m.Type
	if m.Type == "adjustment" {
		category = "dispute"
		if m.Amount > 0 {
			category = "dispute_reversal"
		}
	}
	amount, fee := units(m.Amount, m.Currency), units(m.Fee, m.Currency)
	fees := []any{}
	if fee != 0 {
		fees = append(fees, object{
			"amount": fee, "application": nil, "currency": strings.ToLower(m.Currency),
			"description": "Stripe processing fees", "type": "stripe_fee",
		})
	}
	available := m.Available
	if available.IsZero() {
		available = m.Created
	}
	return object{
		"id": m.ID, "object": "balance_transaction", "created": m.Created.Unix(), "available_on": available.Unix(),
		"amount": amount, "fee": fee, "net": amount - fee, "fee_details": fees, "currency": strings.ToLower(m.Currency),
		"balance_type": "payments", "description": nil, "exchange_rate": nil, "reporting_category": category,
		"source": text(m.Of), "status": "available", "type": m.Type,
	}
}
