package bank

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
	"crosslift/connectors/rest"
	"crosslift/connectors/sandbox/bankapi"
	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// transactionsOf reads an answer's transactions, each as of the account that it names.
func transactionsOf(t testing.TB, version string, content []byte) (rows []table.BankTransactionRow, unknown []string) {
	t.Helper()
	sink := &connectorstest.Sink[table.BankTransactionRow]{Table: table.BankTransaction}
	s := &transactions{&client{config: API{Version: version}, env: connectors.Env{Key: key(t)}, hash: hasher{key(t)}}}
	fields := newDrift(sink)
	_, err := rest.Elements(bytes.NewReader(content), "Data.Transaction", func(v rest.Value) error {
		row, err := s.row(v.Get("AccountId").Text(), v, fields)
		if err != nil {
			return err
		}
		rows = append(rows, *row)
		return s.Table().Check(row)
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range sink.Fields {
		unknown = append(unknown, name)
	}
	slices.Sort(unknown)
	return rows, unknown
}

// TestExtract reads days of both streams: every row once, on its day, as the world has it; every request and answer
// passes the contract.
func TestExtract(t *testing.T) {
	t.Parallel()
	c := chunk(t, "2026-10-30", 4, 50)
	b := open(t, build(t, c), "2026-11-04T03:00:00+03:00", bankapi.Options{Page: 7, Campaigns: []string{"cinema"}}, nil)
	s := b.source()
	transactions, accruals := stream(t, s, "bank/transactions"), stream(t, s, "bank/accruals")
	seen := map[string]bool{}
	for i := range 4 {
		d := day(t, "2026-10-30") + table.Day(i)
		sink, err := read[table.BankTransactionRow](t, transactions, d)
		if err != nil || len(sink.Rows) != 50 || len(sink.Rejected)+len(sink.Fields) > 0 {
			t.Fatalf("%v, %d rows, %v, %v", err, len(sink.Rows), sink.Rejected, sink.Fields)
		}
		if len(sink.Cursors) != 7 { // 8 pages of two accounts
			t.Errorf("%d cursors: %v", len(sink.Cursors), sink.Cursors)
		}
		for _, r := range sink.Rows {
			if seen[r.SourceID] {
				t.Errorf("%s twice", r.SourceID)
			}
			seen[r.SourceID] = true
		}
	}
	first := &c.Transactions[1]
	sink, err := read[table.BankTransactionRow](t, transactions, day(t, "2026-10-30"))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(sink.Rows, func(r table.BankTransactionRow) bool { return r.SourceID == first.ID })
	mustHash := func(kind identifier.Kind, value string) identifier.ID {
		id, err := key(t).Hash(kind, value)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	value := table.MicrosOf(first.Value)
	want := table.BankTransactionRow{
		SourceID: first.ID, BookedAt: table.MicrosOf(first.Booked), ValueAt: &value, ClientRef: mustHash(identifier.BankClient, first.Client),
		Card: mustHash(identifier.Card, "mask//427638******5679"), RRN: mustHash(identifier.Reference, first.RRN), AuthCode: first.AuthCode,
		AmountMinor: first.Amount, Currency: "RUB", Direction: "debit", Status: "booked",
		Code: "CustomerCardTransactions/PointOfSalePayment", MerchantCode: "4899",
	}
	if got := sink.Rows[i]; fmt.Sprint(deref(got.ValueAt)) != fmt.Sprint(value) || !sameBut(got, want) {
		t.Errorf("got %+v\nexpected %+v", got, want)
	}

	current := 0
	for i := range 5 {
		d := day(t, "2026-10-30") + table.Day(i)
		sink, err := read[table.BankAccrualRow](t, accruals, d)
		if err != nil || len(sink.Rejected)+len(sink.Fields) > 0 {
			t.Fatalf("%v, %v, %v", err, sink.Rejected, sink.Fields)
		}
		current += len(sink.Rows)
		sums := map[string]int64{}
		for _, r := range sink.Rows {
			sums[r.Currency] += r.AmountMinor
		}
		for _, total := range sink.Totals {
			switch {
			case total.Measure == connectors.Rows && total.Value != int64(len(sink.Rows)),
				total.Measure != connectors.Rows && total.Value != sums[total.Currency]:
				t.Errorf("%s: %+v differs from what was read", d, total)
			}
		}
		if len(sink.Totals) != 1+len(sums) {
			t.Errorf("%s: totals %v", d, sink.Totals)
		}
	}
	if want := 200 + 67; current != want { // one a purchase, and a debit for every third
		t.Errorf("%d accruals, expected %d", current, want)
	}
	if judged := b.judge.judged.Load(); judged < 50 {
		t.Errorf("only %d answers were judged", judged)
	}
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func sameBut(a, b table.BankTransactionRow) bool {
	a.ValueAt, b.ValueAt = nil, nil
	return a == b
}

// TestAccrualRow: an accrual as it lands.
func TestAccrualRow(t *testing.T) {
	t.Parallel()
	c := chunk(t, "2026-11-03", 1, 2)
	b := open(t, build(t, c), "2026-11-04T03:00:00+03:00", bankapi.Options{}, nil)
	sink, err := read[table.BankAccrualRow](t, stream(t, b.source(), "bank/accruals"), day(t, "2026-11-03"))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(sink.Rows, func(r table.BankAccrualRow) bool { return r.Direction == "debit" })
	r, of := sink.Rows[i], c.Accruals[len(c.Accruals)-1]
	if r.SourceID != of.ID || r.ReversalOf != of.ReversalOf || r.Reason != "REFUNDED" || r.Revision != 1 || r.Campaign != "cinema" ||
		r.AmountMinor != 100 || deref(r.PurchaseMinor) != of.Purchase || deref(r.Rate) != 0.99 || deref(r.CapApplied) ||
		r.CapApplied == nil || deref(r.PurchasedAt) != table.MicrosOf(of.Purchased) || r.TransactionID != of.Transaction ||
		r.PostedAt != nil || deref(r.AccruedAt) != table.MicrosOf(of.Accrued) || r.StatusAt != table.MicrosOf(of.Changed) {
		t.Errorf("%+v of %+v", r, of)
	}
}

// TestManyAccruals reads pages between which many have changed at the same time, and goes on where it broke off.
func TestManyAccruals(t *testing.T) {
	t.Parallel()
	c := chunk(t, "2026-11-03", 1, 1000)
	for i := range c.Accruals {
		c.Accruals[i].Changed = c.Accruals[i].Changed.Truncate(time.Hour)
	}
	b := open(t, build(t, c), "2026-11-03T23:59:59+03:00", bankapi.Options{}, nil)
	s, d := stream(t, b.source(), "bank/accruals"), day(t, "2026-11-03")
	sink, err := read[table.BankAccrualRow](t, s, d)
	if err != nil || len(sink.Cursors) != 1 || len(accrualTexts(sink.Rows)) != len(sink.Rows) {
		t.Fatalf("%v, %d cursors, %d rows", err, len(sink.Cursors), len(sink.Rows))
	}
	if got := sink.Totals[0]; got != (connectors.Total{Measure: connectors.Rows, Value: int64(len(sink.Rows))}) || len(sink.Rows) != 1333 {
		t.Errorf("%d rows, totals %v", len(sink.Rows), sink.Totals)
	}
	resumed := &connectorstest.Sink[table.BankAccrualRow]{Table: s.Table(), Window: d.Window(moscow), From: sink.Cursors[0]}
	if err := s.Extract(context.Background(), d, nil, resumed); err != nil || len(resumed.Rows) != len(sink.Rows)-1000 {
		t.Errorf("%v, %d rows after the first page", err, len(resumed.Rows))
	}
}

// TestOwnKeys: an id that is no id, but tells who a person is, is hashed, and still joins.
func TestOwnKeys(t *testing.T) {
	t.Parallel()
	h := hasher{key(t)}
	for id, kept := range map[string]bool{
		"": true, "tx1": true, "123": true, "4276380012345670": true, "4276380012345679": false, "4276 3800 1234 5679": false,
		"ivan.petrov@mail.ru": false, "+79161234567": false,
	} {
		if got := h.ownKey(id); (got == id) != kept || got != h.ownKey(id) {
			t.Errorf("%q became %q", id, got)
		}
	}
	for written, ok := range map[string]bool{
		"220012******1234": true, "2200 12** **** 1234": true, "22001234****1234": true, "220012xxxxxx1234": true, "220012••••••1234": true,
		"2200123456781234": false, "220012*1234": false, "22001*******1234": false, "220012**********1234": false, "220012******123": false,
		"220012******12345": false, "": false, "******1234": false, "220012******": false,
	} {
		if got := h.card(written); got.IsZero() == ok || ok && got != h.card("220012******1234") {
			t.Errorf("%q: %s", written, got)
		}
	}
}

// TestOneAccount reads the account that is configured without a list.
func TestOneAccount(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	b := open(t, build(t, chunk(t, "2026-11-03", 1, 20)), "2026-11-04T03:00:00+03:00", bankapi.Options{}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/accounts") {
				asked.Add(1)
			}
			next.ServeHTTP(w, r)
		})
	})
	b.config.Account = "cashback-kwd"
	sink, err := read[table.BankTransactionRow](t, stream(t, b.source(), "bank/transactions"), day(t, "2026-11-03"))
	if err != nil || len(sink.Rows) != 4 || asked.Load() > 0 || sink.Rows[0].AmountMinor != 12345 {
		t.Errorf("%v, %d rows, %d lists", err, len(sink.Rows), asked.Load())
	}
}

