package bank

import (
	"errors"

	"crosslift/connectors/rest"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// accrual is what is read of one.
type accrual struct {
	object
	id, campaign, client, card, rrn, auth, transaction string
	purchasedAt, rate, indicator, reversalOf, status   string
	reason, accruedAt, postedAt, reversedAt, statusAt  string
	revision                                           int64
	purchase, amount                                   moneyText
	capApplied                                         *bool
}

// row makes a row of an accrual.
func (a *accruals) row(v rest.Value, fields *drift) (*table.BankAccrualRow, error) {
	r := accrual{object: object{drift: fields}}
	r.read(v)
	r.need("AccrualId", r.id != "")
	r.need("Revision", r.revision != 0)
	r.need("CampaignId", r.campaign != "")
	r.need("AccrualAmount", r.amount != moneyText{})
	r.need("CreditDebitIndicator", r.indicator != "")
	r.need("Status", r.status != "")
	r.need("StatusUpdateDateTime", r.statusAt != "")
	if r.problem != nil {
		return nil, r.problem
	}
	row := &table.BankAccrualRow{
		SourceID: a.hash.ownKey(r.id), Revision: r.revision, Campaign: r.campaign,
		ClientRef: a.hash.id(identifier.BankClient, r.client), Card: a.hash.card(r.card),
		RRN: a.hash.id(identifier.Reference, r.rrn), AuthCode: authCode(r.auth), TransactionID: a.hash.ownKey(r.transaction),
		PurchaseCurrency: r.purchase.currency, CapApplied: r.capApplied,
		AmountMinor: r.minor("AccrualAmount", r.amount), Currency: r.amount.currency, Direction: r.direction(r.indicator),
		Status: accrualStatus[r.status], Reason: r.reason, ReversalOf: a.hash.ownKey(r.reversalOf),
	}
	var err error
	check := func(path string, err error) {
		if err != nil {
			r.fail(path, err)
		}
	}
	check("AccrualId", opaque(r.id, maxID))
	if r.reversalOf != "" {
		check("ReversalOf", opaque(r.reversalOf, maxID))
	}
	if r.transaction != "" {
		check("PaymentReference.TransactionId", opaque(r.transaction, 210))
	}
	if r.purchase != (moneyText{}) {
		minor := r.minor("PurchaseAmount", r.purchase)
		row.PurchaseMinor = &minor
	}
	if r.rate != "" {
		row.Rate, err = rate(r.rate)
		check("Rate", err)
	}
	row.StatusAt, err = instant(r.statusAt)
	check("StatusUpdateDateTime", err)
	row.PurchasedAt, err = optionalInstant(r.purchasedAt)
	check("PurchaseDateTime", err)
	row.AccruedAt, err = optionalInstant(r.accruedAt)
	check("AccruedDateTime", err)
	row.PostedAt, err = optionalInstant(r.postedAt)
	check("PostedDateTime", err)
	row.ReversedAt, err = optionalInstant(r.reversedAt)
	check("ReversedDateTime", err)
	switch {
	case row.Revision < 1:
		r.fail("Revision", errors.New("expected a number from 1"))
	case row.Campaign != a.config.Campaign:
		r.fail("CampaignId", errors.New("expected the campaign that was asked for"))
	case row.Status == "":
		r.fail("Status", errStatus)
	case !accrualReason[row.Reason]:
		r.fail("StatusReason", errReason)
	}
	return row, r.problem
}

// read takes from an accrual what rows are made of.
func (r *accrual) read(v rest.Value) {
	if v.Kind() != '{' {
		r.fail("Accrual", errObject)
		return
	}
	for name, m := range v.Members() {
		switch string(name) {
		case "AccrualId":
			r.id = r.text("AccrualId", m)
		case "Revision":
			r.revision = r.number("Revision", m)
		case "CampaignId":
			r.campaign = r.text("CampaignId", m)
		case "ClientReference":
			r.client = r.text("ClientReference", m)
		case "CardInstrument":
			r.card = m.Get("Identification").Text()
			r.drift.members("CardInstrument.", m, "CardSchemeName", "Identification", "PanReference")
		case "PaymentReference":
			r.rrn, r.auth = m.Get("Rrn").Text(), m.Get("AuthorisationCode").Text()
			r.transaction = m.Get("TransactionId").Text()
			r.drift.members("PaymentReference.", m, "Rrn", "AuthorisationCode", "Arn", "MerchantId", "TerminalId", "TransactionId")
		case "PurchaseDateTime":
			r.purchasedAt = r.text("PurchaseDateTime", m)
		case "PurchaseAmount":
			r.purchase = r.money("PurchaseAmount", m)
		case "Rate":
			r.rate = r.text("Rate", m)
		case "CapApplied":
			if !m.Absent() {
				applied, ok := m.Bool()
				if r.capApplied = &applied; !ok {
					r.fail("CapApplied", errors.New("expected true or false"))
				}
			}
		case "AccrualAmount":
			r.amount = r.money("AccrualAmount", m)
		case "CreditDebitIndicator":
			r.indicator = r.text("CreditDebitIndicator", m)
		case "ReversalOf":
			r.reversalOf = r.text("ReversalOf", m)
		case "Status":
			r.status = r.text("Status", m)
		case "StatusReason":
			r.reason = r.text("StatusReason", m)
		case "AccruedDateTime":
			r.accruedAt = r.text("AccruedDateTime", m)
		case "PostedDateTime":
			r.postedAt = r.text("PostedDateTime", m)
		case "ReversedDateTime":
			r.reversedAt = r.text("ReversedDateTime", m)
		case "StatusUpdateDateTime":
			r.statusAt = r.text("StatusUpdateDateTime", m)
		case "PostingTransactionId":
		default:
			r.drift.unknown("", name)
		}
	}
}
