package experiment_test

import (
	"slices"
	"strings"
	"testing"

	"crosslift/schemas/experiment"
	"crosslift/schemas/metric"
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
metrics: [paid, watched]
`

func decode(t testing.TB, text string) *experiment.Experiment {
	t.Helper()
	e := &experiment.Experiment{}
	if err := strictyaml.Decode("e.yaml", []byte(text), nil, e); err != nil {
		t.Fatal(err)
	}
	return e
}

func metrics() []*metric.Metric {
	return []*metric.Metric{
		{Name: "paid", Type: metric.Proportion, Table: "raw/payment", Unit: "share", Window: metric.Duration(metric.Day)},
		{Name: "watched", Type: metric.Mean, Table: "raw/viewing", Value: "seconds", Unit: "seconds", Window: metric.Duration(metric.Day)},
		{Name: "unused", Type: metric.Proportion, Table: "raw/viewing", Unit: "share", Window: metric.Duration(metric.Day)},
	}
}

func TestExperiment(t *testing.T) {
	t.Parallel()
	e := decode(t, offer)
	if e.Crossover != experiment.First || e.Alpha != 0.05 || e.Start.String() != "2026-09-01" || e.End.String() != "2026-09-10" || e.Variants[1].Weight != 3 {
		t.Errorf("got %+v", e)
	}
	open := decode(t, strings.NewReplacer("end: 2026-09-10\n", "", ", weight: 1", "", ", weight: 3", "").Replace(offer))
	if open.End != nil || open.Variants[0].Weight != 1 || open.Variants[1].Weight != 1 {
		t.Errorf("got %+v", open)
	}
}

// The hash changes with what decides the numbers, and with nothing else.
func TestDefinitionHash(t *testing.T) {
	t.Parallel()
	base := decode(t, offer).DefinitionHash(metrics())
	for name, text := range map[string]string{
		"a description":     offer + "description: what we hope for\n",
		"comments":          "# all of it\n" + offer,
		"order of keys":     "control: control\n" + strings.ReplaceAll(offer, "control: control\n", ""),
		"order of metrics":  strings.ReplaceAll(offer, "[paid, watched]", "[watched, paid]"),
		"order of variants": strings.ReplaceAll(strings.ReplaceAll(offer, "  - {name: control, weight: 1}\n", ""), "weight: 3}\n", "weight: 3}\n  - {name: control, weight: 1}\n"),
		"scaled weights":    strings.ReplaceAll(strings.ReplaceAll(offer, "weight: 1", "weight: 0.25"), "weight: 3", "weight: 0.75"),
		"defaults":          offer + "crossover: first\nalpha: 5e-2\n",
	} {
		if decode(t, text).DefinitionHash(metrics()) != base {
			t.Errorf("%s changed the hash", name)
		}
	}
	reversed := metrics()
	slices.Reverse(reversed)
	if decode(t, offer).DefinitionHash(reversed) != base || decode(t, offer).DefinitionHash(metrics()[:2]) != base {
		t.Error("the order of metrics, or one that it does not use, changed the hash")
	}
	seen := map[string]string{base: "the original"}
	differs := func(name, h string) {
		if other, taken := seen[h]; taken {
			t.Errorf("%s has the hash of %s", name, other)
		}
		seen[h] = name
	}
	for name, text := range map[string]string{
		"name":      strings.ReplaceAll(offer, "cashback_99", "cashback_50"),
		"variant":   strings.ReplaceAll(offer, "name: offer", "name: other"),
		"weight":    strings.ReplaceAll(offer, "weight: 3", "weight: 2"),
		"control":   strings.ReplaceAll(offer, "control: control", "control: offer"),
		"start":     strings.ReplaceAll(offer, "2026-09-01", "2026-09-02"),
		"end":       strings.ReplaceAll(offer, "2026-09-10", "2026-09-11"),
		"no end":    strings.ReplaceAll(offer, "end: 2026-09-10\n", ""),
		"crossover": offer + "crossover: exclude\n",
		"alpha":     offer + "alpha: 0.01\n",
		"primary":   strings.ReplaceAll(offer, "primary: paid", "primary: watched"),
		"metrics":   strings.ReplaceAll(offer, "[paid, watched]", "[paid]"),
	} {
		differs(name, decode(t, text).DefinitionHash(metrics()))
	}
	changed := metrics()
	changed[1].Window *= 2
	differs("a metric's window", decode(t, offer).DefinitionHash(changed))
}

// A hash is stored for years: this one must not change while logic stays the same.
func TestDefinitionHashIsStable(t *testing.T) {
	t.Parallel()
	if got, want := decode(t, offer).DefinitionHash(metrics()), "6699a4355605654f40ce341a85eb066dbd81af7b62083955a9850f3f47327571"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, changed, want string }{
		"nothing": {offer, "", "e.yaml:1:1: name: required\ne.yaml:1:1: assigned_by: required: account\ne.yaml:1:1: variants: expected at least two, found 0\n" +
			"e.yaml:1:1: start: required: the first day of exposures, YYYY-MM-DD\ne.yaml:1:1: metrics: expected at least one"},
		"by device":         {"assigned_by: account", "assigned_by: device", `e.yaml:2:14: assigned_by: "device": expected account`},
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
		"alpha":             {"primary", "alpha: 1\nprimary", `e.yaml:9:8: alpha: expected a number between 0 and 1, as 0.05`},
		"no primary":        {"primary: paid\n", "", `e.yaml:1:1: primary: required: the metric that decides, one of paid, watched`},
		"another primary":   {"primary: paid", "primary: payed", `e.yaml:9:10: primary: "payed" is not among metrics: did you mean "paid"?`},
		"a metric twice":    {"[paid, watched]", "[paid, watched, paid]", `e.yaml:10:26: metrics.2: "paid" is listed twice`},
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
	f.Add([]byte("name: x\nvariants: [{name: a, weight: 1e308}, {name: b, weight: 1e308}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var e experiment.Experiment
		if err := strictyaml.Decode("e.yaml", data, nil, &e); err == nil {
			if err := e.Validate(); err != nil || len(e.DefinitionHash(nil)) != 64 {
				t.Errorf("valid once, then not: %v", err)
			}
		}
	})
}
