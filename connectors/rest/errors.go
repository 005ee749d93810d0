package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"crosslift/connectors"
	"crosslift/schemas/identifier"
)

// Error is a call that failed for good. It is connectors.ErrDown or connectors.ErrContract, as Meaning says, or
// context.Canceled; nothing in its message is personal.
type Error struct {
	Method, Path string // without the query
	Status       int    // 0: there was no answer
	Message      string // what the source said, redacted and cut, or what went wrong
	Tries        int    // how often it was tried
	meaning      error
	cause        error // nil, or an error without the request's URL
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", e.Method, e.Path)
	if e.Status != 0 {
		fmt.Fprintf(&b, ": %d %s", e.Status, http.StatusText(e.Status))
	}
	if e.Tries > 1 {
		fmt.Fprintf(&b, " after %d tries", e.Tries)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	return b.String()
}

// Unwrap gives what the error means and what caused it.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.meaning}
	}
	return []error{e.meaning, e.cause}
}

// Meaning is what a status other than 2xx says of a source: connectors.ErrDown where waiting or its owner mends it (our
// credentials and quotas, its own troubles), else connectors.ErrContract.
func Meaning(status int) error {
	switch status {
	case 401, 402, 403, 407, 408, 423, 425, 429, 477:
		return connectors.ErrDown
	}
	if status >= 500 {
		return connectors.ErrDown
	}
	return connectors.ErrContract
}

// Cause gives the Error within the error of an SDK, which may be shown where the whole may not: it holds the request's
// URL with its query. Other errors are given as they are, without such a URL.
func Cause(err error) error {
	var ours *Error
	var address *url.Error
	switch {
	case errors.As(err, &ours):
		return ours
	case errors.As(err, &address):
		return address.Err
	}
	return err
}

// refusal is the error of an answer that is no success.
func (c *Client) refusal(r *http.Request, a *http.Response, body []byte, tries int) *Error {
	e := &Error{Method: r.Method, Path: shownPath(r.URL), Status: a.StatusCode, Tries: tries, meaning: Meaning(a.StatusCode)}
	e.Message = Shown(c.explain(a, body).message)
	if a.StatusCode/100 == 3 {
		e.Message = "it redirects, which is not followed: set the base address to where it moved"
	}
	return e
}

// explanation is what a source says in an answer that is no success.
type explanation struct {
	message string
	final   bool
}

func (c *Client) explain(a *http.Response, body []byte) explanation {
	if c.options.Explain != nil {
		if message, final := c.options.Explain(a.StatusCode, a.Header, body); message != "" || final {
			return explanation{message, final}
		}
	}
	if media := a.Header.Get("Content-Type"); strings.HasPrefix(media, "text/html") {
		return explanation{} // a proxy's page
	}
	return explanation{message: string(body)}
}

// failure is the error of a call without an answer.
func failure(r *http.Request, tries int, err error) *Error {
	var already *Error
	if errors.As(err, &already) {
		return already
	}
	var address *url.Error
	if errors.As(err, &address) {
		err = address.Err
	}
	e := &Error{Method: r.Method, Path: shownPath(r.URL), Tries: tries, meaning: connectors.ErrDown, cause: err}
	e.Message = Shown(err.Error())
	switch {
	case errors.Is(err, context.Canceled):
		e.Message, e.meaning = "canceled", context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		e.Message = "no answer within the deadline"
	}
	return e
}

// maxShown is how much of a foreign text an error may hold.
const maxShown = 200

// Shown makes a text of which nobody knows what it holds, such as a server's message, fit to be shown: redacted, on one
// line, and cut to 200 bytes.
func Shown(text string) string {
	if len(text) > 8*maxShown {
		text = text[:8*maxShown]
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != utf8.RuneError {
			return r
		}
		return ' '
	}, text)
	text = strings.Join(strings.Fields(identifier.Redact(text)), " ")
	if len(text) <= maxShown {
		return text
	}
	cut := maxShown
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// shownPath is a request's path, in which ids may be.
func shownPath(u *url.URL) string { return Shown(u.EscapedPath()) }
