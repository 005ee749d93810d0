package ga

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"crosslift/connectors"
	"crosslift/schemas/identifier"
	"crosslift/schemas/secret"
	"crosslift/schemas/strictyaml"
)

// Config is how to read a property's export.
type Config struct {
	Project      string              `yaml:"project"`       // the Google Cloud project that the export lies in
	Dataset      string              `yaml:"dataset"`       // analytics_<property id>
	Credentials  secret.Secret       `yaml:"credentials"`   // the key file of a service account, JSON
	PropertyZone string              `yaml:"property_zone"` // the property's reporting time zone, which cuts its tables
	Endpoint     string              `yaml:"url"`           // https://bigquery.googleapis.com/bigquery/v2/ without it
	Intraday     bool                `yaml:"intraday"`      // take events_intraday_ while a daily table is not there
	Params       []string            `yaml:"params"`        // keys of event parameters that are kept; none without it
	Drop         []string            `yaml:"drop"`          // keys that are known and not kept, so that nobody is told of them
	PhoneRegion  string              `yaml:"phone_region"`  // ISO 3166-1: user ids that are phone numbers there are taken as such
	PageSize     int                 `yaml:"page_size"`     // rows a request; 10,000 without it
	Quarantine   *connectors.Percent `yaml:"quarantine"`    // share of a day's rows that may be rejected; 1% without it
	Restatement  *int                `yaml:"restatement"`   // days for which Google may rewrite a day; 3 without it
}

const (
	publicEndpoint  = "https://bigquery.googleapis.com/bigquery/v2/"
	defaultPage     = 10_000
	maxPage         = 100_000
	defaultRestated = 3
)

var (
	projectID = regexp.MustCompile(`^[a-z0-9.:-]{1,64}$`)
	datasetID = regexp.MustCompile(`^[A-Za-z0-9_]{1,255}$`)
)

// Validate checks the settings and fills in what is not given. Its errors are marked with their field.
func (c *Config) Validate() error {
	var errs []error
	check := func(field string, err error) { errs = append(errs, strictyaml.At(field, err)) }
	if !projectID.MatchString(c.Project) {
		check("project", errors.New("expected the id of a Google Cloud project"))
	}
	if !datasetID.MatchString(c.Dataset) {
		check("dataset", errors.New("expected the export's dataset, such as analytics_123456789"))
	}
	if !c.Credentials.Given() {
		check("credentials", errors.New("required: file:path of a service account's key file"))
	}
	_, err := loadZone(c.PropertyZone)
	check("property_zone", err)
	if c.Endpoint == "" {
		c.Endpoint = publicEndpoint
	}
	if !strings.HasSuffix(c.Endpoint, "/") {
		c.Endpoint += "/"
	}
	check("url", checkEndpoint(c.Endpoint))
	for i, key := range c.Params {
		if key == "" || !printable(key) {
			check("params."+strconv.Itoa(i), errors.New("expected a parameter's key of letters, digits, dots and underscores"))
		}
		if slices.Contains(c.Drop, key) {
			check("params."+strconv.Itoa(i), fmt.Errorf("%s is among those to drop", key))
		}
	}
	if c.PhoneRegion != "" && !identifier.KnownRegion(c.PhoneRegion) {
		check("phone_region", errors.New("expected the ISO 3166-1 code of a country, such as DE"))
	}
	if c.PageSize == 0 {
		c.PageSize = defaultPage
	}
	if c.PageSize < 1 || c.PageSize > maxPage {
		check("page_size", fmt.Errorf("expected a number of rows from 1 to %d", maxPage))
	}
	if c.Restatement == nil {
		days := defaultRestated
		c.Restatement = &days
	}
	if *c.Restatement < 0 {
		check("restatement", errors.New("expected a number of days from 0"))
	}
	return errors.Join(errs...)
}

func checkEndpoint(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("expected an address such as " + publicEndpoint)
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme != "https" && !(u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())) {
		return errors.New("expected https; plain http is for loopback only")
	}
	return nil
}

// loadZone finds a zone by its name in the tz database.
func loadZone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" || name == "" {
		return nil, fmt.Errorf("%q is no time zone: expected the name that the property's settings show, such as Europe/Moscow", name)
	}
	return zone, nil
}
