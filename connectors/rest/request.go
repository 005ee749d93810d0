package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"crosslift/connectors"
)

// Request is a call to a source.
type Request struct {
	Method     string     // GET without it
	Path       string     // below the base address, escaped
	Query      url.Values //
	Header     http.Header
	Body       []byte // JSON unless Header says otherwise
	Idempotent bool   // may be sent twice although its method is POST

	// Array is the path of the array whose elements Read gives, such as Data.Transaction; "": the document is the array.
	// MayLack says that an answer without it is an empty one.
	Array   string
	MayLack bool

	address *url.URL // instead of Path and Query: a link, checked already
}

// Page is an answer of Read.
type Page struct {
	Header   http.Header
	URL      *url.URL // that was asked
	Members  Members  // beside the elements
	Elements int64    // how many it had
}

// Do sends a request and gives the answer when it is a success, or else an *Error. Closing its body is up to the caller.
func (c *Client) Do(ctx context.Context, r Request) (*http.Response, error) {
	request, err := c.request(ctx, r)
	if err != nil {
		return nil, err
	}
	return c.send(c.calls, request)
}

// Get reads a small JSON document, up to 16 MiB, and asks again when it is cut off.
func (c *Client) Get(ctx context.Context, path string, query url.Values, into any) error {
	return c.JSON(ctx, Request{Path: path, Query: query}, into)
}

// JSON is Get for any request. With a nil into the answer's body is of no interest.
func (c *Client) JSON(ctx context.Context, r Request, into any) error {
	return c.again(ctx, r, func(request *http.Request) error {
		a, err := c.send(c.calls, request)
		if err != nil {
			return err
		}
		defer a.Body.Close()
		if into == nil {
			return nil
		}
		const most = 16 << 20
		content, err := io.ReadAll(io.LimitReader(a.Body, most+1))
		switch {
		case err != nil:
			return unread{err}
		case len(content) > most:
			return c.broken(request, errors.New("the answer is longer than 16 MiB"))
		}
		err = json.Unmarshal(content, into)
		var syntax *json.SyntaxError
		switch {
		case errors.As(err, &syntax) && syntax.Error() == "unexpected end of JSON input":
			return unread{errCut{syntax.Offset}}
		case err != nil:
			return c.broken(request, errors.New("the answer is not the JSON that is documented"))
		}
		return nil
	})
}

// Read sends a request and gives each the elements of its array, one by one. It asks again when the answer is cut off,
// gives what was not given yet, in whatever order it comes then, and fails if something that was given is not there any
// more. An error of each is returned as it is.
func (c *Client) Read(ctx context.Context, r Request, each func(element Value) error) (page *Page, err error) {
	var given given
	err = c.again(ctx, r, func(request *http.Request) (err error) {
		page, err = c.page(request, r, &given, each)
		return err
	})
	switch {
	case errors.As(err, new(stopped)):
		return nil, errors.Unwrap(err)
	case err != nil:
		return nil, err
	}
	return page, nil
}

// unread is an error while an answer was read, after which it may be asked for again.
type unread struct{ error }

func (u unread) Unwrap() error { return u.error }

// again reads the answer to a request, and once more while it is unread, until the deadline.
func (c *Client) again(ctx context.Context, r Request, read func(*http.Request) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.options.Deadline)
	defer cancel()
	request, err := c.request(ctx, r)
	if err != nil {
		return err
	}
	for tries := 1; ; tries++ {
		err := read(request)
		if !errors.As(err, new(unread)) {
			return err
		}
		err = cause(ctx, errors.Unwrap(err))
		if tries >= c.options.Retry.Tries || !repeatable(request) || ctx.Err() != nil ||
			sleep(ctx, c.options.Retry.wait(tries)) != nil {
			return failure(request, tries, err)
		}
		if request.GetBody != nil {
			if request.Body, err = request.GetBody(); err != nil {
				return failure(request, tries, err)
			}
		}
	}
}

// page reads an answer once.
func (c *Client) page(request *http.Request, r Request, done *given, each func(Value) error) (*Page, error) {
	a, err := c.send(c.calls, request)
	if err != nil {
		return nil, err
	}
	defer a.Body.Close()
	page := &Page{Header: a.Header, URL: request.URL}
	if a.StatusCode == http.StatusNoContent {
		return page, nil
	}
	done.restart()
	body := &tracked{Reader: a.Body}
	page.Members, err = Elements(body, r.Array, func(v Value) error {
		if !done.isNew(v) {
			return nil
		}
		if err := each(v); err != nil {
			return stopped{err}
		}
		return nil
	})
	page.Elements = done.met
	if errors.Is(err, ErrNoArray) && r.MayLack {
		err = nil
	}
	if err == nil && len(done.again) > 0 {
		err = errOther
	}
	switch {
	case err == nil, errors.As(err, new(stopped)):
		return page, err
	case body.err != nil && !done.long:
		return nil, unread{body.err}
	case errors.Is(err, io.ErrUnexpectedEOF) && !done.long:
		return nil, unread{err}
	case body.err != nil || errors.Is(err, io.ErrUnexpectedEOF):
		return nil, failure(request, 1, cause(request.Context(), err))
	case err == errOther:
		return nil, failure(request, 2, err)
	}
	return nil, c.broken(request, err)
}

// tracked remembers why its reader failed.
type tracked struct {
	io.Reader
	err error
}

func (t *tracked) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	if err != nil && err != io.EOF {
		t.err = err
	}
	return n, err
}

// broken is the error of an answer that its documentation rules out.
func (c *Client) broken(r *http.Request, err error) error {
	return &Error{
		Method: r.Method, Path: shownPath(r.URL), meaning: connectors.ErrContract, cause: err,
		Message: Shown(strings.TrimPrefix(err.Error(), connectors.ErrContract.Error()+": ")),
	}
}

func (c *Client) send(layers http.RoundTripper, r *http.Request) (*http.Response, error) {
	a, err := layers.RoundTrip(r)
	if err != nil {
		return nil, failure(r, 1, err)
	}
	if body, refused := a.Body.(*answered); refused {
		return nil, c.refusal(r, a, body.content, body.tries)
	}
	return a, nil
}

// request puts a request together.
func (c *Client) request(ctx context.Context, r Request) (*http.Request, error) {
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	address := r.address
	if address == nil {
		address = c.base.JoinPath(r.Path)
		address.RawQuery = r.Query.Encode()
	}
	if r.Idempotent {
		ctx = Idempotent(ctx)
	}
	var body io.Reader // an untyped nil for none
	if r.Body != nil {
		body = bytes.NewReader(r.Body)
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, address.String(), body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: not a request that can be sent", r.Method, Shown(r.Path))
	}
	for name, values := range r.Header {
		request.Header[http.CanonicalHeaderKey(name)] = values
	}
	if request.Header.Get("Accept") == "" {
		request.Header.Set("Accept", "application/json")
	}
	if r.Body != nil && request.Header.Get("Content-Type") == "" {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, nil
}
