package table

import "crosslift/schemas/identifier"

// BankTransactionRow is a card transaction in the bank's books.
type BankTransactionRow struct {
	SourceID     string        `lake:"source_id,key,personal"` // of a pending one without an id, a hash of what it says
	BookedAt     Micros        `lake:"booked_at,time"`
	ValueAt      *Micros       `lake:"value_at"`
	ClientRef    identifier.ID `lake:"client_ref_hash,optional,bank_client"`
	Card         identifier.ID `lake:"card_hash,optional,card"`
	RRN          identifier.ID `lake:"rrn_hash,optional,reference"` // retrieval reference number: joins to a payment, with auth_code
	AuthCode     string        `lake:"auth_code,optional,personal"`
	AmountMinor  int64         `lake:"amount_minor,minor"` // never negative
	Currency     string        `lake:"currency,dict,currency"`
	Direction    string        `lake:"direction,dict"` // debit, credit
	Status       string        `lake:"status,dict"`    // booked, pending, rejected
	Code         string        `lake:"code,optional,dict"`
	MerchantCode string        `lake:"merchant_code,optional,dict"` // merchant category, ISO 18245
}

// BankAccrualRow is a cashback accrual, or a reversal of one, as it stood after a change.
type BankAccrualRow struct {
	SourceID         string        `lake:"source_id,key,personal"` // the accrual's id: the same in all its revisions
	Revision         int64         `lake:"revision_number,key"`    // grows with each change
	StatusAt         Micros        `lake:"status_at,time"`
	Campaign         string        `lake:"campaign,dict"`
	ClientRef        identifier.ID `lake:"client_ref_hash,optional,bank_client"`
	Card             identifier.ID `lake:"card_hash,optional,card"`
	RRN              identifier.ID `lake:"rrn_hash,optional,reference"`
	AuthCode         string        `lake:"auth_code,optional,personal"`
	TransactionID    string        `lake:"transaction_id,optional,personal"` // source_id in bank_transaction, where the bank gives it
	PurchasedAt      *Micros       `lake:"purchased_at"`
	PurchaseMinor    *int64        `lake:"purchase_minor,minor"`
	PurchaseCurrency string        `lake:"purchase_currency,optional,dict,currency"`
	Rate             *float64      `lake:"rate"` // share of the purchase: 0.99
	CapApplied       *bool         `lake:"cap_applied"`
	AmountMinor      int64         `lake:"amount_minor,minor"` // never negative
	Currency         string        `lake:"currency,dict,currency"`
	Direction        string        `lake:"direction,dict"` // credit: to the client; debit: taken back
	Status           string        `lake:"status,dict"`    // accrued, posted, reversed, rejected
	Reason           string        `lake:"reason,optional,dict"`
	ReversalOf       string        `lake:"reversal_of,optional,personal"` // source_id of the accrual that a debit takes back
	AccruedAt        *Micros       `lake:"accrued_at"`
	PostedAt         *Micros       `lake:"posted_at"`
	ReversedAt       *Micros       `lake:"reversed_at"`
}
