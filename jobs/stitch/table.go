package stitch

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Table lays the report out for people.
func (r *Report) Table() (header []string, rows [][]string) {
	add := func(name string, n int64) { rows = append(rows, []string{name, grouping(n)}) }
	add("nodes", r.Nodes)
	add("edges", r.Edges)
	if r.Profiles {
		add("profiles", r.Components)
	} else {
		add("components", r.Components)
	}
	add("nodes of the largest", r.Largest)
	if r.Profiles {
		add("shared nodes, each alone", r.Shared)
		for _, reason := range slices.Sorted(maps.Keys(r.Together)) {
			add("edges "+reason, r.Together[reason])
		}
		for _, reason := range slices.Sorted(maps.Keys(r.Refused)) {
			add("edges refused: "+reason, r.Refused[reason])
		}
	}
	for _, p := range r.Seconds {
		rows = append(rows, []string{"seconds for " + p.Name, fmt.Sprintf("%.2f", p.Seconds)})
	}
	return []string{"what", "how many"}, rows
}

// grouping writes a number with a comma between thousands.
func grouping(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
