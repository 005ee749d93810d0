package cli_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// lines reads what `lake cat` prints as JSON Lines.
func lines[T any](t *testing.T, a answer) (rows []T) {
	t.Helper()
	for line := range strings.Lines(a.stdout) {
		var row T
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		rows = append(rows, row)
	}
	return rows
}

// users are those of an experiment whose first exposure was on a day, or in its last hours.
func users(files map[string]string, experiment, day string) (found []string) {
	for line := range strings.Lines(files["data/exposures/"+day[:10]+".csv"]) {
		if cells := strings.Split(strings.TrimSpace(line), ","); cells[len(cells)-1] == experiment && cells[1] >= day {
			found = append(found, cells[3])
		}
	}
	return found
}

// TestExclusions: what looks as if it should count and does not is counted, by metric, table and reason, in the lake and in
// the log; no number is silently wrong.
func TestExclusions(t *testing.T) {
	t.Parallel()
	files := threeFiles(1)
	files["experiments/wide.yaml"] = strings.Replace(files["experiments/wide.yaml"], "2026-11-01", "2026-10-31", 1)
	early := []string{"early-1", "early-2", "early-3"} // exposed on a day of which there are no payments
	files["data/exposures/2026-10-31.csv"] = "id,at,arm,user,experiment\n"
	for i, user := range early {
		files["data/exposures/2026-10-31.csv"] += fmt.Sprintf("x%d,2026-10-31T10:00:00Z,%s,%s,wide\n", i, []string{"control", "cashback"}[i%2], user)
	}
	for _, day := range worldDays {
		name := "data/payments/" + day + ".csv"
		var all []string
		for i, line := range strings.Split(strings.TrimSpace(files[name]), "\n") {
			if i == 0 {
				line += ",changed"
			} else {
				line += "," + strings.Split(line, ",")[1]
			}
			all = append(all, line)
		}
		files[name] = strings.Join(all, "\n") + "\n"
	}
	// A payment of tomorrow, a clock that is years ahead, two amounts below zero, of which one is outside the window.
	tomorrow, second := users(files, "offer", "2026-11-04T14")[0], users(files, "offer", "2026-11-02")[0]
	files["data/payments/2026-11-04.csv"] += fmt.Sprintf("f1,2026-11-05T01:00:00Z,%s,199.00,succeeded,2026-11-04T20:00:00Z\n", tomorrow) +
		fmt.Sprintf("f2,2036-11-05T01:00:00Z,%s,199.00,succeeded,2026-11-04T20:00:00Z\n", tomorrow)
	files["data/payments/2026-11-03.csv"] += fmt.Sprintf("n1,2026-11-03T00:00:00Z,%s,-5.00,succeeded,2026-11-03T00:00:00Z\n", second) +
		fmt.Sprintf("n2,2026-11-01T00:00:00Z,%s,-5.00,succeeded,2026-11-03T00:00:00Z\n", second)
	dir := project(t, "data", strings.Replace(threeStreams, "paid_at: {from: at, time: rfc3339}", "paid_at: {from: at, time: rfc3339}\n    changed_at: {from: changed, time: rfc3339}", 1), files)
	must(t, dir, "backfill", "--from", "2026-10-31", "--to", "2026-10-31", "extract/exposure", "identity_edge")
	a := must(t, dir, fourDays...)

	got := map[string]int64{}
	for _, e := range []string{"offer", "late", "wide"} {
		for _, r := range lines[struct {
			Metric, Reason string
			Table          string `json:"table_name"`
			Rows           int64
		}](t, must(t, dir, "lake", "cat", "facts/exclusion/experiment="+e, "-o", "json")) {
			got[strings.Join([]string{e, r.Metric, r.Table, r.Reason}, " ")] = r.Rows
			if line := fmt.Sprintf("experiment=%s metric=%s table=%s reason=%s rows=%d", e, r.Metric, r.Table, r.Reason, r.Rows); !strings.Contains(a.stderr, line) {
				t.Errorf("the log does not say %q", line)
			}
		}
	}
	n := func(experiment string, days ...string) (n int64) {
		for _, day := range days {
			n += int64(len(users(files, experiment, day)))
		}
		return n
	}
	want := map[string]int64{
		"offer paid raw/payment in_future":                1,
		"offer revenue raw/payment in_future":             1,
		"offer revenue raw/payment negative_money":        1,
		"late payments raw/payment covariate_before_data": n("late", "2026-11-02"), // two days before are not there
		"wide payments raw/payment covariate_before_data": 3 + n("wide", "2026-11-01", "2026-11-02"),
		"wide payments raw/payment window_before_data":    3,
		"wide payments raw/payment in_future":             1,
		"wide per_payment raw/payment window_before_data": 3,
		"wide per_payment raw/payment negative_money":     1,
		"wide biggest raw/payment window_before_data":     3,
		"wide biggest raw/payment negative_money":         1,
	}
	want["wide per_payment raw/payment covariate_before_data"] = 3 + n("wide", "2026-11-01")
	for key, rows := range want {
		if got[key] != rows {
			t.Errorf("%s: %d instead of %d", key, got[key], rows)
		}
	}
	for key, rows := range got {
		if want[key] == 0 {
			t.Errorf("%s: %d", key, rows)
		}
	}

	// Exposures outside the days are counted, too.
	outside := map[string]float64{}
	for _, r := range lines[struct {
		Name, Of string
		Value    float64
	}](t, must(t, dir, "lake", "cat", "core/exposure_quality/experiment=late", "-o", "json")) {
		if r.Name == "exposures" {
			outside[r.Of] = r.Value
		}
	}
	if outside["before_start"] != float64(n("late", "2026-11-01")) || outside["after_end"] != float64(n("late", "2026-11-04")) ||
		outside[""] != float64(n("late", "2026-11-02", "2026-11-03")) {
		t.Errorf("exposures of late: %v", outside)
	}
	if !strings.Contains(a.stderr, "before_start") {
		t.Errorf("the log does not tell of exposures outside the days:\n%s", a.stderr)
	}
}
