package bank

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// contract is a document that requests and answers are held against.
type contract struct {
	name   string
	prefix string // what the addresses start with that it is about
	doc    *openapi3.T
	links  []string // query parameters that it does not know: the bank's own, in the addresses of Links
}

const aispPrefix = "/open-banking/v3.1/aisp"

// contracts are the two documents in openapi/ and, where it is at hand, the standard's own.
var contracts = sync.OnceValues(func() ([]contract, error) {
	all := []contract{
		{name: "aisp.yaml", prefix: aispPrefix, links: []string{"page"}},
		{name: "accruals.yaml", prefix: "/partner/v1"},
	}
	for i := range all {
		doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join("openapi", all[i].name))
		if err == nil {
			err = doc.Validate(context.Background())
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", all[i].name, err)
		}
		all[i].doc = doc
	}
	if file := standardFile(); file != "" { // not validated: the library knows rules of documents that it breaks
		doc, err := openapi3.NewLoader().LoadFromFile(file)
		if err != nil {
			return nil, fmt.Errorf("the standard's document: %w", err)
		}
		all = append(all, contract{name: filepath.Base(file), prefix: aispPrefix, doc: doc, links: []string{"page"}})
	}
	return all, nil
})

// standardFile is where the standard's own document lies, "" where it does not: what CROSSLIFT_OPENBANKING names, or
// else a file of the data sets.
func standardFile() string {
	if file := os.Getenv("CROSSLIFT_OPENBANKING"); file != "" {
		return file
	}
	if root := os.Getenv("CROSSLIFT_DATA"); root != "" {
		file := filepath.Join(root, "payloads", "openbanking", "account-info-openapi.json")
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	return ""
}

func init() {
	openapi3.DefineStringFormatValidator("uri", openapi3.NewCallbackValidator(func(text string) error {
		if u, err := url.Parse(text); err != nil || !u.IsAbs() {
			return errors.New("expected an absolute address")
		}
		return nil
	}))
}

// ours is the schema of a name in aisp.yaml.
func ours(t testing.TB, name string) *openapi3.Schema {
	t.Helper()
	all, err := contracts()
	if err != nil {
		t.Fatal(err)
	}
	return all[0].doc.Components.Schemas[name].Value
}

func payload(t testing.TB, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata/openbanking", file))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func judged(t testing.TB, s *openapi3.Schema, content []byte) error {
	t.Helper()
	var value any
	if err := json.Unmarshal(content, &value); err != nil {
		t.Fatal(err)
	}
	return s.VisitJSON(value, openapi3.MultiErrors())
}

// TestOfficialPayloads: the example payloads of the standard pass our description of it, and are read. One of them
// writes a day in a way of its own, which the standard's document rules out as well.
func TestOfficialPayloads(t *testing.T) {
	t.Parallel()
	for file, schema := range map[string]string{
		"Transactions.00.json": "Transactions", "Transactions.01.json": "Transactions",
		"Accounts.00.json": "Accounts", "Accounts.02.json": "Accounts",
	} {
		content := payload(t, file)
		if file == "Accounts.00.json" {
			if err := judged(t, ours(t, schema), content); err == nil || !strings.Contains(err.Error(), "/Data/Account/0/OpeningDate") {
				t.Errorf("%s: %v, expected its OpeningDate to be wrong", file, err)
			}
			content = bytes.Replace(content, []byte("01-05-2002"), []byte("2002-05-01T00:00:00+00:00"), 1)
		}
		if err := judged(t, ours(t, schema), content); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	rows, unknown := transactionsOf(t, "v3.1", payload(t, "Transactions.00.json"))
	if len(rows) != 1 || len(unknown) > 0 {
		t.Fatalf("%v, %v", rows, unknown)
	}
	r := rows[0]
	if r.SourceID != "123" || r.AmountMinor != 1000 || r.Currency != "GBP" || r.Direction != "credit" || r.Status != "booked" ||
		r.Code != "ReceivedCreditTransfer/DomesticCreditTransfer" || !r.BookedAt.Time().Equal(at(t, "2017-04-05T10:43:07Z")) {
		t.Errorf("%+v", r)
	}
}

// TestContract: what the contract lets pass and what it does not, as changes to the standard's examples.
func TestContract(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		schema, from, to string
		passes           bool
	}{
		{"Transactions", `"Meta": {`, `"Meta": {"TotalPages": 2, "Pages": 2}, "More": {`, false},
		{"Transactions", `"Self"`, `"self"`, false},
		{"Transactions", `"Self": "https:`, `"Self": "`, false},
		{"Transactions", `"TransactionId"`, `"Id"`, false},
		{"Transactions", `"123"`, `""`, false},
		{"Transactions", `"123"`, `"` + strings.Repeat("x", 211) + `"`, false},
		{"Transactions", `"TransactionId": "123",`, ``, true},
		{"Transactions", `"Booked"`, `"BOOK"`, false},
		{"Transactions", `"10.00"`, `"-10.00"`, false},
		{"Transactions", `"10.00"`, `"1234567890123.12345"`, true},
		{"Transactions", `"10.00",`, `"10.00", "Unit": "major",`, true},
		{"Transactions", `"GBP"`, `"gbp"`, false},
		{"Transactions", `"Cash from Aubrey"`, `""`, false},
		{"Transactions", `10:43:07+00:00`, `10:43:07`, false},
		{"Transactions", `"Code": "ReceivedCreditTransfer",`, `"Family": "x",`, false},
		{"Transactions", `"Code": "ReceivedCreditTransfer",`, `"Code": "x", "Family": "x",`, true},
		{"Transactions", `"InterimBooked"`, `"Now"`, false},
		{"Transactions", `"AccountId"`, `"MerchantDetails": {"MerchantCategoryCode": "48"}, "AccountId"`, false},
		{"Transactions", `"AccountId"`, `"MerchantDetails": {"Loyalty": "x"}, "AccountId"`, true},
		{"Transactions", `"AccountId"`, `"CreditorAccount": {"Name": "x"}, "AccountId"`, true},
		{"Transactions", `"AccountId"`, `"CreditorAgent": {"PostalAddress": {"Country": "GBR"}}, "AccountId"`, false},
		{"Transactions", `"AccountId"`, `"CardInstrument": {"CardSchemeName": "MIR"}, "AccountId"`, false},
		{"Transactions", `"AccountId"`, `"CardInstrument": {"CardSchemeName": "VISA", "Token": "x"}, "AccountId"`, false},
		{"Transactions", `"AccountId"`, `"CurrencyExchange": {"SourceCurrency": "RUB"}, "AccountId"`, false},
		{"Transactions", `"AccountId"`, `"SupplementaryData": {"Rrn": "x"}, "AccountId"`, true},
		{"Accounts", `"AccountType": "Personal",`, ``, true},
		{"Accounts", `"Enabled"`, `"Open"`, false},
		{"Accounts", `"CurrentAccount"`, `"Current"`, false},
		{"Accounts", `"Bills"`, `"Bills", "Owner": "x"`, false},
		{"Accounts", `"Bills"`, `"Bills", "Servicer": {"SchemeName": "UK.OBIE.BICFI"}`, false},
	} {
		file := map[string]string{"Transactions": "Transactions.00.json", "Accounts": "Accounts.02.json"}[c.schema]
		content := payload(t, file)
		changed := bytes.Replace(content, []byte(c.from), []byte(c.to), 1)
		if bytes.Equal(content, changed) {
			t.Errorf("%s has no %s", file, c.from)
		}
		if err := judged(t, ours(t, c.schema), changed); (err == nil) != c.passes {
			t.Errorf("%s for %s: %v", c.to, c.from, err)
		}
	}
	for text, passes := range map[string]bool{
		`{"Data":{}}`: true, `{"Data":{"Transaction":[]}}`: true, `{}`: false, `{"Data":{"Entry":[]}}`: false,
	} {
		if err := judged(t, ours(t, "Transactions"), []byte(text)); (err == nil) != passes {
			t.Errorf("%s: %v", text, err)
		}
	}
}
