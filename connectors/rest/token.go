package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"crosslift/connectors"
	"crosslift/schemas/secret"
)

// Style is how a client shows itself to the token endpoint.
type Style string

// The styles of RFC 6749, 2.3.1, and RFC 8705, 2.1.
const (
	InBody        Style = "body"  // client_id and client_secret in the form
	InHeader      Style = "basic" // as user and password
	ByCertificate Style = "tls"   // client_id in the form, and the client's certificate: tls_client_auth
)

// ClientCredentials gets tokens for itself by OAuth2's client credentials grant (RFC 6749, 4.4). A token is replaced
// when 80 % of its life has passed, and when it is refused.
type ClientCredentials struct {
	TokenURL string // https, or http to loopback
	ID       string
	Secret   secret.Secret // none ByCertificate
	Scopes   []string
	Style    Style      // InBody without it
	Extra    url.Values // more fields of the form, such as audience
}

func (g ClientCredentials) open(c *Client) (credential, error) {
	if g.ID == "" {
		return nil, errors.New("the client id is empty")
	}
	if g.Style == "" {
		g.Style = InBody
	}
	switch {
	case g.Style != InBody && g.Style != InHeader && g.Style != ByCertificate:
		return nil, fmt.Errorf("unknown style %q: expected body, basic or tls", g.Style)
	case g.Style == ByCertificate && !c.options.TLS.Certificate.Given():
		return nil, errors.New("style tls needs a client certificate")
	case g.Style != ByCertificate && g.Secret.Reveal() == "":
		return nil, errors.New("the client secret is empty")
	}
	form := url.Values{}
	for name, values := range g.Extra {
		form[name] = values
	}
	form.Set("grant_type", "client_credentials")
	if len(g.Scopes) > 0 {
		form.Set("scope", strings.Join(g.Scopes, " "))
	}
	if g.Style != InHeader {
		form.Set("client_id", g.ID)
	}
	if g.Style == InBody {
		form.Set("client_secret", g.Secret.Reveal())
	}
	return newTokens(c, g.TokenURL, func(h http.Header) (url.Values, error) {
		if g.Style == InHeader {
			r := http.Request{Header: h}
			r.SetBasicAuth(url.QueryEscape(g.ID), url.QueryEscape(g.Secret.Reveal()))
		}
		return form, nil
	})
}

// tokens is a credential that is fetched, and again before it expires.
type tokens struct {
	client   *Client
	endpoint *url.URL
	calls    http.RoundTripper
	ask      func(h http.Header) (url.Values, error) // the form, and headers if any

	turn    chan struct{} // holds one token of turn: who has it may touch what follows
	value   string
	renewAt time.Time // zero: when it is refused
	expires time.Time // zero: when it is refused
}

func newTokens(c *Client, endpoint string, ask func(http.Header) (url.Values, error)) (*tokens, error) {
	to, err := origin(endpoint)
	if err != nil {
		return nil, fmt.Errorf("token address: %w", err)
	}
	return &tokens{
		client: c, endpoint: to, calls: c.layers(to, nil, nil, 1<<20), ask: ask, turn: make(chan struct{}, 1),
	}, nil
}

func (t *tokens) authorize(ctx context.Context, r *http.Request) error {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if now := time.Now(); t.value == "" || !t.renewAt.IsZero() && !now.Before(t.renewAt) {
		if err := t.fetch(ctx); err != nil {
			if t.value == "" || ctx.Err() != nil || !now.Before(t.expires) {
				return err
			}
			t.renewAt = now.Add(t.expires.Sub(now) / 2) // the old one is still good
			t.client.options.Log.LogAttrs(ctx, slog.LevelWarn, "the token could not be renewed yet",
				slog.String("source", t.client.options.Name), slog.String("error", err.Error()))
		}
	}
	r.Header.Set("Authorization", "Bearer "+t.value)
	return nil
}

// renew drops the token that was refused, if it is still the one in use.
func (t *tokens) renew(refused *http.Request) bool {
	t.turn <- struct{}{}
	defer func() { <-t.turn }()
	if refused.Header.Get("Authorization") == "Bearer "+t.value {
		t.value = ""
	}
	return true
}

// fetch asks for a new token.
func (t *tokens) fetch(ctx context.Context) error {
	h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}}
	form, err := t.ask(h)
	if err != nil {
		return t.problem(0, err.Error())
	}
	text := form.Encode()
	r, err := http.NewRequestWithContext(Idempotent(ctx), http.MethodPost, t.endpoint.String(), strings.NewReader(text))
	if err != nil {
		return t.problem(0, err.Error())
	}
	r.Header = h
	asked := time.Now()
	a, err := t.calls.RoundTrip(r)
	if err != nil {
		return failure(r, 1, err)
	}
	defer a.Body.Close()
	content, err := io.ReadAll(io.LimitReader(a.Body, 1<<20))
	var answer struct {
		AccessToken string      `json:"access_token"`
		TokenType   string      `json:"token_type"`
		ExpiresIn   json.Number `json:"expires_in"` // some send it as text, which Number takes too
		Error       string      `json:"error"`      // RFC 6749, 5.2
		Description string      `json:"error_description"`
	}
	malformed := json.NewDecoder(bytes.NewReader(content)).Decode(&answer)
	switch {
	case err != nil:
		return t.problem(a.StatusCode, "the answer was cut off")
	case a.StatusCode >= 300:
		return t.problem(a.StatusCode, strings.TrimSuffix(answer.Error+": "+answer.Description, ": "))
	case malformed != nil || answer.AccessToken == "":
		return t.problem(a.StatusCode, "the answer holds no access_token")
	case answer.TokenType != "" && !strings.EqualFold(answer.TokenType, "bearer"):
		return t.problem(a.StatusCode, "the token is not of type Bearer")
	}
	t.value, t.renewAt, t.expires = answer.AccessToken, time.Time{}, time.Time{}
	if seconds, err := answer.ExpiresIn.Float64(); err == nil && seconds > 0 && seconds < maxRetryAfter.Seconds() {
		life := time.Duration(seconds * float64(time.Second))
		t.renewAt, t.expires = asked.Add(life*8/10), asked.Add(life)
	}
	return nil
}

// problem is an error of the token endpoint: waiting or the source's owner mends it, whatever the status is.
func (t *tokens) problem(status int, message string) error {
	return &Error{
		Method: http.MethodPost, Path: shownPath(t.endpoint), Status: status, Message: Shown(message), meaning: connectors.ErrDown,
	}
}
