package exposure_test

import (
	"cmp"
	"math"
	"slices"
	"time"

	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
)

// event is a row that may say something about a unit.
type event struct {
	account, device identifier.ID
	at, changed     table.Micros
	source          string
	texts           map[string]string
}

func (ref *reference) events(of *table.Table) (all []event) {
	for _, row := range ref.raw[of] {
		e := event{texts: map[string]string{}}
		for _, c := range of.Columns {
			e.texts[c.Name] = of.Text(row, c)
		}
		e.source = e.texts["source_id"]
		switch r := row.(type) {
		case *table.ViewingRow:
			e.account, e.device, e.at = r.Account, r.Device, r.ViewedAt
		case *table.WebEventRow:
			e.account, e.device, e.at = r.Account, r.Device, r.EventAt
		case *table.AssignmentRow:
			e.account, e.device, e.at = r.Account, r.Device, r.AssignedAt
		case *table.ExposureRow:
			e.account, e.device, e.at = r.Account, r.Device, r.ExposedAt
		case *table.PaymentRow:
			e.account, e.at, e.changed = r.Account, r.PaidAt, r.ChangedAt
		case *table.SubscriptionRow:
			e.account, e.at, e.changed = r.Account, r.ChangedAt, r.ChangedAt
			if of.Occurred == "started_at" {
				e.at = r.StartedAt
			}
		}
		all = append(all, e)
	}
	return all
}

// judged are the units of a cohort that an event says something about.
func (c *cohort) judged(e *event) (of []*unit) {
	having := func(has func(u *unit) bool) []*unit {
		return slices.DeleteFunc(slices.Clone(c.units), func(u *unit) bool { return !has(u) })
	}
	accounts := having(func(u *unit) bool { return u.accounts.Has(e.account) })
	devices := having(func(u *unit) bool { return u.devices.Has(e.device) })
	switch {
	case c.byAccount && !e.account.IsZero():
		return accounts
	case c.byAccount || len(devices) > 0:
		return devices
	}
	return accounts
}

func (c *cohort) says(e *event, u *unit) bool { return slices.Contains(c.judged(e), u) }

// standing are the events of a definition's table: of a table of changes each thing as it stood before an instant.
func (ref *reference) standing(of *experiment.Event, before table.Micros) (all []event) {
	t := table.Named(of.Table)
	newest := map[string]event{}
	for _, e := range ref.events(t) {
		if t.Kind != table.Change {
			all = append(all, e)
		} else if n, known := newest[e.source]; e.changed < before && (!known || e.changed > n.changed) {
			newest[e.source] = e
		}
	}
	for _, e := range newest {
		all = append(all, e)
	}
	return slices.DeleteFunc(all, func(e event) bool {
		return slices.ContainsFunc(of.Filter, func(f metric.Filter) bool { return e.texts[f.Column] != f.Value[0] })
	})
}

func (ref *reference) decideEligible(c *cohort) {
	e := ref.in.Experiment.Eligibility
	for _, u := range c.units {
		u.eligible = e == nil || slices.ContainsFunc(ref.standing(e, u.at), func(x event) bool {
			return c.says(&x, u) && x.at < u.at && (e.Within == 0 || x.at >= u.at-table.Micros(e.Within.Duration().Microseconds()))
		})
	}
}

// rows are those of facts/exposure of a cohort.
func (ref *reference) rows(c *cohort) (rows []*table.UnitExposureRow) {
	end := table.MicrosOf(ref.in.End)
	place := func(variant string) int {
		return slices.IndexFunc(ref.in.Experiment.Variants, func(v experiment.Variant) bool { return v.Name == variant })
	}
	for _, u := range c.units {
		if !u.eligible {
			continue
		}
		first := slices.MinFunc(u.exposures, func(x, y *table.ExposureRow) int {
			return cmp.Or(cmp.Compare(x.ExposedAt, y.ExposedAt), cmp.Compare(place(x.Variant), place(y.Variant)),
				cmp.Compare(x.Platform, y.Platform), cmp.Compare(x.Country, y.Country))
		})
		row := &table.UnitExposureRow{
			Stitching: c.stitching, Unit: u.id, UnitType: u.typ, Variant: first.Variant, FirstExposedAt: first.ExposedAt,
			Exposures: int64(len(u.exposures)), Devices: int64(len(u.devices)), Platform: first.Platform, Country: first.Country, Newness: "new",
		}
		for _, e := range u.exposures {
			row.Crossover = row.Crossover || e.Variant != first.Variant
			if e.Variant != "control" {
				earliest(&row.ReceivedAt, e.ExposedAt)
			}
		}
		if row.Linked = len(u.accounts) > 0 || len(u.devices) > 1; c.byAccount {
			row.Linked = len(u.devices) > 0
		}
		if u.returning {
			row.Newness = "returning"
		}
		for _, a := range ref.events(table.Assignment) {
			if a.texts["experiment"] == "offer" && a.at < end && c.says(&a, u) {
				earliest(&row.AssignedAt, a.at)
			}
		}
		if e := ref.in.Experiment.Activation; e != nil {
			for _, x := range ref.standing(e, math.MaxInt64) {
				if c.says(&x, u) && x.at >= u.at && x.at < end {
					earliest(&row.ActivatedAt, x.at)
				}
			}
		}
		row.Channel, row.Plan = ref.channel(c, u), cmp.Or(ref.plan(c, u, table.Subscription), ref.plan(c, u, table.Payment))
		rows = append(rows, row)
	}
	return rows
}

func earliest(of **table.Micros, at table.Micros) {
	if *of == nil || at < **of {
		*of = &at
	}
}

// channel is that of the earliest visit with one in the 30 days before the start and later, until the first exposure.
func (ref *reference) channel(c *cohort, u *unit) string {
	if !slices.Contains(ref.in.Experiment.Segments, experiment.Channel) {
		return ""
	}
	return ref.text(c, u, table.WebEvent, "channel", func(e *event) (at table.Micros, counts bool) {
		return e.at, e.at >= table.MicrosOf(ref.in.Window.From.Add(-30*24*time.Hour))
	})
}

// plan is that of the newest row with one until the first exposure.
func (ref *reference) plan(c *cohort, u *unit, of *table.Table) string {
	if !slices.Contains(ref.in.Experiment.Segments, experiment.Plan) {
		return ""
	}
	return ref.text(c, u, of, "plan", func(e *event) (at table.Micros, counts bool) { return -e.changed, true })
}

// text is that of the row that is the least by a rank; of several, the least text.
func (ref *reference) text(c *cohort, u *unit, of *table.Table, column string, rank func(*event) (rank table.Micros, counts bool)) string {
	best, found := event{}, false
	least := table.Micros(0)
	for _, e := range ref.events(of) {
		at, counts := rank(&e)
		if e.texts[column] == "" || !counts || max(e.changed, 0) >= u.at || e.changed == 0 && e.at >= u.at || !c.says(&e, u) {
			continue
		}
		if !found || at < least || at == least && e.texts[column] < best.texts[column] {
			best, least, found = e, at, true
		}
	}
	return best.texts[column]
}
