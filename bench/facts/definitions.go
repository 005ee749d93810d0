package facts

import (
	"fmt"
	"strings"

	"crosslift/schemas/experiment"
	"crosslift/schemas/metric"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

// trial is an experiment by account, into which people come for a fortnight: whoever visits and is in its share of the
// traffic.
type trial struct {
	name  string
	after float64 // of all days
	units int     // where there are three million devices
}

var trials = []trial{{"cashback", 0, 1_000_000}, {"player", 0.25, 500_000}, {"trailers", 0.5, 200_000}}

// start is its first day in a world of so many days.
func (t trial) start(days int) table.Day { return firstDay + table.Day(t.after*float64(days)) }

var variants = []string{"control", "treatment"}

// The metrics of a scenario, all over raw/viewing. Distinct values are not among the five: whatever counts them keeps each one,
// which would hide what the others cost, so that they stand for themselves.
const (
	One      = "watched"
	Five     = "watched,viewers,views,returned,habit"
	Distinct = "titles"
)

// definitions are the metrics as a project has them.
var definitions = map[string]string{
	"watched":  "{name: watched, type: mean, table: raw/viewing, value: seconds, unit: seconds, window: 28d}",
	"viewers":  "{name: viewers, type: proportion, table: raw/viewing, filter: [{column: seconds, op: '>=', value: 60}], window: 7d}",
	"views":    "{name: views, type: count, table: raw/viewing, window: 14d}",
	"returned": "{name: returned, type: retention, table: raw/viewing, days: {from: 7, to: 13}}",
	"habit":    "{name: habit, type: mean, table: raw/viewing, value: seconds, unit: seconds, window: 14d, covariate: 14d}",
	"titles":   "{name: titles, type: count_distinct, table: raw/viewing, value: title, unit: titles, window: 14d}",
}

// definition is the experiment as a project has it, in a world of so many days. The first metric is the primary one, and so
// would be computed under five stitchings, but only as_of_exposure and device have units here.
func (t trial) definition(days int, metrics []string) string {
	return fmt.Sprintf("{name: %s, assigned_by: account, variants: [{name: %s, weight: 1}, {name: %s, weight: 1}], control: %[2]s, start: %[4]s, primary: %s, secondary: [%s]}",
		t.name, variants[0], variants[1], t.start(days), metrics[0], strings.Join(metrics[1:], ", "))
}

// defined reads the first so many experiments of a world of so many days, and some metrics.
func defined(days, experiments int, metrics []string) (es []*experiment.Experiment, ms []*metric.Metric, err error) {
	for _, name := range metrics {
		m := &metric.Metric{}
		if err := strictyaml.Decode(name, []byte(definitions[name]), nil, m); err != nil {
			return nil, nil, err
		}
		ms = append(ms, m)
	}
	for _, t := range trials[:experiments] {
		e := &experiment.Experiment{}
		if err := strictyaml.Decode(t.name, []byte(t.definition(days, metrics)), nil, e); err != nil {
			return nil, nil, err
		}
		es = append(es, e)
	}
	return es, ms, nil
}
