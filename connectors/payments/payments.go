// Package payments reads charges, refunds, disputes, subscriptions, invoices and balance transactions from Stripe, by
// Stripe's own Go library and in the API version that the library pins.
//
// # Which rows a day has
//
// Stripe lists objects by when they were created only, and as they are now. What else changed, its events feed tells,
// which keeps 30 days. So a day D of a stream of changes has at most one row for an object: one
//
//   - for each object that was created in D;
//   - for each older object that has an event in D.
//
// The row's changed_at is the time of the object's last event in D, or of its creation where it has none. What the row
// holds is what Stripe answers now, which is D's state unless the object has another event after D. Where it has:
//
//   - if the event of D is written in the API version of Stripe's library, its snapshot of the object is D's state;
//   - if it is not, that state is lost. An older object has no row in D then, since the day of its next change has one;
//     an object that was created in D has a row as it is now, dated by its creation, so that none is ever missed.
//
// An account writes its events in the version that its settings name: set it to 2026-03-25.dahlia to lose nothing. In
// effect, in any version:
//
//   - a nightly run writes every object that was created or changed on its day, as it was when the day had ended;
//   - the first installation, which reads many days at once, writes each object on the day of its creation, and on the
//     day of its last change as far as the feed reaches back; in the right version on the days of all changes. What was
//     created before the first day shows up with its next change: to have all running subscriptions from the start,
//     begin with the day on which the oldest of them was created;
//   - a refund, and a dispute that is opened, won or lost, is dated by when that happened, however old the charge is;
//   - a subscription has a row for each day on which it was renewed, paused, changed or ended.
//
// A day that is read again gives the same rows with the same content in the right version; in another one, fewer of them.
// Between the reading of the feed and that of an object some seconds pass: what changes in them is told too early in
// this day's row, and rightly in that of the day on which it changed.
//
// Balance transactions never change: a day has those that were created in it. They vouch for the charges and refunds
// of the day, see totals.go.
//
// # What rows hold
//
//   - The account is the product's user id, which a key of the customer's metadata holds, or of the object's own.
//   - The plan is named by a key of the metadata of the charge or its subscription, else by the price.
//   - A charge does not name its invoice: Stripe's invoice payments join the two, and the invoice names the subscription.
//   - A payment is paid when it was captured: when it was made or, of an authorisation that was captured later, when its
//     balance transaction was made.
//   - The card is its fingerprint, which means something inside one account of Stripe, hashed together with the account's
//     id. The network's reference and the authorization code are there where Stripe tells them.
//   - The period of an invoice is that of the subscription that it bills, not that of the usage before.
//   - Amounts are minor units of ISO 4217, which for some currencies Stripe's are not: see money.go.
//
// # What to grant, and limits
//
// A restricted key (rk_…) with read access to charges and refunds, disputes, customers, subscriptions, invoices,
// prices, balance transactions and events. Stripe allows about 100 requests a second to a live account and 25 to a test
// account, all programs together; a page has 100 objects. A charge costs a request beside its page where its invoice is
// older than a minute or where there is none; an object that changed costs one, and another where it changed again.
package payments

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"

	"crosslift/connectors"
	"crosslift/connectors/rest"
	"crosslift/schemas/table"
)

// name is the source's, and the first part of the names of its streams.
const name = "payments"

// system is what the rows say of where they come from.
const system = "stripe"

// source is a Stripe account. It implements connectors.Source.
type source struct {
	config  Config
	env     connectors.Env
	rest    *rest.Client
	api     *api
	streams []connectors.Stream
}

// New makes the source. It sends nothing.
func New(c Config, env connectors.Env) (connectors.Source, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c.retry.Also = []int{http.StatusConflict} // two requests for one object met
	client, err := rest.New(rest.Options{
		Name: name, Base: c.URL, Limit: rest.Limit{PerSecond: *c.PerSecond, Burst: maxAtOnce},
		Retry: c.retry, Explain: explain, Log: env.Log, Now: env.Now,
	})
	if err != nil {
		return nil, err
	}
	s := &source{config: c, env: env, rest: client, api: newAPI(c, client.HTTP())}
	for _, k := range kinds() {
		stream := &stream{source: s, kind: k}
		if len(k.events) > 0 {
			stream.feed = &feed{api: s.api, types: k.events, now: env.Now}
		}
		s.streams = append(s.streams, stream)
	}
	return s, nil
}

func (s *source) Name() string                 { return name }
func (s *source) Streams() []connectors.Stream { return s.streams }
func (s *source) Close() error                 { return s.rest.Close() }

// stream is one kind of object of the account. It implements connectors.Stream.
type stream struct {
	source *source
	kind   *kind
	feed   *feed // nil where objects never change
}

func (s *stream) Name() string        { return name + "/" + s.kind.name }
func (s *stream) Table() *table.Table { return s.kind.table }

// Definition is a hash of the settings that decide what rows hold.
func (s *stream) Definition() string {
	const logic = 1 // raised when the same answers give other rows
	c := s.source.config
	canonical, err := json.Marshal(struct {
		Logic                                    int
		Stream, Zone, Account, User, Plan, Price string
	}{logic, s.Name(), s.source.env.Zone.String(), c.Account, c.UserKey, c.PlanKey, c.PlanPrice})
	if err != nil {
		panic(err) // strings and a number
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:])
}

// Versioned: Stripe tells nothing by which two states of a day could be told apart.
func (s *stream) Versioned() bool { return false }

// Inputs is empty, as of every stream that is not versioned.
func (s *stream) Inputs(context.Context, table.Day) ([]connectors.Input, error) { return nil, nil }

// Quarantine is 1 %.
func (s *stream) Quarantine() float64 { return connectors.Quarantine(s.source.config.Quarantine) }

// Restatement is 3 days unless the settings say otherwise: what a bank reports late, such as a refund, may show up days
// after the time that it is dated by.
func (s *stream) Restatement() int { return *s.source.config.Restatement }
