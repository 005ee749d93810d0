package table

import "crosslift/schemas/identifier"

// The stitchings: what counts as belonging together.
const (
	AsOfExposure = "as_of_exposure" // decides: what was linked before a unit's first exposure
	ByDevice     = "device"         // nothing: every device for itself
	Strict       = "strict"         // links of classes 0 and 1
	Latest       = "latest"         // all links, as known by the end of the night
	Loose        = "loose"          // those that were refused for size too
)

// UnitExposureRow is a unit of an experiment under one stitching, as its first exposure found it.
type UnitExposureRow struct {
	Stitching      string        `lake:"stitching,dict"`
	Unit           identifier.ID `lake:"unit_id,personal"`
	UnitType       string        `lake:"unit_type,dict"`   // profile, group (of devices), device
	Variant        string        `lake:"variant,dict"`     // of the first exposure
	FirstExposedAt Micros        `lake:"first_exposed_at"` //
	ReceivedAt     *Micros       `lake:"received_at"`      // of the first exposure to another variant than the control
	AssignedAt     *Micros       `lake:"assigned_at"`      // of its first assignment, where there is a feed of assignments
	ActivatedAt    *Micros       `lake:"activated_at"`     // of the first activation from the first exposure on
	Exposures      int64         `lake:"exposures"`        // that count, of the unit
	Crossover      bool          `lake:"crossover"`        // met another variant later
	Linked         bool          `lake:"linked"`           // by account: to a device; by device: to an account or another device
	Devices        int64         `lake:"devices"`          // linked to it, its own included
	Platform       string        `lake:"platform,optional,dict"`
	Country        string        `lake:"country,optional,dict"`
	Channel        string        `lake:"channel,optional,dict"`
	Plan           string        `lake:"plan,optional,dict"`
	Newness        string        `lake:"newness,optional,dict"` // new, returning
}

// UnitIdentifierRow says whose the events of an account or a device are, in one experiment and stitching: from an instant on
// until the identifier's next row, or always where there is none.
//
// Where accounts are assigned, an event is its account's; one without an account is that of whoever used its device then, by
// core/device_timeline; one of a device that nobody known used then is the device's own. Where devices are assigned, and under
// the stitching device, it is its device's, where that has a row at all; else its account's; else, without an account, that of
// whoever used its device. Whoever it is found to be of has a row here, or it is nobody's.
//
// Of the timeline, as_of_exposure and latest take the methods session and span, strict session, loose session, span and
// backfill; device does not ask it.
type UnitIdentifierRow struct {
	Stitching      string        `lake:"stitching,dict"`
	IdentifierType string        `lake:"identifier_type,dict"` // account, device
	Identifier     identifier.ID `lake:"identifier,personal"`
	From           *Micros       `lake:"from_ts"` // absent: always
	Unit           identifier.ID `lake:"unit_id,personal"`
}

// ExposureQualityRow is a number that tells how good an experiment's exposures are.
type ExposureQualityRow struct {
	Name  string   `lake:"name,dict"`
	Of    string   `lake:"of,blank,dict"` // a variant, reason or other experiment, where the number is of one
	Value *float64 `lake:"value"`         // absent: of nothing
	N     int64    `lake:"n"`             // of how many
	Alarm string   `lake:"alarm,optional,dict"`
}

// UnitMetricRow is what one unit did, for one metric under one stitching.
type UnitMetricRow struct {
	Metric    string        `lake:"metric,dict"`
	Stitching string        `lake:"stitching,dict"`
	Unit      identifier.ID `lake:"unit_id,personal"`
	Sum       float64       `lake:"sum"`         // the unit's value: of a ratio the numerator; winsorised where the metric says so
	Uncapped  *float64      `lake:"uncapped"`    // of a winsorised metric: the value before that
	Count     int64         `lake:"count"`       // events inside the window
	FirstAt   *Micros       `lake:"first_at"`    // of them
	LastAt    *Micros       `lake:"last_at"`     //
	Divisor   *float64      `lake:"denominator"` // of a ratio
	Covariate *float64      `lake:"covariate"`   // of a metric with one: its value in the window before the first exposure
	Before    *float64      `lake:"covariate_denominator"`
	Received  bool          `lake:"received"` // the unit saw another variant than the control by its first event inside the window, or at all where there is none
	Matured   bool          `lake:"matured"`  // the unit's window has closed by the end of the night, and what is posted late has come
}

// ExperimentDayRow is what the units of a variant did on a day, under the stitching that decides.
type ExperimentDayRow struct {
	Metric  string   `lake:"metric,dict"`
	Variant string   `lake:"variant,dict"`
	Day     Day      `lake:"day"`         // the business day of the events
	Entered int64    `lake:"entered"`     // units whose first exposure was on that day
	Units   int64    `lake:"units"`       // exposed by its end
	Events  int64    `lake:"events"`      // inside the units' windows
	Sum     float64  `lake:"sum"`         // over the days it gives the units' values, before winsorising: of a proportion or retention, the units whose first event was on that day; of distinct values, those first met then
	Divisor *float64 `lake:"denominator"` // of a ratio
}

// ExclusionRow counts what did not enter a metric although it looks as if it should, and why; under the stitching that
// decides. No row: nothing.
type ExclusionRow struct {
	Metric string `lake:"metric,dict"`
	Table  string `lake:"table_name,dict"`
	Reason string `lake:"reason,dict"`
	Rows   int64  `lake:"rows"` // events, or units
}

// The reasons for which an event, or a unit's covariate, does not enter a metric.
const (
	InFuture            = "in_future"             // its time lies after the end of the night
	NegativeMoney       = "negative_money"        // an amount below zero
	CovariateBeforeData = "covariate_before_data" // units: the covariate's window begins before the table's first day in the lake
	WindowBeforeData    = "window_before_data"    // units: the window itself does
)

// The names of the rows of core/exposure_quality, of the stitching that decides.
const (
	// QualityExposures counts rows of raw/exposure. Of "": those that count; of a reason: those that do not, or that are
	// nobody's. N: of all that name the experiment.
	QualityExposures = "exposures"
	// QualityAssigned counts by variant who was assigned to it first: units, and those who were never exposed. Where devices
	// are assigned, each device that is in no unit is one. N: of all variants.
	QualityAssigned = "assigned"
	// QualityNeverExposed counts by variant which of those were never exposed. N: of them.
	QualityNeverExposed = "never_exposed"
	// QualityExposed counts units by variant. N: of all variants.
	QualityExposed = "exposed"
	// QualityActivated counts by variant the units with an activation. N: of them.
	QualityActivated = "activated"
	// QualityIneligible counts what is left out. N: of all that was exposed.
	QualityIneligible = "ineligible"
	// QualityCrossover is the share of units that met several variants.
	QualityCrossover = "crossover"
	// QualityLinkRate is by variant the share of units that were linked as of their first exposure; of "" the p-value of the
	// test that the variants do not differ in it.
	QualityLinkRate = "link_rate"
	// QualityDevices is by variant the mean number of devices.
	QualityDevices = "devices_per_unit"
	// QualityOverlap is by other experiment the share of units that have exposures in it too.
	QualityOverlap = "overlap"
)

// What QualityExposures counts apart.
const (
	BeforeStart = "before_start" // of the experiment
	AfterEnd    = "after_end"
	WithoutUnit = "without_unit" // count, but have no account, or no device, whichever is assigned
)
