package rest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/time/rate"

	"crosslift/connectors"
)

// call bounds a call by the deadline and logs it, without the values of its query and without bodies.
type call struct {
	client *Client
	next   http.RoundTripper
}

func (t *call) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(r.Context(), t.client.options.Deadline)
	start := time.Now()
	a, err := t.next.RoundTrip(r.WithContext(ctx))
	if log := t.client.options.Log; log.Enabled(ctx, slog.LevelDebug) {
		attributes := []slog.Attr{
			slog.String("source", t.client.options.Name), slog.String("method", r.Method),
			slog.String("path", shownPath(r.URL)), slog.Duration("took", time.Since(start)),
		}
		if names := slices.Sorted(maps.Keys(r.URL.Query())); len(names) > 0 {
			attributes = append(attributes, slog.String("query", Shown(strings.Join(names, " "))))
		}
		if err != nil {
			attributes = append(attributes, slog.String("error", Shown(err.Error())))
		} else {
			attributes = append(attributes, slog.Int("status", a.StatusCode))
		}
		log.LogAttrs(ctx, slog.LevelDebug, "request", attributes...)
	}
	if err != nil {
		cancel()
		return nil, err
	}
	if _, read := a.Body.(*answered); read {
		cancel()
		return a, nil
	}
	a.Body = &released{a.Body, cancel}
	return a, nil
}

// released is a body whose context ends when it is closed.
type released struct {
	io.ReadCloser
	release func()
}

func (b *released) Close() error {
	defer b.release()
	return b.ReadCloser.Close()
}

// tries sends a request once: to the one origin only, when the limit lets it, with a credential, and until it stalls.
type tries struct {
	client *Client
	to     *url.URL
	held   credential
	bucket *rate.Limiter
}

var (
	errStalled    = errors.New("the source stopped sending")
	errUnverified = errors.New("its certificate could not be verified")
)

func (t *tries) RoundTrip(r *http.Request) (*http.Response, error) {
	if !sameOrigin(r.URL, t.to) {
		return nil, &Error{Method: r.Method, Path: shownPath(r.URL), meaning: connectors.ErrContract, Message: fmt.Sprintf(
			"refused: it is at %s://%s, and only %s://%s is configured", r.URL.Scheme, Shown(r.URL.Host), t.to.Scheme, t.to.Host)}
	}
	ctx := r.Context()
	if t.bucket != nil {
		if err := t.bucket.Wait(ctx); err != nil {
			if ctx.Err() == nil {
				err = context.DeadlineExceeded // the limiter sees that the wait would last beyond it
			}
			return nil, err
		}
	}
	if t.held != nil {
		if err := t.held.authorize(ctx, r); err != nil {
			return nil, err
		}
	}
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", "crosslift")
	}
	zipped := r.Header.Get("Accept-Encoding") == "" && r.Header.Get("Range") == "" && r.Method != http.MethodHead
	if zipped {
		r.Header.Set("Accept-Encoding", "gzip")
	}
	watched, cancel := context.WithCancelCause(ctx)
	stall := t.client.options.Stall
	b := &body{ctx: watched, stall: stall, stop: cancel}
	b.timer = time.AfterFunc(stall, func() { cancel(errStalled) })
	a, err := t.client.wire.RoundTrip(r.WithContext(watched))
	b.timer.Stop()
	if err != nil {
		err = cause(watched, err)
		cancel(nil)
		var unverified *tls.CertificateVerificationError
		if errors.As(err, &unverified) {
			err = fmt.Errorf("%w: %w", errUnverified, err)
		}
		return nil, err
	}
	t.client.sawDate(a.Header)
	b.wire, b.text = a.Body, a.Body
	a.Body = b
	if zipped && strings.EqualFold(a.Header.Get("Content-Encoding"), "gzip") {
		b.zipped = true
		a.Header.Del("Content-Encoding")
		a.Header.Del("Content-Length")
		a.ContentLength, a.Uncompressed = -1, true
	}
	return a, nil
}

func (c *Client) sawDate(h http.Header) {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		ahead := date.Sub(c.options.Now()).Round(time.Second)
		c.skew.Store(&ahead)
	}
}

// body is an answer's body: un-gzipped, and given up when no byte comes for too long.
type body struct {
	ctx    context.Context
	stop   context.CancelCauseFunc
	stall  time.Duration
	timer  *time.Timer
	wire   io.ReadCloser
	text   io.Reader
	zipped bool // and text is still the wire
}

func (b *body) Read(p []byte) (int, error) {
	b.timer.Reset(b.stall)
	defer b.timer.Stop()
	if b.zipped {
		text, err := gzip.NewReader(b.wire)
		if err != nil {
			return 0, b.problem(err)
		}
		b.text, b.zipped = text, false
	}
	n, err := b.text.Read(p)
	return n, b.problem(err)
}

func (b *body) problem(err error) error {
	if err == nil || err == io.EOF && !b.zipped {
		return err
	}
	if err == io.EOF {
		return io.ErrUnexpectedEOF // not even gzip's header
	}
	return cause(b.ctx, err)
}

func (b *body) Close() error {
	b.timer.Stop()
	err := b.wire.Close()
	b.stop(nil)
	return err
}
