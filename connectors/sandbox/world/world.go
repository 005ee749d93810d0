// Package world is the generated population behind the sandbox's sources: who people are, what they own, what they do,
// and what each source comes to know of it and when. It is generated household by household; the packages beside it put
// each Chunk into the wire formats of their source and write them to disk, from where they are served.
//
// A record that changes is there once a version. Every record has two instants: when it happened (or changed), and
// Visible, from when on the source shows it, which may be later or, of what a source restates, much later. At an instant
// t a source shows, of the versions of one id, the one with the greatest Visible ≤ t (of several with the same, the one
// that changed last).
//
// # On disk
//
//	DIR/world.json                       what the world was made with, and how many records there are (About)
//	DIR/<source>/<stream>/<night>.ndjson a Record a line, in ascending order of the lines' bytes
//	DIR/truth/<table>.parquet            what is true, whatever the sources say
//
// A night is the business day in which a version becomes visible; what was visible before the first night lies in the file
// of the day before it. Files may be edited, added and removed: a world is served as it stands, whatever world.json counts.
//
// The truth has nine tables; the fields of the type name their columns, and say what they mean:
//
//	node          Node              identifiers, and who used them from when to when
//	attendance    Attendance        who used a device while no account was to be seen, and in which account's name
//	exposure      TrueExposure      units of the experiment, with their outcomes under either arm
//	subscription  TrueSubscription  subscriptions that were begun
//	payment       Payment           succeeded charges, and the cashback that they should bring
//	accrual       TrueAccrual       the bank's cashback, and what is wrong about it
//	effect        TrueEffect        the metrics' means under either arm
//	planted       Planted           personal values that must not be found in anything that is made of the sources
//	damaged       Damaged           records that Faults made unreadable
//
// # Who is who
//
// What sources show does not tell plainly who somebody is. People of a household take turns at its television and its
// browser, with and without an account, begin a visit to the site before they log in, pay with each other's cards, and lose
// their cookies; some have a second account. Strangers log in with the kiosks, demo televisions and tablets of their
// neighbourhood, share an office's info@ mailbox and the card with which the call centre pays, or have a build that sends one
// device id for all, or none. Phone numbers that old accounts gave up are given to somebody next door, while the product's
// row mostly moves to another number or none, and the CRM's stays. Addresses typed into the CRM may be somebody else's. Who
// refuses consent has no pseudo id. Households are still made one by one, in the order of their numbers: next door is the one
// before, a neighbourhood 128 of them, an office's mailbox is for 512.
//
// # The experiment and the campaign
//
// The experiment cashback_99 puts new accounts, or their devices, into control or offer as they are registered, at even
// odds. Most meet the offer in the first days (Options.EntryDays); their accounts pay a first and a second month and watch
// by the parameters of their arm, so that what the metrics' windows hold follows from the model exactly (Effects). Where
// devices are assigned, an account acts by the offer if it met it on any device before it was time to pay; and part of the
// accounts have been there for days then, logged in on all that their people own.
//
// The campaign with the partner bank gives back 99 % of a first month's price, at most 400 roubles: to accounts that act by
// the offer, that are not a person's second one, and that pay in roubles by the partner's card. The bank has five days to
// accrue; it posts in the night to the 5th of a month what was accrued five days before; what is refunded or charged back is
// reversed in proportion.
package world

import (
	"time"

	"crosslift/schemas/table"
)

// Options say what to generate. The same options give the same bytes.
type Options struct {
	Seed       uint64
	People     int
	Nights     int            // business days, from First on; what happens after the last is not generated
	First      table.Day      //
	Zone       *time.Location // the business's
	AssignedBy string         // account (the default) or device: what the experiment's variants are drawn by
	Scale      float64        // of web events and viewing a person, 1 without it
	Late       float64        // share of web events that come late and restate their day, 0.02 without it
	Chunk      int            // households a Chunk, 256 without it; changes no byte of a world

	Faults Faults // what Create does to records; Generate takes no notice of it

	Progress func(done, total int) // nil, or told about people after each chunk
}

