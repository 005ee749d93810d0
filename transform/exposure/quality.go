package exposure

import (
	"context"
	"maps"
	"math"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/stats"
	"crosslift/warehouse/columns"
)

// LinkRateAlarm is the p-value below which variants differ in their link rates.
const LinkRateAlarm = 0.001

// arm is what is counted by variant.
type arm struct{ assigned, unseen, exposed, activated, linked, devices int64 }

// emitQuality counts over the units that decide.
func (b *builder) emitQuality(ctx context.Context, c *cohort, tallies []tally) error {
	arms, ineligible := b.count(c, tallies)
	emit := func(name, of string, value float64, n int64, alarm string) error {
		row := &table.ExposureQualityRow{Name: name, Of: of, N: n, Alarm: alarm}
		if !math.IsNaN(value) {
			row.Value = &value
		}
		return b.out.Quality(row)
	}
	var all arm
	for _, a := range arms {
		all.assigned, all.exposed = all.assigned+a.assigned, all.exposed+a.exposed
	}
	type number struct {
		name, of string
		value    int64
		n        int64
	}
	rows := b.inside + b.early + b.late + b.future
	numbers := []number{
		{table.QualityExposures, "", b.inside, rows}, {table.QualityExposures, table.BeforeStart, b.early, rows}, {table.QualityExposures, table.AfterEnd, b.late, rows},
		{table.QualityExposures, table.InFuture, b.future, rows}, {table.QualityExposures, table.WithoutUnit, b.withoutUnit, rows},
	}
	if b.traits.eligible != nil {
		numbers = append(numbers, number{table.QualityIneligible, "", ineligible, int64(len(c.ids))})
	}
	var linked, units []int64
	for i, a := range arms {
		variant := b.Experiment.Variants[i].Name
		linked, units = append(linked, a.linked), append(units, a.exposed)
		numbers = append(numbers, number{table.QualityExposed, variant, a.exposed, all.exposed})
		if b.traits.assigned != nil {
			numbers = append(numbers, number{table.QualityAssigned, variant, a.assigned, all.assigned}, number{table.QualityNeverExposed, variant, a.unseen, a.assigned})
		}
		if b.traits.activated != nil {
			numbers = append(numbers, number{table.QualityActivated, variant, a.activated, a.exposed})
		}
		if err := emit(table.QualityLinkRate, variant, float64(a.linked)/float64(a.exposed), a.exposed, ""); err != nil {
			return err
		}
		if err := emit(table.QualityDevices, variant, float64(a.devices)/float64(a.exposed), a.exposed, ""); err != nil {
			return err
		}
	}
	for _, n := range numbers {
		if err := emit(n.name, n.of, float64(n.value), n.n, ""); err != nil {
			return err
		}
	}
	b.counts.Units = all.exposed
	alarm := ""
	if b.kind == identifier.Account && b.counts.Crossovers > 0 {
		alarm = "accounts are assigned, but some met several variants: the assignment does not hold"
	}
	if err := emit(table.QualityCrossover, "", float64(b.counts.Crossovers)/float64(all.exposed), all.exposed, alarm); err != nil {
		return err
	}
	p, err := stats.Homogeneity(linked, units)
	if alarm = ""; err != nil {
		p = math.NaN() // too few variants have units
	} else if p < LinkRateAlarm {
		alarm = "variants differ in how many units were linked before their first exposure: units are not comparable"
	}
	if err := emit(table.QualityLinkRate, "", p, all.exposed, alarm); err != nil {
		return err
	}
	overlaps, err := b.overlaps(ctx, c)
	if err != nil {
		return err
	}
	for _, other := range slices.Sorted(maps.Keys(overlaps)) {
		if err := emit(table.QualityOverlap, other, float64(overlaps[other])/float64(all.exposed), all.exposed, ""); err != nil {
			return err
		}
	}
	return nil
}

// count counts by variant.
func (b *builder) count(c *cohort, tallies []tally) (arms []arm, ineligible int64) {
	arms = make([]arm, len(b.Experiment.Variants))
	for u := range c.ids {
		s := c.first + uint32(u)
		if b.traits.assigned != nil && b.traits.assigned[s].at != never {
			arms[b.traits.assigned[s].text].assigned++
		}
		if !b.isEligible(s) {
			ineligible++
			continue
		}
		a, of := &arms[tallies[u].first.variant], b.subjects[s]
		a.exposed++
		a.devices += int64(of.to - of.mid)
		if b.linked(c, of) {
			a.linked++
		}
		if b.traits.activated != nil && b.traits.activated[s] != never {
			a.activated++
		}
		if tallies[u].crossover {
			b.counts.Crossovers++
		}
	}
	for _, t := range b.unseen {
		arms[t.text].assigned++
		arms[t.text].unseen++
	}
	return arms, ineligible
}

// overlaps counts by other experiment the units that have exposures in it too.
func (b *builder) overlaps(ctx context.Context, c *cohort) (map[string]int64, error) {
	counts := map[string]int64{}
	if !b.others {
		return counts, nil
	}
	met := map[int32][]bool{} // by the number of the experiment, and subject
	err := b.inquire(ctx, inquiry{
		table: table.Exposure, files: b.Exposures, rosters: b.rosters[:1], time: "exposed_at", text: "experiment", test: others{b},
		from: math.MinInt64, to: b.End.UnixMicro(),
		wants: func(uint32, int64) bool { return true },
		take: func(s uint32, _ int64, name string) {
			i := b.texts.number(name)
			if met[i] == nil {
				met[i] = make([]bool, len(b.subjects))
			}
			met[i][s] = true
		},
	})
	for i, subjects := range met {
		var n int64
		for u := range c.ids {
			if s := c.first + uint32(u); subjects[s] && b.isEligible(s) {
				n++
			}
		}
		counts[b.texts.text(i)] = n
	}
	return counts, err
}

// others is the test that an exposure is another experiment's.
type others struct{ *builder }

func (o others) Bind(column func(name string) (*columns.Vector, error)) (func(row int) bool, error) {
	names, err := column("experiment")
	if err != nil {
		return nil, err
	}
	ours, _ := o.ours(names)
	return func(row int) bool { return !ours[names.Index[row]] }, nil
}
