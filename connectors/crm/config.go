package crm

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"crosslift/connectors"
	"crosslift/connectors/rest"
	"crosslift/schemas/identifier"
	"crosslift/schemas/money"
	"crosslift/schemas/secret"
	"crosslift/schemas/strictyaml"
)

// Config is how to read a HubSpot account.
type Config struct {
	Base              string              `yaml:"url"`                 // https://api.hubapi.com without it
	Token             secret.Secret       `yaml:"token"`               // a service key or a private app's token: sent as a bearer
	Version           string              `yaml:"version"`             // of the API: v3, or a date such as 2026-03; v3 without it
	TLS               rest.TLS            `yaml:"tls"`                 //
	RequestsPerSecond float64             `yaml:"requests_per_second"` // 4 without it
	Region            string              `yaml:"region"`              // ISO 3166-1: of phone numbers without a country's code
	Contacts          Contacts            `yaml:"contacts"`            //
	Subscriptions     Subscriptions       `yaml:"subscriptions"`       //
	Quarantine        *connectors.Percent `yaml:"quarantine"`          // share of a day's rows that may be rejected; 1% without it
	Restatement       *int                `yaml:"restatement"`         // days; 3 without it
	Retry             rest.Retry          `yaml:"-"`                   // 8 tries without it
}

// Contacts names the properties of contacts. Those without a default are the company's own; one that is not named
// leaves its column empty.
type Contacts struct {
	Email            string `yaml:"email"`             // email
	Phone            string `yaml:"phone"`             // phone
	Mobile           string `yaml:"mobile"`            // mobilephone: where there is no phone
	Account          string `yaml:"account"`           // the product's user id
	MarketingConsent string `yaml:"marketing_consent"` // true or false
	AnalyticsConsent string `yaml:"analytics_consent"` // true or false
	ConsentVersion   string `yaml:"consent_version"`   // of the wording consented to
}

// Subscriptions names the kind of object that stands for subscriptions, and its properties.
type Subscriptions struct {
	Object          string `yaml:"object"`           // deals or subscriptions; deals without it
	Stage           string `yaml:"stage"`            // dealstage, or hs_status
	Plan            string `yaml:"plan"`             //
	Amount          string `yaml:"amount"`           // amount, of deals
	Currency        string `yaml:"currency"`         // deal_currency_code, of deals
	DefaultCurrency string `yaml:"default_currency"` // of objects that name none: the account's
	Closed          string `yaml:"closed"`           // closedate, of deals
	IsClosed        string `yaml:"is_closed"`        // hs_is_closed, of deals: where it is false, closed is a forecast
}

var (
	version  = regexp.MustCompile(`^(v3|20\d\d-(0[1-9]|1[0-2]))$`)
	property = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

// Validate fills in what is not given.
func (c *Config) Validate() error {
	defaults(&c.Base, "https://api.hubapi.com")
	defaults(&c.Version, "v3")
	if c.RequestsPerSecond == 0 {
		c.RequestsPerSecond = 4
	}
	if c.Restatement == nil {
		days := 3
		c.Restatement = &days
	}
	var errs []error
	if !c.Token.Given() {
		errs = append(errs, strictyaml.At("token", errors.New("required: ${NAME} or file:path")))
	}
	if !version.MatchString(c.Version) {
		errs = append(errs, strictyaml.At("version", errors.New("expected v3, or a date such as 2026-03")))
	}
	if c.RequestsPerSecond < 0 {
		errs = append(errs, strictyaml.At("requests_per_second", errors.New("expected a number above zero")))
	}
	if c.Region != "" && !identifier.KnownRegion(c.Region) {
		errs = append(errs, strictyaml.At("region", errors.New("expected an ISO 3166-1 code, such as RU")))
	}
	if *c.Restatement < 0 {
		errs = append(errs, strictyaml.At("restatement", errors.New("expected a number of days")))
	}
	return errors.Join(append(errs, strictyaml.At("contacts", c.Contacts.Validate()),
		strictyaml.At("subscriptions", c.Subscriptions.Validate()))...)
}

// Validate fills in what is not given.
func (c *Contacts) Validate() error {
	defaults(&c.Email, "email")
	defaults(&c.Phone, "phone")
	defaults(&c.Mobile, "mobilephone")
	return checkNames(map[string]string{
		"email": c.Email, "phone": c.Phone, "mobile": c.Mobile, "account": c.Account, "marketing_consent": c.MarketingConsent,
		"analytics_consent": c.AnalyticsConsent, "consent_version": c.ConsentVersion,
	})
}

// Validate fills in what is not given.
func (s *Subscriptions) Validate() error {
	defaults(&s.Object, "deals")
	switch s.Object {
	case "deals":
		defaults(&s.Stage, "dealstage")
		defaults(&s.Amount, "amount")
		defaults(&s.Currency, "deal_currency_code")
		defaults(&s.Closed, "closedate")
		defaults(&s.IsClosed, "hs_is_closed")
	case "subscriptions":
		defaults(&s.Stage, "hs_status")
	default:
		return strictyaml.At("object", fmt.Errorf("unknown object %q: expected deals or subscriptions", s.Object))
	}
	err := checkNames(map[string]string{
		"stage": s.Stage, "plan": s.Plan, "amount": s.Amount, "currency": s.Currency, "closed": s.Closed, "is_closed": s.IsClosed,
	})
	if _, unknown := money.Exponent(s.DefaultCurrency); s.DefaultCurrency != "" && unknown != nil {
		err = errors.Join(err, strictyaml.At("default_currency", unknown))
	}
	return err
}

func defaults(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

func checkNames(names map[string]string) error {
	var errs []error
	for field, name := range names {
		if name != "" && !property.MatchString(name) {
			errs = append(errs, strictyaml.At(field, errors.New("expected the internal name of a property: small letters, digits and _")))
		}
	}
	return errors.Join(errs...)
}

// objects is the path of a kind of object.
func (c *Config) objects(object string) string {
	if c.Version == "v3" {
		return "crm/v3/objects/" + object
	}
	return "crm/objects/" + c.Version + "/" + object
}

// associations is the path at which the contacts of objects are asked for.
func (c *Config) associations(object string) string {
	if c.Version == "v3" {
		return "crm/v4/associations/" + object + "/contacts/batch/read"
	}
	return "crm/associations/" + c.Version + "/" + object + "/contacts/batch/read"
}

// Definition is a hash of what decides the rows: neither of where the account is nor of how it is asked.
func (s *stream) Definition() string {
	const logic = 1 // raised when the same objects give other rows
	c := s.source.config
	canonical, _ := json.Marshal([]any{ // texts and numbers
		logic, s.Name(), s.source.env.Zone.String(), c.Region, strings.Join(s.slots, " "), c.Subscriptions.DefaultCurrency,
	})
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:])
}
