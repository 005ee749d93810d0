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
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/sandbox/bankapi"
	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/secret"
	"crosslift/schemas/table"
)

const night = "2026-11-04T03:00:00+03:00"

// once lets a fault happen to the first request of each address.
func once(fault func(w http.ResponseWriter, r *http.Request, next http.Handler)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		var mutex sync.Mutex
		seen := map[string]bool{}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mutex.Lock()
			first := !seen[r.URL.String()]
			seen[r.URL.String()] = true
			mutex.Unlock()
			if first {
				fault(w, r, next)
			} else {
				next.ServeHTTP(w, r)
			}
		})
	}
}

// cut sends the first half of an answer, and hangs up.
func cut(w http.ResponseWriter, r *http.Request, next http.Handler) {
	recorded := httptest.NewRecorder()
	next.ServeHTTP(recorded, r)
	for name, values := range recorded.Header() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", fmt.Sprint(recorded.Body.Len()))
	w.Write(recorded.Body.Bytes()[:recorded.Body.Len()/2])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// TestFaults: under every fault the rows are those of a bank without one.
func TestFaults(t *testing.T) {
	t.Parallel()
	w := build(t, chunk(t, "2026-11-03", 1, 40))
	d := day(t, "2026-11-03")
	quiet := open(t, w, night, bankapi.Options{Page: 10}, nil)
	wantT, errT := read[table.BankTransactionRow](t, stream(t, quiet.source(), "bank/transactions"), d)
	wantA, errA := read[table.BankAccrualRow](t, stream(t, quiet.source(), "bank/accruals"), d)
	if errT != nil || errA != nil || len(wantT.Rows) != 40 || len(wantA.Rows) != 51 {
		t.Fatal(errT, errA, len(wantT.Rows), len(wantA.Rows))
	}
	for name, around := range map[string]func(http.Handler) http.Handler{
		"500": once(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.WriteHeader(500)
			w.Write([]byte(`{"Code":"500","Message":"` + personalText + `","Errors":[{"ErrorCode":"UK.OBIE.UnexpectedError","Message":"` + personalText + `"}]}`))
		}),
		"503 of a proxy": once(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			http.Error(w, "<html>"+personalText, http.StatusServiceUnavailable)
		}),
		"cut":     once(cut),
		"hung up": once(func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }),
		"429": once(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.URL.Path == "/token" {
				next.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(429)
		}),
		"401": once(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.URL.Path == "/token" {
				next.ServeHTTP(w, r)
				return
			}
			w.WriteHeader(401)
		}),
		"pages twice": func(next http.Handler) http.Handler { // each page has the rows of the one before once more
			var before []json.RawMessage
			return rewritten(next, func(first bool, list []json.RawMessage) []json.RawMessage {
				if first {
					before = nil
				}
				both := append(slices.Clone(before), list...)
				before = list
				return both
			})
		},
		"a page before once more": once(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if again := r.Clone(r.Context()); r.URL.Query().Get("page") != "" { // the first in place of any other
				query := again.URL.Query()
				query.Del("page")
				again.URL.RawQuery = query.Encode()
				r = again
			}
			next.ServeHTTP(w, r)
		}),
		"rows out of order": func(next http.Handler) http.Handler {
			return rewritten(next, func(_ bool, list []json.RawMessage) []json.RawMessage {
				slices.Reverse(list)
				return list
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, w, night, bankapi.Options{Page: 10}, around)
			gotT, err := read[table.BankTransactionRow](t, stream(t, b.source(), "bank/transactions"), d)
			if err != nil || !sameSet(transactionTexts(gotT.Rows), transactionTexts(wantT.Rows)) || len(gotT.Rejected) > 0 {
				t.Errorf("transactions: %v, %d rows, %d rejected", err, len(gotT.Rows), len(gotT.Rejected))
			}
			gotA, err := read[table.BankAccrualRow](t, stream(t, b.source(), "bank/accruals"), d)
			if err != nil || !sameSet(accrualTexts(gotA.Rows), accrualTexts(wantA.Rows)) || len(gotA.Rejected) > 0 {
				t.Errorf("accruals: %v, %d rows, %d rejected", err, len(gotA.Rows), len(gotA.Rejected))
			}
			clean(t, b.log.String())
		})
	}
}