// TestBareAnswers reads the least that the standard demands of answers: no links, no list where there is nothing, an
// account of which only the id is told; and what it leaves open.
func TestBareAnswers(t *testing.T) {
	t.Parallel()
	answers := map[string]string{
		"accounts": `{"Data":{"Account":[{"AccountId":"a"},{"AccountId":"b"}],"Owner":"x"}}`,
		"a":        `{"Data":{}}`,
		"b": `{"Data":{"Transaction":[{"AccountId":"b","CreditDebitIndicator":"Debit","Status":"Booked","BookingDateTime":"2026-11-03T10:00:00Z",` +
			`"Amount":{"Amount":"1","Currency":"RUB","Unit":"major"},"CreditorAccount":{},"MerchantDetails":{},"BankTransactionCode":{"Code":"","SubCode":""}}]}}`,
	}
	for name, schema := range map[string]string{"accounts": "Accounts", "a": "Transactions", "b": "Transactions"} {
		if err := judged(t, ours(t, schema), []byte(answers[name])); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	b := open(t, build(t, &world.Chunk{}), "2026-11-04T03:00:00+03:00", bankapi.Options{}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/token" {
				next.ServeHTTP(w, r)
				return
			}
			parts := strings.Split(strings.TrimSuffix(r.URL.Path, "/transactions"), "/")
			w.Write([]byte(answers[parts[len(parts)-1]]))
		})
	})
	sink, err := read[table.BankTransactionRow](t, stream(t, b.source(), "bank/transactions"), day(t, "2026-11-03"))
	if err != nil || len(sink.Rows) != 1 || sink.Rows[0].AmountMinor != 100 || len(sink.Rejected) > 0 {
		t.Errorf("%v, %d rows, %v", err, len(sink.Rows), sink.Rejected)
	}
}

