package bank

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"crosslift/connectors"
	"crosslift/connectors/sandbox/bankapi"
	"crosslift/schemas/table"
)

// TestPersonalData: what is planted in every field that a bank has, known or not, in names, in rows that are wrong and
// in errors, is found in no row, reason, cursor, announcement, error or log.
func TestPersonalData(t *testing.T) {
	t.Parallel()
	quoted, _ := json.Marshal(personalText)
	poison := `"MerchantDetails":{"MerchantName":` + string(quoted) + `,"ivan.petrov@mail.ru":1},"CreditorAccount":{"SchemeName":"x","Identification":"40817810099910004312","Name":"Ivan Petrov"},` +
		`"DebtorAccount":{"SchemeName":"x","Identification":"40817810099910004312","Name":"Ivan Petrov"},"TransactionReference":` + string(quoted) + `,"AddressLine":` + string(quoted) + `,` +
		`"CardInstrument":{"CardSchemeName":"VISA","Name":"Ivan Petrov","Identification":"4276380012345679"},"Note":` + string(quoted) + `,"+7 (916) 123-45-67":"x","Ivan Petrov":{"Иван Петров":1},` +
		`"BankTransactionCode":{"Code":` + string(quoted) + `,"SubCode":` + string(quoted) + `},"SupplementaryData":{"Rrn":"4276380012345679","AuthorisationCode":` + string(quoted) + `,"ClientReference":"Ivan Petrov","4276380012345679":1},`
	n := 0
	around := func(next http.Handler) http.Handler {
		return rewritten(next, func(_ bool, list []json.RawMessage) []json.RawMessage {
			for i := range list {
				text := "{" + poison + string(list[i][1:])
				switch n++; n % 7 {
				case 1: // an amount, a status, a time and an id that are none
					text = strings.Replace(text, `"Amount":"`, `"Amount":"Ivan Petrov`, 1)
				case 2:
					text = strings.Replace(text, `"Status":"`, `"Status":"Ivan Petrov`, 1)
				case 3:
					text = strings.Replace(text, `DateTime":"`, `DateTime":"ivan.petrov@mail.ru`, 1)
				case 4:
					text = strings.Replace(text, `"Currency":"`, `"Currency":"4276380012345679`, 1)
				}
				list[i] = json.RawMessage(text)
			}
			return list
		})
	}
	b := open(t, build(t, chunk(t, "2026-11-03", 1, 40)), night, bankapi.Options{Page: 10}, around)
	s := b.source()
	for _, name := range []string{"bank/transactions", "bank/accruals"} {
		found := &everything{table: stream(t, s, name).Table()}
		if err := stream(t, s, name).Extract(context.Background(), day(t, "2026-11-03"), nil, found); err != nil {
			t.Fatal(err)
		}
		if found.rows == 0 || found.rejected == 0 || found.fields < 3 {
			t.Errorf("%s: %d rows, %d rejected, %d fields", name, found.rows, found.rejected, found.fields)
		}
		clean(t, found.text.String())
	}
	clean(t, b.log.String())

	dir := t.TempDir()
	for seq, change := range []func(string) string{
		func(s string) string { return strings.Replace(s, "Accrued;;", "Accrued;Ivan Petrov;", 1) },
		func(s string) string { return strings.Replace(s, "A00001", "ivan.petrov@mail.ru", 1) },
		func(s string) string { return strings.Replace(s, "220012******1234", "4276380012345679", 1) },
		func(s string) string { return strings.Replace(s, "612300000001", "4276 3800 1234 5679", 1) },
		func(s string) string { return strings.Replace(s, "296.01", "Ivan Petrov", 1) },
		func(s string) string { return strings.Replace(s, "RUB", "Ivan Petrov", 1) },
		func(s string) string { return strings.Replace(s, "bank1", "Ivan Petrov", 1) },
		func(s string) string { return strings.Replace(s, "TD;", "Ivan Petrov;", 1) },
	} {
		content := change(strings.Replace(good7, ";7;", fmt.Sprintf(";%d;", seq+7), 1))
		deliver(t, dir, fmt.Sprintf("cashback_cinema_20261103_%d.csv", seq+7), []byte(content))
		r := registryOf(t, dir, Registry{BankID: "bank1"})
		found := &everything{table: r.Table()}
		inputs, err := r.Inputs(context.Background(), day(t, "2026-11-03"))
		if err == nil {
			err = r.Extract(context.Background(), day(t, "2026-11-03"), inputs, found)
		}
		clean(t, found.text.String(), fmt.Sprint(err))
	}
}

// clean fails where planted data is found.
func clean(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		for _, p := range planted {
			if i := strings.Index(text, p); i >= 0 {
				t.Errorf("%q was found: …%s…", p, text[max(0, i-80):min(len(text), i+80)])
			}
		}
	}
}

// everything is a Sink that writes down all that it is told but the raw bytes, of which only a hash is kept.
type everything struct {
	table                  *table.Table
	text                   strings.Builder
	rows, rejected, fields int
}

func (e *everything) Row(row any, where connectors.Origin) error {
	e.rows++
	for _, c := range e.table.Columns {
		fmt.Fprintf(&e.text, "%s=%s ", c.Name, e.table.Text(row, c))
	}
	fmt.Fprintln(&e.text, e.table.Check(row), where.File, where.Position, where.Fields)
	return nil
}

func (e *everything) Reject(where connectors.Origin, reason string) error {
	e.rejected++
	fmt.Fprintln(&e.text, reason, where.File, where.Position, where.Fields)
	return nil
}

func (e *everything) Resume() string { return "" }

func (e *everything) Page(cursor string) error {
	fmt.Fprintln(&e.text, cursor)
	return nil
}

func (e *everything) Total(t connectors.Total) error {
	fmt.Fprintln(&e.text, t)
	return nil
}

func (e *everything) Unclassified(field string) {
	e.fields++
	fmt.Fprintln(&e.text, field)
}
