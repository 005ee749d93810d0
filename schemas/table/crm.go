package table

import "crosslift/schemas/identifier"

// CRMContactRow is a contact as it stood after a change, with what it has consented to.
type CRMContactRow struct {
	SourceID         string        `lake:"source_id,key,personal"`
	ChangedAt        Micros        `lake:"changed_at,key,time"`
	Contact          identifier.ID `lake:"contact,optional,crm"`     // the CRM's id of the contact
	Account          identifier.ID `lake:"account,optional,account"` // the product's user id, where the CRM knows it
	Email            identifier.ID `lake:"email_hash,optional,email"`
	EmailFolded      identifier.ID `lake:"email_folded_hash,optional,email_folded"`
	Phone            identifier.ID `lake:"phone_hash,optional,phone"`
	MarketingConsent *bool         `lake:"marketing_consent"` // absent: never asked
	AnalyticsConsent *bool         `lake:"analytics_consent"`
	ConsentVersion   string        `lake:"consent_version,optional,dict"` // of the wording consented to
	Archived         bool          `lake:"archived"`                      // deleted in the CRM
	System           string        `lake:"system,optional,dict"`          // of several CRMs, which one
}

// CRMSubscriptionRow is a subscription or a deal of a contact as it stood after a change.
type CRMSubscriptionRow struct {
	SourceID    string        `lake:"source_id,key,personal"`
	ChangedAt   Micros        `lake:"changed_at,key,time"`
	Contact     identifier.ID `lake:"contact,optional,crm"`
	Stage       string        `lake:"stage,dict"`
	Plan        string        `lake:"plan,optional,dict"`
	AmountMinor *int64        `lake:"amount_minor,minor"`
	Currency    string        `lake:"currency,optional,dict,currency"`
	CreatedAt   *Micros       `lake:"created_at"`
	ClosedAt    *Micros       `lake:"closed_at"`
	Archived    bool          `lake:"archived"`
	System      string        `lake:"system,optional,dict"`
}
