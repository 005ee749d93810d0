package table

import "crosslift/schemas/identifier"

// ProductUserRow is a user of the product as it stood after a change.
type ProductUserRow struct {
	SourceID         string        `lake:"source_id,key,personal"`
	ChangedAt        Micros        `lake:"changed_at,key,time"`
	Account          identifier.ID `lake:"account,account"`
	RegisteredAt     Micros        `lake:"registered_at"`
	Email            identifier.ID `lake:"email_hash,optional,email"`
	EmailFolded      identifier.ID `lake:"email_folded_hash,optional,email_folded"`
	EmailVerified    *bool         `lake:"email_verified"`
	Phone            identifier.ID `lake:"phone_hash,optional,phone"`
	Country          string        `lake:"country,optional,dict"` // ISO 3166-1 alpha-2
	MarketingConsent *bool         `lake:"marketing_consent"`     // absent: never asked
	AnalyticsConsent *bool         `lake:"analytics_consent"`
	Deleted          bool          `lake:"deleted"`
}

// ProductDeviceRow is a device that the product knows, as it stood after a change.
type ProductDeviceRow struct {
	SourceID     string        `lake:"source_id,key,personal"`
	ChangedAt    Micros        `lake:"changed_at,key,time"`
	Device       identifier.ID `lake:"device,device"`
	Type         string        `lake:"type,dict"` // phone, tablet, tv, web
	FirstSeenAt  *Micros       `lake:"first_seen_at"`
	Platform     string        `lake:"platform,optional,dict"`
	Model        string        `lake:"model,optional,dict"`
	RegisteredBy identifier.ID `lake:"account,optional,account"` // who was logged in when it was first seen
}

// ProductLoginRow says that somebody logged in or out, or was seen with a session that goes on.
type ProductLoginRow struct {
	SourceID string        `lake:"source_id,key,personal"`
	EventAt  Micros        `lake:"event_at,time"`
	Account  identifier.ID `lake:"account,dict,account"`
	Device   identifier.ID `lake:"device,dict,device"`
	Kind     string        `lake:"kind,dict"` // login, logout, refresh
	Session  string        `lake:"session,optional,personal"`
}

// ViewingRow is a span of watching.
type ViewingRow struct {
	SourceID string        `lake:"source_id,key,personal"`
	ViewedAt Micros        `lake:"viewed_at,time"` // the start
	Account  identifier.ID `lake:"account,optional,dict,account"`
	Device   identifier.ID `lake:"device,optional,dict,device"`
	Title    string        `lake:"title,optional,dict"`
	Seconds  int64         `lake:"seconds"`
}
