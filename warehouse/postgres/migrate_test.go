package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lib/pq"
	"golang.org/x/sync/errgroup"

	"crosslift/schemas/table"
	"crosslift/warehouse/postgres/local"
)

func TestMigrationsAreAppliedOnce(t *testing.T) {
	t.Parallel()
	name := create(t)
	var g errgroup.Group
	for range 8 {
		g.Go(func() error {
			db, err := Open(context.Background(), at(t, server, "owner", name), quiet)
			if err != nil {
				return err
			}
			return db.Close()
		})
	}
	must(t, g.Wait())
	db := reopen(t, name) // again, on what is there
	if n := get[int](t, db.db, `SELECT count(*) - count(DISTINCT version_id) FROM crosslift_migration`); n != 0 {
		t.Errorf("%d migrations were applied twice", n)
	}
	execute(t, db.db, `INSERT INTO crosslift_migration (version_id, is_applied) VALUES (999, true)`)
	_, err := Open(t.Context(), at(t, server, "owner", name), quiet)
	if contains(t, err, "version 999", "use a newer crosslift"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("%v is not ErrUnavailable", err)
	}
}

// A data set is added by a migration and an entry; the two must agree.
func TestTablesHaveTheColumnsOfTheirContracts(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	types := map[table.Type]string{
		table.String: "text", table.Int: "bigint", table.Float: "double precision", table.Bool: "boolean",
		table.Timestamp: "timestamp with time zone", table.ID: "uuid", table.Date: "date",
	}
	for name, set := range datasets {
		want := []string{"load_id bigint true"}
		for _, c := range set.contract.Columns {
			want = append(want, fmt.Sprintf("%s %s %t", c.Name, types[c.Type], !c.Optional))
		}
		var got []string
		must(t, db.db.Select(&got, `SELECT attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull
			FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`, set.table))
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: %s has the columns\n%s\nexpected\n%s", name, set.table,
				strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestRoleBiReadsViewsAndNothingElse(t *testing.T) {
	t.Parallel()
	owner, name := open(t)
	bi := connect(t, at(t, server, "bi", name))
	bi.SetMaxOpenConns(1)
	var relations []struct {
		Schema string `db:"nspname"`
		Name   string `db:"relname"`
		Kind   string `db:"relkind"`
	}
	must(t, owner.db.Select(&relations, `SELECT nspname, relname, relkind
		FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
		WHERE relkind IN ('r', 'v', 'm', 'p') AND nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')`))
	readable := 0
	for _, r := range relations {
		_, err := bi.Exec(fmt.Sprintf(`SELECT * FROM %s.%s LIMIT 1`, r.Schema, r.Name))
		switch {
		case r.Schema == "bi" && r.Kind == "v":
			if readable++; err != nil {
				t.Errorf("bi cannot read %s.%s: %v", r.Schema, r.Name, err)
			}
		case pq.As(err, "42501") == nil:
			t.Errorf("bi may read %s.%s: %v", r.Schema, r.Name, err)
		}
	}
	if readable != 3 || len(relations) < 8 {
		t.Errorf("bi reads %d views of %d relations", readable, len(relations))
	}
	execute(t, bi, `SELECT * FROM data_freshness`) // found without its schema's name
	for _, setting := range []string{"statement_timeout", "idle_in_transaction_session_timeout"} {
		if v := get[string](t, bi, `SELECT current_setting($1)`, setting); v == "0" {
			t.Errorf("%s is off for bi", setting)
		}
	}
	if _, err := bi.Exec(`CREATE TEMP TABLE x (y int)`); pq.As(err, "25006") == nil {
		t.Errorf("a session of bi is not read-only: %v", err)
	}
	execute(t, bi, `SET default_transaction_read_only = off`)
	for _, attempt := range []string{
		`CREATE TABLE bi.x (y int)`, `CREATE SCHEMA mine`, `DELETE FROM bi.experiment_results_latest`,
		`UPDATE bi.data_freshness SET revision = 1`, `TRUNCATE warehouse.experiment_results`, `SET ROLE owner`,
	} {
		if _, err := bi.Exec(attempt); err == nil {
			t.Errorf("bi could %s", attempt)
		}
	}
	_, err := Open(t.Context(), at(t, server, "bi", name), quiet)
	if contains(t, err, "log in as owner"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("%v is not ErrUnavailable", err)
	}
}

func TestEveryColumnOfTheViewsIsExplained(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	var silent []string
	must(t, db.db.Select(&silent, `SELECT c.relname || coalesce('.' || a.attname, '') FROM pg_class c
		LEFT JOIN LATERAL (SELECT NULL::name AS attname, 0 AS attnum UNION ALL
			SELECT attname, attnum FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0) a ON true
		WHERE c.relnamespace = 'bi'::regnamespace AND coalesce(
			CASE WHEN a.attnum = 0 THEN obj_description(c.oid) ELSE col_description(c.oid, a.attnum) END, '') = ''`))
	if len(silent) > 0 {
		t.Errorf("without a comment: %v", silent)
	}
}

func TestColumnsOfTheResultsView(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	const want = "experiment metric segment variant unit estimand method adjustment stitching as_of revision baseline " +
		"value_unit matured n mean stddev diff_abs diff_abs_low diff_abs_high diff_rel diff_rel_low diff_rel_high rel_method " +
		"alpha p_value p_adjusted srm_p definition_hash identity_night recipe"
	views := map[string]string{"experiment_results": want + " is_latest", "experiment_results_latest": want}
	for view, want := range views {
		rows, err := db.db.Query(`SELECT * FROM bi.` + view)
		must(t, err)
		columns, err := rows.Columns()
		must(t, errors.Join(err, rows.Close()))
		if got := strings.Join(columns, " "); got != want {
			t.Errorf("bi.%s has the columns\n%s\nexpected\n%s", view, got, want)
		}
	}
}

// On a server that knows neither role, a login that may do nothing there is told what an administrator must run; when
// that has been run, it works. A login that may do everything makes the roles, once, although each of the server's
// databases is migrated on its own.
func TestRolesOfANewServer(t *testing.T) {
	t.Parallel()
	cluster, err := local.Join(t.Context(), filepath.Join(t.TempDir(), "cluster"), quiet)
	must(t, err)
	t.Cleanup(func() { cluster.Leave(context.Background()) })
	must(t, hasten(cluster))
	admin := connect(t, at(t, cluster, "postgres", "postgres"))
	forget := func(then ...string) {
		for _, statement := range append([]string{"DROP ROLE bi", "DROP ROLE owner"}, then...) {
			execute(t, admin, statement)
		}
	}
	execute(t, admin, "DROP DATABASE crosslift")
	forget("CREATE DATABASE a", "CREATE DATABASE b")
	var g errgroup.Group
	for _, name := range []string{"a", "b", "a", "b"} {
		g.Go(func() error {
			db, err := Open(context.Background(), at(t, cluster, "postgres", name), quiet)
			if err != nil {
				return err
			}
			return db.Close()
		})
	}
	must(t, g.Wait())
	execute(t, admin, "DROP DATABASE a")
	execute(t, admin, "DROP DATABASE b")
	forget(`CREATE ROLE "no body" LOGIN`, "CREATE DATABASE plain")
	plain := at(t, cluster, "no body", "plain")
	_, err = Open(t.Context(), plain, quiet)
	contains(t, err, "a database administrator must run", "CREATE ROLE owner", `GRANT owner TO "no body"`,
		"statement_timeout")
	if !errors.Is(err, ErrUnavailable) {
		t.Errorf("%v is not ErrUnavailable", err)
	}
	_, script, _ := strings.Cut(err.Error(), "as a superuser: ")
	execute(t, connect(t, at(t, cluster, "postgres", "plain")), script)
	db, err := Open(t.Context(), plain, quiet)
	must(t, err)
	defer db.Close()
	claim, err := begin(t, db).Claim(t.Context(), aTask)
	must(t, err)
	_, err = db.Publish(t.Context(), claim, aLoad(1, 1), batchesOf(recordOf(table.ExperimentResult, resultRows(3, 1))))
	must(t, err)
	foreign := get[int](t, db.db, `SELECT count(*) FROM pg_class
		WHERE relnamespace::regnamespace::text IN ('ledger', 'warehouse', 'bi') AND pg_get_userbyid(relowner) <> 'owner'`)
	if foreign > 0 {
		t.Errorf("%d relations do not belong to owner", foreign)
	}
}

func TestOpenErrorsAreOneLineAndHoldNoPassword(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := listener.Addr().String()
	must(t, listener.Close()) // nobody listens there now
	const secret = "pa55 w%2Frd"
	socket := strings.TrimPrefix(server.URL("owner"), "postgres://owner@/crosslift?")
	for name, c := range map[string]struct{ url, want string }{
		"nobody listens":   {"postgres://u:" + secret + "@" + address + "/d", "refused"},
		"no such database": {"postgres://owner:" + secret + "@/nowhere?" + socket, `"nowhere" does not exist`},
		"no such role":     {"postgres://stranger:" + secret + "@/crosslift?" + socket, `"stranger"`},
		"bad port":         {"postgres://u:" + secret + "@localhost:port/d", "malformed"},
		"bad option":       {"postgres://u:" + secret + "@localhost/d?sslmode=maybe", "maybe"},
		"no URL":           {"pa55 " + secret, "malformed"},
		"unquoted":         {"host=localhost password=" + secret + " dbname=x", "malformed"},
	} {
		_, err := Open(t.Context(), strings.Replace(c.url, " ", "%20", strings.Count(c.url, "postgres://")), quiet)
		contains(t, err, c.want)
		if !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: %v is not ErrUnavailable", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "pa55") {
			t.Errorf("%s: the password shows: %v", name, err)
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Open(cancelled, server.URL("owner"), quiet)
	if !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnavailable) {
		t.Errorf("cancelled: %v", err)
	}
}
