package crm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/crm"
	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/secret"
)

// Faults of the way and of the source: each request of an extract meets each of them once, and every row lands once.
func TestFaults(t *testing.T) {
	record := func(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	var before []byte // the answer before, to a search
	for name, fault := range map[string]func(w http.ResponseWriter, r *http.Request, h http.Handler){
		"429": func(w http.ResponseWriter, r *http.Request, h http.Handler) {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(429)
			io.WriteString(w, `{"status":"error","policyName":"SECONDLY","category":"RATE_LIMITS"}`)
		},
		"locked":    func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(423) },
		"migrating": func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(477) },
		"500":       func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(500) },
		"no answer": func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) },
		"cut answer": func(w http.ResponseWriter, r *http.Request, h http.Handler) {
			whole := record(h, r).Body.Bytes()
			w.Header().Set("Content-Length", fmt.Sprint(len(whole)))
			w.Write(whole[:len(whole)*2/3])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		},
		"the page before once more": func(w http.ResponseWriter, r *http.Request, h http.Handler) {
			if before == nil || !strings.HasSuffix(r.URL.Path, "/search") {
				h.ServeHTTP(w, r)
				return
			}
			w.Write(before)
		},
		"the page after": func(w http.ResponseWriter, r *http.Request, h http.Handler) {
			body, _ := io.ReadAll(r.Body)
			if i := bytes.Index(body, []byte(`"GTE","value":"`)); i > 0 && before != nil && !bytes.Contains(body, []byte(`"limit":1}`)) {
				value := body[i+len(`"GTE","value":"`):]
				number := value[:bytes.IndexByte(value, '"')]
				body = bytes.Replace(body, number, []byte(plus(string(number), 5)), 1)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			h.ServeHTTP(w, r)
		},
		"a page in no order": func(w http.ResponseWriter, r *http.Request, h http.Handler) {
			text := record(h, r).Body.String()
			if first, second, ok := strings.Cut(text, `},{"id"`); ok && strings.HasPrefix(text, `{"total"`) {
				head, one, _ := strings.Cut(first, `"results":[`)
				if i := strings.LastIndex(second, `}],`); i > 0 {
					text = head + `"results":[{"id"` + second[:i] + `},` + one + second[i:]
				}
			}
			io.WriteString(w, text)
		},
	} {
		a := &account{t: t}
		a.add(crowd(1, 450, time.Hour, 150*time.Millisecond))
		a.add(crowd(451, 250, 2*time.Hour, 0))
		gone := crowd(701, 150, 3*time.Hour, time.Hour)
		for i := range gone.Contacts {
			gone.Contacts[i].Archived = true
		}
		a.add(gone)
		before = nil
		turns := map[string]bool{}
		a.front = func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(body))
				if turn := r.URL.String() + string(body); !turns[turn] {
					turns[turn] = true
					fault(w, r, h)
					return
				}
				answer := record(h, r)
				if strings.HasSuffix(r.URL.Path, "/search") {
					before = answer.Body.Bytes()
				}
				w.WriteHeader(answer.Code)
				w.Write(answer.Body.Bytes())
			})
		}
		sink, err := contacts(a.source(), day, "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		exactly(t, name, sink.Rows, 1, 850)
		if len(sink.Rows) != 850 || len(sink.Totals) != 1 || sink.Totals[0].Value != 850 {
			t.Errorf("%s: %d rows, %v", name, len(sink.Rows), sink.Totals)
		}
	}
}

func plus(number string, n int64) string {
	var x int64
	fmt.Sscan(number, &x)
	return fmt.Sprint(x + n)
}

