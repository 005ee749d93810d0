// Package rest is what all sources behind an HTTP API share: credentials, limits, retries, pages, and JSON that is read
// as a stream.
//
// A Client belongs to one source and speaks to one scheme and host only: whatever an answer says, credentials and
// requests go nowhere else. TLS is always verified; plain HTTP is for loopback. A call passes these layers:
//
//	log and deadline → retries → limit → credentials → stall watch → transport
//
// so that every try takes its share of the limit and carries a credential that is valid then. Vendors' own SDKs use the
// same layers through HTTP; sources without one use Read and Pages, which never hold more than one element of a page.
package rest

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Options say how to speak to a source. Name and Base are required.
type Options struct {
	Name  string // the source, for log lines
	Base  string // https://host[:port][/prefix]; http to loopback only
	Auth  Auth   // nil: no credentials
	TLS   TLS
	Limit Limit
	Retry Retry
	// Deadline is for how long a call may last, with all its tries and waits and until its answer is read: 10 minutes
	// without it. Stall is after how long without a byte a try is given up: a minute without it.
	Deadline, Stall time.Duration
	// Whole is up to how many bytes of an answer are held, for SDKs only, before they are handed over, so that one that
	// is cut off can be asked for again: 32 MiB without it. What is longer is handed over as it comes.
	Whole int64
	// Explain reads the body of an answer that is no success: what it says, in the vendor's own words, and whether it
	// is of no use to try again, whatever its status. It may be nil.
	Explain func(status int, header http.Header, body []byte) (message string, final bool)
	Log     *slog.Logger     // nil: nothing is logged
	Now     func() time.Time // for what is compared with the source's clock; nil: time.Now
}

// Limit is a token bucket that all calls to a source share. The zero Limit is none.
type Limit struct {
	PerSecond float64
	Burst     int // at least 1
}

// Client speaks to one source. It may be used by several goroutines.
type Client struct {
	options Options
	base    *url.URL
	wire    *http.Transport
	calls   http.RoundTripper // for Do: answers as they come
	whole   http.RoundTripper // for SDKs: see Options.Whole
	skew    atomic.Pointer[time.Duration]
}

// New makes a client. It sends nothing.
func New(o Options) (*Client, error) {
	base, err := origin(o.Base)
	if err != nil {
		return nil, fmt.Errorf("%s: base: %w", o.Name, err)
	}
	if o.Limit.PerSecond < 0 || o.Limit.Burst < 0 {
		return nil, fmt.Errorf("%s: limit: expected numbers above zero", o.Name)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Deadline = cmpOr(o.Deadline, 10*time.Minute)
	o.Stall = cmpOr(o.Stall, time.Minute)
	o.Whole = cmpOr(o.Whole, 32<<20)
	o.Retry = o.Retry.filled()
	c := &Client{options: o, base: base}
	if c.wire, err = o.TLS.transport(); err != nil {
		return nil, fmt.Errorf("%s: tls: %w", o.Name, err)
	}
	var held credential
	if o.Auth != nil {
		if held, err = o.Auth.open(c); err != nil {
			return nil, fmt.Errorf("%s: auth: %w", o.Name, err)
		}
	}
	var bucket *rate.Limiter
	if o.Limit.PerSecond > 0 {
		bucket = rate.NewLimiter(rate.Limit(o.Limit.PerSecond), max(o.Limit.Burst, 1))
	}
	c.calls = c.layers(base, held, bucket, 0)
	c.whole = c.layers(base, held, bucket, o.Whole)
	return c, nil
}

func cmpOr[T int64 | time.Duration](given, otherwise T) T {
	if given > 0 {
		return given
	}
	return otherwise
}

// layers puts a transport to one origin together.
func (c *Client) layers(to *url.URL, held credential, bucket *rate.Limiter, whole int64) http.RoundTripper {
	tries := &tries{client: c, to: to, held: held, bucket: bucket}
	return &call{client: c, next: &retries{client: c, held: held, whole: whole, next: tries}}
}

// HTTP gives a client for a vendor's SDK, whose own retries are to be switched off: tries, limits, credentials and
// deadlines are ours, and an answer that says no after all of them is the SDK's to read. POST requests are tried again
// only where their context is marked by Idempotent. The errors of package http hold the URL with its query; Cause gives
// what may be shown.
func (c *Client) HTTP() *http.Client {
	return &http.Client{Transport: c.whole, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

// Skew is by how much the source's clock was ahead of ours at the last answer that told it, to a second.
func (c *Client) Skew() (ahead time.Duration, known bool) {
	if d := c.skew.Load(); d != nil {
		return *d, true
	}
	return 0, false
}

// Close frees the connections that are not in use.
func (c *Client) Close() error {
	c.wire.CloseIdleConnections()
	return nil
}

// origin reads an address that credentials may be sent to.
func origin(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return nil, errors.New("expected an address such as https://api.example.com")
	case u.User != nil:
		return nil, errors.New("credentials do not belong into an address")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("expected an address without ? and #")
	case u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()):
		return u, nil
	case u.Scheme == "http":
		return nil, errors.New("plain http is for loopback only: expected https")
	}
	return nil, errors.New("expected https")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// sameOrigin reports whether two addresses share scheme, host and port.
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"https": "443", "http": "80"}[u.Scheme]
}