// Chunk is some households with everything that happened to them, in no particular order.
type Chunk struct {
	Humans   []Human
	Accounts []Account
	Devices  []Device
	Logins   []Login
	Views    []View
	Events   []WebEvent

	Assignments []Assignment
	Exposures   []Exposure

	Customers     []Customer
	Subscriptions []Subscription
	Invoices      []Invoice
	Charges       []Charge
	Refunds       []Refund
	Disputes      []Dispute
	Balances      []Balance

	Transactions []BankTransaction
	Accruals     []Accrual

	Contacts []Contact
	Deals    []Deal

	Truth Truth // what is true of these households, for nobody but the judge
}

// Human is a person. Nothing of it but what accounts and devices show reaches a source. Humans and households are
// numbered from 1; somebody outside who has an account's password lives in a household whose number is above 2²³.
type Human struct {
	ID, Household int64
}

// Account is a version of the product's user, as its table has it.
type Account struct {
	ID               string // the product's user id, such as u00c0ffee: everywhere an account is named, it is by this
	Human, Household int64
	Registered       time.Time
	Email            string // "" when not given
	EmailVerified    bool
	Phone            string // as typed: "8 (916) 123-45-67"; "" when not given
	Name             string
	Country          string // ISO 3166-1 alpha-2
	MarketingConsent *bool  // nil: never asked
	AnalyticsConsent *bool
	Deleted          bool
	Changed, Visible time.Time // updated_at, and when its transaction was committed
}

// Device is a version of a device that the product knows: an app installation, a TV, a browser. A browser whose cookies go
// is another device afterwards.
type Device struct {
	ID               string // of the app installation or, of a browser, its first-party id; also the pseudo id of web events
	Human, Household int64  // Human is 0 where several use it
	Type             string // phone, tablet, tv, web
	Platform         string // ios, android, tvos, web, …
	Model            string
	FirstSeen        time.Time
	Account          string // who was logged in when it was first seen; "" for nobody
	Changed, Visible time.Time
}

// Login says that somebody logged in or out, or used a session that goes on.
type Login struct {
	ID          int64 // ascending with time of insertion
	At, Visible time.Time
	Account     string
	Device      string
	Session     string
	Kind        string // login, logout, refresh
}

// View is a span of watching.
type View struct {
	ID          int64
	At, Visible time.Time
	Account     string // "" for nobody logged in
	Device      string
	Title       string
	Seconds     int64
}

// WebEvent is an event of web analytics.
type WebEvent struct {
	At, Visible time.Time // Visible: when the export of its day has it; days are restated for 72 hours
	Name        string    // page_view, video_start, sign_up, purchase, …
	Account     string    // the user id that the site sends, "" when not logged in
	PseudoID    string    // of the browser or app; "" without analytics consent
	SessionID   int64     // seconds since 1970 of the session's start
	Sequence    int64     // event_bundle_sequence_id: with pseudo id, time and name it tells events apart
	Platform    string    // WEB, IOS, ANDROID
	Country     string    // ISO 3166-1 alpha-2
	Source      string    // utm source
	Medium      string
	Page        string // page_location, which may have personal data in its query
	Value       float64
	Currency    string // "" without a value
	Consent     bool
}

// Assignment says that a unit was put in a variant.
type Assignment struct {
	ID          int64
	At, Visible time.Time
	Experiment  string
	UnitType    string // account, device
	Unit        string
	Variant     string
}

// Exposure says that a unit met its variant.
type Exposure struct {
	ID              int64
	At, Visible     time.Time
	Experiment      string
	UnitType        string
	Unit            string
	Account, Device string // who and where, as far as it was known then
	Variant         string
	Platform        string
	Country         string
}

// Customer joins an account to the payment system's customer.
type Customer struct {
	ID      string // cus_…
	Account string
	Email   string
	Phone   string
	Created time.Time
}

// Card is a payment card as a payment system and a bank know it.
type Card struct {
	Fingerprint   string // one a card and payment account
	First6, Last4 string
	Partner       bool // issued by the partner bank
}

// Subscription is a version of a subscription.
type Subscription struct {
	ID, Customer, Account  string // sub_…
	Plan                   string // basic, family
	Status                 string // trialing, active, past_due, canceled
	Created                time.Time
	TrialEnd               time.Time // zero without a trial
	PeriodStart, PeriodEnd time.Time
	Canceled               time.Time // zero while it is not
	Changed, Visible       time.Time
}

