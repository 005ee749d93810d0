package postgres

import (
	"context"

	"crosslift/schemas/table"
)

// Result is a row of bi.experiment_results_latest; the view's comments say what its columns mean. An interval's
// unbounded side is nil.
type Result struct {
	Experiment     string    `db:"experiment" json:"experiment"`
	Metric         string    `db:"metric" json:"metric"`
	Segment        string    `db:"segment" json:"segment"`
	Variant        string    `db:"variant" json:"variant"`
	Unit           string    `db:"unit" json:"unit"`
	Estimand       string    `db:"estimand" json:"estimand"`
	Method         string    `db:"method" json:"method"`
	Adjustment     string    `db:"adjustment" json:"adjustment"`
	Stitching      string    `db:"stitching" json:"stitching"`
	AsOf           table.Day `db:"as_of" json:"as_of"`
	Revision       int       `db:"revision" json:"revision"`
	Baseline       string    `db:"baseline" json:"baseline"`
	ValueUnit      string    `db:"value_unit" json:"value_unit"`
	Matured        int64     `db:"matured" json:"matured"`
	N              int64     `db:"n" json:"n"`
	Mean           *float64  `db:"mean" json:"mean"`
	Stddev         *float64  `db:"stddev" json:"stddev"`
	DiffAbs        *float64  `db:"diff_abs" json:"diff_abs"`
	DiffAbsLow     *float64  `db:"diff_abs_low" json:"diff_abs_low"`
	DiffAbsHigh    *float64  `db:"diff_abs_high" json:"diff_abs_high"`
	DiffRel        *float64  `db:"diff_rel" json:"diff_rel"`
	DiffRelLow     *float64  `db:"diff_rel_low" json:"diff_rel_low"`
	DiffRelHigh    *float64  `db:"diff_rel_high" json:"diff_rel_high"`
	RelMethod      *string   `db:"rel_method" json:"rel_method"`
	Alpha          float64   `db:"alpha" json:"alpha"`
	PValue         *float64  `db:"p_value" json:"p_value"`
	PAdjusted      *float64  `db:"p_adjusted" json:"p_adjusted"`
	SRMP           *float64  `db:"srm_p" json:"srm_p"`
	DefinitionHash string    `db:"definition_hash" json:"definition_hash"`
	IdentityNight  table.Day `db:"identity_night" json:"identity_night"`
	Recipe         string    `db:"recipe" json:"recipe"`
}

// Results reads the latest published statistics of an experiment, or of all when it is empty, in the order of the
// view's key. An experiment that nothing was published for has no rows.
func (d *DB) Results(ctx context.Context, experiment string) ([]Result, error) {
	results := []Result{}
	err := d.db.SelectContext(ctx, &results, `
		SELECT experiment, metric, segment, variant, unit, estimand, method, adjustment, stitching,
			as_of - DATE '1970-01-01' AS as_of, revision, baseline, value_unit, matured, n, mean, stddev,
			diff_abs, diff_abs_low, diff_abs_high, diff_rel, diff_rel_low, diff_rel_high, rel_method, alpha,
			p_value, p_adjusted, srm_p, definition_hash, identity_night - DATE '1970-01-01' AS identity_night, recipe
		FROM bi.experiment_results_latest WHERE $1 IN ('', experiment)
		ORDER BY experiment, metric, segment, variant, unit, estimand, method, adjustment, stitching`, experiment)
	return results, failed("reading results", err)
}
