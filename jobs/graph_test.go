package jobs

import (
	"strings"
	"testing"

	"crosslift/schemas/table"
)

func names(all []*Job) string {
	var names []string
	for _, j := range all {
		names = append(names, j.Name)
	}
	return strings.Join(names, " ")
}

// TestSort puts jobs after those that feed them, whatever the order they come in.
func TestSort(t *testing.T) {
	extract := &Job{Name: "extract", Writes: []*table.Table{table.Payment}}
	identity := &Job{Name: "identity", Writes: []*table.Table{table.ProfileIdentifier},
		Reads: []Read{{Table: table.Payment}, {Table: table.ProfileIdentifier, Previous: true}}}
	a := &Job{Name: "a", Experiment: "a", Writes: []*table.Table{table.UnitExposure}, Reads: []Read{{Table: table.ProfileIdentifier}}}
	b := &Job{Name: "b", Experiment: "b", Writes: []*table.Table{table.UnitExposure}, Reads: []Read{{Table: table.ProfileIdentifier}}}
	factsOfA := &Job{Name: "facts/a", Experiment: "a", Writes: []*table.Table{table.UnitMetric}, Reads: []Read{{Table: table.UnitExposure}}}
	for _, order := range [][]*Job{{extract, identity, a, b, factsOfA}, {factsOfA, b, a, identity, extract}, {b, factsOfA, identity, a, extract}} {
		sorted, err := Sort(order)
		if err != nil {
			t.Fatal(err)
		}
		place := map[*Job]int{}
		for i, j := range sorted {
			place[j] = i
		}
		for _, arrow := range [][2]*Job{{extract, identity}, {identity, a}, {identity, b}, {a, factsOfA}} {
			if place[arrow[0]] > place[arrow[1]] {
				t.Errorf("%s comes before %s in %s", arrow[1].Name, arrow[0].Name, names(sorted))
			}
		}
		if b.FeedsInto(factsOfA) {
			t.Error("experiments feed into each other")
		}
	}
	if _, err := Sort([]*Job{a, {Name: "again", Experiment: "a", Writes: a.Writes}}); err == nil || !strings.Contains(err.Error(), "both write") {
		t.Errorf("two writers of one table: %v", err)
	}
	round := &Job{Name: "round", Writes: []*table.Table{table.Payment}, Reads: []Read{{Table: table.ProfileIdentifier}}}
	if _, err := Sort([]*Job{identity, round}); err == nil || !strings.Contains(err.Error(), "circle") {
		t.Errorf("a circle: %v", err)
	}
}

// TestCombine gives a run of several jobs the class of its failures when they share one.
func TestCombine(t *testing.T) {
	for _, c := range []struct {
		codes []int
		want  int
	}{{nil, 0}, {[]int{0, 0}, 0}, {[]int{0, 14, 14, 0}, 14}, {[]int{14, 15}, 3}, {[]int{3, 0, 3}, 3}} {
		if got := Combine(c.codes...); got != c.want {
			t.Errorf("Combine(%v) = %d, expected %d", c.codes, got, c.want)
		}
	}
}
