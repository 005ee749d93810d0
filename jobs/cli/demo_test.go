package cli_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestDemo runs the demo twice: the second time everything is current, and nothing is made.
func TestDemo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	demo := filepath.Join(dir, "demo")
	stopped(t, demo)
	first := must(t, dir, "demo", "--people", "300")
	for _, part := range []string{"300 people", "cashback_99", "intervals cover the injected effect", "paid a second month", "link_rate", "sandbox serve"} {
		if !strings.Contains(first.stdout, part) {
			t.Errorf("%q is not said:\n%s", part, first.stdout)
		}
	}
	var right, all int
	if _, said, ok := strings.Cut(first.stdout, "unit by unit: "); !ok {
		t.Errorf("nothing is held against the truth:\n%s", first.stdout)
	} else if _, err := fmt.Sscanf(said, "%d of %d comparisons agree", &right, &all); err != nil || right != all || all < 30 {
		t.Errorf("%d of %d comparisons agree: %v\n%s", right, all, err, said)
	}
	lake := objects(t, filepath.Join(demo, "lake"))

	second := must(t, dir, "demo", "--people", "300", "-o", "json")
	var results []struct{ Job, Day, Outcome string }
	if err := json.NewDecoder(strings.NewReader(second.stdout)).Decode(&results); err != nil || len(results) == 0 {
		t.Fatalf("%v in\n%s", err, second.stdout)
	}
	for _, r := range results {
		if r.Outcome != "left" && r.Outcome != "idle" {
			t.Errorf("run again, %s %s was %s", r.Job, r.Day, r.Outcome)
		}
	}
	same(t, "objects after the second demo", objects(t, filepath.Join(demo, "lake")), lake)
	fails(t, 2, "holds another world", dir, "demo", "--people", "301")
}