// A failure says what it means, where it happened, and nothing personal.
func TestErrors(t *testing.T) {
	for name, test := range map[string]struct {
		status  int
		body    string
		meaning error
		says    string
	}{
		"the day's quota": {429, `{"status":"error","message":"You have reached your daily limit.","errorType":"RATE_LIMIT","category":"RATE_LIMITS","policyName":"DAILY"}`,
			connectors.ErrDown, "midnight in the account's time zone"},
		"credentials": {401, `{"status":"error","message":"expired","category":"EXPIRED_AUTHENTICATION"}`, connectors.ErrDown, "EXPIRED_AUTHENTICATION: expired"},
		"permission":  {403, `{"status":"error","message":"needs scopes","category":"MISSING_SCOPES"}`, connectors.ErrDown, "MISSING_SCOPES"},
		"a refusal":   {400, `{"status":"error","message":"ann@example.org is no date","category":"VALIDATION_ERROR"}`, connectors.ErrContract, "VALIDATION_ERROR: [redacted] is no date"},
		"no total":    {200, `{"results":[]}`, connectors.ErrContract, "does not say its total"},
		"no list":     {200, `{"total":0}`, connectors.ErrContract, "lacks the list"},
		"no time":     {200, `{"total":2,"results":[{"id":"1"}],"paging":{"next":{"after":"1"}}}`, connectors.ErrContract, "none of its objects says when it was modified"},
		"older": {200, `{"total":1,"results":[{"id":"1","properties":{"lastmodifieddate":"2020-01-01T00:00:00Z"}}]}`, connectors.ErrContract,
			"another page than the one asked for"},
	} {
		var requests atomic.Int32
		a := &account{t: t, front: func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				w.WriteHeader(test.status)
				io.WriteString(w, test.body)
			})
		}}
		_, err := contacts(a.source(), day, "")
		if !errors.Is(err, test.meaning) || !strings.Contains(err.Error(), test.says) || !strings.HasPrefix(err.Error(), "crm: contacts 2026-11-03: page 1: ") {
			t.Errorf("%s: %v", name, err)
		}
		if test.status != 200 && requests.Load() != 1 {
			t.Errorf("%s: %d requests", name, requests.Load())
		}
		if err != nil && strings.Contains(err.Error(), "@") {
			t.Errorf("%s: personal data in %v", name, err)
		}
	}
}

// Changes that HubSpot counts and does not give are missed.
func TestLostChanges(t *testing.T) {
	a := &account{t: t, front: func(h http.Handler) http.Handler {
		searches := 0
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/search") {
				if searches++; searches == 1 {
					io.WriteString(w, `{"total":7,"results":[]}`)
				} else {
					io.WriteString(w, `{"total":5,"results":[]}`)
				}
				return
			}
			h.ServeHTTP(w, r)
		})
	}}
	if _, err := contacts(a.source(), day, ""); !errors.Is(err, connectors.ErrDown) || !strings.Contains(err.Error(), "of 5 changes only 0 were read") {
		t.Error(err)
	}
}

// Personal data that is planted everywhere reaches nothing that is written; what the contract does not know is announced
// once.
func TestPersonalData(t *testing.T) {
	const planted = "eve@example.org"
	var log bytes.Buffer
	object := func(id, modified, more string) string {
		return fmt.Sprintf(`{"id":%q,"properties":{"lastmodifieddate":%q,"email":%q,"firstname":%q%s},"secret":%q,"createdAt":"2026-11-01T00:00:00Z","archived":false}`,
			id, modified, planted, planted, more, planted)
	}
	const at = "2026-11-03T10:00:00.000Z"
	body := `{"total":6,"results":[` + strings.Join([]string{
		object("1", at, `,"marketing_consent":"true","eve@example.org":"x"`), object("2", at, `,"marketing_consent":"eve@example.org"`),
		object("3", at, `,"analytics_consent":{}`), object("4", at, `,"consent_version":"eve@example.org"`), object("", at, ""), object("6", "yesterday", ""),
	}, ",") + `]}`
	a := &account{t: t, log: &log, front: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked, _ := io.ReadAll(r.Body)
			switch {
			case bytes.Contains(asked, []byte(`"limit":1}`)): // of the count
				io.WriteString(w, `{"total":6,"results":[]}`)
			case strings.HasSuffix(r.URL.Path, "/search"):
				io.WriteString(w, body)
			default:
				h.ServeHTTP(w, r)
			}
		})
	}}
	sink, err := contacts(a.source(), day, "")
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(sink.Fields) != "map[(unprintable):1 properties.firstname:1 secret:1]" {
		t.Error("announced:", sink.Fields)
	}
	var reasons []string
	for _, r := range sink.Rejected {
		reasons = append(reasons, r.Reason)
		if r.Where.Fields != nil || len(r.Where.Raw) == 0 {
			t.Errorf("%+v", r.Where)
		}
	}
	if len(sink.Rows) != 1 || len(reasons) != 5 {
		t.Error(sink.Rows, reasons)
	}
	for _, text := range []string{log.String(), fmt.Sprintf("%+v", sink.Rows), strings.Join(reasons, "\n"), strings.Join(sink.Cursors, "\n")} {
		if strings.Contains(text, planted) || strings.Contains(text, "pat-1") {
			t.Errorf("planted data in %s", text)
		}
	}
}

