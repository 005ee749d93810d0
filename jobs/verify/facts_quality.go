package verify

import (
	"math"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// qualityKey names a row of core/exposure_quality.
type qualityKey struct{ name, of string }

// holdQuality compares the numbers that tell how good the exposures are with what they are of.
func (f *found) holdQuality(r *report, w *lived) {
	want := map[qualityKey]float64{
		{table.QualityExposures, ""}:                float64(len(w.exposed)),
		{table.QualityExposures, table.AfterEnd}:    float64(w.later),
		{table.QualityExposures, table.BeforeStart}: 0,
		{table.QualityExposures, table.InFuture}:    0,
		{table.QualityExposures, table.WithoutUnit}: 0,
	}
	type arm struct{ units, activated, linked, devices float64 }
	arms, crossed := map[string]*arm{world.Control: {}, world.Treatment: {}}, 0.0
	for _, u := range f.units[table.AsOfExposure] {
		a := arms[u.Variant]
		if a == nil {
			continue // it is in another arm than it should be
		}
		a.units++
		a.devices += float64(u.Devices)
		for count, is := range map[*float64]bool{&a.linked: u.Linked, &a.activated: u.ActivatedAt != nil, &crossed: u.Crossover} {
			if is {
				*count++
			}
		}
	}
	for variant, a := range arms {
		want[qualityKey{table.QualityExposed, variant}] = a.units
		want[qualityKey{table.QualityActivated, variant}] = a.activated
		if a.units == 0 {
			continue // then there are no rates
		}
		want[qualityKey{table.QualityLinkRate, variant}] = a.linked / a.units
		want[qualityKey{table.QualityDevices, variant}] = a.devices / a.units
	}
	want[qualityKey{table.QualityCrossover, ""}] = crossed / float64(len(f.units[table.AsOfExposure]))
	if f.assignedBy == world.ByAccount {
		put, met := map[identifier.ID]meeting{}, map[identifier.ID]bool{}
		for _, m := range w.assigned {
			if was, known := put[m.account]; !known || m.at < was.at {
				put[m.account] = m
			}
		}
		for _, m := range w.exposed {
			met[m.account] = true
		}
		for variant := range arms {
			want[qualityKey{table.QualityAssigned, variant}], want[qualityKey{table.QualityNeverExposed, variant}] = 0, 0
		}
		for account, m := range put {
			want[qualityKey{table.QualityAssigned, m.variant}]++
			if !met[account] {
				want[qualityKey{table.QualityNeverExposed, m.variant}]++
			}
		}
	}
	wrong, alarms := 0, 0
	got := map[qualityKey]float64{}
	for _, row := range f.quality {
		if row.Value != nil {
			got[qualityKey{row.Name, row.Of}] = *row.Value
		}
		if row.Alarm != "" {
			alarms++
		}
	}
	for key, value := range want {
		if is, known := got[key]; !known || math.Abs(is-value) > 1e-12 {
			wrong++
		}
	}
	r.exact("exposure quality: numbers that differ", float64(wrong), 0, int64(len(want)))
	r.exact("exposure quality: alarms", float64(alarms), 0, int64(len(f.quality)))
}
