package faults_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"crosslift/connectors/sandbox/faults"
)

// numbers serves the numbers from 0 to 99, ten a page: GET ?after=, or POST {"after":}.
func numbers() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		after := r.URL.Query().Get("after")
		if r.Method == http.MethodPost {
			var body struct{ After string }
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			after = body.After
		}
		from, _ := strconv.Atoi(after)
		var page struct {
			Data struct{ Items []int }
			Next string `json:"next,omitempty"`
		}
		for i := from; i < from+10; i++ {
			page.Data.Items = append(page.Data.Items, i)
		}
		if from+10 < 100 {
			page.Next = strconv.Itoa(from + 10)
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(page)
	})
}

type client struct {
	t        *testing.T
	post     bool
	requests int
	statuses map[int]int
	broken   int
}

// read gets all pages as a client that does everything right, and gives the numbers as they came.
func (c *client) read(base string) (all []int) {
	c.t.Helper()
	for after := ""; ; {
		var page struct {
			Data struct{ Items []int }
			Next string
		}
		if !c.get(base, after, &page) {
			continue
		}
		all = append(all, page.Data.Items...)
		if after = page.Next; after == "" {
			return all
		}
		if c.requests > 1000 {
			c.t.Fatal("does not get through")
		}
	}
}

func (c *client) get(base, after string, page any) bool {
	c.t.Helper()
	c.requests++
	var res *http.Response
	var err error
	if c.post {
		res, err = http.Post(base+"/numbers", "application/json", strings.NewReader(`{"limit":10,"after":"`+after+`"}`))
	} else if after == "" {
		res, err = http.Get(base + "/numbers?limit=10")
	} else {
		res, err = http.Get(base + "/numbers?limit=10&after=" + after)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	c.statuses[res.StatusCode]++
	body, err := io.ReadAll(res.Body)
	if err != nil {
		if !errors.Is(err, io.ErrUnexpectedEOF) || len(body) == 0 {
			c.t.Errorf("a cut body of %d bytes: %v", len(body), err)
		}
		c.broken++
		return false
	}
	if res.StatusCode != http.StatusOK {
		return false
	}
	if err := json.Unmarshal(body, page); err != nil {
		c.t.Fatalf("%s: %v", body, err)
	}
	return true
}

// Whatever goes wrong, a client that asks again has every number in the end.
func TestAClientGetsThrough(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]faults.Options{
		faults.TooMany: {TooMany: 0.4, RetryAfter: -1},
		faults.Failure: {Failure: 0.4},
		faults.Cut:     {Cut: 0.4},
		faults.Slow:    {Slow: 0.3, Pause: 4 * time.Millisecond},
		faults.Repeat:  {Repeat: 0.5, Cursors: []string{"after"}},
		faults.Shuffle: {Shuffle: 0.6, Arrays: []string{"Data.Items"}},
		"all": {
			TooMany: 0.1, Failure: 0.1, Slow: 0.1, Cut: 0.1, Repeat: 0.2, Shuffle: 0.2, Pause: time.Millisecond,
			Cursors: []string{"after"}, Arrays: []string{"Data.Items", "nothing.such"},
		},
		"always": {TooMany: 0.5, Cut: 0.5, InARow: 3},
	} {
		for _, post := range []bool{false, true} {
			hits := map[string]int{}
			var mu sync.Mutex
			o.Seed, o.Hit = 7, func(fault string, _ *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				hits[fault]++
			}
			server := httptest.NewServer(faults.Wrap(numbers(), o))
			var all []int
			c := client{t: t, post: post, statuses: map[int]int{}}
			for range 5 {
				all = append(all, c.read(server.URL)...)
			}
			server.Close()
			sorted := slices.IsSorted(all[:10])
			slices.Sort(all)
			if distinct := slices.Compact(slices.Clone(all)); len(distinct) != 100 {
				t.Errorf("%s: %d numbers of 100", name, len(distinct))
			}
			mu.Lock()
			if name != "all" && name != "always" && (len(hits) != 1 || hits[name] == 0) {
				t.Errorf("%s: hit by %v", name, hits)
			}
			if o.Repeat > 0 && len(all) <= 500 {
				t.Errorf("%s: no page came twice", name)
			}
			if o.Repeat == 0 && len(all) != 500 {
				t.Errorf("%s: %d numbers", name, len(all))
			}
			if o.Shuffle == 0 && !sorted {
				t.Errorf("%s: in another order", name)
			}
			if c.statuses[429] != hits[faults.TooMany] || c.statuses[500]+c.statuses[503] != hits[faults.Failure] || c.broken != hits[faults.Cut] {
				t.Errorf("%s: statuses %v, %d broken, hits %v", name, c.statuses, c.broken, hits)
			}
			if name == faults.Failure && (c.statuses[500] == 0 || c.statuses[503] == 0) {
				t.Errorf("statuses %v", c.statuses)
			}
			if name == "always" && c.requests != 4*50 {
				t.Errorf("always: %d requests for 50 pages, want 4 each", c.requests)
			}
			mu.Unlock()
		}
	}
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 3, 10, 0, 0, 5e8, time.UTC)
	h := faults.Wrap(numbers(), faults.Options{TooMany: 1, InARow: 100, RetryAfter: 3 * time.Second, Now: func() time.Time { return now }})
	seen := map[string]int{}
	for range 50 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/numbers", nil))
		seen[w.Header().Get("Retry-After")]++
	}
	if seen["3"] == 0 || seen["Tue, 03 Nov 2026 10:00:04 GMT"] == 0 || len(seen) != 2 {
		t.Errorf("Retry-After: %v", seen)
	}
}

