package cli_test

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rowsOf reads a CSV file, perhaps compressed.
func rowsOf(t *testing.T, name string) []map[string]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	if strings.HasSuffix(name, ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		r = csv.NewReader(z)
	}
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// GrowthBook's sessions: users and browsers by connected components, and, as nothing in them is shared, by profiles too.
func TestStitchGrowthBook(t *testing.T) {
	t.Parallel()
	folder := data(t)
	content, err := os.ReadFile(filepath.Join(folder, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var expected struct {
		Identity struct {
			GrowthBook struct {
				Rows       int64            `json:"sessions_rows"`
				Components int64            `json:"connected_components_user_anonymous_graph"`
				Largest    int64            `json:"largest_component"`
				Sizes      map[string]int64 `json:"component_size_histogram"`
				Users      int64            `json:"distinct_userId"`
				Browsers   int64            `json:"distinct_anonymousId"`
			} `json:"growthbook"`
		} `json:"identity"`
	}
	if err := json.Unmarshal(content, &expected); err != nil {
		t.Fatal(err)
	}
	want := expected.Identity.GrowthBook
	var edges, truth strings.Builder
	edges.WriteString("left,left_type,right,right_type,rule,source,first_ts,last_ts\n")
	truth.WriteString("node,type,owner\n")
	seen := map[string]bool{}
	for _, r := range rowsOf(t, filepath.Join(folder, "identity/growthbook/sessions.csv.gz")) {
		user, browser, at := "user "+r["userId"], r["anonymousId"], r["sessionStart"]
		edges.WriteString(user + ",account," + browser + ",browser,6,session," + at + "," + at + "\n")
		for node, kind := range map[string]string{user: "account", browser: "browser"} {
			if !seen[node] {
				seen[node] = true
				truth.WriteString(node + "," + kind + "," + r["userId"] + "\n")
			}
		}
	}
	dir := t.TempDir()
	write(t, dir, map[string]string{"edges.csv": edges.String(), "truth.csv": truth.String()})
	for _, args := range [][]string{{"--plain"}, nil} {
		r := decode[struct{ Nodes, Edges, Components, Largest int64 }](t,
			must(t, dir, append([]string{"identity", "stitch", "--edges", "edges.csv", "--out", "map.csv", "-o", "json"}, args...)...))
		if r.Nodes != want.Users+want.Browsers || r.Edges != want.Rows || r.Components != want.Components || r.Largest != want.Largest {
			t.Errorf("%v: %+v instead of %+v", args, r, want)
		}
		sizes, histogram := map[string]int64{}, map[string]int64{}
		for _, row := range rowsOf(t, filepath.Join(dir, "map.csv")) {
			sizes[row["component"]]++
		}
		for _, n := range sizes {
			histogram[strconv.FormatInt(n, 10)]++
		}
		for size, n := range want.Sizes {
			if histogram[size] != n {
				t.Errorf("%v: %d components of %s nodes instead of %d", args, histogram[size], size, n)
			}
		}
		e := decode[struct {
			Pairs struct{ F1 float64 } `json:"pairs"`
			Over  struct{ N int64 }    `json:"over_merged"`
		}](t, must(t, dir, "identity", "evaluate", "--truth", "truth.csv", "--map", "map.csv", "-o", "json"))
		if e.Pairs.F1 != 1 || e.Over.N != want.Users {
			t.Errorf("%v: evaluated as %+v", args, e)
		}
	}
}

func TestIdentityUsage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"edges.csv": "left,right\na,b\nc\n", "good.csv": "left,right\na,b\n"})
	for _, c := range []struct {
		code int
		says string
		args string
	}{
		{2, "--edges: required", "stitch --out m.csv"},
		{2, "--out: required", "stitch --edges good.csv"},
		{2, "--map: required", "evaluate --truth good.csv"},
		{2, "no such file", "stitch --edges none.csv --out m.csv"},
		{2, "expected a name that ends in .csv or .parquet", "stitch --edges good.csv --out m.txt"},
		{2, "the map would replace the edges", "stitch --edges good.csv --out good.csv"},
		{15, "edges.csv line 3: expected 2 fields", "stitch --edges edges.csv --out m.csv"},
		{15, `good.csv: it has no column "node"`, "evaluate --truth good.csv --map good.csv"},
	} {
		a := fails(t, c.code, c.says, dir, append([]string{"identity"}, strings.Fields(c.args)...)...)
		if strings.Count(a.stderr, "\n") != 1 || a.stdout != "" {
			t.Errorf("%s: more than a line:\n%s%s", c.args, a.stdout, a.stderr)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "m.csv")); err == nil {
		t.Error("a map was written")
	}
}

// TestStitchTypes adds a type of nodes to those that are known: two clubs of one card are one too many accounts for it.
func TestStitchTypes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	edges, out := filepath.Join(dir, "edges.csv"), filepath.Join(dir, "map.csv")
	write := func(rows ...string) {
		text := "left,left_type,right,right_type,rule,source,first_ts,last_ts\n" + strings.Join(rows, "\n") + "\n"
		if err := os.WriteFile(edges, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("ann,account,l1,loyalty,1,shop,1,1", "bob,account,l1,loyalty,1,shop,2,2", "eve,account,l2,loyalty,1,shop,3,3")
	fails(t, 15, "loyalty", dir, "identity", "stitch", "--edges", edges, "--out", out)
	fails(t, 2, "cap=x", dir, "identity", "stitch", "--edges", edges, "--out", out, "--type", "loyalty:cap=x")
	must(t, dir, "identity", "stitch", "--edges", edges, "--out", out, "--type", "loyalty:cap=1")
	var got []string
	for _, r := range rowsOf(t, out) {
		got = append(got, r["node"]+" "+r["component"])
	}
	if want := []string{"ann ann", "bob bob", "eve eve", "l1 l1", "l2 eve"}; !slices.Equal(got, want) {
		t.Errorf("got %v, expected %v", got, want)
	}
}