// rewritten changes the list of each answer.
func rewritten(next http.Handler, change func(first bool, list []json.RawMessage) []json.RawMessage) http.Handler {
	var mutex sync.Mutex // of what change remembers
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		mutex.Lock()
		defer mutex.Unlock()
		var answer struct {
			Data  map[string]json.RawMessage
			Links json.RawMessage
		}
		body := recorded.Body.Bytes()
		if json.Unmarshal(body, &answer) == nil {
			for _, name := range []string{"Transaction", "Accrual"} {
				var list []json.RawMessage
				if answer.Data[name] == nil || json.Unmarshal(answer.Data[name], &list) != nil {
					continue
				}
				answer.Data[name], _ = json.Marshal(change(r.URL.Query().Get("page") == "", list))
				body, _ = json.Marshal(answer)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(recorded.Code)
		w.Write(body)
	})
}

func texts[Row any](t *table.Table, rows []Row) []string {
	all := make([]string, len(rows))
	for i := range rows {
		for _, c := range t.Columns {
			all[i] += c.Name + "=" + t.Text(&rows[i], c) + " "
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func transactionTexts(rows []table.BankTransactionRow) []string {
	return texts(table.BankTransaction, rows)
}
func accrualTexts(rows []table.BankAccrualRow) []string { return texts(table.BankAccrual, rows) }

func sameSet(a, b []string) bool { return slices.Equal(a, b) }

// TestTokenExpires: a token that has expired in the middle of a list is replaced, and the list goes on.
func TestTokenExpires(t *testing.T) {
	t.Parallel()
	var tokens atomic.Int32
	var b *bench
	b = open(t, build(t, chunk(t, "2026-11-03", 1, 40)), night, bankapi.Options{Page: 10}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/token" {
				tokens.Add(1)
			}
			next.ServeHTTP(w, r)
			if r.URL.Path != "/token" {
				b.clock.Advance(4 * time.Minute) // a token lives for five
			}
		})
	})
	sink, err := read[table.BankTransactionRow](t, stream(t, b.source(), "bank/transactions"), day(t, "2026-11-03"))
	if err != nil || len(sink.Rows) != 40 || tokens.Load() < 3 {
		t.Errorf("%v, %d rows, %d tokens", err, len(sink.Rows), tokens.Load())
	}
}

// TestLimit: a bank that lets through so many requests a minute says for how long to wait.
func TestLimit(t *testing.T) {
	t.Parallel()
	var refused atomic.Int32
	var b *bench
	b = open(t, build(t, chunk(t, "2026-11-03", 1, 40)), "2026-11-04T03:00:59+03:00", bankapi.Options{Page: 10, PerMinute: 3}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			recorded := httptest.NewRecorder()
			next.ServeHTTP(recorded, r)
			if recorded.Code == 429 {
				if refused.Add(1); recorded.Body.Len() > 0 || recorded.Header().Get("Retry-After") != "1" {
					t.Errorf("429 with %q, wait %s", recorded.Body, recorded.Header().Get("Retry-After"))
				}
				b.clock.Advance(time.Minute)
			}
			for name, values := range recorded.Header() {
				w.Header()[name] = values
			}
			w.WriteHeader(recorded.Code)
			w.Write(recorded.Body.Bytes())
		})
	})
	start := time.Now()
	sink, err := read[table.BankTransactionRow](t, stream(t, b.source(), "bank/transactions"), day(t, "2026-11-03"))
	if err != nil || len(sink.Rows) != 40 || refused.Load() == 0 || time.Since(start) < time.Second {
		t.Errorf("%v, %d rows, refused %d times, in %s", err, len(sink.Rows), refused.Load(), time.Since(start))
	}
}

// TestCertificates: the bank is spoken to by who has its certificate only, and speaks to who has ours only.
func TestCertificates(t *testing.T) {
	t.Parallel()
	w := build(t, chunk(t, "2026-11-03", 1, 4))
	other, err := bankapi.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	foreign, foreignKey, err := other.Client(client1)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(b *bench)
		want   string
	}{
		"client of another authority": {func(b *bench) {
			b.config.Certificate, b.config.Key = secret.New(string(foreign)), secret.New(string(foreignKey))
		}, "POST /token"},
		"bank of another authority": {func(b *bench) { b.config.CA = secret.New(string(other.PEM)) }, "its certificate could not be verified"},
		"another client":            {func(b *bench) { b.config.ClientID = "somebody" }, "POST /token: 401 Unauthorized: invalid_client"},
		"a scope it does not have":  {func(b *bench) { b.config.Scope = "payments" }, "POST /token: 400 Bad Request: invalid_scope"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, w, night, bankapi.Options{}, nil)
			c.change(b)
			_, err := read[table.BankAccrualRow](t, stream(t, b.source(), "bank/accruals"), day(t, "2026-11-03"))
			if !errors.Is(err, connectors.ErrDown) || !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("%v, expected %s", err, c.want)
			}
		})
	}
}

