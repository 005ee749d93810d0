package experiment

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"

	"crosslift/schemas/metric"
)

// logic is raised when the same definition comes to mean other numbers.
const logic = 2

// UnitsHash identifies what decides who the experiment's units are, in which variant and segments, however it is written.
func (e *Experiment) UnitsHash() string {
	var read []string // segments that need tables of their own
	for _, s := range []string{Channel, Plan} {
		if slices.Contains(e.Segments, s) {
			read = append(read, s)
		}
	}
	return hash("units", e.Name, e.AssignedBy, e.variants(), e.Control, e.Start, e.End, e.Eligibility.canonical(),
		e.Activation.canonical(), read)
}

// FactsHash identifies what decides its facts, besides its units and the definitions of its metrics.
func (e *Experiment) FactsHash() string {
	variants := e.variants()
	slices.Sort(variants)
	return hash("facts", e.Name, e.AssignedBy, variants, e.Start, e.End, e.Crossover, e.Primary)
}

// DefinitionHash identifies what decides the experiment's numbers: its definition without hypothesis, owner and description,
// however it is written, and those of metrics that it uses.
func (e *Experiment) DefinitionHash(metrics []*metric.Metric) string {
	total := 0.0
	for _, v := range e.Variants {
		total += v.Weight
	}
	weights := map[string]string{}
	for _, v := range e.Variants {
		weights[v.Name] = strconv.FormatFloat(v.Weight/total, 'g', 12, 64)
	}
	guardrails := map[string]float64{}
	for _, g := range e.Guardrails {
		guardrails[g.Metric] = g.Margin
	}
	used := map[string][]string{}
	for _, m := range metrics {
		if slices.Contains(e.Metrics(), m.Name) {
			used[m.Name] = []string{m.Hash(), m.Unit, m.Direction}
		}
	}
	return hash("experiment", e.UnitsHash(), e.FactsHash(), weights, e.Alpha, e.Plan, sorted(e.Segments), e.Campaign,
		sorted(e.Secondary), guardrails, used)
}

// variants are their names, in the order that breaks ties between exposures.
func (e *Experiment) variants() []string {
	names := make([]string, len(e.Variants))
	for i, v := range e.Variants {
		names[i] = v.Name
	}
	return names
}

func (e *Event) canonical() []any {
	if e == nil {
		return nil
	}
	return []any{e.Table, metric.CanonicalFilter(e.Filter), e.Within}
}

func sorted(names []string) []string { return slices.Sorted(slices.Values(names)) }

// hash identifies parts of a definition.
func hash(of string, parts ...any) string {
	content, err := json.Marshal(append([]any{of, logic}, parts...))
	if err != nil {
		panic(err) // strings and finite numbers only
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
