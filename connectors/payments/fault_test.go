package payments

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"crosslift/connectors"
	"crosslift/connectors/sandbox/stripe"
	"crosslift/connectors/sandbox/stripe/stripetest"
	"crosslift/connectors/sandbox/world/worldtest"
)

// many is how many charges the account of these tests has: more than two pages.
const many = 210

// busy is an account with many charges on day 1, each of which is refunded in part on day 2.
func busy(t testing.TB) *worldtest.Memory {
	c := stripetest.Many(many, 1)
	for _, x := range slices.Clone(c.Charges) {
		x.Refunded, x.Changed, x.Visible = 50, stripetest.At(2, "08:00:00"), stripetest.At(2, "08:00:00")
		c.Charges = append(c.Charges, x)
	}
	return stripetest.Build(t, c)
}

// each calls a fault for the first of n equal requests; the others go through.
func each(n int, fault func(w http.ResponseWriter, r *http.Request, next http.Handler)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		var mu sync.Mutex
		count := map[string]int{}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			hit := count[r.URL.String()]%n == 0
			count[r.URL.String()]++
			mu.Unlock()
			if hit {
				fault(w, r, next)
			} else {
				next.ServeHTTP(w, r)
			}
		})
	}
}

// passed gives what next answers, for faults that change it.
func passed(next http.Handler, w http.ResponseWriter, r *http.Request) *httptest.ResponseRecorder {
	recorded := httptest.NewRecorder()
	next.ServeHTTP(recorded, r)
	for name, values := range recorded.Header() {
		w.Header()[name] = values
	}
	return recorded
}

// refuse answers as a busy or ill account does.
func refuse(w http.ResponseWriter, status int) {
	_, body := stripe.ErrorBody(status)
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

var faults = map[string]func() func(http.Handler) http.Handler{
	"none": func() func(http.Handler) http.Handler { return func(h http.Handler) http.Handler { return h } },
	"429 with Retry-After": func() func(http.Handler) http.Handler {
		return each(2, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("Retry-After", "0")
			refuse(w, http.StatusTooManyRequests)
		})
	},
	"500s": func() func(http.Handler) http.Handler {
		return each(2, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			refuse(w, http.StatusInternalServerError)
		})
	},
	"cut connections": func() func(http.Handler) http.Handler {
		return each(2, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			body := passed(next, w, r).Body.Bytes()
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			w.Write(body[:len(body)/2])
		})
	},
	"bodies cut without a sign": func() func(http.Handler) http.Handler {
		return each(2, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			body := passed(next, w, r).Body.Bytes()
			w.Write(body[:len(body)/2])
		})
	},
	"pages twice": func() func(http.Handler) http.Handler {
		var mu sync.Mutex
		last := map[string][]byte{}
		return each(1, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			mu.Lock()
			defer mu.Unlock()
			old := last[r.URL.Path]
			if old != nil && r.URL.Query().Get("starting_after") != "" {
				delete(last, r.URL.Path)
				w.Write(old)
				return
			}
			body := passed(next, w, r).Body.Bytes()
			if json.Valid(body) && bytes.Contains(body, []byte(`"object":"list","url":"`+r.URL.Path)) {
				last[r.URL.Path] = body
			}
			w.Write(body)
		})
	},
	"pages shuffled": func() func(http.Handler) http.Handler {
		return each(1, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			body := passed(next, w, r).Body.Bytes()
			var p map[string]any
			if json.Unmarshal(body, &p) == nil && p["object"] == "list" {
				data := p["data"].([]any)
				random := rand.New(rand.NewPCG(1, 2))
				random.Shuffle(len(data), func(i, j int) { data[i], data[j] = data[j], data[i] })
				body, _ = json.Marshal(p)
			}
			w.Write(body)
		})
	},
}

// TestFaults gives every row once, whatever happens on the way.
func TestFaults(t *testing.T) {
	t.Parallel()
	w := busy(t)
	want := map[string]result{}
	days := map[string]int{"charges": 1, "charges changed": 2}
	run := func(t *testing.T, what string, fault func(http.Handler) http.Handler) result {
		a := serveAlone(t, w, fault)
		a.clock.Set(stripetest.At(3, "03:00:00"))
		kind, _, _ := strings.Cut(what, " ")
		return read(t, a.open(t), kind, days[what], "", nil)
	}
	for what := range days {
		r := run(t, what, faults["none"]())
		if r.err != nil || len(r.rows) != many || len(slices.Compact(slices.Clone(r.rows))) != many || len(r.rejected) > 0 {
			t.Fatalf("%s without a fault: %v, %d rows, rejected %v", what, r.err, len(r.rows), r.rejected)
		}
		want[what] = r
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for what, want := range want {
				got := run(t, what, fault())
				if got.err != nil || !slices.Equal(got.rows, want.rows) || !slices.Equal(got.totals, want.totals) {
					t.Errorf("%s: %v, %d rows, totals %v, expected %d rows, %v", what, got.err, len(got.rows), got.totals, len(want.rows), want.totals)
				}
			}
		})
	}
}

// TestResume breaks an extract off at every few rows and goes on at the last finished page: no row is missing, none is
// given twice, and the totals are those of the whole.
func TestResume(t *testing.T) {
	t.Parallel()
	a := serveAlone(t, busy(t))
	a.clock.Set(stripetest.At(3, "03:00:00"))
	broken := errors.New("the power is out")
	for _, c := range []struct {
		kind string
		day  int
	}{{"charges", 1}, {"charges", 2}, {"balance_transactions", 1}} {
		s := a.open(t)
		whole := read(t, s, c.kind, c.day, "", nil)
		for _, stop := range []int{0, 150, many - 1} {
			first := read(t, s, c.kind, c.day, "", func(rows int) error {
				if rows == stop {
					return broken
				}
				return nil
			})
			if !errors.Is(first.err, broken) {
				t.Fatalf("%s: %v", c.kind, first.err)
			}
			from, taken := "", int64(0)
			if n := len(first.cursors); n > 0 {
				from = first.cursors[n-1]
				cursor, err := parseCursor(from)
				if err != nil {
					t.Fatal(err)
				}
				taken = cursor.Objects
			}
			second := read(t, a.open(t), c.kind, c.day, from, nil)
			kept := untilRow(t, s, c.kind, c.day, taken)
			rows := slices.Sorted(slices.Values(append(kept, second.rows...)))
			if second.err != nil || !slices.Equal(rows, whole.rows) || !slices.Equal(second.totals, whole.totals) {
				t.Errorf("%s of day %d, broken off after %d rows: %v, %d + %d rows of %d, totals %v, expected %v",
					c.kind, c.day, stop, second.err, len(kept), len(second.rows), len(whole.rows), second.totals, whole.totals)
			}
		}
	}
}

// untilRow gives the first rows of an extract.
func untilRow(t *testing.T, s connectors.Source, kind string, n int, rows int64) []string {
	t.Helper()
	enough := errors.New("enough")
	return read(t, s, kind, n, "", func(taken int) error {
		if int64(taken) == rows {
			return enough
		}
		return nil
	}).rows
}
