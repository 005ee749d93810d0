package postgres

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/jmoiron/sqlx"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/postgres/local"
)

var (
	quiet     = slog.New(slog.DiscardHandler)
	server    *local.Cluster // shared by the tests; each has its own database
	databases atomic.Int64
)

// TestMain runs the tests against a real server. The same binary is also the process that a test kills.
func TestMain(m *testing.M) {
	if role := os.Getenv("CROSSLIFT_TEST_CHILD"); role != "" {
		if err := child(role, os.Args[len(os.Args)-1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(withServer(m))
}

func withServer(m *testing.M) int {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "crosslift-postgres-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if server, err = local.Join(ctx, filepath.Join(dir, "cluster"), quiet); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer server.Leave(ctx)
	if err := hasten(server); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// hasten lets a server that is thrown away afterwards not wait for the disk.
func hasten(c *local.Cluster) error {
	db, err := sqlx.Connect("postgres", c.URL("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	for _, statement := range []string{
		"ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()",
	} {
		if _, err := db.Exec(statement); err != nil {
			return err
		}
	}
	return nil
}

// at is the URL of a database of a cluster, for a role.
func at(t testing.TB, c *local.Cluster, role, database string) string {
	u, err := url.Parse(c.URL(role))
	must(t, err)
	u.Path = "/" + database
	return u.String()
}

// connect gives plain connections, without migrating.
func connect(t testing.TB, url string) *sqlx.DB {
	db, err := sqlx.Connect("postgres", url)
	must(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

// create makes an empty database, owned by the role owner, and gives its name.
func create(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", databases.Add(1))
	execute(t, connect(t, server.URL("postgres")), "CREATE DATABASE "+name+" OWNER owner")
	return name
}

// open makes a migrated database and gives its name too.
func open(t testing.TB) (*DB, string) {
	t.Helper()
	name := create(t)
	return reopen(t, name), name
}

func reopen(t testing.TB, name string) *DB {
	t.Helper()
	db, err := Open(t.Context(), at(t, server, "owner", name), quiet)
	must(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

func begin(t testing.TB, db *DB) *Run {
	t.Helper()
	run, err := db.BeginRun(t.Context(), RunInfo{Command: "test", Version: "1"})
	must(t, err)
	t.Cleanup(func() { run.End(context.Background(), 0) })
	return run
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func execute(t testing.TB, db *sqlx.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.Exec(statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// get reads one value.
func get[T any](t testing.TB, db *sqlx.DB, query string, args ...any) (v T) {
	t.Helper()
	if err := db.Get(&v, query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// spawn starts this binary as another program, and returns when that has said that it is where it should be killed.
func spawn(t *testing.T, role, url string) *os.Process {
	t.Helper()
	cmd := exec.Command(os.Args[0], url)
	cmd.Env = append(os.Environ(), "CROSSLIFT_TEST_CHILD="+role)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	in, err := cmd.StdinPipe() // open while the test lives: the child ends with us
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { in.Close(); cmd.Process.Kill(); cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("%s: %q, %v", role, line, err)
	}
	return cmd.Process
}

// child is the other program: it claims a task, and perhaps starts to publish, and waits to be killed.
func child(role, url string) error {
	ctx := context.Background()
	db, err := Open(ctx, url, quiet)
	if err != nil {
		return err
	}
	run, err := db.BeginRun(ctx, RunInfo{Command: "child", Version: "1"})
	if err != nil {
		return err
	}
	claim, err := run.Claim(ctx, aTask)
	if err != nil {
		return err
	}
	stop := func() {
		fmt.Println("ready")
		io.Copy(io.Discard, os.Stdin)
	}
	if role == "claim" {
		stop()
		return nil
	}
	_, err = db.Publish(ctx, claim, aLoad(1, 1), func(yield func(arrow.Record, error) bool) {
		if yield(recordOf(table.ExperimentResult, resultRows(5000, 1)), nil) { // several chunks are on their way
			stop()
		}
	})
	return err
}

const anExperiment = "cashback_99"

var aTask = Task{Job: "publish/" + anExperiment, Experiment: anExperiment, Day: 20000}

// aLoad is a night's results; content and recipe follow from the night and revision.
func aLoad(night table.Day, revision int) Load {
	return Load{
		Dataset: "experiment_results", Experiment: anExperiment, AsOf: 20000 + night, Revision: revision,
		Content: fmt.Sprintf("content %d/%d", night, revision), Recipe: fmt.Sprintf("recipe %d/%d", night, revision),
	}
}

// resultRows makes n rows that all say value.
func resultRows(n int, value float64) []any {
	rows := make([]any, n)
	for i := range rows {
		rows[i] = &table.ExperimentResultRow{
			Metric: fmt.Sprintf("metric_%d", i), Variant: "B", Unit: "profile", Estimand: "itt", Method: "welch",
			Adjustment: "none", Stitching: "as_of_exposure", Baseline: "A", ValueUnit: "RUB minor",
			Matured: int64(i), N: int64(2 * i), Mean: &value,
			Alpha: 0.05, DefinitionHash: "d", IdentityNight: 20000,
		}
	}
	return rows
}

// recordOf makes an Arrow batch of rows of a contract.
func recordOf(contract *table.Table, rows []any) arrow.Record {
	var fields []arrow.Field
	for _, c := range contract.Columns {
		fields = append(fields, arrow.Field{Name: c.Name, Nullable: true, Type: map[table.Type]arrow.DataType{
			table.String: arrow.BinaryTypes.String, table.Int: arrow.PrimitiveTypes.Int64,
			table.Float: arrow.PrimitiveTypes.Float64,
			table.Bool:  arrow.FixedWidthTypes.Boolean, table.Timestamp: arrow.FixedWidthTypes.Timestamp_us,
			table.ID: &arrow.FixedSizeBinaryType{ByteWidth: 16}, table.Date: arrow.FixedWidthTypes.Date32,
		}[c.Type]})
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	for _, row := range rows {
		for i, c := range contract.Columns {
			v := reflect.ValueOf(row).Elem().Field(c.Field)
			if absent := v.IsZero(); absent && (c.Optional || v.Kind() == reflect.Pointer) {
				b.Field(i).AppendNull()
				continue
			}
			if v.Kind() == reflect.Pointer {
				v = v.Elem()
			}
			switch b := b.Field(i).(type) {
			case *array.StringBuilder:
				b.Append(v.String())
			case *array.Int64Builder:
				b.Append(v.Int())
			case *array.Float64Builder:
				b.Append(v.Float())
			case *array.BooleanBuilder:
				b.Append(v.Bool())
			case *array.TimestampBuilder:
				b.Append(arrow.Timestamp(v.Int()))
			case *array.Date32Builder:
				b.Append(arrow.Date32(v.Int()))
			case *array.FixedSizeBinaryBuilder:
				id := v.Interface().(identifier.ID)
				b.Append(id[:])
			}
		}
	}
	return b.NewRecord()
}

// batchesOf yields records.
func batchesOf(records ...arrow.Record) iter.Seq2[arrow.Record, error] {
	return func(yield func(arrow.Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func contains(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; expected one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q: expected %q in it", err, part)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q: more than one line", err)
	}
}