func TestCheck(t *testing.T) {
	two := &world.Chunk{Contacts: []world.Contact{person(1, time.Hour)}, Deals: []world.Deal{{
		ID: "1", Stage: "won", Currency: "RUB", Created: start, Changed: start, Visible: start,
	}}}
	for name, test := range map[string]struct {
		change func(a *account)
		want   string
	}{
		"as it should be": {func(*account) {}, "stream contacts: ok; stream deals: ok; clock: ok"},
		"the dated version": {func(a *account) { a.config = func(c *crm.Config) { c.Version = "2026-03" } },
			"stream contacts: ok; stream deals: ok; clock: ok"},
		"a wrong token": {func(a *account) { a.config = func(c *crm.Config) { c.Token = secret.New("pat-2") } }, "valid as token"},
		"an unknown property": {func(a *account) { a.config = func(c *crm.Config) { c.Contacts.MarketingConsent = "marketing" } },
			"HubSpot does not know the property marketing: Correct the name"},
		"no permission": {func(a *account) {
			a.front = func(http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(403) })
			}
		}, "Grant the scope crm.objects.deals.read"},
		"a clock that is wrong": {func(a *account) {
			a.front = func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Date", after.Add(time.Hour).UTC().Format(http.TimeFormat))
					io.WriteString(w, `{"results":[]}`)
				})
			}
		}, "clock: HubSpot's clock is 1h0m0s ahead of ours"},
		"broken objects": {func(a *account) {
			a.front = func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{"results":[{}]}`) })
			}
		}, "1 of 1 objects: it has no id or no time"},
		"not HubSpot": {func(a *account) {
			a.front = func(h http.Handler) http.Handler { return http.NotFoundHandler() }
		}, "Check url and version"},
	} {
		a := &account{t: t}
		a.add(two)
		test.change(a)
		var all []string
		for _, f := range a.source().Check(context.Background()) {
			if f.Problem == nil {
				all = append(all, f.What+": ok")
			} else {
				all = append(all, fmt.Sprintf("%s: %v: %s", f.What, f.Problem, f.Remedy))
			}
		}
		if got := strings.Join(all, "; "); !strings.Contains(got, test.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestConfig(t *testing.T) {
	good := crm.Config{Token: secret.New("pat-1")}
	if err := good.Validate(); err != nil || good.Base != "https://api.hubapi.com" || *good.Restatement != 3 || good.Subscriptions.Stage != "dealstage" {
		t.Error(err, good)
	}
	days := -1
	for says, c := range map[string]crm.Config{
		"token: required":                        {},
		"version: expected v3":                   {Version: "v4"},
		"requests_per_second: expected":          {RequestsPerSecond: -1},
		"region: expected":                       {Region: "XX"},
		"restatement: expected":                  {Restatement: &days},
		"contacts.account: expected":             {Contacts: crm.Contacts{Account: "User Id"}},
		"subscriptions.object: unknown object":   {Subscriptions: crm.Subscriptions{Object: "orders"}},
		"subscriptions.default_currency: expect": {Subscriptions: crm.Subscriptions{DefaultCurrency: "XTS"}},
	} {
		if !strings.HasPrefix(says, "token") {
			c.Token = secret.New("pat-1")
		}
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, expected %q", err, says)
		}
	}
	a := &account{t: t}
	one := a.source().Streams()
	a.config = func(c *crm.Config) { c.Subscriptions = crm.Subscriptions{Object: "subscriptions"} }
	other := a.source().Streams()
	if one[0].Name() != "crm/contacts" || one[1].Name() != "crm/deals" || other[1].Name() != "crm/subscriptions" {
		t.Error("names of streams")
	}
	if one[0].Definition() != other[0].Definition() || one[1].Definition() == other[1].Definition() || len(one[0].Definition()) != 64 {
		t.Error("a definition tells the rows apart, not where they come from")
	}
	if one[0].Restatement() != 3 || one[0].Versioned() || one[0].Quarantine() != 0.01 {
		t.Error("restatement, versions, quarantine")
	}
}
