package table

import "crosslift/schemas/identifier"

// The tables of the lake. Files are read by other engines as they stand, so a column's name is a promise.
var (
	Assignment = raw(define[AssignmentRow]("raw/assignment", Event, 1, "account", "device", "assigned_at"))
	Exposure   = raw(define[ExposureRow]("raw/exposure", Event, 1, "account", "device", "exposed_at"))
	WebEvent   = raw(define[WebEventRow]("raw/web_event", Event, 2, "account", "device", "event_at"))

	Payment      = raw(define[PaymentRow]("raw/payment", Change, 2, "account", "changed_at"))
	Refund       = raw(define[RefundRow]("raw/refund", Change, 1, "payment_id", "changed_at"))
	Dispute      = raw(define[DisputeRow]("raw/dispute", Change, 1, "payment_id", "changed_at"))
	Subscription = raw(define[SubscriptionRow]("raw/subscription", Change, 1, "account", "changed_at"))
	Invoice      = raw(define[InvoiceRow]("raw/invoice", Change, 1, "account", "changed_at"))

	BalanceTransaction = raw(define[BalanceTransactionRow]("raw/balance_transaction", Event, 1, "type", "created_at"))

	BankTransaction = raw(define[BankTransactionRow]("raw/bank_transaction", Event, 1, "client_ref_hash", "booked_at"))
	BankAccrual     = raw(define[BankAccrualRow]("raw/bank_accrual", Change, 1, "client_ref_hash", "source_id", "revision_number"))

	CRMContact      = raw(define[CRMContactRow]("raw/crm_contact", Change, 1, "source_id", "changed_at"))
	CRMSubscription = raw(define[CRMSubscriptionRow]("raw/crm_subscription", Change, 1, "contact", "source_id", "changed_at"))

	ProductUser   = raw(define[ProductUserRow]("raw/product_user", Change, 1, "account", "changed_at"))
	ProductDevice = raw(define[ProductDeviceRow]("raw/product_device", Change, 1, "device", "changed_at"))
	ProductLogin  = raw(define[ProductLoginRow]("raw/product_login", Event, 1, "account", "device", "event_at"))
	Viewing       = raw(define[ViewingRow]("raw/viewing", Event, 1, "account", "device", "viewed_at"))

	MarketingCost = raw(define[MarketingCostRow]("raw/marketing_cost", Event, 1, "channel", "campaign", "spent_at"))
	Rate          = raw(define[RateRow]("raw/rate", Event, 1, "currency", "quote", "valid_from"))

	// SourceTotal is written by the pipeline about its sources, not by one of them.
	SourceTotal = define[SourceTotalRow]("raw/source_total", Event, 1, "source_id", "measure", "currency")

	IdentityEdge = define[IdentityEdgeRow]("core/identity_edge", Event, 1, "left_type", "left", "right_type", "right", "rule", "source")

	ProfileIdentifier = define[ProfileIdentifierRow]("core/profile_identifier", State, 2, "stitching", "identifier_type", "identifier")
	IdentityLink      = define[IdentityLinkRow]("core/identity_link", State, 1, "block", "left_type", "left", "right_type", "right", "rule", "source")
	Profile           = define[ProfileRow]("core/profile", State, 1, "profile_id")
	Person            = define[PersonRow]("core/person", State, 1, "profile_id")
	Household         = define[HouseholdRow]("core/household", State, 1, "profile_id")
	IdentityChange    = define[IdentityChangeRow]("core/identity_change", State, 1, "level", "kind", "from_id", "to_id")
	IdentityRefused   = define[IdentityRefusedRow]("core/identity_refused", State, 1, "reason", "left_type", "left", "right_type", "right")
	IdentityQuality   = define[IdentityQualityRow]("core/identity_quality", State, 1, "name", "of")
	DeviceTimeline    = define[DeviceTimelineRow]("core/device_timeline", State, 1, "device", "from_ts")

	UnitExposure    = byExperiment(define[UnitExposureRow]("facts/exposure", State, 2, "stitching", "unit_id"))
	UnitIdentifier  = byExperiment(define[UnitIdentifierRow]("facts/unit_identifier", State, 1, "stitching", "identifier_type", "identifier", "from_ts"))
	ExposureQuality = byExperiment(define[ExposureQualityRow]("core/exposure_quality", State, 1, "name", "of"))
	UnitMetric      = byExperiment(define[UnitMetricRow]("facts/unit_metric", State, 2, "metric", "stitching", "unit_id"))
	ExperimentDay   = byExperiment(define[ExperimentDayRow]("facts/experiment_day", State, 1, "metric", "variant", "day"))
	Exclusion       = byExperiment(define[ExclusionRow]("facts/exclusion", State, 1, "metric", "table_name", "reason"))

	ExperimentResult = byExperiment(define[ExperimentResultRow]("results/experiment", Result, 1,
		"metric", "segment", "variant", "unit", "estimand", "method", "adjustment", "stitching"))
)

// Raw lists the tables that sources fill.
func Raw() []*Table {
	return []*Table{Assignment, Exposure, WebEvent, Payment, Refund, Dispute, Subscription, Invoice, BalanceTransaction,
		BankTransaction, BankAccrual, CRMContact, CRMSubscription, ProductUser, ProductDevice, ProductLogin, Viewing, MarketingCost, Rate}
}

// All lists every table that the pipeline writes, quarantines included.
func All() []*Table {
	tables := Raw()
	for _, t := range Raw() {
		tables = append(tables, t.Quarantine())
	}
	return append(tables, SourceTotal, IdentityEdge, ProfileIdentifier, IdentityLink, Profile, Person, Household, IdentityChange,
		IdentityRefused, IdentityQuality, DeviceTimeline, UnitExposure, UnitIdentifier, ExposureQuality, UnitMetric, ExperimentDay, Exclusion, ExperimentResult)
}

