package table

import "crosslift/schemas/identifier"

// The types of identifier that observations have. They are finer than an identifier's kind: a device is an app
// installation, a browser's cookie, a television or a browser that several use, and links to it are trusted accordingly.
const (
	TypeAccount     = "account"
	TypeEmail       = "email"
	TypeEmailFolded = "email_folded" // a sign of a person, never of a profile
	TypePhone       = "phone"
	TypeCard        = "card"
	TypeCRM         = "crm"
	TypeBankClient  = "bank_client"
	TypeReference   = "reference" // of a payment: it joins a bank's client to the account that paid
	TypeApp         = "app"
	TypeCookie      = "cookie"
	TypeTV          = "tv"
	TypeBrowser     = "browser"
	TypeDevice      = "device"  // of which the source does not say what it is
	TypeConsent     = "consent" // of an account or a contact, to be analysed: see IdentityEdgeRow
)

// The rules by which a source's row links two identifiers, strongest first: class 0 to 6.
const (
	RuleVerified = 0 // a verified e-mail address in the product's database
	RuleAccount  = 1 // an account's phone; a bank's client and its card, phone or payment; a key that one system keeps of another
	RuleTyped    = 2 // an e-mail address or phone that somebody typed, in a CRM or unverified
	RuleCard     = 3 // a payment card
	RuleApp      = 4 // an app installation
	RuleCookie   = 5 // a browser's cookie
	RuleShared   = 6 // a television, or a browser that several use
)

// IdentityEdgeRow is what a source showed on a day: that two identifiers belong together.
//
// An edge of an attribute (an account's e-mail, phone and consent; a CRM contact's likewise, and its account) says that it
// has this value from first_ts on: another value, or none (right is absent), ends it. The attribute consent has no value
// but its owner: right is left while it was given, and absent after it was refused.
//
// Two more kinds of edge have no right end. Of a device that the product knows and nobody has registered, an edge says of
// what type it is: that is left_type; right_type is device. Of an account of which a row shows nothing else, an edge says
// that it was seen: right_type is account.
type IdentityEdgeRow struct {
	Left      identifier.ID `lake:"left,personal"`
	LeftType  string        `lake:"left_type,dict"`
	Right     identifier.ID `lake:"right,optional,personal"`
	RightType string        `lake:"right_type,dict"`
	Rule      int64         `lake:"rule"`          // class 0 to 6, strongest first; of a device it is at least its type's
	Source    string        `lake:"source,dict"`   // the raw table that shows it, without its layer
	FirstAt   Micros        `lake:"first_ts,time"` // of the day
	LastAt    Micros        `lake:"last_ts"`
	Count     int64         `lake:"count"` // rows that showed it on that day
}

// IdentityLinkRow is everything that was observed of a pair by a night, and what became of it.
type IdentityLinkRow struct {
	Block     identifier.ID `lake:"block,optional,personal"` // the smallest identifier of the block that holds both; absent: of different ones
	Left      identifier.ID `lake:"left,personal"`
	LeftType  string        `lake:"left_type,dict"`
	Right     identifier.ID `lake:"right,optional,personal"`
	RightType string        `lake:"right_type,dict"`
	Rule      int64         `lake:"rule"`
	Source    string        `lake:"source,dict"`
	FirstAt   Micros        `lake:"first_ts"`
	LastAt    Micros        `lake:"last_ts"`
	Count     int64         `lake:"count"`
	ValidTo   *Micros       `lake:"valid_to"`    // of an attribute: when it was replaced; absent while it holds
	Status    string        `lake:"status,dict"` // linked, implied (both were one profile's already), or why not
	// What is known from days that are sealed: a night adds only those after them.
	SealedFirstAt *Micros `lake:"sealed_first_ts"`
	SealedLastAt  *Micros `lake:"sealed_last_ts"`
	SealedCount   *int64  `lake:"sealed_count"`
	SealedTo      *Micros `lake:"sealed_valid_to"`
}

