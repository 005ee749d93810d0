package table

import "crosslift/schemas/identifier"

// PaymentRow is a payment as it stood after a change.
type PaymentRow struct {
	SourceID    string        `lake:"source_id,personal"`
	PaidAt      Micros        `lake:"paid_at,time"`
	Account     identifier.ID `lake:"account,optional,dict,account"`
	AmountMinor int64         `lake:"amount_minor,minor"`     // minor units of currency
	Currency    string        `lake:"currency,dict,currency"` // ISO 4217
	Status      string        `lake:"status,dict"`            // succeeded, failed, pending
	Plan        string        `lake:"plan,optional,dict"`
}

// RefundRow is money given back for a payment, as it stood after a change: a succeeded refund can still fail.
type RefundRow struct {
	SourceID    string `lake:"source_id,personal"`
	PaymentID   string `lake:"payment_id,personal"` // source_id of the payment
	ChangedAt   Micros `lake:"changed_at,time"`
	CreatedAt   Micros `lake:"created_at"`
	AmountMinor int64  `lake:"amount_minor,minor"` // positive, of the payment or a part of it
	Currency    string `lake:"currency,dict,currency"`
	Status      string `lake:"status,dict"` // pending, succeeded, failed, canceled
	Reason      string `lake:"reason,optional,dict"`
	System      string `lake:"system,optional,dict"`
}

// DisputeRow is a chargeback, or the warning of one, as it stood after a change.
type DisputeRow struct {
	SourceID    string `lake:"source_id,personal"`
	PaymentID   string `lake:"payment_id,personal"`
	ChangedAt   Micros `lake:"changed_at,time"`
	CreatedAt   Micros `lake:"created_at"`
	AmountMinor int64  `lake:"amount_minor,minor"` // positive
	Currency    string `lake:"currency,dict,currency"`
	Status      string `lake:"status,dict"` // needs_response, under_review, won, lost, …
	Reason      string `lake:"reason,optional,dict"`
	System      string `lake:"system,optional,dict"`
}

// SubscriptionRow is a subscription of the payment system as it stood after a change.
type SubscriptionRow struct {
	SourceID      string        `lake:"source_id,personal"`
	ChangedAt     Micros        `lake:"changed_at,time"`
	Account       identifier.ID `lake:"account,optional,account"`
	Plan          string        `lake:"plan,optional,dict"`
	Status        string        `lake:"status,dict"` // trialing, active, past_due, canceled, …
	StartedAt     Micros        `lake:"started_at"`
	TrialEndAt    *Micros       `lake:"trial_end_at"`
	PeriodStartAt *Micros       `lake:"period_start_at"` // of the period that is paid or due
	PeriodEndAt   *Micros       `lake:"period_end_at"`
	CanceledAt    *Micros       `lake:"canceled_at"`
	System        string        `lake:"system,optional,dict"`
}