// TestZones: a business whose days are others than the bank's, and of 23 and 25 hours, still has every row once, in a
// bank that ignores the offsets of booking times.
func TestZones(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, first := range []string{"2026-10-24", "2026-03-28"} { // the clocks change on the second day
		b := open(t, build(t, chunk(t, first, 4, 96)), "2026-12-01T00:00:00Z", bankapi.Options{}, nil)
		b.config.TimeZone = "Europe/Moscow"
		s := b.with(Config{API: &b.config}, berlin)
		var hours []string
		transactions, accruals := map[string]bool{}, 0
		for d := day(t, first) - 1; d < day(t, first)+6; d++ {
			window := d.Window(berlin)
			mine := &connectorstest.Sink[table.BankTransactionRow]{Table: table.BankTransaction, Window: window}
			if err := stream(t, s, "bank/transactions").Extract(context.Background(), d, nil, mine); err != nil {
				t.Fatal(err)
			}
			for _, r := range mine.Rows {
				if transactions[r.SourceID] {
					t.Errorf("%s twice", r.SourceID)
				}
				transactions[r.SourceID] = true
			}
			changed := &connectorstest.Sink[table.BankAccrualRow]{Table: table.BankAccrual, Window: window}
			if err := stream(t, s, "bank/accruals").Extract(context.Background(), d, nil, changed); err != nil || len(changed.Totals) > 0 {
				t.Fatal(err, changed.Totals)
			}
			accruals += len(changed.Rows)
			hours = append(hours, fmt.Sprint(window.To.Sub(window.From).Hours()))
		}
		if len(transactions) != 4*96 || accruals != 4*96+4*32 {
			t.Errorf("%s: %d transactions, %d accruals, in days of %s hours", first, len(transactions), accruals, hours)
		}
	}
}