// Named finds a table by layer/name, or nil.
func Named(path string) *Table {
	for _, t := range All() {
		if t.Path() == path {
			return t
		}
	}
	return nil
}

// ExposureRow says that an account or a device saw a variant.
type ExposureRow struct {
	SourceID   string        `lake:"source_id,key,personal"` // the source's key of the row
	ExposedAt  Micros        `lake:"exposed_at,time"`
	Experiment string        `lake:"experiment,dict"`
	Variant    string        `lake:"variant,dict"`
	Account    identifier.ID `lake:"account,optional,dict,account"`
	Device     identifier.ID `lake:"device,optional,dict,device"`
	Platform   string        `lake:"platform,optional,dict"` // ios, android, tv, web, …
	Country    string        `lake:"country,optional,dict"`  // ISO 3166-1 alpha-2
}

// AssignmentRow says that an account or a device was put in a variant, seen or not.
type AssignmentRow struct {
	SourceID   string        `lake:"source_id,key,personal"`
	AssignedAt Micros        `lake:"assigned_at,time"`
	Experiment string        `lake:"experiment,dict"`
	Variant    string        `lake:"variant,dict"`
	Account    identifier.ID `lake:"account,optional,dict,account"`
	Device     identifier.ID `lake:"device,optional,dict,device"`
}

// WebEventRow is one analytics event.
type WebEventRow struct {
	SourceID  string        `lake:"source_id,key,personal"` // of a source without ids, a hash of what makes an event itself
	EventAt   Micros        `lake:"event_at,time"`
	EventName string        `lake:"event_name,dict"`
	Account   identifier.ID `lake:"account,optional,dict,account"`
	Device    identifier.ID `lake:"device,optional,dict,device"` // a browser's or an app installation's pseudonym
	Email     identifier.ID `lake:"email_hash,optional,email"`   // where the site sent one as its user id
	Phone     identifier.ID `lake:"phone_hash,optional,phone"`
	SessionID string        `lake:"session_id,optional,personal"`
	Value     *float64      `lake:"value"` // the event's own value, in units that the event's name implies
	Currency  string        `lake:"currency,optional,dict,currency"`
	Platform  string        `lake:"platform,optional,dict"`
	Country   string        `lake:"country,optional,dict"`
	Channel   string        `lake:"channel,optional,dict"` // source / medium of the session or the first visit
	Consent   *bool         `lake:"analytics_consent"`     // absent: the source does not say
	Params    string        `lake:"params,optional"`       // JSON of the parameters that the settings let through
}

// QuarantineRow stands for a row that broke its contract: enough to find it again in the source, and no personal data.
type QuarantineRow struct {
	Source   string `lake:"source,dict"`     // the stream that read it
	File     string `lake:"file,dict"`       // the file or page
	Position int64  `lake:"position"`        // line of a text file, row of a Parquet file; from 1
	Length   int64  `lake:"length"`          // bytes of the row as read, 0 where rows have no bytes
	Hash     string `lake:"hash,personal"`   // keyed hash of those bytes, to tell the same row seen twice
	Reason   string `lake:"reason,dict"`     // what was expected
	Fields   string `lake:"fields,optional"` // the row's fields as JSON, when all of them are free of personal data
}

// ProfileIdentifierRow says which profile an identifier belongs to.
type ProfileIdentifierRow struct {
	Stitching      string        `lake:"stitching,dict"`
	IdentifierType string        `lake:"identifier_type,dict"`
	Identifier     identifier.ID `lake:"identifier,personal"`
	Profile        identifier.ID `lake:"profile_id,personal"`
	ValidFrom      Micros        `lake:"valid_from"`
	ValidTo        *Micros       `lake:"valid_to"` // absent while it holds
	// Block is where core/identity_link holds the identifier's links; only of the stitching latest.
	Block identifier.ID `lake:"block,optional,personal"`
}

// ExperimentResultRow is one line of an experiment's statistics, the row of bi.experiment_results.
type ExperimentResultRow struct {
	Metric         string   `lake:"metric,dict"`
	Segment        string   `lake:"segment,blank,dict"` // "" is everybody
	Variant        string   `lake:"variant,dict"`
	Unit           string   `lake:"unit,dict"`       // profile, group
	Estimand       string   `lake:"estimand,dict"`   // itt: intention to treat
	Method         string   `lake:"method,dict"`     // z, welch, delta, quantile
	Adjustment     string   `lake:"adjustment,dict"` // none
	Stitching      string   `lake:"stitching,dict"`  // as_of_exposure
	Baseline       string   `lake:"baseline,dict"`   // the control variant
	ValueUnit      string   `lake:"value_unit,dict"` // share, or the metric's unit
	Matured        int64    `lake:"matured"`         // units of n whose window has closed
	N              int64    `lake:"n"`
	Mean           *float64 `lake:"mean"`
	Stddev         *float64 `lake:"stddev"`
	DiffAbs        *float64 `lake:"diff_abs"`
	DiffAbsLow     *float64 `lake:"diff_abs_low"`
	DiffAbsHigh    *float64 `lake:"diff_abs_high"`
	DiffRel        *float64 `lake:"diff_rel"`
	DiffRelLow     *float64 `lake:"diff_rel_low"`
	DiffRelHigh    *float64 `lake:"diff_rel_high"`
	RelMethod      string   `lake:"rel_method,optional,dict"`
	Alpha          float64  `lake:"alpha"`
	PValue         *float64 `lake:"p_value"`
	PAdjusted      *float64 `lake:"p_adjusted"`
	SRMP           *float64 `lake:"srm_p"`
	DefinitionHash string   `lake:"definition_hash,dict"`
	IdentityNight  Day      `lake:"identity_night"`
}
