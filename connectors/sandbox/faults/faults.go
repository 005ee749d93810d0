// Package faults makes a sound server behave as servers do now and then: it refuses, fails, is slow, breaks off, serves a
// page twice, or changes the order of what has none. What happens is decided by a hash of the seed, the request and how
// often it was made before, so that a run can be repeated whatever its requests' order; and a request that is made again
// gets through in the end, with nothing lost.
package faults

import (
	"bytes"
	"net/http"
	"strconv"
	"time"
)

// Options say what goes wrong and how often. Rates are shares of the requests, from 0 to 1; together they should stay
// well below 1.
type Options struct {
	Seed uint64

	TooMany float64 // 429, with Retry-After in seconds or as a date
	Failure float64 // 500 or 503
	Slow    float64 // a body that comes in pieces, with pauses
	Cut     float64 // a connection that is closed in the middle of a body
	Repeat  float64 // the page before once more, to a request with a cursor; not for sources whose rows have no ids
	Shuffle float64 // other order of elements

	// InARow is how often one and the same request is refused, failed, cut or answered with another page before it gets
	// through: 2 without it.
	InARow int
	// RetryAfter is what a 429 asks for, in whole seconds: one second without it, none if it is negative.
	RetryAfter time.Duration
	// Pause is how long a slow body takes longer: 200 ms without it.
	Pause time.Duration
	// Cursors are the names of query parameters, or of members of a JSON request body, that tell one page of a listing from
	// the next. Without them no page is repeated.
	Cursors []string
	// Arrays are paths of arrays in JSON answers whose order the service does not promise, such as Data.Transaction.
	// Without them nothing is shuffled. An array whose last element is the next page's cursor is none of them.
	Arrays []string
	// Only says which requests may be hit: all without it.
	Only func(*http.Request) bool
	// Body gives what a 429, 500 or 503 says, in the service's form. Without it, a line of text.
	Body func(status int) (contentType, body string)
	// Hit is told what was done to a request, if it is not nil.
	Hit func(fault string, r *http.Request)
	// Now is the clock for Retry-After: time.Now without it.
	Now func() time.Time
}

// The faults, as Hit is told.
const (
	TooMany = "too many"
	Failure = "failure"
	Slow    = "slow"
	Cut     = "cut"
	Repeat  = "repeat"
	Shuffle = "shuffle"
)

// Wrap puts the faults before a handler.
func Wrap(h http.Handler, o Options) http.Handler {
	if o.InARow == 0 {
		o.InARow = 2
	}
	if o.RetryAfter == 0 {
		o.RetryAfter = time.Second
	}
	o.RetryAfter = max(o.RetryAfter, 0)
	if o.Pause == 0 {
		o.Pause = 200 * time.Millisecond
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &handler{Options: o, sound: h, targets: map[uint64]*target{}, pages: map[uint64]*page{}}
}

func (f *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.Only != nil && !f.Only(r) {
		f.sound.ServeHTTP(w, r)
		return
	}
	q, err := f.question(r)
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	fault, x, before := f.decide(q)
	if f.Hit != nil && fault != "" {
		defer f.Hit(fault, r)
	}
	switch fault {
	case TooMany:
		wait := strconv.Itoa(int((f.RetryAfter + time.Second - 1) / time.Second))
		if x&1 == 0 { // a date has no fractions: it must not come too early
			wait = f.Now().Add(f.RetryAfter + time.Second - 1).UTC().Format(http.TimeFormat)
		}
		w.Header().Set("Retry-After", wait)
		f.refuse(w, http.StatusTooManyRequests)
	case Failure:
		f.refuse(w, []int{http.StatusInternalServerError, http.StatusServiceUnavailable}[x&1])
	case Repeat:
		before.write(w)
	case "":
		if f.Repeat == 0 {
			f.sound.ServeHTTP(w, r)
			return
		}
		fallthrough
	default:
		answer := f.ask(r)
		f.remember(q, answer)
		switch fault {
		case Slow:
			f.slowly(w, r, answer)
		case Cut:
			answer.cut(w, x)
		case Shuffle:
			answer.body = shuffle(answer.body, f.Arrays, x)
			answer.write(w)
		default:
			answer.write(w)
		}
	}
}

func (f *handler) refuse(w http.ResponseWriter, status int) {
	kind, body := "text/plain; charset=utf-8", http.StatusText(status)+"\n"
	if f.Body != nil {
		kind, body = f.Body(status)
	}
	if body != "" {
		w.Header().Set("Content-Type", kind)
	}
	w.WriteHeader(status)
	w.Write([]byte(body))
}

// page is an answer as a whole. What cannot be written to a client that is gone is not missed.
type page struct {
	status int
	header http.Header
	body   []byte
	cursor string // of its request
}

// Header, Write and WriteHeader make a page what a handler answers to.
func (p *page) Header() http.Header { return p.header }

func (p *page) Write(b []byte) (int, error) {
	p.WriteHeader(http.StatusOK)
	p.body = append(p.body, b...)
	return len(b), nil
}

func (p *page) WriteHeader(status int) {
	if p.status == 0 {
		p.status = status
	}
}

// ask has the sound handler answer.
func (f *handler) ask(r *http.Request) *page {
	p := &page{header: http.Header{}}
	f.sound.ServeHTTP(p, r)
	p.WriteHeader(http.StatusOK)
	return p
}

// head writes everything but the body.
func (p *page) head(w http.ResponseWriter) {
	for name, values := range p.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(p.body)))
	w.WriteHeader(p.status)
}

func (p *page) write(w http.ResponseWriter) {
	p.head(w)
	w.Write(p.body)
}

// cut writes a part of the body, at least a byte and not all of it, and closes the connection.
func (p *page) cut(w http.ResponseWriter, x uint64) {
	if len(p.body) < 2 {
		p.write(w)
		return
	}
	p.head(w)
	w.Write(p.body[:1+x%uint64(len(p.body)-1)])
	http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// slowly writes the body in four pieces.
func (f *handler) slowly(w http.ResponseWriter, r *http.Request, p *page) {
	p.head(w)
	for rest := bytes.NewBuffer(p.body); rest.Len() > 0; {
		w.Write(rest.Next(len(p.body)/4 + 1))
		http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-time.After(f.Pause / 4):
		}
	}
}