// TestTransactionRows: what is wrong with a transaction, each once.
func TestTransactionRows(t *testing.T) {
	t.Parallel()
	const good = `{"AccountId":"a","TransactionId":"t","CreditDebitIndicator":"Debit","Status":"Booked",` +
		`"BookingDateTime":"2026-11-03T10:00:00+03:00","Amount":{"Amount":"10.0000","Currency":"RUB"}}`
	s := &transactions{&client{config: API{Version: "v3.1"}, env: connectors.Env{Key: key(t)}, hash: hasher{key(t)}}}
	for _, c := range []struct{ from, to, want string }{
		{"", "", ""},
		{`10.0000`, `10.001`, "Amount: expected at most 2 decimals"},
		{`10.0000`, `-10.00`, "Amount: expected an amount such as 12.50: up to 13 digits, up to 5 decimals, no sign"},
		{`10.0000`, `10.000000`, "Amount: expected an amount such as 12.50: up to 13 digits, up to 5 decimals, no sign"},
		{`10.0000`, `12345678901234`, "Amount: expected an amount such as 12.50: up to 13 digits, up to 5 decimals, no sign"},
		{`10.0000`, `10.`, "Amount: expected an amount such as 12.50: up to 13 digits, up to 5 decimals, no sign"},
		{`"10.0000"`, `10.0000`, "Amount.Amount: expected text"},
		{`"10.0000"`, `null`, "Amount.Amount: required, but missing"},
		{`RUB`, `RUR`, "Amount: expected an ISO 4217 currency code, such as EUR"},
		{`10.0000","Currency":"RUB`, `10.0","Currency":"JPY`, ""},
		{`10.0000","Currency":"RUB`, `10.5","Currency":"JPY`, "Amount: expected a whole number"},
		{`10.0000","Currency":"RUB`, `10.12300","Currency":"KWD`, ""},
		{`"Debit"`, `"debit"`, "CreditDebitIndicator: expected Credit or Debit"},
		{`"CreditDebitIndicator":"Debit",`, ``, "CreditDebitIndicator: required, but missing"},
		{`"Booked"`, `"BOOK"`, "Status: expected one of version v3.1"},
		{`"a"`, `"b"`, "AccountId: expected the account that was asked for"},
		{`+03:00`, ``, "BookingDateTime: expected a time such as 2006-01-02T15:04:05+03:00"},
		{`"t"`, `"` + strings.Repeat("x", 900) + `"`, "TransactionId: expected an id of up to 210 characters"},
		{`"t"`, `"t","ValueDateTime":"tomorrow"`, "ValueDateTime: expected a time such as 2006-01-02T15:04:05+03:00"},
		{`"t"`, `"t","SupplementaryData":{"Rrn":5}`, "SupplementaryData.Rrn: expected text"},
		{good, `[]`, "Transaction: expected an object"},
	} {
		row, err := s.row("a", rest.Value(strings.Replace(good, c.from, c.to, 1)), newDrift(connectorstest.Discard{}))
		if got := fmt.Sprint(err); c.want == "" && (err != nil || s.Table().Check(row) != nil) || c.want != "" && got != c.want {
			t.Errorf("%s: %s, expected %s", c.to, got, c.want)
		}
	}
	unnamed := strings.Replace(good, `"TransactionId":"t",`, ``, 1)
	id := func(text string) string {
		row, err := s.row("a", rest.Value(text), newDrift(connectorstest.Discard{}))
		if err != nil {
			t.Fatal(err)
		}
		return row.SourceID
	}
	one := id(unnamed)
	if !strings.HasPrefix(one, "unnamed-") || one != id(unnamed) || one == id(strings.Replace(unnamed, "10.0000", "11.0000", 1)) ||
		one == id(strings.Replace(unnamed, `{"Acc`, `{"TransactionInformation":"x","Acc`, 1)) {
		t.Errorf("the id of an entry without one: %s", one)
	}
}

