package payments

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/stripe/stripe-go/v85"

	"crosslift/connectors"
	"crosslift/connectors/rest"
	"crosslift/schemas/secret"
)

// pageSize is Stripe's maximum.
const pageSize = 100

// maxAtOnce is how many requests an extract has under way where it needs an answer an object.
const maxAtOnce = 8

// maxTries is how often an answer is asked for that ends too early.
const maxTries = 4

// api asks Stripe. Tries, limits and deadlines are those of the HTTP client it is given.
type api struct {
	backend stripe.Backend
	key     secret.Secret
}

func newAPI(c Config, client *http.Client) *api {
	return &api{key: c.Key, backend: stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		URL: &c.URL, HTTPClient: client,
		MaxNetworkRetries: stripe.Int64(0),
		EnableTelemetry:   stripe.Bool(false),
		LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull}, // it would log bodies
	}).API}
}

// query is the parameters of all lists that are read here.
type query struct {
	stripe.Params `form:"*"`
	Limit         int64                                   `form:"limit"`
	StartingAfter *string                                 `form:"starting_after"`
	Created       *stripe.RangeQueryParams                `form:"created"`
	Expand        []*string                               `form:"expand"`
	Status        *string                                 `form:"status"`
	Type          *string                                 `form:"type"`
	Types         []*string                               `form:"types"`
	Payment       *stripe.InvoicePaymentListPaymentParams `form:"payment"`
}

// between asks for what was created in [from, to), in seconds since 1970.
func between(from, to int64) *stripe.RangeQueryParams {
	return &stripe.RangeQueryParams{GreaterThanOrEqual: from, LesserThan: to}
}

// page is an answer to a list request.
type page struct {
	Object  string            `json:"object"`
	Data    []json.RawMessage `json:"data"`
	HasMore *bool             `json:"has_more"`
}

// list asks for a page of the newest objects first, those behind the one named by after.
func (a *api) list(ctx context.Context, path string, q query, after string) (*page, error) {
	q.Context = ctx
	q.Limit = cmp.Or(q.Limit, pageSize)
	if after != "" {
		q.StartingAfter = &after
	}
	var p *page
	err := a.ask(ctx, path, &q, func(body io.Reader) (err error) {
		p, err = decodePage(body)
		return err
	})
	return p, err
}

// decodePage reads a list as Stripe documents it.
func decodePage(body io.Reader) (*page, error) {
	p := new(page)
	if err := json.NewDecoder(body).Decode(p); err != nil {
		return nil, err
	}
	if p.Object != "list" || p.HasMore == nil || *p.HasMore && len(p.Data) == 0 {
		return nil, errShape
	}
	return p, nil
}

// all lists every object that a query has, newest first.
func (a *api) all(ctx context.Context, path string, q query, each func(raw json.RawMessage) error) error {
	walk := walk{}
	for more := true; more; {
		p, err := a.list(ctx, path, q, walk.after)
		if err != nil {
			return err
		}
		fresh, err := walk.next(p)
		if err != nil {
			return answer(ctx, path, err)
		}
		for _, o := range fresh {
			if err := each(o.raw); err != nil {
				return fmt.Errorf("GET %s: %w", path, err)
			}
		}
		more = *p.HasMore
	}
	return nil
}

// get asks for one object; nil when there is none.
func (a *api) get(ctx context.Context, path, id string, expand ...string) (json.RawMessage, error) {
	q := struct {
		stripe.Params `form:"*"`
		Expand        []*string `form:"expand"`
	}{Params: stripe.Params{Context: ctx}}
	for _, field := range expand { // an empty list would be sent as such
		q.Expand = append(q.Expand, &field)
	}
	var raw json.RawMessage
	err := a.ask(ctx, stripe.FormatURLPath(path+"/%s", id), &q, func(body io.Reader) error {
		return json.NewDecoder(body).Decode(&raw)
	})
	if gone := (*refusal)(nil); errors.As(err, &gone) && gone.status == http.StatusNotFound {
		return nil, nil
	}
	return raw, err
}

