package payments

import (
	"strings"
	"testing"
	"time"

	"crosslift/schemas/secret"
	"crosslift/schemas/strictyaml"
)

func secretOf(value string) secret.Secret { return secret.New(value) }

// TestConfig finds what is wrong with settings, at its place, and fills in the rest.
func TestConfig(t *testing.T) {
	t.Parallel()
	env := func(string) (string, bool) { return "rk_live_1", true }
	var c Config
	if err := strictyaml.Decode("crosslift.yaml", []byte("key: ${STRIPE}\naccount: acct_1\n"), env, &c); err != nil ||
		c.URL != "https://api.stripe.com" || c.UserKey != "user_id" || c.PlanKey != "plan" || c.PlanPrice != "lookup_key" ||
		*c.PerSecond != 50 || *c.Restatement != 3 {
		t.Errorf("%v: %+v", err, c)
	}
	err := strictyaml.Decode("crosslift.yaml", []byte("account: cus_1\nplan_price: cost\nrequests_per_second: 0\nrestatement: -1\n"), env, &Config{})
	for _, want := range []string{
		"crosslift.yaml:1:1: key: expected Stripe's restricted key", "crosslift.yaml:1:10: account: expected", "crosslift.yaml:2:13: plan_price:",
		"crosslift.yaml:3:22: requests_per_second:", "crosslift.yaml:4:14: restatement:",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nexpected %s", err, want)
		}
	}
}

// TestDefinition changes with what rows depend on and with nothing else.
func TestDefinition(t *testing.T) {
	t.Parallel()
	of := func(settings ...func(*Config)) string {
		return streamOf(t, open(t, "https://api.stripe.com", time.Now, settings...), "charges").Definition()
	}
	for name, c := range map[string]struct {
		set     func(*Config)
		changes bool
	}{
		"key":                 {func(c *Config) { c.Key = secretOf("rk_live_2") }, false},
		"requests_per_second": {func(c *Config) { c.PerSecond = new(1.0) }, false},
		"restatement":         {func(c *Config) { c.Restatement = new(9) }, false},
		"account":             {func(c *Config) { c.Account = "acct_2" }, true},
		"account_metadata":    {func(c *Config) { c.UserKey = "uid" }, true},
		"plan_metadata":       {func(c *Config) { c.PlanKey = "tariff" }, true},
		"plan_price":          {func(c *Config) { c.PlanPrice = "id" }, true},
	} {
		if changed := of(c.set) != of(); changed != c.changes {
			t.Errorf("%s: changed %v, expected %v", name, changed, c.changes)
		}
	}
}
