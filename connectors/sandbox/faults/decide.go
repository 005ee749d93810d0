package faults

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// handler is what Wrap makes.
type handler struct {
	Options
	sound http.Handler

	mu      sync.Mutex
	targets map[uint64]*target // by question.target
	pages   map[uint64]*page   // the last one of each listing, by question.listing
}

// target is one request, made once or several times.
type target struct {
	asked uint64
	hit   int // in a row
}

// question is a request as far as faults are concerned.
type question struct {
	target  uint64 // hash of everything that is asked
	listing uint64 // the same without the cursor
	cursor  string // "" on a first page, and where there are no cursors
}

// most is how many targets and pages are remembered; then it starts afresh.
const most = 1 << 16

// question reads what is asked for, and leaves the request's body to be read again.
func (f *handler) question(r *http.Request) (q question, err error) {
	var body []byte
	if r.Body != nil && r.Method != http.MethodGet && r.Method != http.MethodHead {
		if body, err = io.ReadAll(io.LimitReader(r.Body, 1<<20)); err != nil {
			return q, err
		}
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	}
	q.target = hash(f.Seed, r.Method, r.URL.Path, r.URL.RawQuery, string(body))
	query := r.URL.Query()
	for _, name := range f.Cursors {
		if value := query.Get(name); value != "" {
			q.cursor = value
			query.Del(name)
		}
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) == nil {
		for _, name := range f.Cursors {
			if value := strings.Trim(string(members[name]), `"`); value != "" && value != "null" {
				q.cursor = value
			}
			delete(members, name)
		}
		body, _ = json.Marshal(members) // in order of the names
	}
	q.listing = hash(f.Seed, r.Method, r.URL.Path, query.Encode(), string(body), r.Header.Get("Authorization"))
	return q, nil
}

// decide says what is done to a request, and gives a number to do it by and, for Repeat, the page that was served last.
func (f *handler) decide(q question) (fault string, x uint64, before *page) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.targets[q.target]
	if t == nil {
		if len(f.targets) >= most {
			clear(f.targets)
		}
		t = new(target)
		f.targets[q.target] = t
	}
	t.asked++
	x = mix(q.target ^ mix(t.asked))
	before = f.pages[q.listing]
	u := float64(mix(x)>>11) / (1 << 53)
	for _, kind := range []struct {
		name     string
		rate     float64
		possible bool
		again    bool // that the client has to ask again
	}{
		{TooMany, f.TooMany, true, true}, {Failure, f.Failure, true, true}, {Cut, f.Cut, true, true},
		{Repeat, f.Repeat, before.leads(q.cursor), true},
		{Slow, f.Slow, true, false}, {Shuffle, f.Shuffle, len(f.Arrays) > 0, false},
	} {
		if u -= kind.rate; u >= 0 {
			continue
		}
		if !kind.possible || kind.again && t.hit >= f.InARow {
			break
		}
		if kind.again {
			t.hit++
		} else {
			t.hit = 0
		}
		return kind.name, x, before
	}
	t.hit = 0
	return "", x, nil
}

// leads reports whether a client that reads the page goes on with a cursor: only then nothing is lost by serving it again.
func (p *page) leads(cursor string) bool {
	return p != nil && cursor != "" && p.cursor != cursor && (bytes.Contains(p.body, []byte(cursor)) || strings.Contains(p.header.Get("Link"), cursor))
}

// remember keeps the last sound page of a listing.
func (f *handler) remember(q question, p *page) {
	if f.Repeat == 0 || len(f.Cursors) == 0 || p.status != http.StatusOK || len(p.body) > 4<<20 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.pages) >= 256 {
		clear(f.pages)
	}
	kept := *p
	kept.body, kept.cursor = slices.Clone(p.body), q.cursor
	f.pages[q.listing] = &kept
}

// hash mixes texts into a number, FNV-1a's way.
func hash(seed uint64, texts ...string) uint64 {
	h := mix(seed) ^ 14695981039346656037
	for _, text := range texts {
		for i := range len(text) {
			h = (h ^ uint64(text[i])) * 1099511628211
		}
		h = mix(h)
	}
	return h
}

// mix is the finaliser of SplitMix64 (G. Steele, D. Lea, C. Flood, 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
