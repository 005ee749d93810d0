package bank

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
	"crosslift/connectors/sandbox/bankapi"
	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/table"
)

// resuming is a Sink whose extract goes on at a cursor.
type resuming struct {
	connectorstest.Discard
	from string
}

func (r *resuming) Resume() string { return r.from }

// TestLostPage: a page in place of an earlier one leaves a list too short, which is seen; nothing is taken for complete.
func TestLostPage(t *testing.T) {
	t.Parallel()
	b := open(t, build(t, chunk(t, "2026-11-03", 1, 40)), night, bankapi.Options{Page: 10}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			recorded := httptest.NewRecorder()
			if next.ServeHTTP(recorded, r); r.URL.Query().Get("page") != "" {
				var answer struct{ Links struct{ Next string } }
				if json.Unmarshal(recorded.Body.Bytes(), &answer) == nil && answer.Links.Next != "" {
					r = r.Clone(r.Context())
					r.URL, _ = r.URL.Parse(answer.Links.Next)
					recorded = httptest.NewRecorder()
					next.ServeHTTP(recorded, r)
				}
			}
			w.WriteHeader(recorded.Code)
			w.Write(recorded.Body.Bytes())
		})
	})
	_, err := read[table.BankTransactionRow](t, stream(t, b.source(), "bank/transactions"), day(t, "2026-11-03"))
	if !errors.Is(err, connectors.ErrDown) || !strings.Contains(err.Error(), "the list ended after 3 pages, and the bank says that there are 4: run again") {
		t.Errorf("%v", err)
	}
}

// TestRejectedOnce: a row that is wrong, on a page that is served twice, is rejected once.
func TestRejectedOnce(t *testing.T) {
	t.Parallel()
	b := open(t, build(t, chunk(t, "2026-11-03", 1, 40)), night, bankapi.Options{Page: 10}, func(next http.Handler) http.Handler {
		var before []json.RawMessage
		return rewritten(next, func(first bool, list []json.RawMessage) []json.RawMessage {
			list[0] = json.RawMessage(strings.Replace(string(list[0]), `"Amount":"`, `"Amount":"-`, 1))
			if first {
				before = nil
			}
			both := append(slices.Clone(before), list...)
			before = list
			return both
		})
	})
	b.config.Account = "cashback-rub"
	sink, err := read[table.BankTransactionRow](t, stream(t, b.source(), "bank/transactions"), day(t, "2026-11-03"))
	if err != nil || len(transactionTexts(sink.Rows)) != 28 || len(sink.Rejected) != 4 {
		t.Errorf("%v, %d rows, %d rejected", err, len(transactionTexts(sink.Rows)), len(sink.Rejected))
	}
}

// accrualsOfDay is the address of a list, for answers that a test makes.
const accrualsOfDay = "/partner/v1/campaigns/cinema/accruals?fromUpdatedDateTime=2026-11-03T00:00:00Z&toUpdatedDateTime=2026-11-04T00:00:00Z"

// TestCircle: pages that lead back end the extract.
func TestCircle(t *testing.T) {
	t.Parallel()
	b := open(t, build(t, chunk(t, "2026-11-03", 1, 1)), night, bankapi.Options{}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			to := map[string]string{"": "2", "2": "3", "3": "2"}[r.URL.Query().Get("page")]
			if r.URL.Path == "/token" {
				next.ServeHTTP(w, r)
				return
			}
			fmt.Fprintf(w, `{"Data":{"Accrual":[]},"Links":{"Next":"%s&page=%s"}}`, accrualsOfDay, to)
		})
	})
	_, err := read[table.BankAccrualRow](t, stream(t, b.source(), "bank/accruals"), day(t, "2026-11-03"))
	if !errors.Is(err, connectors.ErrContract) || !strings.Contains(err.Error(), "it says that the next page is this one") {
		t.Errorf("%v", err)
	}
}

