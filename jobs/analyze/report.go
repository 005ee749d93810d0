package analyze

import (
	"fmt"
	"math"
	"strconv"
)

// Report is the answer; it marshals to the documented JSON, in full precision, with null for what does not exist.
type Report struct {
	Results    []Result   `json:"results"` // by metric, the control first, then the treatments by name
	SRM        SRM        `json:"srm"`
	Exclusions Exclusions `json:"exclusions"`

	// Notes are remarks for the reader, a line each; they are no failures.
	Notes []string `json:"-"`

	alpha float64
}

// Result is a metric in one variant. The control's row has no differences.
type Result struct {
	Metric      string   `json:"metric"`
	Segment     string   `json:"segment"` // "": everybody
	Variant     string   `json:"variant"`
	Baseline    string   `json:"baseline"` // the control
	N           int64    `json:"n"`
	Mean        *float64 `json:"mean"`
	StdDev      *float64 `json:"stddev"` // between units: √(p(1−p)) of a proportion, the sample's of a mean
	DiffAbs     *float64 `json:"diff_abs"`
	DiffAbsLow  *float64 `json:"diff_abs_low"`
	DiffAbsHigh *float64 `json:"diff_abs_high"`
	DiffRel     *float64 `json:"diff_rel"`
	DiffRelLow  *float64 `json:"diff_rel_low"`
	DiffRelHigh *float64 `json:"diff_rel_high"`
	PValue      *float64 `json:"p_value"`
	Method      string   `json:"method"` // "z" or "welch"
	SRMP        *float64 `json:"srm_p"`
}

// SRM is the test of equal shares over all variants.
type SRM struct {
	PValue *float64         `json:"p_value"`
	Counts map[string]int64 `json:"counts"` // units of each variant
}

// Exclusions counts units with a blemish.
type Exclusions struct {
	Crossover int64 `json:"crossover"` // seen in several variants: kept in the first or left out, as the options say
}

// Table lays the results out for people, rounded.
func (r *Report) Table() (header []string, rows [][]string) {
	level := strconv.FormatFloat(100*(1-r.alpha), 'g', 4, 64) + " % interval"
	header = []string{"METRIC", "VARIANT", "UNITS", "MEAN", "DIFFERENCE", level, "RELATIVE", level, "P"}
	for _, x := range r.Results {
		name := x.Variant
		if x.Variant == x.Baseline {
			name += " (control)"
		}
		rows = append(rows, []string{
			x.Metric, name, strconv.FormatInt(x.N, 10), show(x.Mean, round),
			show(x.DiffAbs, signed), span(x.DiffAbsLow, x.DiffAbsHigh, signed),
			show(x.DiffRel, percent), span(x.DiffRelLow, x.DiffRelHigh, percent), show(x.PValue, probability),
		})
	}
	return header, rows
}

const absent = "–"

func show(x *float64, as func(float64) string) string {
	if x == nil {
		return absent
	}
	return as(*x)
}

func span(low, high *float64, as func(float64) string) string {
	if low == nil || high == nil {
		return absent
	}
	return as(*low) + " to " + as(*high)
}

// round shows four significant digits, and all digits before the point.
func round(x float64) string {
	if a := math.Abs(x); a >= 1e4 && a < 1e15 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}

func signed(x float64) string {
	if x > 0 {
		return "+" + round(x)
	}
	return round(x)
}

func percent(x float64) string { return signed(100*x) + " %" }

func probability(p float64) string { return strconv.FormatFloat(p, 'g', 3, 64) }

// note adds a remark.
func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}
