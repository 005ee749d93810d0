package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"crosslift/schemas/table"
	"crosslift/warehouse/postgres"
)

// funnel is the steps of the demo's experiment after the exposure, each a metric.
var funnel = []struct{ metric, says string }{
	{"activated", "began a subscription"}, {"trial", "with a free day"}, {"paid_first_month", "paid a first month"},
	{"paid_second_month", "paid a second month, in full"},
}

// demoFunnel shows how far the units of each variant came.
func (a *app) demoFunnel(rows []postgres.Result) error {
	variants, cells := []string{}, [][]string{{"exposed"}}
	for _, r := range rows {
		if r.Metric == funnel[0].metric {
			variants = append(variants, r.Variant)
			cells[0] = append(cells[0], count(r.N))
		}
	}
	for _, step := range funnel {
		line := []string{step.says}
		for _, variant := range variants {
			i := slices.IndexFunc(rows, func(r postgres.Result) bool { return r.Metric == step.metric && r.Variant == variant })
			if i < 0 {
				return fmt.Errorf("results lack %s of %s", step.metric, variant)
			}
			line = append(line, number(rows[i].Mean, true))
		}
		cells = append(cells, line)
	}
	a.say("\nThe funnel: units, and which share of them went on so far:")
	return writeTable(a.stdout, append([]string{"of them"}, variants...), cells)
}

// demoFacts shows how good the exposures are and how what units did stands to what they truly did.
func (a *app) demoFacts(ctx context.Context, stage *stage, first, history, last table.Day) error {
	checks, err := stage.compare(ctx, "facts", first, history, last)
	if err != nil || a.output == "json" {
		return err
	}
	var shares [][]string
	exact, right := 0, 0
	for _, c := range checks {
		if c.Op == "==" {
			if exact++; c.OK {
				right++
				continue
			}
		}
		shares = append(shares, []string{c.Name, strconv.FormatFloat(c.Value, 'f', 3, 64), count(c.N)})
	}
	if err := a.demoQuality(ctx); err != nil {
		return err
	}
	a.say("\nThe experiment's units and what each of them did, held against the truth unit by unit: %d of %d comparisons agree. And:", right, exact)
	return writeTable(a.stdout, []string{"share, or number", "value", "of"}, shares)
}

// demoQuality shows what tells whether the variants can be compared.
func (a *app) demoQuality(ctx context.Context) (err error) {
	p, err := a.load()
	if err != nil {
		return err
	}
	l, err := a.openLake(ctx, p)
	if err != nil {
		return err
	}
	heads, err := l.Heads(ctx, table.ExposureQuality, demoExperiment)
	if err != nil || len(heads) == 0 {
		return err
	}
	r, err := l.Read(ctx, heads[len(heads)-1])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	var cells [][]string
	for row, err := range r.Each(ctx, table.ExposureQuality) {
		if err != nil {
			return err
		}
		q := row.(*table.ExposureQualityRow)
		if slices.Contains([]string{table.QualityLinkRate, table.QualityDevices, table.QualityCrossover}, q.Name) && q.Value != nil {
			cells = append(cells, []string{q.Name, q.Of, strconv.FormatFloat(*q.Value, 'f', 3, 64), count(q.N), q.Alarm})
		}
	}
	a.say("\nWhether the variants can be compared (link_rate without a variant is the p-value of their being equal):")
	return writeTable(a.stdout, []string{"exposures", "variant", "value", "units", "alarm"}, cells)
}