// TestErrors: an error says where, what the bank's codes are, and by which interaction the bank finds it.
func TestErrors(t *testing.T) {
	t.Parallel()
	w := build(t, chunk(t, "2026-11-03", 1, 40))
	answers := func(status int, body string) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("page") == "" {
					next.ServeHTTP(w, r)
					return
				}
				w.WriteHeader(status)
				w.Write([]byte(body))
			})
		}
	}
	for name, c := range map[string]struct {
		around  func(http.Handler) http.Handler
		want    string
		meaning error
	}{
		"400": {answers(400, `{"Code":"400","Message":"`+personalText+`","Errors":[{"ErrorCode":"UK.OBIE.Field.Invalid","Message":"Ivan Petrov"},{"ErrorCode":"Ivan Petrov"}]}`),
			": 400 Bad Request: UK.OBIE.Field.Invalid (x-fapi-interaction-id ", connectors.ErrContract},
		"403":          {answers(403, `{"Errors":[{"ErrorCode":"U020"}]}`), ": 403 Forbidden: U020 (x-fapi", connectors.ErrDown},
		"404":          {answers(404, ""), ": 404 Not Found (x-fapi", connectors.ErrContract},
		"500":          {answers(500, personalText), ": 500 Internal Server Error after 6 tries: its body is no error of Open Banking (x-fapi", connectors.ErrDown},
		"no codes":     {answers(400, `{"Message":"Ivan Petrov"}`), ": 400 Bad Request: it names no error code (x-fapi", connectors.ErrContract},
		"no JSON":      {answers(200, "<html>"+personalText), "the answer is not JSON at byte 0 (x-fapi", connectors.ErrContract},
		"another list": {answers(200, `{"Data":{"Transaction":{}}}`), "expected a list at byte", connectors.ErrContract},
		"leads elsewhere": {answers(200, `{"Data":{"Transaction":[]},"Links":{"Next":"https://evil.example/x"}}`),
			"the next page is said to be at https://evil.example, and only https://", connectors.ErrContract},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, w, night, bankapi.Options{Page: 10}, c.around)
			_, err := read[table.BankTransactionRow](t, stream(t, b.source(), "bank/transactions"), day(t, "2026-11-03"))
			text := fmt.Sprint(err)
			if !errors.Is(err, c.meaning) || !strings.Contains(text, c.want) || !strings.HasPrefix(text, "bank/transactions 2026-11-03: page 2: ") {
				t.Errorf("%v, expected %s", err, c.want)
			}
			clean(t, text, b.log.String())
		})
	}
}

// TestRefusals: what the sandbox's bank refuses, it refuses as the contract says.
func TestRefusals(t *testing.T) {
	t.Parallel()
	b := open(t, build(t, chunk(t, "2026-11-03", 1, 4)), night, bankapi.Options{Campaigns: []string{"cinema"}}, nil)
	d := day(t, "2026-11-03")
	for want, change := range map[string]func(*API) string{
		"accounts/closed/transactions: 400 Bad Request: UK.OBIE.Resource.NotFound": func(a *API) string { a.Account = "closed"; return "" },
		"campaigns/theatre/accruals: 404":                                          func(a *API) string { a.Campaign = "theatre"; return "" },
		"page 2: GET /open-banking/v3.1/aisp/accounts/cashback-rub/transactions: 400 Bad Request: UK.OBIE.Field.Invalid": func(*API) string {
			return `{"phase":"cashback-rub","next":"/open-banking/v3.1/aisp/accounts/cashback-rub/transactions?page=x","pages":1}`
		},
	} {
		config := b.config
		from := change(&config)
		var got []string
		for _, s := range b.with(Config{API: &config}, moscow).Streams() {
			sink := &resuming{from: from}
			got = append(got, fmt.Sprint(s.Extract(context.Background(), d, nil, sink)))
		}
		if !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("%v, expected %s", got, want)
		}
	}
}

// unreadable is a world that fails.
type unreadable struct{ world.Reader }

func (unreadable) Current(string, string, time.Time) ([]world.Record, error) {
	return nil, errors.New("the disk is gone")
}

// TestUnreadable: when the sandbox's bank fails, it fails as the contract says.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	b := open(t, unreadable{build(t, &world.Chunk{})}, night, bankapi.Options{}, nil)
	_, err := read[table.BankTransactionRow](t, stream(t, b.source(), "bank/transactions"), day(t, "2026-11-03"))
	if !errors.Is(err, connectors.ErrDown) || !strings.Contains(fmt.Sprint(err), "500 Internal Server Error after 6 tries: UK.OBIE.UnexpectedError") ||
		b.judge.judged.Load() < 6 {
		t.Errorf("%v, %d answers judged", err, b.judge.judged.Load())
	}
}
