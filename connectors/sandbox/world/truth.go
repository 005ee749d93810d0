package world

import (
	"slices"
	"time"

	"crosslift/schemas/table"
)

// Truth is what is true of some households, before the sources get it wrong. Its tables are the files of DIR/truth.
type Truth struct {
	Nodes         []Node
	Exposures     []TrueExposure
	Subscriptions []TrueSubscription
	Payments      []Payment
	Accruals      []TrueAccrual
	Planted       []Planted
	Attended      []Attendance
}

// Node says that an identifier is of an account, or of a human without one, and from when to when it was used so. An
// identifier of several has several rows: those of a shared television. From and To of a phone number that moved tell whose it
// was when. An address that somebody mistyped into another's contact is its owner's alone.
type Node struct {
	Node      string    `parquet:"node"`             // as its owner has it: an address in lower case, a number as +7…
	Type      string    `parquet:"type,dict"`        // account, device, email, phone, card, crm, bank_client
	Account   string    `parquet:"account,optional"` // absent: used by nobody that was logged in
	Human     int64     `parquet:"human"`            // who used it; 0: it is there for everybody
	Household int64     `parquet:"household"`        //
	From      time.Time `parquet:"from,timestamp(microsecond)"`
	To        time.Time `parquet:"to,timestamp(microsecond)"`
}

// Attendance is the use of a device without an account, as far as sources show it: views and web events without one, one
// after the other by the same human in the same account's name. No other event without an account lies between from and to
// on that device, unless it is one that is there for everybody (a node of human 0): households take no notice of each other
// there.
//
// Account is the one that the human is about to log in with in the same visit, or is logged in with though the source does
// not say so; else the human's own, of several the one that it used last; of somebody who has none, the account that was
// logged in on the device last, else the household's first. Absent: there is none.
type Attendance struct {
	Device    string    `parquet:"device"`
	From      time.Time `parquet:"from,timestamp(microsecond)"` // of the first event
	To        time.Time `parquet:"to,timestamp(microsecond)"`   // of the last
	Human     int64     `parquet:"human"`
	Household int64     `parquet:"household"`
	Account   string    `parquet:"account,optional"`
	Shared    bool      `parquet:"shared"` // several accounts were logged in on the device during the nights
	Events    int64     `parquet:"events"`
}

// TrueExposure is a unit of the experiment. What it would have done under either arm is there for both.
type TrueExposure struct {
	Experiment string    `parquet:"experiment,dict"`
	UnitType   string    `parquet:"unit_type,dict"` // account, device
	Unit       string    `parquet:"unit"`           // the account, or its first exposed device
	Account    string    `parquet:"account"`
	Human      int64     `parquet:"human"`
	Household  int64     `parquet:"household"`
	Devices    []string  `parquet:"devices,list"` // that the account had been logged in on by t0, ascending
	Arm        string    `parquet:"arm,dict"`     // of the first exposure
	Acts       string    `parquet:"acts,dict"`    // by which arm it behaves: where devices are assigned, it may have met both
	At         time.Time `parquet:"t0,timestamp(microsecond)"`
	Entered    bool      `parquet:"entered"` // t0 is in the days of entry (Options.EntryDays)
	Matured    bool      `parquet:"matured"` // the longest window closes before the nights end

	FirstControl     bool  `parquet:"paid_first_month_control"`
	FirstTreatment   bool  `parquet:"paid_first_month_treatment"`
	SecondControl    bool  `parquet:"paid_second_month_control"`
	SecondTreatment  bool  `parquet:"paid_second_month_treatment"`
	RevenueControl   int64 `parquet:"revenue_control"` // minor units of roubles
	RevenueTreatment int64 `parquet:"revenue_treatment"`
	WatchedControl   int64 `parquet:"watched_seconds_control"`
	WatchedTreatment int64 `parquet:"watched_seconds_treatment"`
}

// TrueSubscription is a subscription that somebody began, whatever became of it.
type TrueSubscription struct {
	SubscriptionID string    `parquet:"subscription_id"`
	Account        string    `parquet:"account"`
	Started        time.Time `parquet:"started_at,timestamp(microsecond)"`
	Trial          bool      `parquet:"trial"` // it began with a free day
}

// Payment is a succeeded charge, and what it should bring its payer in cashback.
type Payment struct {
	PaymentID     string    `parquet:"payment_id"`
	Account       string    `parquet:"account"`
	CapturedAt    time.Time `parquet:"captured_at,timestamp(microsecond)"`
	AmountMinor   int64     `parquet:"amount_minor"`
	Currency      string    `parquet:"currency,dict"`
	Plan          string    `parquet:"plan,dict"` // first_month, monthly
	Eligible      bool      `parquet:"eligible"`
	Reason        string    `parquet:"reason,optional,dict"`   // why it is not
	ExpectedMinor int64     `parquet:"expected_minor"`         // as known when it was captured
	LostMinor     int64     `parquet:"lost_minor"`             // refunded, or lost in a dispute, by the end of the nights
	NetMinor      int64     `parquet:"net_expected_minor"`     // what is left of expected_minor after that
	Bank          string    `parquet:"bank,optional,dict"`     // what the bank makes of it, be it after the nights: right, late, missing, wrong, duplicate, split, reversed, ineligible
	Reversal      string    `parquet:"reversal,optional,dict"` // and of what was lost: done, missing
}