func TestTheSameRequestsMeetTheSameFaults(t *testing.T) {
	t.Parallel()
	// hits are by path; the paths are asked for in some order.
	hits := func(seed uint64, order []int) map[string][]string {
		all := map[string][]string{}
		h := faults.Wrap(numbers(), faults.Options{
			Seed: seed, TooMany: 0.2, Failure: 0.2, Slow: 0.2, Pause: time.Microsecond,
			Hit: func(fault string, r *http.Request) { all[r.URL.Path] = append(all[r.URL.Path], fault) },
		})
		for range 20 {
			for _, i := range order {
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, fmt.Sprintf("/numbers/%d", i), nil))
			}
		}
		return all
	}
	a, b, c := hits(1, []int{1, 2, 3, 4}), hits(1, []int{4, 2, 1, 3}), hits(2, []int{1, 2, 3, 4})
	if fmt.Sprint(a) != fmt.Sprint(b) || fmt.Sprint(a) == fmt.Sprint(c) || len(a) != 4 {
		t.Errorf("seed 1: %v\nin another order: %v\nseed 2: %v", a, b, c)
	}
}

func TestErrorsAreInTheServicesForm(t *testing.T) {
	t.Parallel()
	h := faults.Wrap(numbers(), faults.Options{
		Failure: 1, Only: func(r *http.Request) bool { return r.URL.Path != "/token" },
		Body: func(status int) (string, string) {
			return "application/json", fmt.Sprintf(`{"status":%d,"message":"ask anna@kinopochta.ru"}`, status)
		},
	})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/numbers", nil))
	if w.Code < 500 || w.Header().Get("Content-Type") != "application/json" || !strings.Contains(w.Body.String(), "anna@") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/token", nil))
	if w.Code != http.StatusOK {
		t.Errorf("a request that must not be hit: %d", w.Code)
	}
}

func TestNothingIsChangedWithoutFaults(t *testing.T) {
	t.Parallel()
	h := faults.Wrap(numbers(), faults.Options{Repeat: 0.000001, Shuffle: 0.000001, Cursors: []string{"after"}, Arrays: []string{"Data"}})
	plain, wrapped := httptest.NewRecorder(), httptest.NewRecorder()
	numbers().ServeHTTP(plain, httptest.NewRequest(http.MethodGet, "/numbers?after=30", nil))
	h.ServeHTTP(wrapped, httptest.NewRequest(http.MethodGet, "/numbers?after=30", nil))
	if plain.Body.String() != wrapped.Body.String() || plain.Header().Get("Content-Type") != wrapped.Header().Get("Content-Type") {
		t.Errorf("%s, wrapped %s", plain.Body, wrapped.Body)
	}
}
