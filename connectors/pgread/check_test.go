package pgread

import (
	"strings"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/schemas/secret"
)

// check gives what is wrong, by what it concerns.
func (b *bench) check(spec Spec) (problems map[string]string, whats string) {
	b.t.Helper()
	db := b.db()
	s, err := db.New(spec)
	if err != nil {
		b.t.Fatal(err)
	}
	problems = map[string]string{}
	var all []string
	for _, f := range db.Check(b.t.Context(), []*Stream{s}) {
		all = append(all, f.What)
		if f.Problem != nil {
			problems[f.What] = f.Problem.Error() + " → " + f.Remedy
		}
		if (f.Problem == nil) != (f.Remedy == "") {
			b.t.Errorf("%s: problem %v, remedy %q", f.What, f.Problem, f.Remedy)
		}
	}
	return problems, strings.Join(all, ", ")
}

func TestCheck(t *testing.T) {
	const page, index = "stream test/viewing", "index of watched"
	for name, c := range map[string]struct {
		prepare string
		tx      bool
		what    string
		parts   []string
	}{
		"in order":      {"SELECT 1", false, "", nil},
		"with tx":       {"SELECT 1", true, "", nil},
		"no index":      {"DROP INDEX watched_at_id_idx", false, index, []string{"watched has no index for its pages", `CREATE INDEX CONCURRENTLY ON "watched" (at, id)`}},
		"bad rows":      {"INSERT INTO watched VALUES (5, now(), 'ann@cinema.dev', NULL)", false, page, []string{"1 of the 2 rows that were read would be rejected; the first: seconds: required, but absent", "mend the rows"}},
		"may write":     {"GRANT UPDATE ON watched TO reader", false, "read only", []string{"reader may write to watched", "REVOKE"}},
		"no permission": {"REVOKE SELECT ON watched FROM reader", false, page, []string{"reader may not read watched", "GRANT SELECT"}},
		"moved":         {"UPDATE watched SET tx = '999999999'", true, page, []string{"tx is ahead of the server's own transactions", "set it to pg_current_xact_id() in every row"}},
		"no stamp":      {"ALTER TABLE watched ALTER at DROP NOT NULL; INSERT INTO watched VALUES (5)", false, page, []string{"watched has rows without at, which belong to no day", "NOT NULL"}},
		"no table":      {"DROP TABLE watched", false, page, []string{"there is no table watched", "GRANT USAGE"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.Do(t, `INSERT INTO watched VALUES (1, now(), 'u1', 10)`, c.prepare)
			if c.tx {
				b.read.Tx = "tx"
			}
			problems, whats := b.check(viewing)
			if c.what == "" {
				equal(t, "problems", len(problems), 0)
				equal(t, "findings", whats, "connection, TLS, clock, stream test/viewing, index of watched, read only")
				return
			}
			equal(t, "problems", len(problems), 1)
			for _, part := range c.parts {
				if !strings.Contains(problems[c.what], part) {
					t.Errorf("%q: expected %q in it; all: %v", problems[c.what], part, problems)
				}
			}
			if strings.Contains(problems[c.what], "ann@") {
				t.Errorf("%q has a value", problems[c.what])
			}
		})
	}
}

func TestCheckOfClockLoginAndRole(t *testing.T) {
	b := newBench(t)
	b.env.Now = func() time.Time { return time.Now().Add(-5 * time.Minute) }
	problems, _ := b.check(viewing)
	if !strings.HasPrefix(problems["clock"], "the server's clock is 5m0s off ours") {
		t.Errorf("%v", problems)
	}
	b.env.Now = time.Now
	super, err := Open(secret.New(b.URL("postgres")), b.read, b.env)
	if err != nil {
		t.Fatal(err)
	}
	defer super.Close()
	found := super.Check(t.Context(), nil)
	last := found[len(found)-1]
	equal(t, "superuser", last.What+": "+last.Problem.Error(), "read only: postgres is a superuser")
	nobody, err := Open(secret.New(b.URL("nobody_at_all")), b.read, b.env)
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Close()
	found = nobody.Check(t.Context(), nil)
	equal(t, "findings", len(found), 1)
	equal(t, "remedy", found[0].Remedy, "mend user and password in `url`")
	contains(t, found[0].Problem, connectors.ErrDown.Error(), `role "nobody_at_all" does not exist`)
}