// TrueAccrual is a row of the bank's cashback as it stands at the end of the nights.
type TrueAccrual struct {
	AccrualID   string     `parquet:"accrual_id"`
	PaymentID   *string    `parquet:"payment_id,optional"` // absent: no payment of ours
	Kind        string     `parquet:"kind,dict"`           // right, late, wrong, duplicate, split, reversed, reversal, ineligible, foreign
	AmountMinor int64      `parquet:"amount_minor"`        // never negative
	Direction   string     `parquet:"direction,dict"`      // credit, debit
	Status      string     `parquet:"status,dict"`
	ReversalOf  *string    `parquet:"reversal_of,optional"`
	Accrued     time.Time  `parquet:"accrued_at,timestamp(microsecond)"`
	Posted      *time.Time `parquet:"posted_at,optional,timestamp(microsecond)"`
	Reversed    *time.Time `parquet:"reversed_at,optional,timestamp(microsecond)"`
	Visible     string     `parquet:"visible_from_night"` // YYYY-MM-DD: the first night whose run can see it
}

// TrueEffect is a row of the effect table: what the parameters imply, and what the units themselves would have done.
type TrueEffect struct {
	Experiment      string  `parquet:"experiment"`
	Metric          string  `parquet:"metric"`
	Unit            string  `parquet:"unit"`        // share, RUB minor, seconds
	WindowDays      int64   `parquet:"window_days"` // from t0
	Control         float64 `parquet:"control"`     // means of the model
	Treatment       float64 `parquet:"treatment"`
	Effect          float64 `parquet:"effect"`           // treatment − control
	Units           int64   `parquet:"units"`            // that entered in the days of entry
	SampleControl   float64 `parquet:"sample_control"`   // means over those units, had all of them been in one arm
	SampleTreatment float64 `parquet:"sample_treatment"` //
}

// Planted is a personal value that some source shows and that must not be found in what is written of it.
type Planted struct {
	Source string `parquet:"source,dict"` // productdb, crm, bank, ga, payments, faults
	Place  string `parquet:"place,dict"`
	Kind   string `parquet:"kind,dict"` // email, phone, card, name
	Value  string `parquet:"value"`
}

// Damaged is a record whose object Create made unreadable.
type Damaged struct {
	Source string    `parquet:"source,dict"`
	Stream string    `parquet:"stream,dict"`
	ID     string    `parquet:"id"`
	At     time.Time `parquet:"at,timestamp(microsecond)"` // with the id it names the version
	Night  string    `parquet:"night,dict"`                // of the file that it stands in
	Member string    `parquet:"member"`                    // that is missing, or is text instead of a number
}

type nodeKey struct {
	node, account string
	human         int64
}

// node keeps who used an identifier, and widens the span where that is known already.
func (h *home) node(node, kind, account string, p *person, from, to time.Time) {
	if !from.Before(h.end) {
		return
	}
	key := nodeKey{node, account, p.id}
	i, known := h.nodes[key]
	if !known {
		h.nodes[key] = len(h.c.Truth.Nodes)
		h.c.Truth.Nodes = append(h.c.Truth.Nodes, Node{node, kind, account, p.id, p.home, from, to})
		return
	}
	n := &h.c.Truth.Nodes[i]
	if from.Before(n.From) {
		n.From = from
	}
	n.To = maxTime(n.To, to)
}

// planted keeps a personal value that a source shows.
func (h *home) planted(source, place, kind, value string) {
	h.c.Truth.Planted = append(h.c.Truth.Planted, Planted{source, place, kind, value})
}

// exposed keeps the unit that an exposure makes, at its account's first one.
func (h *home) exposed(a *account, e Exposure) {
	p := a.part
	if p.met {
		return
	}
	p.met = true
	devices := slices.Sorted(slices.Values(a.linked))
	c, t := p.outcomes[0], p.outcomes[1]
	h.c.Truth.Exposures = append(h.c.Truth.Exposures, TrueExposure{
		Experiment: Experiment, UnitType: e.UnitType, Unit: e.Unit, Account: a.id, Human: a.person.id, Household: h.id, Devices: devices,
		Arm: e.Variant, Acts: arms[p.acts].name, At: e.At, Entered: e.At.Before(h.entered),
		Matured:      !e.At.Add(payWindow * day).After(h.end),
		FirstControl: c.First, FirstTreatment: t.First, SecondControl: c.Second, SecondTreatment: t.Second,
		RevenueControl: c.Revenue, RevenueTreatment: t.Revenue, WatchedControl: c.Watched, WatchedTreatment: t.Watched,
	})
}

// settled keeps an accrual as it stands.
func (t *till) settled(a *Accrual) {
	i, known := t.credits[a.ID]
	if !known {
		i = len(t.home.c.Truth.Accruals)
		t.credits[a.ID] = i
		t.home.c.Truth.Accruals = append(t.home.c.Truth.Accruals, TrueAccrual{
			AccrualID: a.ID, PaymentID: optional(a.Payment), Kind: a.Kind, AmountMinor: a.Amount, Direction: a.Direction,
			ReversalOf: optional(a.ReversalOf), Accrued: a.Accrued, Visible: table.DayOf(a.Visible, t.Zone).String(),
		})
	}
	row := &t.home.c.Truth.Accruals[i]
	row.Status = a.Status
	if at := a.Posted; !at.IsZero() {
		row.Posted = &at
	}
	if at := a.Reversed; !at.IsZero() {
		row.Reversed = &at
	}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
