package crm

import (
	"strings"

	"crosslift/connectors/rest"
	"crosslift/schemas/identifier"
	"crosslift/schemas/money"
	"crosslift/schemas/table"
)

// system tells rows of this CRM from those of others.
const system = "hubspot"

// hashing gives the identifiers of values. One that is blocked or invalid is none.
type hashing struct {
	key    identifier.Key
	region string
}

func (h *hashing) id(kind identifier.Kind, value string) identifier.ID {
	if value == "" {
		return identifier.ID{}
	}
	hash := h.key.Hash
	if kind == identifier.Phone {
		hash = func(_ identifier.Kind, value string) (identifier.ID, error) { return h.key.Phone(value, h.region) }
	}
	id, err := hash(kind, value)
	if err != nil {
		return identifier.ID{}
	}
	return id
}

// The slots of a contact.
const (
	email = iota
	phone
	mobile
	account
	marketing
	analytics
	wording
)

func (c *Contacts) slots() []string {
	return []string{
		email: c.Email, phone: c.Phone, mobile: c.Mobile, account: c.Account, marketing: c.MarketingConsent,
		analytics: c.AnalyticsConsent, wording: c.ConsentVersion,
	}
}

type contacts struct {
	hashing
	into    table.CRMContactRow
	yes, no bool // what consents point to
}

func newContact(s *stream) decoder {
	return &contacts{hashing: hashing{s.source.env.Key, s.source.config.Region}, yes: true}
}

func (c *contacts) row(o *object) (row any, reason string) {
	address, number := o.slots[email].Text(), o.slots[phone].Text()
	if strings.TrimSpace(number) == "" {
		number = o.slots[mobile].Text()
	}
	c.into = table.CRMContactRow{
		SourceID:    o.id,
		ChangedAt:   o.at(),
		Contact:     c.id(identifier.CRMContact, o.id),
		Account:     c.id(identifier.Account, o.slots[account].Text()),
		Email:       c.id(identifier.Email, address),
		EmailFolded: c.id(identifier.EmailFolded, address),
		Phone:       c.id(identifier.Phone, number),
		Archived:    o.archived,
		System:      system,
	}
	var ok bool
	if c.into.MarketingConsent, ok = c.consent(o.slots[marketing]); !ok {
		return nil, "marketing_consent: expected true or false"
	}
	if c.into.AnalyticsConsent, ok = c.consent(o.slots[analytics]); !ok {
		return nil, "analytics_consent: expected true or false"
	}
	if c.into.ConsentVersion, ok = term(o.slots[wording]); !ok {
		return nil, "consent_version: expected the name of a version"
	}
	return &c.into, ""
}

// consent is nil for someone who was never asked.
func (c *contacts) consent(v rest.Value) (*bool, bool) {
	switch strings.ToLower(strings.TrimSpace(v.Text())) {
	case "":
		return nil, v.Absent() || v[0] == '"'
	case "true", "yes":
		return &c.yes, true
	case "false", "no":
		return &c.no, true
	}
	return nil, false
}

// The slots of a subscription.
const (
	stage = iota
	plan
	amount
	currency
	closed
	isClosed
)

func (s *Subscriptions) slots() []string {
	return []string{
		stage: s.Stage, plan: s.Plan, amount: s.Amount, currency: s.Currency, closed: s.Closed, isClosed: s.IsClosed,
	}
}

type subscriptions struct {
	hashing
	into     table.CRMSubscriptionRow
	currency string // of those that name none
}

func newSubscription(s *stream) decoder {
	return &subscriptions{
		hashing: hashing{s.source.env.Key, s.source.config.Region}, currency: s.source.config.Subscriptions.DefaultCurrency,
	}
}

func (s *subscriptions) row(o *object) (row any, reason string) {
	s.into = table.CRMSubscriptionRow{
		SourceID: o.id, ChangedAt: o.at(), Contact: s.id(identifier.CRMContact, o.contact), Archived: o.archived, System: system,
	}
	var ok bool
	if s.into.Stage, ok = term(o.slots[stage]); !ok {
		return nil, "stage: expected a name"
	}
	if s.into.Plan, ok = term(o.slots[plan]); !ok {
		return nil, "plan: expected a name"
	}
	if s.into.Currency = o.slots[currency].Text(); s.into.Currency == "" {
		s.into.Currency = s.currency
	}
	if text := o.slots[amount].Text(); text != "" {
		if s.into.Currency == "" {
			return nil, "amount_minor: it has no currency: give default_currency"
		}
		minor, err := money.Parse(text, s.into.Currency)
		if err != nil {
			return nil, "amount_minor: " + err.Error()
		}
		s.into.AmountMinor = &minor
	} else if v := o.slots[amount]; !v.Absent() && v[0] != '"' {
		return nil, "amount_minor: expected a number as text"
	}
	if s.into.CreatedAt, ok = instant(o.created); !ok {
		return nil, "created_at: expected a time"
	}
	if s.into.ClosedAt, ok = instant(o.slots[closed]); !ok {
		return nil, "closed_at: expected a time"
	}
	if isOver, known := o.slots[isClosed].Bool(); known && !isOver {
		s.into.ClosedAt = nil
	}
	return &s.into, ""
}

// instant is nil where no time is set.
func instant(v rest.Value) (at *table.Micros, ok bool) {
	text := v.Text()
	if text == "" {
		return nil, v.Absent() || v[0] == '"'
	}
	milliseconds, ok := moment(text)
	micros := table.Micros(milliseconds * 1000)
	return &micros, ok
}

// maxTerm bounds what the lake keeps as the name of something.
const maxTerm = 100

// term is a value that names one of a few things, such as a stage; what looks personal is none. Names may be short
// numbers: HubSpot gives such to the stages of pipelines.
func term(v rest.Value) (text string, ok bool) {
	text = v.Text()
	if text == "" {
		return "", v.Absent() || v[0] == '"'
	}
	number := len(text) <= 10 && strings.Trim(text, "0123456789") == ""
	return text, len(text) <= maxTerm && (number || identifier.Redact(text) == text)
}
