package rest

import (
	"context"
	"errors"
	"net/http"

	"crosslift/schemas/secret"
)

// Auth is a way to show who we are: Bearer, Header, Basic, ClientCredentials or ServiceAccount.
type Auth interface {
	open(c *Client) (credential, error)
}

// credential puts on requests what an Auth says. Several goroutines use it.
type credential interface {
	authorize(ctx context.Context, r *http.Request) error
	// renew is told of a request that was answered by 401, and reports whether another try has another credential.
	renew(refused *http.Request) bool
}

// Bearer is a token that does not change (RFC 6750).
type Bearer struct{ Token secret.Secret }

func (b Bearer) open(*Client) (credential, error) {
	return constant("Authorization", "Bearer ", b.Token)
}

// Header is an API key in a header of its own, such as X-Api-Key.
type Header struct {
	Name string
	Key  secret.Secret
}

func (h Header) open(*Client) (credential, error) {
	if h.Name == "" {
		return nil, errors.New("the header has no name")
	}
	return constant(h.Name, "", h.Key)
}

// Basic is a user with a password (RFC 7617).
type Basic struct {
	User     string
	Password secret.Secret
}

func (b Basic) open(*Client) (credential, error) {
	if !b.Password.Given() {
		return nil, errors.New("the password is empty")
	}
	r := &http.Request{Header: http.Header{}}
	r.SetBasicAuth(b.User, b.Password.Reveal())
	return &header{"Authorization", r.Header.Get("Authorization")}, nil
}

// header is a credential that does not change.
type header struct{ name, value string }

func constant(name, scheme string, value secret.Secret) (credential, error) {
	if value.Reveal() == "" {
		return nil, errors.New("the credential is empty")
	}
	return &header{name, scheme + value.Reveal()}, nil
}

func (h *header) authorize(_ context.Context, r *http.Request) error {
	r.Header.Set(h.name, h.value)
	return nil
}

func (h *header) renew(*http.Request) bool { return false }
