// Package query writes metrics as SQL for DuckDB: what an analyst would have written to get the same facts from the lake. It
// shares no code with the pass that makes them, so that each can be held against the other.
package query

import (
	"errors"
	"fmt"
	"time"

	"crosslift/schemas/experiment"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
)

// Input is what a query is written for.
type Input struct {
	Experiment *experiment.Experiment
	Metric     *metric.Metric
	Stitchings []string // what to compute it under
	Night      table.Day
	Zone       *time.Location
	Lake       string                    // what the lake's paths begin with: lake, s3://bucket/prefix
	Exists     func(t *table.Table) bool // whether the lake has any partition of a table
}

// SQL is one statement, whose result has the columns of facts/unit_metric and is ordered by stitching and unit_id. Experiment
// and metric are valid; an error says what else about them cannot be written. A query that meets an amount without a rate
// fails when it is run.
func SQL(in Input) (string, error) {
	if len(in.Stitchings) == 0 {
		return "", errors.New("a query needs a stitching to compute the metric under")
	}
	w := &writer{Input: in, end: in.Night.Window(in.Zone).To, written: map[string]bool{}}
	if err := w.prepare(); err != nil {
		return "", fmt.Errorf("metric %s: %w", in.Metric.Name, err)
	}
	w.units()
	w.whose()
	if in.Metric.Currency != "" {
		w.rates()
	}
	for _, s := range w.sources {
		w.source(s)
	}
	w.valued()
	return fmt.Sprintf("-- %s of %s, from what is known at the end of %s in %s.\n", in.Metric.Name, in.Experiment.Name, in.Night, in.Zone) +
		w.text.String() + "\n" + w.result(), nil
}

// units writes who was exposed, with the window of each.
func (w *writer) units() {
	opens, closes, matured, says := w.window()
	before := ""
	if d := w.Metric.Covariate; d > 0 {
		before = "  first_exposed_at - " + interval(d) + " AS earlier, -- of the covariate"
	}
	w.with("units", "who was exposed, and when their window opens and closes: "+says,
		"SELECT stitching, unit_id, first_exposed_at, received_at,",
		before,
		"  "+opens+" AS opens,",
		"  "+closes+" AS closes,",
		"  "+matured+" AS matured",
		"FROM "+w.fact(table.UnitExposure),
		"WHERE "+w.stitched())
}

// result writes the statement's last part: a row a unit.
func (w *writer) result() string {
	m := w.Metric
	sum, uncapped, from := "coalesce(total, 0)::DOUBLE", "NULL::DOUBLE", "units LEFT JOIN summed USING (stitching, unit_id)"
	if m.Winsorise != nil {
		sum, uncapped, from = w.bounded(), "value", "valued"
		if w.written["bounds"] {
			from += " LEFT JOIN bounds USING (stitching)"
		}
	}
	denominator, covariate, before := "NULL::DOUBLE", "NULL::DOUBLE", "NULL::DOUBLE"
	if m.Covariate > 0 {
		covariate = "coalesce(covariate, 0)::DOUBLE"
	}
	if m.Type == metric.Ratio {
		from += "\n  LEFT JOIN denominator_summed USING (stitching, unit_id)"
		denominator = "coalesce(denominator, 0)::DOUBLE"
		if m.Covariate > 0 {
			before = "coalesce(covariate_denominator, 0)::DOUBLE"
		}
	}
	return lines(
		"SELECT "+quote(m.Name)+" AS metric, stitching, unit_id,",
		"  "+sum+" AS sum,",
		"  "+uncapped+" AS uncapped,",
		"  coalesce(count, 0) AS count, first_at, last_at,",
		"  "+denominator+" AS denominator,",
		"  "+covariate+" AS covariate,",
		"  "+before+" AS covariate_denominator,",
		"  coalesce(received_at <= first_at, received_at IS NOT NULL) AS received, -- by its first event, or at all",
		"  matured",
		"FROM "+from,
		"ORDER BY stitching, unit_id")
}