// ProfileRow is a profile, or an id that was one.
type ProfileRow struct {
	Profile     identifier.ID `lake:"profile_id,personal"`
	Anchor      identifier.ID `lake:"anchor,personal"` // the identifier that it was minted from: its account, else its oldest
	AnchorType  string        `lake:"anchor_type,dict"`
	Status      string        `lake:"status,dict"`                // current, merged, retired
	AliasOf     identifier.ID `lake:"alias_of,optional,personal"` // of a merged one: the current profile that it went into
	Account     identifier.ID `lake:"account,optional,account"`
	Identifiers int64         `lake:"identifiers"`
	Devices     int64         `lake:"devices"`
	FirstAt     *Micros       `lake:"first_ts"`     // of its identifiers
	Refused     int64         `lake:"refused"`      // links to its identifiers that were refused
	WeakestRule *int64        `lake:"weakest_rule"` // of its accepted links
}

// PersonRow says which human a profile is of, by two independent signs; for eligibility and reports of abuse.
type PersonRow struct {
	Profile  identifier.ID `lake:"profile_id,personal"`
	Person   identifier.ID `lake:"person_id,personal"`
	Profiles int64         `lake:"profiles"` // of the person
	Signs    string        `lake:"signs,optional,dict"`
}

// HouseholdRow says which household a profile is of; for reports.
type HouseholdRow struct {
	Profile   identifier.ID `lake:"profile_id,personal"`
	Household identifier.ID `lake:"household_id,personal"`
	Profiles  int64         `lake:"profiles"`
}

// IdentityChangeRow is what a night changed about an id.
type IdentityChangeRow struct {
	Level          string        `lake:"level,dict"` // profile, person, household
	Kind           string        `lake:"kind,dict"`  // minted, merged, split, moved, revived, retired
	From           identifier.ID `lake:"from_id,optional,personal"`
	To             identifier.ID `lake:"to_id,optional,personal"`
	Identifier     identifier.ID `lake:"identifier,optional,personal"` // of a move
	IdentifierType string        `lake:"identifier_type,optional,dict"`
}

// IdentityRefusedRow is a link that was not made, and why.
type IdentityRefusedRow struct {
	Left         identifier.ID `lake:"left,personal"`
	LeftType     string        `lake:"left_type,dict"`
	Right        identifier.ID `lake:"right,personal"`
	RightType    string        `lake:"right_type,dict"`
	Rule         int64         `lake:"rule"`
	Source       string        `lake:"source,dict"`
	FirstAt      Micros        `lake:"first_ts"`
	Reason       string        `lake:"reason,dict"`
	LeftProfile  identifier.ID `lake:"left_profile_id,optional,personal"`
	RightProfile identifier.ID `lake:"right_profile_id,optional,personal"`
}

// IdentityQualityRow is a number that tells how good a night's identity is.
type IdentityQualityRow struct {
	Name  string   `lake:"name,dict"`
	Of    string   `lake:"of,blank,dict"` // a type, reason or method, where the number is of one
	Value *float64 `lake:"value"`         // absent: of nothing
	N     int64    `lake:"n"`             // of how many
	Last  *float64 `lake:"last_value"`    // last night's
	Alarm string   `lake:"alarm,optional,dict"`
}

// DeviceTimelineRow says who used a device in a span of time that no row of an event need tell. Spans of a device do not
// overlap; where there is none, the device was used by nobody known.
type DeviceTimelineRow struct {
	Device     identifier.ID `lake:"device,device"`
	From       Micros        `lake:"from_ts"`
	To         Micros        `lake:"to_ts"` // exclusive
	Account    identifier.ID `lake:"account,account"`
	Profile    identifier.ID `lake:"profile_id,personal"`
	Method     string        `lake:"method,dict"` // session, span, backfill, bracket
	Shared     bool          `lake:"shared"`      // several accounts used the device in those days
	Confidence float64       `lake:"confidence"`  // the share of such spans that is right, as measured
}