// TestVersion4 reads the codes of v4.0, from its address.
func TestVersion4(t *testing.T) {
	t.Parallel()
	rows, unknown := transactionsOf(t, "v4.0", []byte(`{"Data":{"Transaction":[
		{"AccountId":"a","TransactionId":"1","CreditDebitIndicator":"Debit","Status":"BOOK","BookingDateTime":"2026-11-03T10:00:00Z","Amount":{"Amount":"1","Currency":"RUB"}},
		{"AccountId":"a","TransactionId":"2","CreditDebitIndicator":"Debit","Status":"FUTR","BookingDateTime":"2026-11-03T10:00:00Z","Amount":{"Amount":"1","Currency":"RUB"},
		 "New.Field":{"x":1},"New.Field":2,"Имя":"x","MerchantDetails":{"MerchantName":"x","Loyalty":"y"}}]}}`))
	if len(rows) != 2 || rows[0].Status != "booked" || rows[1].Status != "future" ||
		fmt.Sprint(unknown) != "[(unprintable) MerchantDetails.Loyalty New.Field]" {
		t.Errorf("%+v, %v", rows, unknown)
	}
	paths := make(chan string, 10)
	b := open(t, build(t, &world.Chunk{}), "2026-11-04T03:00:00+03:00", bankapi.Options{}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if paths <- r.URL.Path; r.URL.Path == "/token" {
				next.ServeHTTP(w, r)
				return
			}
			w.Write([]byte(`{"Data":{"Transaction":[]},"Links":{"Self":"https://x"}}`))
		})
	})
	b.config.Version, b.config.Account = "v4.0", "a"
	if _, err := read[table.BankTransactionRow](t, stream(t, b.source(), "bank/transactions"), day(t, "2026-11-03")); err != nil {
		t.Fatal(err)
	}
	if <-paths; <-paths != "/open-banking/v4.0/aisp/accounts/a/transactions" {
		t.Error("another address")
	}
}

// TestAccrualRows: what is wrong with an accrual, each once; the days' totals leave out sums then.
func TestAccrualRows(t *testing.T) {
	t.Parallel()
	const good = `{"AccrualId":"x","Revision":1,"CampaignId":"cinema","AccrualAmount":{"Amount":"1.00","Currency":"RUB"},"CreditDebitIndicator":"Credit",` +
		`"Status":"Posted","AccruedDateTime":"2026-11-03T10:00:00Z","StatusUpdateDateTime":"2026-11-03T10:00:00Z"}`
	s := &accruals{&client{config: API{Campaign: "cinema"}, env: connectors.Env{Key: key(t)}, hash: hasher{key(t)}}}
	for _, c := range []struct{ from, to, want string }{
		{"", "", ""},
		{`"Revision":1`, `"Revision":"1"`, "Revision: expected a whole number"},
		{`"Revision":1`, `"Revision":-1`, "Revision: expected a number from 1"},
		{`"Revision":1,`, ``, "Revision: required, but missing"},
		{`"cinema"`, `"theatre"`, "CampaignId: expected the campaign that was asked for"},
		{`"1.00"`, `"-1.00"`, "AccrualAmount: expected an amount such as 12.50: up to 13 digits, up to 5 decimals, no sign"},
		{`"Posted"`, `"Paid"`, "Status: expected Accrued, Posted, Reversed or Rejected"},
		{`"Posted"`, `"Posted","StatusReason":"because"`, "StatusReason: expected CAP_REACHED, NOT_ELIGIBLE, DUPLICATE, REFUNDED, CHARGEBACK, EXPIRED, MANUAL or nothing"},
		{`"Posted"`, `"Posted","Rate":"99%"`, "Rate: expected a share such as 0.9900"},
		{`"Posted"`, `"Posted","CapApplied":"perhaps"`, "CapApplied: expected true or false"},
		{`"Posted"`, `"Posted","PurchaseAmount":{"Amount":"1.001","Currency":"RUB"}`, "PurchaseAmount: expected at most 2 decimals"},
		{`"Posted"`, `"Posted","PurchaseAmount":{"Currency":"RUB"}`, "PurchaseAmount.Amount: required, but missing"},
		{`"Posted"`, `"Posted","PostedDateTime":"x"`, "PostedDateTime: expected a time such as 2006-01-02T15:04:05+03:00"},
		{`"AccrualId":"x",`, ``, "AccrualId: required, but missing"},
		{`"StatusUpdateDateTime":"2026-11-03T10:00:00Z"`, `"StatusUpdateDateTime":null`, "StatusUpdateDateTime: required, but missing"},
		{good, `5`, "Accrual: expected an object"},
	} {
		row, err := s.row(rest.Value(strings.Replace(good, c.from, c.to, 1)), newDrift(connectorstest.Discard{}))
		if got := fmt.Sprint(err); c.want == "" && (err != nil || s.Table().Check(row) != nil) || c.want != "" && got != c.want {
			t.Errorf("%s: %s, expected %s", c.to, got, c.want)
		}
	}
}

