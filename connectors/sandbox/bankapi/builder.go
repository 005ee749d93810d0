package bankapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"crosslift/connectors/sandbox/world"
)

// Builder puts a world's bank transactions and accruals into the bank's formats, with times in its zone.
func Builder(zone *time.Location) world.Builder { return builder{zone} }

// accountPrefix is what the names of accounts start with; the currency follows.
const accountPrefix = "cashback-"

type builder struct{ zone *time.Location }

// Build implements world.Builder.
func (b builder) Build(c *world.Chunk, to world.Writer) error {
	for i := range c.Transactions {
		t := &c.Transactions[i]
		object, err := b.transaction(t)
		if err != nil {
			return fmt.Errorf("bank transaction: %w", err)
		}
		r := world.Record{ID: t.ID, At: t.Booked, Visible: t.Visible}
		if !t.Withdrawn.IsZero() {
			r.Gone = &t.Withdrawn
		}
		if r.ID == "" {
			said := sha256.Sum256([]byte(strings.Join([]string{t.Client, t.RRN, t.AuthCode, object.Amount.Amount,
				object.BookingDateTime, object.CreditDebitIndicator}, "\x00")))
			r.ID = "unnamed-" + hex.EncodeToString(said[:8])
		}
		if err := write(to, Transactions, r, object); err != nil {
			return err
		}
	}
	for i := range c.Accruals {
		a := &c.Accruals[i]
		object, err := b.accrual(a)
		if err != nil {
			return fmt.Errorf("bank accrual: %w", err)
		}
		if err := write(to, Accruals, world.Record{ID: a.ID, At: a.Changed, Visible: a.Visible}, object); err != nil {
			return err
		}
	}
	return nil
}

func write(to world.Writer, stream string, r world.Record, object any) (err error) {
	if r.Object, err = json.Marshal(object); err != nil {
		return fmt.Errorf("bank %s: %w", stream, err)
	}
	return to.Write(Source, stream, r)
}

func (b builder) transaction(t *world.BankTransaction) (*transaction, error) {
	text, err := decimal(t.Amount, t.Currency)
	if err != nil {
		return nil, err
	}
	object := &transaction{
		AccountId: accountPrefix + strings.ToLower(t.Currency), TransactionId: t.ID,
		CreditDebitIndicator: indicator(t.Direction), Status: t.Status,
		BookingDateTime: written(t.Booked, b.zone), ValueDateTime: written(t.Value, b.zone),
		TransactionInformation: cut(t.Info, 500), Amount: amount{text, t.Currency},
		BankTransactionCode: &transactionCode{"CustomerCardTransactions", "PointOfSalePayment"},
		SupplementaryData:   &supplement{Rrn: t.RRN, AuthorisationCode: t.AuthCode, ClientReference: t.Client},
	}
	if t.Direction == "credit" {
		object.BankTransactionCode.SubCode = "Reversal"
	}
	if t.Merchant != "" {
		object.MerchantDetails = &merchant{t.Merchant}
	}
	if mask := masked(t.Card); mask != "" {
		if name := scheme(t.Card.First6); name == "MIR" {
			object.SupplementaryData.CardMask = mask
		} else {
			object.CardInstrument = &card{name, mask}
		}
	}
	return object, nil
}

// cut gives the first characters of a text.
func cut(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}

func (b builder) accrual(a *world.Accrual) (*accrual, error) {
	accrued, err := decimal(a.Amount, a.Currency)
	if err != nil {
		return nil, err
	}
	purchase, err := decimal(a.Purchase, a.Currency)
	if err != nil {
		return nil, err
	}
	object := &accrual{
		AccrualId: a.ID, Revision: a.Revision, CampaignId: a.Campaign, ClientReference: a.Client,
		PaymentReference: &paymentReference{a.RRN, a.AuthCode, a.Transaction},
		PurchaseDateTime: written(a.Purchased, b.zone), PurchaseAmount: &amount{purchase, a.Currency},
		Rate: a.Rate, CapApplied: a.CapApplied, AccrualAmount: amount{accrued, a.Currency},
		CreditDebitIndicator: indicator(a.Direction), ReversalOf: a.ReversalOf,
		Status: a.Status, StatusReason: a.Reason,
		AccruedDateTime: written(a.Accrued, b.zone), PostedDateTime: written(a.Posted, b.zone),
		ReversedDateTime: written(a.Reversed, b.zone), StatusUpdateDateTime: written(a.Changed, b.zone),
	}
	if mask := masked(a.Card); mask != "" {
		object.CardInstrument = &card{scheme(a.Card.First6), mask}
	}
	return object, nil
}
