package cli_test

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
)

// worldDays are the days of the small world, and worldUsers how many users it has.
var worldDays = []string{"2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04"}

const worldUsers = 600

// world writes a small project: four days of exposures and payments, one experiment, two metrics.
func world(t *testing.T) string {
	t.Helper()
	return project(t, "data", worldStreams, worldFiles(1))
}

const worldStreams = `
exposures:
  table: raw/exposure
  path: exposures/{day}.csv
  columns:
    source_id: {from: id}
    exposed_at: {from: at, time: rfc3339}
    experiment: {value: offer}
    variant: {from: arm}
    account: {from: user}
payments:
  table: raw/payment
  path: payments/{day}.csv
  columns:
    source_id: {from: id}
    paid_at: {from: at, time: rfc3339}
    account: {from: user}
    amount_minor: {from: amount, money: major, currency: RUB}
    currency: {value: RUB}
    status: {from: status}
`

// worldFiles are the project's definitions and data. The seed shuffles the lines of the data and nothing else.
func worldFiles(seed uint64) map[string]string {
	files := map[string]string{
		"experiments/offer.yaml": `
name: offer
assigned_by: account
variants: [{name: control, weight: 1}, {name: cashback, weight: 1}]
control: control
start: 2026-11-01
primary: paid
secondary: [revenue]
`,
		"metrics/paid.yaml":    "name: paid\ntype: proportion\ntable: raw/payment\nfilter: [{column: status, op: =, value: succeeded}]\nwindow: 2d\n",
		"metrics/revenue.yaml": "name: revenue\ntype: mean\ntable: raw/payment\nfilter: [{column: status, op: =, value: succeeded}, {column: currency, op: =, value: RUB}]\nvalue: amount_minor\nunit: RUB minor\nwindow: 2d\n",
	}
	truth := rand.New(rand.NewPCG(7, 7))
	exposures, payments := make([][]string, len(worldDays)), make([][]string, len(worldDays))
	for u := range worldUsers {
		arm := []string{"control", "cashback"}[truth.IntN(2)]
		day := truth.IntN(len(worldDays))
		hour := truth.IntN(20)
		exposures[day] = append(exposures[day], fmt.Sprintf("e%d,%sT%02d:15:00Z,%s,user-%d", u, worldDays[day], hour, arm, u))
		later := day + truth.IntN(2)
		if later < len(worldDays) && truth.IntN(10) < 4 {
			status := []string{"succeeded", "succeeded", "failed"}[truth.IntN(3)]
			payments[later] = append(payments[later], fmt.Sprintf("p%d,%sT%02d:45:00Z,user-%d,%d.00,%s", u, worldDays[later], hour+1, u, 199+100*truth.IntN(3), status))
		}
	}
	shuffle := rand.New(rand.NewPCG(seed, seed))
	for i, day := range worldDays {
		for _, lines := range [][]string{exposures[i], payments[i]} {
			shuffle.Shuffle(len(lines), func(a, b int) { lines[a], lines[b] = lines[b], lines[a] })
		}
		files["data/exposures/"+day+".csv"] = "id,at,arm,user\n" + strings.Join(exposures[i], "\n") + "\n"
		files["data/payments/"+day+".csv"] = "id,at,user,amount,status\n" + strings.Join(payments[i], "\n") + "\n"
	}
	return files
}

// objects are the lake's partitions by key, each as a hash of its bytes.
func objects(t *testing.T, lake string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(lake, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		key, _ := filepath.Rel(lake, path)
		if filepath.Base(key) == "data.parquet" {
			found[key] = fmt.Sprintf("%x", sha256.Sum256(content))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// contents are the lake's content hashes by key.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, p := range decode[[]struct{ Key, Content string }](t, must(t, dir, "lake", "ls", "-o", "json")) {
		found[p.Key] = p.Content
	}
	return found
}

// tellsOfNights reports a partition that depends on which nights were made before it: what has changed since the last one,
// and which ids are no more. Memberships and the ids that are do not.
func tellsOfNights(key string) bool {
	p, ok := lake.ParseKey(key)
	return ok && slices.Contains([]*table.Table{table.IdentityChange, table.IdentityQuality, table.Profile}, p.Table)
}

// standing is how a job's day stands, as `status` tells it.
type standing struct{ Job, Day, State, Reason string }

// outstanding is what `status` tells of that is not current.
func outstanding(t *testing.T, dir string) []standing {
	t.Helper()
	var found []standing
	for _, l := range decode[[]struct{ Days []standing }](t, must(t, dir, "status", "-o", "json")) {
		found = append(found, l.Days...)
	}
	return found
}

// notCurrent is that as "job day state".
func notCurrent(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	for _, d := range outstanding(t, dir) {
		found = append(found, d.Job+" "+d.Day+" "+d.State)
	}
	return found
}