// TestConfig: what is wrong with a configuration, each with its field.
func TestConfig(t *testing.T) {
	t.Parallel()
	b := open(t, build(t, &world.Chunk{}), "2026-11-04T03:00:00+03:00", bankapi.Options{}, nil)
	negative := -1
	for want, c := range map[string]func(*Config){
		"expected api, registry or both":                    func(c *Config) { c.API = nil },
		"api.url: required":                                 func(c *Config) { c.API.Base = "http://bank.example" },
		"api.client_id: required":                           func(c *Config) { c.API.ClientID = "" },
		"api.certificate: required":                         func(c *Config) { c.API.Certificate = API{}.Certificate },
		"api.key: required":                                 func(c *Config) { c.API.Key = API{}.Key },
		"api.version: expected v3.1 or v4.0":                func(c *Config) { c.API.Version = "3" },
		"api.account: expected the AccountId":               func(c *Config) { c.API.Account = "../x" },
		"api.campaign: expected the CampaignId":             func(c *Config) { c.API.Campaign = "a/b" },
		"api.campaign: required where no transactions":      func(c *Config) { c.API.NoTransactions, c.API.Campaign = true, "" },
		"api.time_zone: \"Mars\" is no time zone":           func(c *Config) { c.API.TimeZone = "Mars" },
		"api.restatement: expected a number of days":        func(c *Config) { c.API.Restatement = &negative },
		"api.campaign: the registry gives the accruals":     func(c *Config) { c.Registry = &Registry{Campaign: "cinema"} },
		"registry.campaign: required":                       func(c *Config) { c.Registry = &Registry{} },
		"registry.encoding: expected utf-8 or":              func(c *Config) { c.Registry = &Registry{Campaign: "c", Encoding: "koi8-r"} },
		"registry.bom: only utf-8 has":                      func(c *Config) { c.Registry = &Registry{Campaign: "c", Encoding: "windows-1251", BOM: true} },
		"registry.prefix: expected the start of a path":     func(c *Config) { c.Registry = &Registry{Campaign: "c", Prefix: "../in/"} },
		"registry.restatement: expected a number of days":   func(c *Config) { c.Registry = &Registry{Campaign: "c", Restatement: &negative} },
		"registry: there is no store that its files lie in": func(c *Config) { c.Registry, c.API = &Registry{Campaign: "c"}, nil },
	} {
		api := b.config
		config := Config{API: &api}
		c(&config)
		_, err := New(config, connectors.Env{Key: key(t), Zone: moscow, Now: time.Now})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %s", err, want)
		}
	}
	for _, s := range b.source().Streams() {
		if s.Restatement() != 7 || s.Versioned() || s.Quarantine() != 0.01 || len(s.Definition()) != 64 {
			t.Errorf("%s: not as it is documented", s.Name())
		}
	}
}

// TestCheck finds nothing wrong with a bank as it should be, and says what is wrong else.
func TestCheck(t *testing.T) {
	t.Parallel()
	b := open(t, build(t, chunk(t, table.DayOf(time.Now(), moscow).String(), 1, 1)), time.Now().Format(time.RFC3339), bankapi.Options{Campaigns: []string{"cinema"}}, nil)
	for _, f := range b.source().Check(context.Background()) {
		if f.Problem != nil {
			t.Errorf("%s: %v", f.What, f.Problem)
		}
	}
	b.config.Account = "closed"
	if found := b.source().Check(context.Background()); found[0].Problem == nil || !strings.Contains(found[0].Remedy, "Compare base, version, account") {
		t.Errorf("an account that there is not: %+v", found[0])
	}
	b.config.Account, b.config.Campaign = "", "theatre"
	found := b.source().Check(context.Background())
	if len(found) != 3 || found[0].Problem != nil || found[1].Problem == nil || found[1].Remedy == "" || !errors.Is(found[1].Problem, connectors.ErrContract) {
		t.Errorf("%+v", found)
	}
}
