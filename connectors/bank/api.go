package bank

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/rest"
	"crosslift/schemas/secret"
	"crosslift/schemas/strictyaml"
)

// API is a bank's API.
type API struct {
	Base     string `yaml:"url"`       // https://host, below which are open-banking/ and partner/
	TokenURL string `yaml:"token_url"` // base/token without it
	ClientID string `yaml:"client_id"`
	Scope    string `yaml:"scope"` // of tokens: accounts without it

	Certificate secret.Secret `yaml:"certificate"` // the client's, PEM
	Key         secret.Secret `yaml:"key"`         // of the certificate, PEM
	CA          secret.Secret `yaml:"ca"`          // who signs the bank's certificate, PEM; without it, whom the system trusts

	Version        string  `yaml:"version"`             // of Open Banking: v3.1, which is the default, or v4.0
	Account        string  `yaml:"account"`             // the one whose transactions are read; without it, all that are listed
	NoTransactions bool    `yaml:"no_transactions"`     // the bank shows accruals only
	Campaign       string  `yaml:"campaign"`            // whose accruals are read; without it, none
	TimeZone       string  `yaml:"time_zone"`           // in which the bank reads times of queries, if it ignores their offset, and cuts days
	PerSecond      float64 `yaml:"requests_per_second"` // requests; 5 without it

	Quarantine  *connectors.Percent `yaml:"quarantine"`  // share of a day's rows that may be rejected, 1% without it
	Restatement *int                `yaml:"restatement"` // for how many days the bank may still change, 7 without it

	timing rest.Retry // of tests
}

var (
	identifierName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$`)
	printable      = regexp.MustCompile(`^[!-~]{1,256}$`)
)

// Validate fills in defaults. Its errors are marked with their field.
func (a *API) Validate() error {
	var errs []error
	check := func(field string, ok bool, expected string) {
		if !ok {
			errs = append(errs, strictyaml.At(field, errors.New(expected)))
		}
	}
	check("url", address(a.Base), "required: https:// and the host of the bank's API")
	if a.TokenURL == "" {
		a.TokenURL = strings.TrimSuffix(a.Base, "/") + "/token"
	}
	check("token_url", address(a.TokenURL), "expected an address with https://")
	check("client_id", printable.MatchString(a.ClientID), "required: what the bank knows us by")
	if a.Scope == "" {
		a.Scope = "accounts"
	}
	check("certificate", a.Certificate.Given(), "required: the client certificate that the bank has registered")
	check("key", a.Key.Given(), "required: the private key of the certificate")
	if a.Version == "" {
		a.Version = "v3.1"
	}
	check("version", statuses[a.Version] != nil, "expected v3.1 or v4.0")
	check("account", a.Account == "" || identifierName.MatchString(a.Account), "expected the AccountId as the bank's list has it")
	check("campaign", a.Campaign == "" || campaignName.MatchString(a.Campaign), "expected the CampaignId of the contract")
	check("campaign", a.Campaign != "" || !a.NoTransactions, "required where no transactions are read: there is nothing else")
	check("account", a.Account == "" || !a.NoTransactions, "of no use where no transactions are read")
	_, err := zoneNamed(a.TimeZone, nil)
	errs = append(errs, strictyaml.At("time_zone", err))
	check("requests_per_second", a.PerSecond >= 0, "expected a number above 0")
	if a.PerSecond == 0 {
		a.PerSecond = 5
	}
	check("restatement", a.Restatement == nil || *a.Restatement >= 0, "expected a number of days from 0")
	return errors.Join(errs...)
}

func address(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "https" && u.Host != ""
}

// client is what the API's streams share.
type client struct {
	config API
	rest   *rest.Client
	env    connectors.Env
	zone   *time.Location // the bank's
	hash   hasher
}

func newClient(c API, env connectors.Env) (*client, error) {
	zone, err := zoneNamed(c.TimeZone, env.Zone)
	if err != nil {
		return nil, fmt.Errorf("api: time_zone: %w", err)
	}
	if env.Log == nil {
		env.Log = slog.New(slog.DiscardHandler)
	}
	r, err := rest.New(rest.Options{
		Name: Name, Base: c.Base,
		Auth: rest.ClientCredentials{
			TokenURL: c.TokenURL, ID: c.ClientID, Scopes: strings.Fields(c.Scope), Style: rest.ByCertificate,
		},
		TLS:     rest.TLS{CA: c.CA, Certificate: c.Certificate, Key: c.Key},
		Limit:   rest.Limit{PerSecond: c.PerSecond, Burst: 1},
		Retry:   c.timing,
		Explain: explain, Log: env.Log, Now: env.Now,
	})
	if err != nil {
		return nil, err
	}
	return &client{config: c, rest: r, env: env, zone: zone, hash: hasher{env.Key}}, nil
}

func (c *client) restatement() int {
	if c.config.Restatement == nil {
		return 7
	}
	return *c.config.Restatement
}

// aisp is where the account and transaction API lies below the base.
func (c *client) aisp(parts ...string) string {
	return "open-banking/" + c.config.Version + "/aisp/" + strings.Join(parts, "/")
}

// partner is where our extension lies.
func (c *client) partner(part string) string {
	return "partner/v1/campaigns/" + url.PathEscape(c.config.Campaign) + "/" + part
}

// interaction is the header by which the bank finds a request in its own logs.
const interaction = "X-Fapi-Interaction-Id"

// header makes a new interaction id and logs it.
func (c *client) header(ctx context.Context, path string) http.Header {
	id := uuid()
	c.env.Log.DebugContext(ctx, "interaction", "source", Name, "path", rest.Shown(path), "id", id)
	return http.Header{interaction: {id}}
}

// uuid is a random one, RFC 9562, version 4.
func uuid() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// get reads a small answer.
func (c *client) get(ctx context.Context, path string, query url.Values, into any) error {
	header := c.header(ctx, path)
	err := c.rest.JSON(ctx, rest.Request{Path: path, Query: query, Header: header}, into)
	return traced(err, header)
}

// traced adds a request's interaction id to its error.
func traced(err error, header http.Header) error {
	if !errors.As(err, new(*rest.Error)) || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w (x-fapi-interaction-id %s)", err, header.Get(interaction))
}