// Invoice is a version of a bill for a period.
type Invoice struct {
	ID, Customer, Account, Subscription string // in_…
	Charge                              string // ch_…, "" while there is none
	Due, Paid                           int64  // minor units
	Currency                            string
	Status                              string // draft, open, paid, void, uncollectible
	Reason                              string // subscription_create, subscription_cycle
	PeriodStart, PeriodEnd              time.Time
	Created                             time.Time
	PaidAt                              time.Time // zero unless paid
	Changed, Visible                    time.Time
}

// Charge is a version of a payment by card.
type Charge struct {
	ID, Customer, Account string // ch_…
	PaymentIntent         string // pi_…
	Invoice, Subscription string
	Plan                  string // first_month, monthly
	Amount, Refunded      int64  // minor units
	Currency              string
	Status                string // pending, succeeded, failed
	Disputed              bool
	Card                  Card
	RRN, AuthCode         string
	Created               time.Time
	Changed, Visible      time.Time
	BalanceTransaction    string // txn_…, of a succeeded one
}

// Refund is a version of a refund, whole or partial.
type Refund struct {
	ID, Charge       string // re_…
	Amount           int64
	Currency         string
	Status           string // pending, succeeded, failed, canceled
	Reason           string
	Created          time.Time
	Changed, Visible time.Time
	Balance          string // txn_…
}

// Dispute is a version of a chargeback.
type Dispute struct {
	ID, Charge       string // dp_…
	Amount           int64
	Currency         string
	Status           string // warning_needs_response, needs_response, under_review, won, lost
	Reason           string
	Created          time.Time
	Changed, Visible time.Time
	Balances         []string // txn_…
}

// Balance is a movement of the payment system's balance.
type Balance struct {
	ID, Of           string // txn_…; the id of the charge, refund or dispute
	Type             string // charge, refund, adjustment
	Amount, Fee      int64  // minor units, negative when it leaves the balance
	Currency         string
	Created, Visible time.Time
	Available        time.Time
}

// BankTransaction is a version of a card transaction in the partner bank's books.
type BankTransaction struct {
	ID            string // "" while it is pending, now and then
	Client        string // the bank's pseudonym of its client
	Card          Card
	RRN, AuthCode string
	Amount        int64 // minor units, never negative
	Currency      string
	Direction     string // debit, credit
	Status        string // Booked, Pending, Rejected
	Booked, Value time.Time
	Info          string // free text: personal
	Merchant      string // category code
	Visible       time.Time
	Withdrawn     time.Time // from when it is no longer shown; zero: never
}

// Accrual is a revision of a cashback accrual, as the bank has it: with its faults.
type Accrual struct {
	ID                        string
	Revision                  int64
	Campaign                  string
	Client                    string
	Card                      Card
	RRN, AuthCode             string
	Transaction               string // id of the bank's transaction; "" where it is not told
	Posting                   string // id of the bank's transaction that pays it out; "" until it is posted
	Purchased                 time.Time
	Purchase                  int64 // minor units
	Currency                  string
	Rate                      string // "0.9900"
	CapApplied                bool
	Amount                    int64
	Direction                 string // credit, debit
	ReversalOf                string
	Status                    string // Accrued, Posted, Reversed, Rejected
	Reason                    string
	Accrued, Posted, Reversed time.Time // zero: not yet
	Changed, Visible          time.Time // StatusUpdateDateTime; when the bank's API has it

	Payment string // truth: the charge that it is for; "" for one without a payment of ours
	Kind    string // truth: right, late, wrong, duplicate, split, reversal, …
}

// Contact is a version of a contact in the CRM.
type Contact struct {
	ID               string
	Account          string // "" where the CRM does not know it
	Email, Phone     string // typed by hand: with typos
	Name             string
	MarketingConsent *bool
	AnalyticsConsent *bool
	ConsentVersion   string
	Archived         bool
	Created          time.Time
	Changed, Visible time.Time
}

// Deal is a version of a subscription as the CRM has it.
type Deal struct {
	ID, Contact      string
	Stage            string // trial, active, churned, …
	Plan             string
	Amount           int64
	Currency         string
	Archived         bool
	Created, Closed  time.Time // Closed is zero while it is open
	Changed, Visible time.Time
}
