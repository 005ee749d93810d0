// Package hubspot is a stand-in for HubSpot's CRM: it puts the world's contacts and deals into HubSpot's wire format and
// serves them as its API does, under version v3 and under the dated one.
//
// The streams are hubspot/contacts and hubspot/deals. An object is what the API answers for it, with all of its
// properties and, of a deal, its associations. Of a contact these properties are the company's own: user_id (the
// product's user id), marketing_consent and analytics_consent (true, false, or null: never asked), and consent_version;
// of a deal, plan. Amounts are in major units. An archived object has archivedAt, which is when it last changed.
package hubspot

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/money"
)

// Source is the source's name, and Contacts and Deals are its streams.
const (
	Source   = "hubspot"
	Contacts = "contacts"
	Deals    = "deals"
)

// Builder puts contacts and deals into HubSpot's format.
func Builder() world.Builder { return builder{} }

type builder struct{}

// wire is an object as the API answers it.
type wire struct {
	ID           string             `json:"id"`
	Properties   map[string]*string `json:"properties"`
	CreatedAt    string             `json:"createdAt"`
	UpdatedAt    string             `json:"updatedAt"`
	Archived     bool               `json:"archived"`
	ArchivedAt   string             `json:"archivedAt,omitempty"`
	Associations map[string]related `json:"associations,omitempty"`
}

type related struct {
	Results []relation `json:"results"`
}

type relation struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

func (builder) Build(c *world.Chunk, to world.Writer) error {
	for _, contact := range c.Contacts {
		if err := write(to, Contacts, contact.Visible, contact.Changed, contactOf(contact)); err != nil {
			return err
		}
	}
	for _, deal := range c.Deals {
		object, err := dealOf(deal)
		if err != nil {
			return err
		}
		if err := write(to, Deals, deal.Visible, deal.Changed, object); err != nil {
			return err
		}
	}
	return nil
}

func write(to world.Writer, stream string, visible, changed time.Time, object wire) error {
	text, err := json.Marshal(object)
	if err != nil {
		return fmt.Errorf("hubspot/%s: %w", stream, err)
	}
	return to.Write(Source, stream, world.Record{ID: object.ID, At: milli(changed), Visible: visible, Object: text})
}

func contactOf(c world.Contact) wire {
	first, last, _ := strings.Cut(c.Name, " ")
	w := objectOf(c.ID, c.Created, c.Changed, c.Archived)
	w.set("lastmodifieddate", moment(c.Changed))
	w.set("email", c.Email)
	w.set("phone", c.Phone)
	w.set("mobilephone", "")
	w.set("firstname", first)
	w.set("lastname", last)
	w.set("user_id", c.Account)
	w.set("marketing_consent", answer(c.MarketingConsent))
	w.set("analytics_consent", answer(c.AnalyticsConsent))
	w.set("consent_version", c.ConsentVersion)
	return w
}

func dealOf(d world.Deal) (wire, error) {
	amount, err := major(d.Amount, d.Currency)
	if err != nil {
		return wire{}, fmt.Errorf("hubspot/deals: %w", err)
	}
	w := objectOf(d.ID, d.Created, d.Changed, d.Archived)
	w.set("hs_lastmodifieddate", moment(d.Changed))
	w.set("dealname", "Subscription "+d.Plan)
	w.set("pipeline", "default")
	w.set("dealstage", d.Stage)
	w.set("plan", d.Plan)
	w.set("amount", amount)
	w.set("deal_currency_code", d.Currency)
	w.set("hs_is_closed", strconv.FormatBool(!d.Closed.IsZero()))
	w.set("closedate", "")
	if !d.Closed.IsZero() {
		w.set("closedate", moment(d.Closed))
	}
	if d.Contact != "" {
		w.Associations = map[string]related{Contacts: {[]relation{{d.Contact, "deal_to_contact"}}}}
	}
	return w, nil
}

func objectOf(id string, created, changed time.Time, archived bool) wire {
	w := wire{
		ID: id, CreatedAt: moment(created), UpdatedAt: moment(changed), Archived: archived, Properties: map[string]*string{},
	}
	if archived {
		w.ArchivedAt = moment(changed)
	}
	w.set("hs_object_id", id)
	w.set("createdate", moment(created))
	return w
}

// set gives a property its text; an empty one is null.
func (w *wire) set(name, text string) {
	w.Properties[name] = nil
	if text != "" {
		w.Properties[name] = &text
	}
}

func answer(consent *bool) string {
	if consent == nil {
		return ""
	}
	return strconv.FormatBool(*consent)
}

// milli cuts an instant to the precision that HubSpot keeps.
func milli(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

func moment(t time.Time) string { return milli(t).Format("2006-01-02T15:04:05.000Z") }

// major writes minor units as the decimal text that HubSpot keeps amounts in.
func major(minor int64, currency string) (string, error) {
	places, err := money.Exponent(currency)
	if err != nil {
		return "", err
	}
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	digits := fmt.Sprintf("%0*d", places+1, minor)
	text := sign + digits[:len(digits)-places]
	if fraction := strings.TrimRight(digits[len(digits)-places:], "0"); fraction != "" {
		text += "." + fraction
	}
	return text, nil
}
