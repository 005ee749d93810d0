package ga

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"cloud.google.com/go/bigquery"

	"crosslift/connectors"
	"crosslift/connectors/rest"
)

// rowsTransport lies below Google's client. It takes the rows out of the pages that are asked for under a pageKey, and
// leaves in their place one row that says how many there were: the client would make some fifty objects of every row,
// which costs ten times the reading of it. It also ends calls for good when package rest has given them up, since the
// client alone tries for ever.
type rowsTransport struct{ next http.RoundTripper }

// pageKey is the key of the *page in a request's context.
type pageKey struct{}

// standIn is the schema of the row that the client gets to see.
var standIn = bigquery.Schema{{Name: "rows", Type: bigquery.IntegerFieldType}}

// final is an error that Google's client does not try again after: it looks at the text and into what is wrapped.
type final struct{ err error }

func (f *final) Error() string { return "the call failed" }

// RoundTrip implements http.RoundTripper.
func (t *rowsTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	into, _ := r.Context().Value(pageKey{}).(*page)
	if into != nil && len(into.columns) > 0 {
		r = r.Clone(r.Context())
		query := r.URL.Query()
		query.Set("selectedFields", strings.Join(into.columns, ","))
		r.URL.RawQuery = query.Encode()
	}
	for tries := 1; ; tries++ {
		a, err := t.try(r, into)
		if errors.Is(err, errCut) && tries < maxCut && r.Context().Err() == nil {
			continue
		}
		if err != nil {
			return nil, &final{err}
		}
		return a, nil
	}
}

// maxCut is how often an answer is asked for that ends within its JSON, though not within HTTP, as some proxies do it.
const maxCut = 4

var errCut = fmt.Errorf("the answer was cut off: %w", connectors.ErrDown)

func (t *rowsTransport) try(r *http.Request, into *page) (*http.Response, error) {
	a, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, failed(r.Context(), err)
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(a.Body, 64<<10)) // a part of it says something too
		return nil, refused(a.StatusCode, body)
	}
	isRows := into != nil
	if !isRows {
		into = &page{}
	}
	if err := into.fill(a.Body); err != nil {
		return nil, failed(r.Context(), err)
	}
	others, err := into.split()
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errCut
	case err != nil:
		return nil, fmt.Errorf("%w: %w", connectors.ErrContract, err)
	case !isRows:
		others = string(into.body)
	}
	a.Body = io.NopCloser(strings.NewReader(others))
	a.ContentLength = int64(len(others))
	a.Header.Set("Content-Length", strconv.Itoa(len(others)))
	return a, nil
}

// failed is the error of a call without an answer.
func failed(ctx context.Context, err error) error {
	if ctx.Err() == context.Canceled {
		return context.Canceled
	}
	return rest.Cause(err)
}

// refused is the error of an answer that says no.
func refused(status int, body []byte) error {
	message, reason := readRefusal(body)
	text := fmt.Sprintf("%d %s", status, http.StatusText(status))
	if message != "" {
		text += ": " + rest.Shown(message)
	}
	switch {
	case status == http.StatusNotFound:
		return fmt.Errorf("%s: %w", text, errMissing)
	case status == http.StatusUnauthorized:
		text += ": check the key file in credentials"
	case status == http.StatusForbidden && !strings.HasSuffix(reason, "ateLimitExceeded"):
		text += ": the service account needs the role BigQuery Data Viewer on the dataset"
	}
	return fmt.Errorf("%s: %w", text, rest.Meaning(status))
}
