package bank

import (
	"bytes"
	"strings"
	"testing"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
	"crosslift/connectors/rest"
	"crosslift/schemas/table"
)

// FuzzTransaction and FuzzAccrual: whatever an object holds, it becomes a row that keeps the contract, or is rejected
// with a reason that holds nothing of it.
func FuzzTransaction(f *testing.F) {
	f.Add([]byte(`{"AccountId":"a","TransactionId":"t","CreditDebitIndicator":"Debit","Status":"Booked","BookingDateTime":"2026-11-03T10:00:00+03:00","Amount":{"Amount":"10.00","Currency":"RUB"}}`))
	f.Add([]byte(`{"Amount":5,"SupplementaryData":{"Rrn":null},"CardInstrument":[]}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		s := &transactions{&client{config: API{Version: "v3.1"}, env: connectors.Env{Key: key(t)}, hash: hasher{key(t)}}}
		fuzz(t, content, func(v rest.Value, d *drift) (any, error) {
			row, err := s.row("a", v, d)
			return row, err
		}, s.Table())
	})
}

func FuzzAccrual(f *testing.F) {
	f.Add([]byte(`{"AccrualId":"x","Revision":1,"CampaignId":"cinema","AccrualAmount":{"Amount":"1.00","Currency":"RUB"},"CreditDebitIndicator":"Credit","Status":"Posted","StatusUpdateDateTime":"2026-11-03T10:00:00Z","Rate":"0.99"}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		s := &accruals{&client{config: API{Campaign: "cinema"}, env: connectors.Env{Key: key(t)}, hash: hasher{key(t)}}}
		fuzz(t, content, func(v rest.Value, d *drift) (any, error) {
			row, err := s.row(v, d)
			return row, err
		}, s.Table())
	})
}

func fuzz(t *testing.T, content []byte, row func(rest.Value, *drift) (any, error), to *table.Table) {
	list := append(append([]byte("["), content...), ']')
	_, _ = rest.Elements(bytes.NewReader(list), "", func(v rest.Value) error {
		got, err := row(v, newDrift(connectorstest.Discard{}))
		switch {
		case err != nil:
			if text := err.Error(); len(text) > 200 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("reason %q", text)
			}
		case to.Check(got) != nil:
			t.Errorf("%v", to.Check(got))
		}
		return nil
	})
}

// FuzzAmount: an amount is read as its digits say, and never with a sign.
func FuzzAmount(f *testing.F) {
	f.Add("10.00", "RUB")
	f.Add("9999999999999.99999", "KWD")
	f.Fuzz(func(t *testing.T, text, currency string) {
		if n, err := amount(text, currency); err == nil && (n < 0 || len(text) > 19 || strings.ContainsAny(text, "+-eE ")) {
			t.Errorf("%q %s: %d", text, currency, n)
		}
	})
}

// BenchmarkTransaction is the cost of a row: from JSON to hashed columns.
func BenchmarkTransaction(b *testing.B) {
	content := []byte(`{"AccountId":"cashback-rub","TransactionId":"tx000001","CreditDebitIndicator":"Debit","Status":"Booked","BookingDateTime":"2026-11-03T10:00:00+03:00",` +
		`"ValueDateTime":"2026-11-03T11:00:00+03:00","TransactionInformation":"free text","Amount":{"Amount":"299.00","Currency":"RUB"},` +
		`"BankTransactionCode":{"Code":"CustomerCardTransactions","SubCode":"PointOfSalePayment"},"MerchantDetails":{"MerchantCategoryCode":"4899"},` +
		`"SupplementaryData":{"Rrn":"612300000001","AuthorisationCode":"A00001","ClientReference":"client-00000001","CardMask":"220012******1234"}}`)
	s := &transactions{&client{config: API{Version: "v3.1"}, env: connectors.Env{Key: key(b)}, hash: hasher{key(b)}}}
	d := newDrift(connectorstest.Discard{})
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.row("cashback-rub", content, d); err != nil {
			b.Fatal(err)
		}
	}
}
