package experiment_test

import (
	"slices"
	"strings"
	"testing"

	"crosslift/schemas/experiment"
	"crosslift/schemas/metric"
)

// full has one of everything that decides something.
const full = `name: cashback_99
description: 99 % cashback
hypothesis: more people stay
owner: growth
assigned_by: account
variants:
  - {name: control, weight: 1}
  - {name: offer, weight: 3}
control: control
start: 2026-09-01
end: 2026-09-10
eligibility:
  table: raw/product_user
  filter:
    - {column: country, op: in, value: [RU, KZ]}
    - {column: deleted, op: =, value: false}
  within: 30d
activation:
  table: raw/payment
  filter: [{column: plan, op: =, value: first_month}]
segments: [platform, plan]
campaign: spring
primary: paid
secondary: [watched, revenue]
guardrails:
  - {metric: refunds, margin: 0.02}
  - {metric: calls, margin: 0.1}
`

func metrics() []*metric.Metric {
	day := metric.Window{For: metric.Duration(metric.Day)}
	var list []*metric.Metric
	for _, name := range []string{"paid", "watched", "revenue", "refunds", "calls", "unused"} {
		list = append(list, &metric.Metric{Name: name, Type: metric.Count, Source: metric.Source{Table: "raw/viewing"}, Unit: "events", Window: day, Direction: metric.Up})
	}
	return list
}

// kinds are the hashes of an experiment.
var kinds = map[string]func(e *experiment.Experiment) string{
	"units":      (*experiment.Experiment).UnitsHash,
	"facts":      (*experiment.Experiment).FactsHash,
	"definition": func(e *experiment.Experiment) string { return e.DefinitionHash(metrics()) },
}

