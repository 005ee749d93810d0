package payments

import (
	"errors"
	"strings"

	"crosslift/connectors"
	"crosslift/connectors/rest"
	"crosslift/schemas/secret"
	"crosslift/schemas/strictyaml"
)

// Config says which Stripe account to read and where it names accounts and plans.
type Config struct {
	Key     secret.Secret `yaml:"key"`     // a restricted key with read access: rk_live_…
	Account string        `yaml:"account"` // acct_…: card fingerprints mean something inside one account only
	URL     string        `yaml:"url"`     // https://api.stripe.com without it

	UserKey   string `yaml:"account_metadata"` // the key in a customer's metadata that holds the product's user id; user_id without it
	PlanKey   string `yaml:"plan_metadata"`    // the key in the metadata of a charge or subscription that names the plan; plan without it
	PlanPrice string `yaml:"plan_price"`       // what of the price names the plan where metadata do not: lookup_key, nickname or id

	PerSecond   *float64            `yaml:"requests_per_second"` // 50 without it: half of what Stripe allows a live account
	Quarantine  *connectors.Percent `yaml:"quarantine"`          // share of a day's rows that may be rejected; 1% without it
	Restatement *int                `yaml:"restatement"`         // days that are read again; 3 without it

	retry rest.Retry // of tests, which do not want to wait
}

// Validate fills in what is not set and says what is wrong.
func (c *Config) Validate() error {
	fill(&c.URL, "https://api.stripe.com")
	fill(&c.UserKey, "user_id")
	fill(&c.PlanKey, "plan")
	fill(&c.PlanPrice, priceLookupKey)
	if c.PerSecond == nil {
		c.PerSecond = new(50.0)
	}
	if c.Restatement == nil {
		c.Restatement = new(3)
	}
	var errs []error
	check := func(field string, ok bool, expected string) {
		if !ok {
			errs = append(errs, strictyaml.At(field, errors.New(expected)))
		}
	}
	check("key", c.Key.Given(), "expected Stripe's restricted key, as ${NAME} or file:path")
	check("account", strings.HasPrefix(c.Account, "acct_"), "expected the account's id, acct_…, from Stripe's dashboard")
	check("plan_price", c.PlanPrice == priceLookupKey || c.PlanPrice == priceNickname || c.PlanPrice == priceID,
		"expected lookup_key, nickname or id")
	check("requests_per_second", *c.PerSecond > 0, "expected a number above zero")
	check("restatement", *c.Restatement >= 0, "expected a number of days from 0")
	return errors.Join(errs...)
}

// What of a price names a plan.
const (
	priceLookupKey = "lookup_key"
	priceNickname  = "nickname"
	priceID        = "id"
)

func fill(setting *string, otherwise string) {
	if *setting == "" {
		*setting = otherwise
	}
}
