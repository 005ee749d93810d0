package exposure

import (
	"math"
	"slices"
	"time"

	"crosslift/schemas/experiment"
	"crosslift/schemas/table"
)

// Reading is a table whose events decide something about units, and how long before the experiment's start they begin to.
type Reading struct {
	Table  *table.Table
	Before time.Duration
}

// Ever is the Before of a table that is read from its first day on.
const Ever = time.Duration(math.MaxInt64)

// visits is how long before the experiment's start a unit's first visit is looked for.
const visits = 30 * 24 * time.Hour

// Tables are the tables, besides exposures and assignments, that an experiment's units are made from: those of eligibility and
// activation and, for the segments channel and plan, what of raw/web_event, raw/subscription and raw/payment the project
// fills, as filled says.
func Tables(e *experiment.Experiment, filled func(*table.Table) bool) []Reading {
	var all []Reading
	read := func(t *table.Table, before time.Duration) {
		for i := range all {
			if all[i].Table == t {
				all[i].Before = max(all[i].Before, before)
				return
			}
		}
		all = append(all, Reading{t, before})
	}
	if e.Eligibility != nil {
		before := e.Eligibility.Within.Duration()
		if before == 0 {
			before = Ever
		}
		read(table.Named(e.Eligibility.Table), before)
	}
	if e.Activation != nil {
		read(table.Named(e.Activation.Table), 0)
	}
	if slices.Contains(e.Segments, experiment.Channel) && filled(table.WebEvent) {
		read(table.WebEvent, visits)
	}
	if slices.Contains(e.Segments, experiment.Plan) {
		for _, t := range []*table.Table{table.Subscription, table.Payment} {
			if filled(t) {
				read(t, Ever)
			}
		}
	}
	return all
}
