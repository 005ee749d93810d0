package cli_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/night"
	"crosslift/transform/identity/who/whotest"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/lake/object"
)

var update = flag.Bool("update", false, "write the golden files")

// stories is a project whose lake holds the two nights of whotest.Stories.
func stories(t *testing.T) (dir string, l *lake.Lake) {
	t.Helper()
	dir = t.TempDir()
	write(t, dir, map[string]string{
		"secrets/identifier.key": testKey,
		"crosslift.yaml":         "time_zone: Europe/Moscow\nlake: file:lake\nwarehouse: local\nidentifiers: {key: \"file:secrets/identifier.key\"}\n",
	})
	l = lake.New(object.NewFolder(filepath.Join(dir, "lake")), t.TempDir())
	first, second := whotest.Stories(t)
	var before map[string]string
	for _, m := range []*whotest.Made{first, second} {
		contents := map[string]string{}
		for _, of := range append(night.Tables(), table.DeviceTimeline) {
			h := commit(t, l, of, m.Day, before, m.Rows[of])
			contents[h.Key()] = h.Content
		}
		before = contents
	}
	return dir, l
}

// commit writes a table of a night.
func commit(t *testing.T, l *lake.Lake, of *table.Table, day table.Day, before map[string]string, rows []any) *lake.Head {
	t.Helper()
	p := lake.Partition{Table: of, Day: day}
	d := l.Draft(p, 1<<20)
	defer d.Close()
	for _, row := range rows {
		if err := d.Add(row); err != nil {
			t.Fatal(err)
		}
	}
	was, err := l.Head(t.Context(), p)
	if err != nil {
		was = nil
	}
	recipe := lake.Recipe{Job: "identity", Tables: lake.Tables(append(night.Tables(), table.DeviceTimeline)...), Previous: before, Window: day.String()}
	h, _, err := d.Commit(t.Context(), recipe, lake.Counts{}, was)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestIdentity asks about people whose stories are known. Golden files hold the answers.
func TestIdentity(t *testing.T) {
	t.Parallel()
	dir, _ := stories(t)
	id := func(name string) string { return whotest.ID(name).String() }
	minted := func(kind identifier.Kind, anchor identifier.ID) identifier.ID {
		return identifier.Mint(kind, anchor, 0)
	}
	profile := func(anchor string) identifier.ID { return minted(identifier.Profile, whotest.ID(anchor)) }
	for name, args := range map[string][]string{
		"explain one profile":        {"explain", id("app ann"), id("card")},
		"explain a family card":      {"explain", id("account bob"), id("card")},
		"explain a television":       {"explain", id("account bob"), id("tv")},
		"explain a shared device":    {"explain", id("account 1"), id("tv hall")},
		"explain a typo":             {"explain", id("contact carl"), id("email ann")},
		"explain a recycled number":  {"explain", id("account dan"), id("phone old")},
		"explain it as it was":       {"explain", id("account dan"), id("phone old"), "--as-of", "2026-09-03"},
		"explain one person":         {"explain", id("account gus"), id("account gus again")},
		"explain strangers":          {"explain", id("account ann"), id("account 1")},
		"explain somebody unknown":   {"explain", id("account ann"), id("nobody")},
		"explain the same":           {"explain", id("account ann"), id("account ann")},
		"show a profile":             {"show", id("account ann")},
		"show a past membership":     {"show", id("account dan")},
		"show an alias":              {"show", profile("email fay").String()},
		"show a shared device":       {"show", id("tv hall")},
		"show a person":              {"show", minted(identifier.Person, profile("account gus")).String()},
		"show one of two accounts":   {"show", id("account gus")},
		"show a household":           {"show", minted(identifier.Household, profile("account ann")).String()},
		"show nobody":                {"show", id("nobody")},
		"diff":                       {"diff", "2026-09-01", "2026-09-07"},
		"diff cut short":             {"diff", "2026-09-01", "2026-09-07", "--limit", "2"},
		"cut":                        {"cut", id("account ann"), id("email ann"), "--dry-run"},
		"cut what is no one profile": {"cut", id("account ann"), id("account bob"), "--dry-run"},
		"verify":                     {"verify"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join("testdata", "identity", strings.ReplaceAll(name, " ", "_"))
			golden(t, file+".txt", must(t, dir, append([]string{"identity"}, args...)...).stdout)
			told := must(t, dir, append([]string{"identity", "--output", "json"}, args...)...).stdout
			if !json.Valid([]byte(told)) {
				t.Errorf("no JSON: %s", told)
			}
			golden(t, file+".json", told)
		})
	}
}

// golden compares with a file, or writes it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nexpected\n%s", file, got, want)
	}
}

// TestIdentityRefusals are clear lines and exit codes, and never repeat what was typed.
func TestIdentityRefusals(t *testing.T) {
	t.Parallel()
	dir, l := stories(t)
	a, b := whotest.ID("account ann").String(), whotest.ID("email ann").String()
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{2, "A: expected an identifier as", []string{"explain", "mail:ann@shop.example", a}},
		{2, "B: expected an identifier as", []string{"explain", a, "ann@shop.example"}},
		{2, "B: not a phone number that can exist", []string{"explain", a, "phone:ann@shop.example"}},
		{2, "no night's identity is committed until 2026-08-31", []string{"show", a, "--as-of", "2026-08-31"}},
		{2, "holds no identity of night 2026-09-02", []string{"diff", "2026-09-02", "2026-09-07"}},
		{2, "is not before", []string{"diff", "2026-09-07", "2026-09-01"}},
		{2, "- left: " + a + "\n      right: " + b, []string{"cut", a, b}},
		{1, "is stale", []string{"verify", "--full"}},
	} {
		if got := fails(t, c.code, c.says, dir, append([]string{"identity"}, c.args...)...); strings.Contains(got.stdout+got.stderr, "shop.example") {
			t.Errorf("%q tells a value:\n%s", c.args, got.stderr)
		}
	}
	_, second := whotest.Stories(t)
	rows := slices.DeleteFunc(second.Rows[table.ProfileIdentifier], func(row any) bool {
		return row.(*table.ProfileIdentifierRow).Identifier == whotest.ID("email ann")
	})
	commitAgain := func(of *table.Table, rows []any) {
		h, err := l.Head(t.Context(), lake.Partition{Table: of, Day: second.Day})
		if err != nil {
			t.Fatal(err)
		}
		commit(t, l, of, second.Day, h.Recipe.Previous, rows)
	}
	commitAgain(table.ProfileIdentifier, rows)
	if got := crosslift(t, dir, "identity", "verify"); got.code != 12 || !strings.Contains(got.stdout, "identifiers belong to profiles, which count") {
		t.Errorf("an identifier is missing: exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

// TestLakeCatExactName prints a table although the names of others begin with its.
func TestLakeCatExactName(t *testing.T) {
	t.Parallel()
	dir, _ := stories(t)
	if got := must(t, dir, "lake", "cat", "core/profile", "--limit", "1").stdout; !strings.HasPrefix(got, "profile_id,anchor,") {
		t.Errorf("lake cat core/profile: %s", got)
	}
	fails(t, 2, "names partitions of core/profile and of core/profile_identifier", dir, "lake", "cat", "core/prof")
}
