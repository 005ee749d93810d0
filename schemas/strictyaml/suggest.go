package strictyaml

import (
	"fmt"
	"strings"
)

// Suggest ends a message about an unknown name: it asks for the known one that is nearest by edits, if one is near, or
// else lists them all.
func Suggest(unknown string, known []string) string {
	best, distance := "", 2+len(unknown)/4
	for _, k := range known {
		if d := edits(unknown, k); d < distance {
			best, distance = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	switch len(known) {
	case 0:
		return "there are none"
	case 1:
		return "expected " + known[0]
	}
	return "expected one of " + strings.Join(known, ", ")
}

// edits is the number of insertions, deletions, substitutions and swaps of neighbours between two words (the optimal
// string alignment distance).
func edits(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(x); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(y)]
}