// Each hash changes with what decides its numbers, and with nothing else.
func TestHashes(t *testing.T) {
	t.Parallel()
	base := map[string]string{}
	for kind, hash := range kinds {
		base[kind] = hash(decode(t, full))
	}
	seen := map[string]string{}
	for name, c := range map[string]struct {
		changed string // the hashes that change
		pairs   []string
	}{
		"a description":       {"", []string{"99 % cashback", "a month for a rouble"}},
		"a hypothesis":        {"", []string{"more people stay", "more people pay"}},
		"an owner":            {"", []string{"growth", "retention"}},
		"comments":            {"", []string{"name: cashback_99", "# all of it\nname: cashback_99"}},
		"order of keys":       {"", []string{"control: control\n", "", "start:", "control: control\nstart:"}},
		"order of secondary":  {"", []string{"[watched, revenue]", "[revenue, watched]"}},
		"order of guardrails": {"", []string{"  - {metric: refunds, margin: 0.02}\n", "", "margin: 0.1}\n", "margin: 0.1}\n  - {metric: refunds, margin: 0.02}\n"}},
		"order of segments":   {"", []string{"[platform, plan]", "[plan, platform]"}},
		"order of filters":    {"", []string{"    - {column: deleted, op: =, value: false}\n", "", "filter:\n    -", "filter:\n    - {column: deleted, op: =, value: false}\n    -"}},
		"order of values":     {"", []string{"[RU, KZ]", "[KZ, RU]"}},
		"scaled weights":      {"", []string{"weight: 1", "weight: 0.25", "weight: 3", "weight: 0.75"}},
		"defaults":            {"", []string{"campaign:", "crossover: first\nplan: fixed\nalpha: 5e-2\ncampaign:"}},
		"name":                {"units facts definition", []string{"cashback_99", "cashback_50"}},
		"assignment":          {"units facts definition", []string{"by: account", "by: device"}},
		"a variant":           {"units facts definition", []string{"name: offer", "name: other"}},
		"order of variants":   {"units definition", []string{"  - {name: control, weight: 1}\n", "", "weight: 3}\n", "weight: 3}\n  - {name: control, weight: 1}\n"}},
		"control":             {"units definition", []string{"control: control", "control: offer"}},
		"start":               {"units facts definition", []string{"2026-09-01", "2026-09-02"}},
		"end":                 {"units facts definition", []string{"2026-09-10", "2026-09-11"}},
		"no end":              {"units facts definition", []string{"end: 2026-09-10\n", ""}},
		"eligibility":         {"units definition", []string{"[RU, KZ]", "[RU]"}},
		"how recent":          {"units definition", []string{"within: 30d", "within: 31d"}},
		"ever":                {"units definition", []string{"  within: 30d\n", ""}},
		"activation":          {"units definition", []string{"raw/payment", "raw/subscription"}},
		"no activation":       {"units definition", []string{"activation:\n  table: raw/payment\n  filter: [{column: plan, op: =, value: first_month}]\n", ""}},
		"a segment to read":   {"units definition", []string{"[platform, plan]", "[platform, plan, channel]"}},
		"a segment less":      {"units definition", []string{"[platform, plan]", "[platform]"}},
		"a segment at hand":   {"definition", []string{"[platform, plan]", "[platform, plan, country]"}},
		"crossover":           {"facts definition", []string{"campaign:", "crossover: exclude\ncampaign:"}},
		"primary":             {"facts definition", []string{"primary: paid", "primary: watched", "[watched,", "[paid,"}},
		"secondary":           {"definition", []string{"[watched, revenue]", "[watched]"}},
		"a guardrail instead": {"definition", []string{"[watched, revenue]", "[watched]", "guardrails:\n", "guardrails:\n  - {metric: revenue, margin: 0.5}\n"}},
		"margin":              {"definition", []string{"0.02", "0.03"}},
		"weight":              {"definition", []string{"weight: 3", "weight: 2"}},
		"alpha":               {"definition", []string{"campaign:", "alpha: 0.01\ncampaign:"}},
		"plan":                {"definition", []string{"campaign:", "plan: sequential\ncampaign:"}},
		"campaign":            {"definition", []string{"spring", "autumn"}},
	} {
		text := full
		for i := 0; i < len(c.pairs); i += 2 {
			if !strings.Contains(text, c.pairs[i]) {
				t.Fatalf("%s: %q is not there", name, c.pairs[i])
			}
			text = strings.ReplaceAll(text, c.pairs[i], c.pairs[i+1])
		}
		e := decode(t, text)
		for kind, hash := range kinds {
			got := hash(e)
			if changed := slices.Contains(strings.Fields(c.changed), kind); (got != base[kind]) != changed {
				t.Errorf("%s: the hash of %s changed: %t, expected %t", name, kind, !changed, changed)
			} else if !changed {
				continue
			}
			if other, taken := seen[got]; taken {
				t.Errorf("%s has the hash of %s for %s", name, other, kind)
			}
			seen[got] = name
		}
	}
}

// The definition's hash is of the metrics too that it uses.
func TestDefinitionHashOfMetrics(t *testing.T) {
	t.Parallel()
	e := decode(t, full)
	base := e.DefinitionHash(metrics())
	reversed := metrics()
	slices.Reverse(reversed)
	if e.DefinitionHash(reversed) != base || e.DefinitionHash(metrics()[:5]) != base {
		t.Error("the order of metrics, or one that it does not use, changed the hash")
	}
	for name, change := range map[string]func(m *metric.Metric){
		"window":    func(m *metric.Metric) { m.Window.For *= 2 },
		"unit":      func(m *metric.Metric) { m.Unit = "views" },
		"direction": func(m *metric.Metric) { m.Direction = metric.Down },
	} {
		changed := metrics()
		change(changed[4])
		if e.DefinitionHash(changed) == base {
			t.Errorf("a metric's %s did not change the hash", name)
		}
	}
}

// A hash is stored for years: these must not change while logic stays the same.
func TestHashesAreStable(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{
		"units":      "855602ef3744762b3c40d3124b1fa7b07091c30b4bbe0d1c213eb8a5985f343c",
		"facts":      "a52ddb96639501dd78d9fea731a41707f70fab293c85366cf0180c31a48e4c20",
		"definition": "559fab08c035bfe16ec52ec94b046a77864630e422904dd440bbd5b2db1ed205",
	} {
		if got := kinds[kind](decode(t, full)); got != want {
			t.Errorf("%s: got %s, want %s", kind, got, want)
		}
	}
}
