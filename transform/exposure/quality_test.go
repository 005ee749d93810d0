package exposure_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/exposure"
	"crosslift/transform/stats"
)

// counted are the numbers of quality, in plain words, from the rows of the cohort that decides.
type counted map[string]table.ExposureQualityRow

func (c counted) add(name, of string, value float64, n int64) {
	row := table.ExposureQualityRow{Name: name, Of: of, N: n}
	if !math.IsNaN(value) {
		row.Value = &value
	}
	c[name+" "+of] = row
}

func (ref *reference) quality(c *cohort) counted {
	all := counted{}
	ref.countExposures(all)
	units := ref.rows(c)
	n := int64(len(units))
	count := func(counts func(u *table.UnitExposureRow) bool) (n int64) {
		for _, u := range units {
			if counts(u) {
				n++
			}
		}
		return n
	}
	if ref.in.Experiment.Eligibility != nil {
		all.add("ineligible", "", float64(int64(len(c.units))-n), int64(len(c.units)))
	}
	all.add("crossover", "", float64(count(func(u *table.UnitExposureRow) bool { return u.Crossover }))/float64(n), n)
	var linked, exposed []int64
	first, unseen := ref.assigned(c)
	for _, v := range ref.in.Experiment.Variants {
		of := count(func(u *table.UnitExposureRow) bool { return u.Variant == v.Name })
		links := count(func(u *table.UnitExposureRow) bool { return u.Variant == v.Name && u.Linked })
		var devices int64
		for _, u := range units {
			if u.Variant == v.Name {
				devices += u.Devices
			}
		}
		all.add("exposed", v.Name, float64(of), n)
		all.add("link_rate", v.Name, float64(links)/float64(of), of)
		all.add("devices_per_unit", v.Name, float64(devices)/float64(of), of)
		if ref.in.Experiment.Activation != nil {
			all.add("activated", v.Name, float64(count(func(u *table.UnitExposureRow) bool { return u.Variant == v.Name && u.ActivatedAt != nil })), of)
		}
		if len(ref.raw[table.Assignment]) > 0 {
			to := func(variants []string) (n int64) {
				for _, name := range variants {
					if name == v.Name {
						n++
					}
				}
				return n
			}
			all.add("assigned", v.Name, float64(to(first)+to(unseen)), int64(len(first)+len(unseen)))
			all.add("never_exposed", v.Name, float64(to(unseen)), to(first)+to(unseen))
		}
		linked, exposed = append(linked, links), append(exposed, of)
	}
	p, err := stats.Homogeneity(linked, exposed)
	if err != nil {
		p = math.NaN()
	}
	all.add("link_rate", "", p, n)
	met := map[string]map[*unit]bool{}
	for _, e := range ref.events(table.Exposure) {
		if other := e.texts["experiment"]; other != "offer" && e.at < table.MicrosOf(ref.in.End) {
			for _, u := range c.judged(&e) {
				if met[other] == nil {
					met[other] = map[*unit]bool{}
				}
				met[other][u] = met[other][u] || u.eligible
			}
		}
	}
	for other, of := range met {
		k := 0
		for _, eligible := range of {
			if eligible {
				k++
			}
		}
		all.add("overlap", other, float64(k)/float64(n), n)
	}
	return all
}

// countExposures counts the rows that name the experiment.
func (ref *reference) countExposures(all counted) {
	latest, _ := ref.profiles("latest")
	counts, n := map[string]int64{"": 0, "before_start": 0, "after_end": 0, "in_future": 0, "without_unit": 0}, int64(0)
	for _, e := range rows[*table.ExposureRow](ref.world, table.Exposure) {
		if e.Experiment != "offer" {
			continue
		}
		n++
		switch {
		case e.ExposedAt >= table.MicrosOf(ref.in.End):
			counts["in_future"]++
		case e.ExposedAt < table.MicrosOf(ref.in.Window.From):
			counts["before_start"]++
		case e.ExposedAt >= table.MicrosOf(ref.in.Window.To):
			counts["after_end"]++
		}
	}
	counts[""] = int64(len(ref.inside))
	for _, e := range ref.inside {
		if _, known := latest[e.Account]; ref.in.Experiment.AssignedBy == "account" && !known || ref.in.Experiment.AssignedBy == "device" && e.Device.IsZero() {
			counts["without_unit"]++
		}
	}
	for of, k := range counts {
		all.add("exposures", of, float64(k), n)
	}
}

// assigned are the variants that units were put in first, and those of accounts or devices that were never exposed.
func (ref *reference) assigned(c *cohort) (units, unseen []string) {
	place := func(variant string) int { return slices.Index([]string{"control", "cashback", "gift"}, variant) }
	type assignment struct {
		at      table.Micros
		variant int
	}
	first, strangers := map[*unit]assignment{}, map[identifier.ID]assignment{}
	earlier := func(a, b assignment) bool { return a.at < b.at || a.at == b.at && a.variant < b.variant }
	exposed := func(id identifier.ID) bool {
		return slices.ContainsFunc(ref.inside, func(e *table.ExposureRow) bool { return e.Account == id })
	}
	for _, e := range ref.events(table.Assignment) {
		a := assignment{e.at, place(e.texts["variant"])}
		if e.texts["experiment"] != "offer" || e.at >= table.MicrosOf(ref.in.End) {
			continue
		}
		of := c.judged(&e)
		for _, u := range of {
			if was, known := first[u]; !known || earlier(a, was) {
				first[u] = a
			}
		}
		id := e.device
		if c.byAccount {
			id = e.account
		}
		if was, known := strangers[id]; len(of) == 0 && !id.IsZero() && !(c.byAccount && exposed(id)) && (!known || earlier(a, was)) {
			strangers[id] = a
		}
	}
	names := []string{"control", "cashback", "gift"}
	for _, a := range first {
		units = append(units, names[a.variant])
	}
	for _, a := range strangers {
		unseen = append(unseen, names[a.variant])
	}
	return units, unseen
}

// TestAlarms: an account that met two variants, where accounts are assigned; arms that differ in their links.
func TestAlarms(t *testing.T) {
	t.Parallel()
	w := small("account")
	for n := range 40 {
		a, d := id('a', n), id('d', n)
		w.meet(a)
		variant := []string{"control", "cashback"}[n%2]
		if w.saw(a, d, variant, 12*day); n%2 == 0 {
			w.login(a, d, 11*day)
		}
	}
	w.saw(id('a', 1), id('d', 1), "control", 13*day)
	r := w.made(t)
	if q := r.number(table.QualityCrossover, ""); *q.Value != 1./40 || q.N != 40 || !strings.Contains(q.Alarm, "several variants") {
		t.Errorf("crossovers: %+v", q)
	}
	if q := r.number(table.QualityLinkRate, ""); *q.Value >= exposure.LinkRateAlarm || !strings.Contains(q.Alarm, "linked before") {
		t.Errorf("p: %+v", q)
	}
	if q := r.number(table.QualityLinkRate, "control"); *q.Value != 1 || q.N != 20 || q.Alarm != "" {
		t.Errorf("link rate: %+v", q)
	}
	if q := r.number(table.QualityLinkRate, "gift"); q.Value != nil || q.N != 0 {
		t.Errorf("link rate of nobody: %+v", q)
	}
	w.in.Experiment.AssignedBy = "device"
	if r = w.made(t); r.number(table.QualityCrossover, "").Alarm != "" {
		t.Error("an alarm for crossovers where devices are assigned")
	}
}
