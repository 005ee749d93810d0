// Package crm reads contacts and subscriptions from HubSpot.
//
// # What it reads
//
// contacts fills raw/crm_contact: e-mail, phone and the product's user id, hashed; consents from the properties that the
// settings name, with the version of the wording consented to. deals (or subscriptions) fills raw/crm_subscription.
//
// A day holds what was modified then, by the time that HubSpot keeps, and what was archived then. HubSpot shows an
// object as it is now only: of one that changed twice, a night sees the later state, and the lake keeps what earlier
// nights saw.
//
//   - Changes are found by search, oldest first. Each page is asked for by the last one's modification time and not by
//     its place, so that objects that change meanwhile displace nothing and no more than a page is ever asked of a
//     query: HubSpot answers the first 10,000 results only. Where more objects than a page holds share a millisecond,
//     as after an import, they are read in the order of their ids.
//   - Search lags behind: what was modified less than ten minutes ago is left to the next night, which reads the last
//     days again (three without the setting restatement).
//   - Archived objects are not searched; the list of all of them is read and the day's are taken.
//   - What HubSpot counts in total for the day's search must have landed, unless it changed while it was read.
//
// # Mapping
//
//	raw/crm_contact       contacts
//	source_id, contact    id (as it is; hashed)
//	changed_at            properties.lastmodifieddate; archivedAt of an archived one
//	account, email_hash,  the properties named by account, email, phone (or mobile, where phone is empty), hashed; what is
//	…, phone_hash         blocked or invalid is left out
//	marketing_consent,    the properties named so: true, false, yes or no; another text is rejected, none means never asked
//	analytics_consent
//	consent_version       the property named so
//
//	raw/crm_subscription  deals, or subscriptions
//	source_id             id
//	changed_at            properties.hs_lastmodifieddate; archivedAt of an archived one
//	contact               of the contacts associated, the one with the lowest id, hashed
//	stage, plan           the properties named so
//	amount_minor,         the properties named so: decimal text in major units; default_currency where none is named
//	currency
//	created_at            createdAt
//	closed_at             the property named closed, unless is_closed is false: then it is a forecast
//
// Names, titles and everything else are never asked for. An object without its id (digits), time or stage, or with an
// amount, consent or time that cannot be read, is rejected.
//
// # Permissions
//
// A service key or private app with crm.objects.contacts.read and crm.objects.deals.read, or
// crm.objects.subscriptions.read.
//
// # Limits
//
// HubSpot answers five searches a second in an account; the setting requests_per_second is 4. Where the account's daily
// quota is used up, the source is down until the account's midnight.
package crm

import (
	"context"
	"fmt"

	"crosslift/connectors"
	"crosslift/connectors/rest"
	"crosslift/schemas/table"
)

// Name is the source's.
const Name = "crm"

// source implements connectors.Source.
type source struct {
	config  Config
	env     connectors.Env
	client  *rest.Client
	streams []connectors.Stream
}

// New makes the source; it sends nothing.
func New(c Config, env connectors.Env) (connectors.Source, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", Name, err)
	}
	retry := c.Retry
	if retry.Tries == 0 {
		retry.Tries = 8
	}
	retry.Also = []int{423, 477} // locked; moving to another data centre
	client, err := rest.New(rest.Options{
		Name: Name, Base: c.Base, Auth: rest.Bearer{Token: c.Token}, TLS: c.TLS, Log: env.Log, Now: env.Now,
		Limit:   rest.Limit{PerSecond: c.RequestsPerSecond, Burst: max(int(c.RequestsPerSecond), 1)},
		Retry:   retry,
		Explain: explain,
	})
	if err != nil {
		return nil, err
	}
	s := &source{config: c, env: env, client: client}
	s.streams = []connectors.Stream{
		s.stream("contacts", "lastmodifieddate", table.CRMContact, c.Contacts.slots(), newContact),
		s.stream(c.Subscriptions.Object, "hs_lastmodifieddate", table.CRMSubscription, c.Subscriptions.slots(), newSubscription),
	}
	return s, nil
}

func (s *source) Name() string                 { return Name }
func (s *source) Streams() []connectors.Stream { return s.streams }
func (s *source) Close() error                 { return s.client.Close() }

// stream is one kind of object. It implements connectors.Stream.
type stream struct {
	source   *source
	object   string // contacts
	modified string // the property that says when it was modified
	table    *table.Table
	slots    []string // names of the properties to read; "" for those that are not configured
	decode   func(s *stream) decoder
}

// decoder makes the row of an object; reason says what is wrong with one that cannot be read.
type decoder interface {
	row(o *object) (row any, reason string)
}

func (s *source) stream(object, modified string, t *table.Table, slots []string, decode func(*stream) decoder) *stream {
	return &stream{source: s, object: object, modified: modified, table: t, slots: slots, decode: decode}
}

func (s *stream) Name() string        { return Name + "/" + s.object }
func (s *stream) Table() *table.Table { return s.table }
func (s *stream) Quarantine() float64 { return connectors.Quarantine(s.source.config.Quarantine) }
func (s *stream) Restatement() int    { return *s.source.config.Restatement }

// Versioned: HubSpot has no word for the state of a day.
func (s *stream) Versioned() bool { return false }

func (s *stream) Inputs(context.Context, table.Day) ([]connectors.Input, error) { return nil, nil }