// ask asks and reads the answer, again where it ends too early: a proxy may cut it off without anybody noticing.
func (a *api) ask(ctx context.Context, path string, params stripe.ParamsContainer, read func(io.Reader) error) error {
	for tries := 1; ; tries++ {
		body, err := a.call(ctx, path, params)
		if err != nil {
			return err
		}
		err = read(body)
		body.Close()
		if err == nil {
			return nil
		}
		if tries == maxTries || ctx.Err() != nil || !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			return answer(ctx, path, err)
		}
	}
}

// streamed receives an answer before its body is read, which Stripe's library would otherwise put into its errors.
type streamed struct{ body io.ReadCloser }

func (s *streamed) SetLastResponse(r *stripe.StreamingAPIResponse) { s.body = r.Body }

func (a *api) call(ctx context.Context, path string, params stripe.ParamsContainer) (io.ReadCloser, error) {
	var s streamed
	err := a.backend.CallStreaming(http.MethodGet, path, a.key.Reveal(), params, &s)
	var said *stripe.Error
	switch {
	case err == nil:
		return s.body, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("GET %s: %w", path, context.Cause(ctx))
	case errors.As(err, &said):
		return nil, &refusal{path: path, status: said.HTTPStatusCode, request: said.RequestID, message: told(said)}
	case errors.Is(err, connectors.ErrDown) || errors.Is(err, connectors.ErrContract):
		return nil, rest.Cause(err)
	}
	// What else Stripe's library says holds the body of an answer that is no JSON, such as a proxy's page.
	return nil, fmt.Errorf("GET %s: no answer of Stripe's: %w", path, connectors.ErrDown)
}

// refusal is an answer that is no success.
type refusal struct {
	path, message, request string
	status                 int
}

func (r *refusal) Error() string {
	text := fmt.Sprintf("GET %s: %d %s", rest.Shown(r.path), r.status, r.message)
	if r.request != "" {
		text += " (" + rest.Shown(r.request) + ")"
	}
	return text
}

// Unwrap gives what the refusal means. A parameter that Stripe does not know is a fault of ours.
func (r *refusal) Unwrap() error {
	if r.status == http.StatusBadRequest {
		return nil
	}
	return rest.Meaning(r.status)
}

// told is what Stripe says in an error, without what may be personal.
func told(e *stripe.Error) string {
	text := string(e.Type)
	if e.Code != "" {
		text += " " + string(e.Code)
	}
	if e.Param != "" {
		text += " of " + e.Param
	}
	return rest.Shown(text + ": " + e.Msg)
}

// explain reads a refusal for the shared runtime. Stripe says itself whether to try again; a rate limit passes anyway.
func explain(status int, header http.Header, body []byte) (message string, final bool) {
	final = header.Get("Stripe-Should-Retry") == "false" && status != http.StatusTooManyRequests
	var said struct {
		Error *stripe.Error `json:"error"`
	}
	if json.Unmarshal(body, &said) != nil || said.Error == nil {
		return "", final
	}
	return told(said.Error), final
}

var (
	errShape = errors.New("expected a list with has_more")
	errEvent = fmt.Errorf("an event has no time: %w", connectors.ErrContract)
)

// answer is the error of an answer that cannot be read as a whole. It holds nothing of it.
func answer(ctx context.Context, path string, err error) error {
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("GET %s: %w", path, context.Cause(ctx))
	case errors.Is(err, errShape) || errors.Is(err, errStuck):
		return fmt.Errorf("GET %s: %w: %w", path, err, connectors.ErrContract)
	case errors.As(err, &syntax), errors.As(err, &mismatch):
		return fmt.Errorf("GET %s: expected a list or an object in JSON: %w", path, connectors.ErrContract)
	}
	return fmt.Errorf("GET %s: the answer broke off: %w", path, connectors.ErrDown)
}
