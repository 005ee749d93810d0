package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Retry says how often and when a call is tried again: after 408, 425, 429, 5xx and the statuses in Also, after errors
// of the network and after answers that were cut off, as long as the request may be repeated; after 401 once, when the
// credential could be renewed; after another 4xx never. The zero Retry gives the defaults.
type Retry struct {
	Tries int // in all; 6
	// Before try n+1 a call waits for a time between 0 and min(Most, First·2ⁿ), drawn evenly (AWS, "Exponential Backoff
	// and Jitter", full jitter), or as long as Retry-After says. Half a second and 30 s.
	First, Most time.Duration
	Also        []int // more statuses after which to try again
}

func (r Retry) filled() Retry {
	if r.Tries <= 0 {
		r.Tries = 6
	}
	r.First = cmpOr(r.First, 500*time.Millisecond)
	r.Most = cmpOr(r.Most, 30*time.Second)
	return r
}

// wait draws how long to wait after so many tries.
func (r Retry) wait(tries int) time.Duration {
	most := r.Most
	if tries < 30 {
		most = min(most, r.First<<tries)
	}
	return rand.N(most)
}

func (r Retry) again(status int) bool {
	switch status {
	case 408, 425, 429:
		return true
	case 501, 505:
		return false // not what waiting changes
	}
	return status >= 500 || slices.Contains(r.Also, status)
}

// idempotent marks the context of a request that may be sent twice.
type idempotent struct{}

// Idempotent marks the requests of a context as such that may be sent twice whatever their method is, such as a search
// by POST.
func Idempotent(ctx context.Context) context.Context {
	return context.WithValue(ctx, idempotent{}, true)
}

// repeatable reports whether a request may be sent again (RFC 9110, 9.2.2), and can be.
func repeatable(r *http.Request) bool {
	switch r.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
	default:
		if r.Context().Value(idempotent{}) == nil {
			return false
		}
	}
	return rewindable(r)
}

func rewindable(r *http.Request) bool {
	return r.Body == nil || r.Body == http.NoBody || r.GetBody != nil
}

// retries tries a call until it is answered for good.
type retries struct {
	client *Client
	held   credential // nil without one
	whole  int64      // up to how many bytes of an answer are read before it counts as one
	next   *tries
}

// RoundTrip implements http.RoundTripper. The body of an answer that is no success is an *answered.
func (t *retries) RoundTrip(r *http.Request) (*http.Response, error) {
	policy := t.client.options.Retry
	ctx := r.Context()
	renewed := false
	for tries := 1; ; tries++ {
		try := r.Clone(ctx)
		if tries > 1 && r.GetBody != nil {
			body, err := r.GetBody()
			if err != nil {
				return nil, failure(r, tries, err)
			}
			try.Body = body
		}
		a, err := t.try(try)
		if err == nil && a.StatusCode < 300 {
			return a, nil
		}
		again, wait := false, policy.wait(tries)
		more := tries < policy.Tries && repeatable(r)
		if err == nil {
			body := a.Body.(*answered)
			body.tries = tries
			if a.StatusCode == http.StatusUnauthorized && t.held != nil && !renewed && rewindable(r) {
				if renewed = true; t.held.renew(try) {
					continue
				}
			}
			again = more && policy.again(a.StatusCode) && !t.client.explain(a, body.content).final
			if asked, given := retryAfter(a.Header, t.client.options.Now()); given {
				wait = asked + rand.N(policy.First)
				if deadline, ok := ctx.Deadline(); again && ok && time.Until(deadline) < wait {
					return nil, t.client.tooLong(r, a, body, asked)
				}
			}
		} else {
			again = more && retriable(err)
		}
		if !again || ctx.Err() != nil {
			if err != nil {
				return nil, failure(r, tries, cause(ctx, err))
			}
			return a, nil
		}
		t.client.options.Log.LogAttrs(ctx, slog.LevelDebug, "trying again", slog.String("source", t.client.options.Name),
			slog.String("method", r.Method), slog.String("path", shownPath(r.URL)), slog.Int("tries", tries),
			slog.Int("status", status(a)), slog.Duration("wait", wait))
		if err := sleep(ctx, wait); err != nil {
			if a != nil {
				return a, nil // what was said last says more than that time ran out
			}
			return nil, failure(r, tries, err)
		}
	}
}

// tooLong is the error of an answer that asks for more time than there is.
func (c *Client) tooLong(r *http.Request, a *http.Response, body *answered, asked time.Duration) error {
	e := c.refusal(r, a, body.content, body.tries)
	said := ""
	if e.Message != "" {
		said = e.Message + "; "
	}
	e.Message = fmt.Sprintf("%sit asks to wait for %s, which is longer than the deadline lets us", said, asked)
	return e
}

func status(a *http.Response) int {
	if a == nil {
		return 0
	}
	return a.StatusCode
}

// try sends a request once. It reads the body of an answer that is no success, and that of others as far as whole says.
func (t *retries) try(r *http.Request) (*http.Response, error) {
	a, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if a.StatusCode >= 300 {
		content, _ := io.ReadAll(io.LimitReader(a.Body, 64<<10)) // a part of it says something too
		a.Body.Close()
		a.Body = &answered{Reader: bytes.NewReader(content), content: content}
		return a, nil
	}
	if t.whole == 0 {
		return a, nil
	}
	var held bytes.Buffer
	if a.ContentLength > 0 {
		held.Grow(int(min(a.ContentLength, t.whole)) + bytes.MinRead)
	}
	switch n, err := io.Copy(&held, io.LimitReader(a.Body, t.whole)); {
	case err != nil:
		a.Body.Close()
		return nil, err
	case n < t.whole:
		a.Body.Close()
		a.Body = io.NopCloser(&held)
	default:
		a.Body = &headed{io.MultiReader(&held, a.Body), a.Body}
	}
	return a, nil
}

// answered is the body of an answer that is no success, read already.
type answered struct {
	*bytes.Reader
	content []byte
	tries   int
}

func (*answered) Close() error { return nil }

// headed is a body whose head was read already.
type headed struct {
	io.Reader
	io.Closer
}

// retriable reports whether an error of a try is the network's. What we refuse ourselves is not, nor is a server's refusal
// of our certificate.
func retriable(err error) bool {
	var ours *Error
	return !errors.As(err, &ours) && !errors.Is(err, context.Canceled) && !errors.Is(err, errUnverified) && !uncertified(err)
}

// uncertified reports that the server's TLS alert (RFC 8446, 6.2) is about our certificate. Alerts have no exported type.
func uncertified(err error) bool {
	var alert *net.OpError
	return errors.As(err, &alert) && alert.Op == "remote error" && strings.Contains(alert.Err.Error(), "certificate")
}

// cause prefers why a context ended over what that led to.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// maxRetryAfter is what longer waits count as: no deadline is longer.
const maxRetryAfter = 365 * 24 * time.Hour

// retryAfter reads Retry-After, seconds or an HTTP date (RFC 9110, 10.2.3). A date is compared with the answer's own
// Date, so that a difference between the clocks is no matter, or else with now.
func retryAfter(h http.Header, now time.Time) (wait time.Duration, given bool) {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0, false
	}
	if strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter, true
		}
		return time.Duration(seconds) * time.Second, true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), maxRetryAfter), true
}
