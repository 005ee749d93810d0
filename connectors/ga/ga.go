// Package ga reads the events of a Google Analytics 4 property from its export to BigQuery, by Google's own client,
// with list and read calls only: no query is run and none is paid for.
//
// # What it needs
//
// The property's link to BigQuery with the daily export, and a service account with the role BigQuery Data Viewer on the
// export's dataset (bigquery.tables.list, .get and .getData); its key file is the setting credentials. Limits: Google
// holds a page to some 10 MB, and a standard property's daily export may be paused beyond a million events a day.
//
// # Days
//
// Google files events by days of the property's zone, in a table a day: events_YYYYMMDD. A business day reads every
// table whose day overlaps with it, and takes the events whose event_timestamp lies in it. A table that is not there is
// not delivered yet, never an empty day: the extract is pending (connectors.ErrDown). With the setting intraday the
// streamed table events_intraday_YYYYMMDD stands in while the daily one is missing.
//
// Tables are rewritten for 72 hours after their day, as late events come in, so Restatement is 3 days. A table's state
// is known by its ETag, number of rows and time of change; one that changes while it is read fails the extract.
//
// # Rows
//
// An event without a readable event_timestamp, or with one outside of its table's day (which says that property_zone is
// wrong), is rejected on the business day in which the table's day begins. Events have no id; source_id is a keyed hash
// of what makes an event itself: (user_pseudo_id, event_timestamp, event_name, event_bundle_sequence_id, the three
// batch_ columns, the parameters). Two rows that agree in all of it are one event sent twice.
//
//	account, email_hash, phone_hash   user_id: an address or a phone number in it is hashed as such
//	device                            user_pseudo_id; absent where consent was refused
//	session_id                        a keyed hash of user_pseudo_id and the parameter ga_session_id
//	value, currency                   the parameters of these names
//	platform                          in lower case: web, ios, android
//	country                           geo.country, an English name in the export, as ISO 3166-1 alpha-2; "" when unknown
//	channel                           source / medium of the session, or of the event, or of the user's first visit
//	analytics_consent                 privacy_info.analytics_storage
//	params                            parameters that the setting params names, as JSON with sorted keys
//
// Of a parameter that holds a URL only scheme, host and path are kept; from texts, whatever looks like an e-mail
// address, a phone or a card number is taken out. Columns and parameters that this package and the settings do not know
// are announced once an extract and dropped.
package ga

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/rest"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

// Name is the source's name.
const Name = "ga"

type source struct {
	config     Config
	env        connectors.Env
	zone       *time.Location // the property's
	service    *service
	countries  map[string]string
	definition string
}

// New makes the source. It sends nothing.
func New(c Config, env connectors.Env) (connectors.Source, error) {
	return open(c, env, rest.Retry{}, 0)
}

// open is New with another way to try again; tests are impatient.
func open(c Config, env connectors.Env, retry rest.Retry, deadline time.Duration) (*source, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", Name, err)
	}
	zone, err := loadZone(c.PropertyZone)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Name, strictyaml.At("property_zone", err))
	}
	s := &source{config: c, env: env, zone: zone, countries: countries()}
	if s.definition, err = s.define(); err != nil {
		return nil, fmt.Errorf("%s: %w", Name, err)
	}
	if s.service, err = connect(c, env, retry, deadline); err != nil {
		return nil, err
	}
	return s, nil
}

// logic is raised when the same export and settings give other rows.
const logic = 1

func (s *source) define() (string, error) {
	params := slices.Sorted(slices.Values(s.config.Params))
	text, err := json.Marshal([]any{
		logic, s.env.Zone.String(), s.zone.String(), s.config.Dataset, s.config.Intraday, slices.Compact(params), s.config.PhoneRegion,
	})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// Name implements connectors.Source.
func (s *source) Name() string { return Name }

// Streams implements connectors.Source.
func (s *source) Streams() []connectors.Stream { return []connectors.Stream{&events{s}} }

// Close implements connectors.Source.
func (s *source) Close() error { return s.service.close() }

// events is the stream of web events.
type events struct{ *source }

var _ connectors.Stream = (*events)(nil)

// Name implements connectors.Stream.
func (e *events) Name() string { return Name + "/events" }

// Table implements connectors.Stream.
func (e *events) Table() *table.Table { return table.WebEvent }

// Definition is a hash of zones, dataset and what is let through.
func (e *events) Definition() string { return e.definition }

// Versioned implements connectors.Stream: a table's ETag tells its states apart.
func (e *events) Versioned() bool { return true }

// Quarantine implements connectors.Stream.
func (e *events) Quarantine() float64 { return connectors.Quarantine(e.config.Quarantine) }

// Restatement implements connectors.Stream.
func (e *events) Restatement() int { return *e.config.Restatement }