// TestResume: an extract that breaks off at any row goes on at its last page; then all rows have been taken, and the
// days' totals say the same.
func TestResume(t *testing.T) {
	t.Parallel()
	w := build(t, chunk(t, "2026-11-03", 1, 40))
	b := open(t, w, night, bankapi.Options{Page: 7}, nil)
	b.config.timing.Tries = 1
	d := day(t, "2026-11-03")
	transactions := stream(t, b.source(), "bank/transactions")
	whole, err := read[table.BankTransactionRow](t, transactions, d)
	if err != nil {
		t.Fatal(err)
	}
	stop := errors.New("killed")
	for at := range 40 {
		broken := &connectorstest.Sink[table.BankTransactionRow]{Table: transactions.Table(), Window: d.Window(moscow)}
		broken.Fail = func(rows int) error {
			if rows == at {
				return stop
			}
			return nil
		}
		if err := transactions.Extract(context.Background(), d, nil, broken); !errors.Is(err, stop) {
			t.Fatal(err)
		}
		rest := &connectorstest.Sink[table.BankTransactionRow]{Table: transactions.Table(), Window: d.Window(moscow)}
		if n := len(broken.Cursors); n > 0 {
			rest.From = broken.Cursors[n-1]
		}
		if err := transactions.Extract(context.Background(), d, nil, rest); err != nil {
			t.Fatal(err)
		}
		both := append(broken.Rows, rest.Rows...)
		if !sameSet(transactionTexts(both), transactionTexts(whole.Rows)) || len(both) >= 40+7 {
			t.Errorf("broken at %d: %d rows", at, len(both))
		}
	}
	gone := &connectorstest.Sink[table.BankTransactionRow]{Table: transactions.Table(), Window: d.Window(moscow), From: `{"phase":"closed"}`}
	if err := transactions.Extract(context.Background(), d, nil, gone); err == nil || !strings.Contains(err.Error(), "start it anew") {
		t.Errorf("an account that is gone: %v", err)
	}
}

// TestResumedTotals: rows that were rejected before an extract broke off still count when the sums are judged.
func TestResumedTotals(t *testing.T) {
	t.Parallel()
	const page = `{"Data":{"Accrual":[{"AccrualId":"x%s","Revision":%s,"CampaignId":"cinema","AccrualAmount":{"Amount":"1.00","Currency":"RUB"},` +
		`"CreditDebitIndicator":"Credit","Status":"Posted","StatusUpdateDateTime":"2026-11-03T10:00:00Z"}]},"Links":{"Self":"https://x"%s}}`
	b := open(t, build(t, &world.Chunk{}), night, bankapi.Options{}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/token":
				next.ServeHTTP(w, r)
			case strings.HasSuffix(r.URL.Path, "/totals"):
				w.Write([]byte(`{"Data":{"Total":[{"Count":2,"Amount":{"Amount":"2.00","Currency":"RUB"}}]}}`))
			case r.URL.Query().Get("page") == "":
				fmt.Fprintf(w, page, "1", `"one"`, `,"Next":"`+accrualsOfDay+`&page=2"`)
			default:
				fmt.Fprintf(w, page, "2", `1`, ``)
			}
		})
	})
	s, d := stream(t, b.source(), "bank/accruals"), day(t, "2026-11-03")
	sink, err := read[table.BankAccrualRow](t, s, d)
	if err != nil || len(sink.Rejected) != 1 || fmt.Sprint(sink.Totals) != "[{rows  2}]" || sink.Rejected[0].Where.File != "partner/v1/campaigns/cinema/accruals" {
		t.Errorf("%v, %+v, %v", err, sink.Rejected, sink.Totals)
	}
	resumed := &connectorstest.Sink[table.BankAccrualRow]{Table: s.Table(), Window: d.Window(moscow), From: sink.Cursors[0]}
	if err := s.Extract(context.Background(), d, nil, resumed); err != nil || len(resumed.Rows) != 1 || fmt.Sprint(resumed.Totals) != "[{rows  2}]" {
		t.Errorf("%v, %v, %v", err, resumed.Rows, resumed.Totals)
	}
}
