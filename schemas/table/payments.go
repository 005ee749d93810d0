package table

import "crosslift/schemas/identifier"

// PaymentRow is a payment as it stood after a change.
type PaymentRow struct {
	SourceID       string        `lake:"source_id,key,personal"`
	ChangedAt      Micros        `lake:"changed_at,key,time"`
	PaidAt         Micros        `lake:"paid_at,occurred"` // when it was captured; of one that was not, when it was tried
	Account        identifier.ID `lake:"account,optional,dict,account"`
	AmountMinor    int64         `lake:"amount_minor,minor"`     // minor units of currency
	Currency       string        `lake:"currency,dict,currency"` // ISO 4217
	Status         string        `lake:"status,dict"`            // succeeded, failed, pending
	Plan           string        `lake:"plan,optional,dict"`
	SubscriptionID string        `lake:"subscription_id,optional,personal"` // source_id of the subscription
	InvoiceID      string        `lake:"invoice_id,optional,personal"`      // source_id of the invoice
	Card           identifier.ID `lake:"card_hash,optional,card"`
	CardKind       string        `lake:"card_hash_kind,optional,dict"` // fingerprint: one card; weak: a mask that cards share
	RRN            identifier.ID `lake:"rrn_hash,optional,reference"`  // retrieval reference number: joins to the bank, with auth_code
	AuthCode       string        `lake:"auth_code,optional,personal"`
	System         string        `lake:"system,optional,dict"` // of several payment systems, which one
}

// RefundRow is money given back for a payment, as it stood after a change: a succeeded refund can still fail.
type RefundRow struct {
	SourceID    string `lake:"source_id,key,personal"`
	PaymentID   string `lake:"payment_id,personal"` // source_id of the payment
	ChangedAt   Micros `lake:"changed_at,key,time"`
	CreatedAt   Micros `lake:"created_at"`
	AmountMinor int64  `lake:"amount_minor,minor"` // positive, of the payment or a part of it
	Currency    string `lake:"currency,dict,currency"`
	Status      string `lake:"status,dict"` // pending, succeeded, failed, canceled
	Reason      string `lake:"reason,optional,dict"`
	System      string `lake:"system,optional,dict"`
}

// DisputeRow is a chargeback, or the warning of one, as it stood after a change.
type DisputeRow struct {
	SourceID    string `lake:"source_id,key,personal"`
	PaymentID   string `lake:"payment_id,personal"`
	ChangedAt   Micros `lake:"changed_at,key,time"`
	CreatedAt   Micros `lake:"created_at"`
	AmountMinor int64  `lake:"amount_minor,minor"` // positive
	Currency    string `lake:"currency,dict,currency"`
	Status      string `lake:"status,dict"` // needs_response, under_review, won, lost, …
	Reason      string `lake:"reason,optional,dict"`
	System      string `lake:"system,optional,dict"`
}

// SubscriptionRow is a subscription of the payment system as it stood after a change.
type SubscriptionRow struct {
	SourceID      string        `lake:"source_id,key,personal"`
	ChangedAt     Micros        `lake:"changed_at,key,time"`
	Account       identifier.ID `lake:"account,optional,account"`
	Plan          string        `lake:"plan,optional,dict"`
	Status        string        `lake:"status,dict"` // trialing, active, past_due, canceled, …
	StartedAt     Micros        `lake:"started_at,occurred"`
	TrialEndAt    *Micros       `lake:"trial_end_at"`
	PeriodStartAt *Micros       `lake:"period_start_at"` // of the period that is paid or due
	PeriodEndAt   *Micros       `lake:"period_end_at"`
	CanceledAt    *Micros       `lake:"canceled_at"`
	System        string        `lake:"system,optional,dict"`
}

// InvoiceRow is a bill for a period of a subscription as it stood after a change.
type InvoiceRow struct {
	SourceID       string        `lake:"source_id,key,personal"`
	ChangedAt      Micros        `lake:"changed_at,key,time"`
	CreatedAt      Micros        `lake:"created_at,occurred"`
	Account        identifier.ID `lake:"account,optional,account"`
	SubscriptionID string        `lake:"subscription_id,optional,personal"`
	DueMinor       int64         `lake:"due_minor,minor"`
	PaidMinor      int64         `lake:"paid_minor,minor"`
	Currency       string        `lake:"currency,dict,currency"`
	Status         string        `lake:"status,dict"`          // draft, open, paid, uncollectible, void
	Reason         string        `lake:"reason,optional,dict"` // subscription_create, subscription_cycle, …
	PeriodStartAt  *Micros       `lake:"period_start_at"`
	PeriodEndAt    *Micros       `lake:"period_end_at"`
	PaidAt         *Micros       `lake:"paid_at"`
	System         string        `lake:"system,optional,dict"`
}

// BalanceTransactionRow is a movement of the balance that a payment system keeps for us. It never changes.
type BalanceTransactionRow struct {
	SourceID    string  `lake:"source_id,key,personal"`
	CreatedAt   Micros  `lake:"created_at,time"`
	AvailableAt *Micros `lake:"available_at"`
	Type        string  `lake:"type,dict"`               // charge, refund, dispute, payout, …
	OfID        string  `lake:"of_id,optional,personal"` // source_id of what moved it
	AmountMinor int64   `lake:"amount_minor,minor"`      // negative when it leaves the balance
	FeeMinor    int64   `lake:"fee_minor,minor"`
	NetMinor    int64   `lake:"net_minor,minor"`
	Currency    string  `lake:"currency,dict,currency"`
	System      string  `lake:"system,optional,dict"`
}
