package experiment_test

import (
	"strings"
	"testing"

	"crosslift/schemas/experiment"
	"crosslift/schemas/strictyaml"
)

const offer = `name: cashback_99
assigned_by: account
variants:
  - {name: control, weight: 1}
  - {name: offer, weight: 3}
control: control
start: 2026-09-01
end: 2026-09-10
primary: paid
secondary: [watched]
`

func decode(t testing.TB, text string) *experiment.Experiment {
	t.Helper()
	e := &experiment.Experiment{}
	if err := strictyaml.Decode("e.yaml", []byte(text), nil, e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestExperiment(t *testing.T) {
	t.Parallel()
	e := decode(t, offer)
	if e.Crossover != experiment.First || e.Plan != experiment.Fixed || strings.Join(e.Metrics(), " ") != "paid watched" || e.Alpha != 0.05 || e.Start.String() != "2026-09-01" || e.End.String() != "2026-09-10" || e.Variants[1].Weight != 3 {
		t.Errorf("got %+v", e)
	}
	all := decode(t, full)
	if all.Eligibility.Within.String() != "30d" || all.Eligibility.Filter[0].Value[1] != "KZ" || all.Activation.Table != "raw/payment" ||
		strings.Join(all.Metrics(), " ") != "paid watched revenue refunds calls" || all.Guardrails[1].Margin != 0.1 {
		t.Errorf("got %+v", all)
	}
	open := decode(t, strings.NewReplacer("end: 2026-09-10\n", "", ", weight: 1", "", ", weight: 3", "").Replace(offer))
	if open.End != nil || open.Variants[0].Weight != 1 || open.Variants[1].Weight != 1 {
		t.Errorf("got %+v", open)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, changed, want string }{
		"nothing": {offer, "", "e.yaml:1:1: name: required\ne.yaml:1:1: variants: expected at least two, found 0\n" +
			"e.yaml:1:1: start: required: the first day of exposures, YYYY-MM-DD\ne.yaml:1:1: assigned_by: required: account or device\n" +
			"e.yaml:1:1: primary: required: the metric that decides"},
		"by household":      {"assigned_by: account", "assigned_by: household", `e.yaml:2:14: assigned_by: "household": expected account or device`},
		"one variant":       {"  - {name: offer, weight: 3}\n", "", "e.yaml:3:1: variants: expected at least two, found 1"},
		"the same twice":    {"name: offer", "name: control", `e.yaml:5:12: variants.1.name: a second variant "control"`},
		"no name":           {"name: offer, ", "", `e.yaml:5:5: variants.1.name: required`},
		"a missing weight":  {", weight: 3", "", `e.yaml:5:5: variants.1.weight: expected a number above 0: weights are given to all variants or to none`},
		"a negative weight": {"weight: 3", "weight: -3", `e.yaml:5:27: variants.1.weight: expected a number above 0: weights are given to all variants or to none`},
		"no control":        {"control: control\n", "", `e.yaml:1:1: control: required: one of control, offer`},
		"another control":   {"control: control", "control: controls", `e.yaml:6:10: control: no variant "controls": did you mean "control"?`},
		"an end too early":  {"2026-09-10", "2026-08-31", `e.yaml:8:6: end: 2026-08-31 lies before start 2026-09-01`},
		"no such day":       {"2026-09-10", "2026-09-31", `e.yaml:8:6: end: "2026-09-31" is not a day: expected YYYY-MM-DD`},
		"crossover":         {"primary", "crossover: keep\nprimary", `e.yaml:9:12: crossover: "keep": expected first or exclude`},
		"plan":              {"primary", "plan: peek\nprimary", `e.yaml:9:7: plan: "peek": expected fixed or sequential`},
		"alpha":             {"primary", "alpha: 1\nprimary", `e.yaml:9:8: alpha: expected a number between 0 and 1, as 0.05`},
		"campaign":          {"primary", "campaign: Spring 2026\nprimary", `e.yaml:9:11: campaign: "Spring 2026": expected lower-case Latin letters, digits and _, a letter first, at most 63`},
		"no primary":        {"primary: paid\n", "", `e.yaml:1:1: primary: required: the metric that decides`},
		"a metric twice":    {"[watched]", "[watched, paid]", `e.yaml:10:22: secondary.1: "paid" is listed twice: first as primary`},
		"guarded twice": {"[watched]", "[watched]\nguardrails: [{metric: watched, margin: 0.1}, {metric: calls, margin: 0.1}, {metric: calls, margin: 0.1}]",
			"e.yaml:11:23: guardrails.0.metric: \"watched\" is listed twice: first as secondary.0\ne.yaml:11:85: guardrails.2.metric: \"calls\" is listed twice: first as guardrails.1.metric"},
		"no margin": {"[watched]", "[watched]\nguardrails: [{metric: calls}, {margin: -0.1}]", "e.yaml:11:14: guardrails.0.margin: expected a number above 0: how much worse than the control it may be, as 0.02 for two percent\n" +
			"e.yaml:11:31: guardrails.1.metric: required: the name of a metric\ne.yaml:11:40: guardrails.1.margin: expected a number above 0: how much worse than the control it may be, as 0.02 for two percent"},
		"former metrics":    {"secondary:", "metrics:", `e.yaml:10:1: unknown key "metrics": write primary, secondary and guardrails`},
		"another key":       {"secondary:", "secondry:", `e.yaml:10:1: unknown key "secondry": did you mean "secondary"?`},
		"segments":          {"primary", "segments: [platform, county, platform]\nprimary", "e.yaml:9:22: segments.1: no segment \"county\": did you mean \"country\"?\ne.yaml:9:30: segments.2: \"platform\" is listed twice"},
		"eligible nowhere":  {"primary", "eligibility: {}\nprimary", "e.yaml:9:1: eligibility.table: required: one of raw/assignment, raw/exposure, raw/web_event, raw/payment, raw/subscription, raw/invoice, raw/crm_contact, raw/product_user, raw/product_device, raw/product_login, raw/viewing"},
		"eligible somehow":  {"primary", "eligibility: {table: raw/viewing, filter: [{column: seconds, op: prefix, value: a}]}\nprimary", "e.yaml:9:66: eligibility.filter.0.op: seconds is an int: expected one of =, !=, in, <, <=, >, >=, between, is null"},
		"active elsewhere":  {"primary", "activation: {table: raw/viewings}\nprimary", `e.yaml:9:21: activation.table: no events of accounts or devices are in "raw/viewings": did you mean "raw/viewing"?`},
		"active for a week": {"primary", "activation: {table: raw/viewing, within: 7d}\nprimary", `e.yaml:9:42: activation.within: only of eligibility: an activation may come at any time after the first exposure`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(offer, c.old) {
				t.Fatalf("%q is not there", c.old)
			}
			err := strictyaml.Decode("e.yaml", []byte(strings.Replace(offer, c.old, c.changed, 1)), nil, &experiment.Experiment{})
			if err == nil || err.Error() != c.want {
				t.Errorf("\ngot  %v\nwant %s", err, c.want)
			}
		})
	}
}

func FuzzExperiment(f *testing.F) {
	f.Add([]byte(offer))
	f.Add([]byte(full))
	f.Add([]byte("name: x\nvariants: [{name: a, weight: 1e308}, {name: b, weight: 1e308}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var e experiment.Experiment
		if err := strictyaml.Decode("e.yaml", data, nil, &e); err != nil {
			return
		}
		for kind, hash := range kinds {
			before := hash(&e)
			if err := e.Validate(); err != nil || len(before) != 64 || hash(&e) != before {
				t.Errorf("valid once, then not, by the hash of %s: %v", kind, err)
			}
		}
	})
}
