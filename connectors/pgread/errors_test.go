package pgread

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
	"crosslift/schemas/secret"
	"crosslift/schemas/table"
)

func TestErrorsSayWhatMendsThem(t *testing.T) {
	b := newBench(t)
	b.Do(t, `CREATE TABLE closed (LIKE watched)`, `CREATE SCHEMA hidden`, `CREATE TABLE hidden.watched (LIKE watched)`,
		`CREATE TABLE half (LIKE watched)`, `GRANT SELECT (id, at) ON half TO reader`,
		`CREATE TABLE ages (id int, at bigint, who text, seconds int)`, `CREATE VIEW broken AS SELECT id, at, who, seconds / 0 AS seconds FROM watched`,
		`GRANT SELECT ON ages, broken TO reader`)
	b.watch(1)
	for _, c := range []struct {
		table  string
		column string
		is     error
		parts  []string
	}{
		{"closed", "", connectors.ErrDown, []string{`GRANT SELECT ("id", "at", "who", "seconds") ON "closed" TO "reader"`}},
		{"half", "", connectors.ErrDown, []string{`GRANT SELECT ("who", "seconds") ON "half" TO "reader"`}},
		{"hidden.watched", "", connectors.ErrDown, []string{"permission denied for schema hidden", "GRANT USAGE ON SCHEMA and SELECT ON the table to reader"}},
		{"wached", "", connectors.ErrContract, []string{"there is no table wached that reader can see"}},
		{"nowhere.watched", "", connectors.ErrContract, []string{"there is no table nowhere.watched"}},
		{`watched"; DROP TABLE watched; --`, "", connectors.ErrContract, []string{"there is no table"}},
		{"watched", "secs", connectors.ErrContract, []string{"watched has no column secs: ", "mend `columns`"}},
		{"watched", `seconds" FROM watched; --`, connectors.ErrContract, []string{"has no column"}},
		{"ages", "", connectors.ErrContract, []string{"column at is a bigint: viewed_at needs a timestamp: give the stream a view"}},
		{"broken", "", nil, []string{"division by zero (SQLSTATE 22012)"}},
	} {
		spec := viewing
		spec.From = Table{Table: c.table, Columns: map[string]Column{
			"source_id": {From: "id"}, "viewed_at": {From: "at"}, "account": {From: "who"}, "seconds": {From: "seconds"},
		}}
		if c.column != "" {
			spec.From.Columns["seconds"] = Column{From: c.column}
		}
		err := extract(b, b.open(spec), sinkOf[table.ViewingRow](table.Viewing, b))
		contains(t, err, append(c.parts, "test/viewing 2026-11-03: page 1: ")...)
		if c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v: expected it to be %v", c.table, err, c.is)
		}
		if c.is != nil && strings.Contains(b.log.String(), "goes on") {
			t.Errorf("%s: it was tried again: %s", c.table, &b.log)
		}
	}
	b.read = Settings{Tx: "seconds"}
	spec := viewing
	contains(t, extract(b, b.open(spec), sinkOf[table.ViewingRow](table.Viewing, b)), "column seconds is a integer: `tx` needs an xid8")
}

func TestTheServerDoesNotAnswer(t *testing.T) {
	b := newBench(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := free.Addr().String()
	free.Close()
	rude, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer rude.Close()
	go func() { // ends with the listener
		for {
			c, err := rude.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	for url, parts := range map[string][]string{
		"postgres://reader:geheim@" + nobody + "/cinema":                                                                {`database "cinema" at ` + nobody, "connection refused", "(6 tries)"},
		"postgres://reader:geheim@" + rude.Addr().String() + "/cinema":                                                  {"the connection was lost", "(6 tries)"},
		strings.Replace(b.URL(role), "/test_", "/nothing_", 1):                                                          {"does not exist", "mend the database's name in `url`"},
		strings.Replace(b.URL(role), "reader", "stranger", 1):                                                           {`role "stranger" does not exist`, "mend user and password in `url`"},
		strings.Replace(b.URL(role), "postgres://reader@", "postgres://reader:geheim@", 1) + "&statement_timeout=never": {"SQLSTATE 22023"},
	} {
		if err := b.read.Prepare(); err != nil {
			t.Fatal(err)
		}
		db, err := Open(secret.New(url), b.read, b.env)
		if err != nil {
			t.Fatal(err)
		}
		db.wait = time.Millisecond
		s, err := db.New(viewing)
		if err != nil {
			t.Fatal(err)
		}
		err = extract(b, s, sinkOf[table.ViewingRow](table.Viewing, b))
		contains(t, err, parts...)
		if strings.Contains(err.Error(), "geheim") || strings.Contains(b.log.String(), "geheim") {
			t.Errorf("%v: shows the password", err)
		}
		if !errors.Is(err, connectors.ErrDown) && !strings.Contains(err.Error(), "22023") {
			t.Errorf("%v: expected ErrDown", err)
		}
		db.Close()
	}
}

func TestLocksAndSlowStatementsAreGivenUpAfterSomeTries(t *testing.T) {
	b := newBench(t)
	b.watch(1)
	b.read.LockTimeout = Duration(20 * time.Millisecond)
	b.read.StatementTimeout = Duration(50 * time.Millisecond)
	s := b.open(viewing)
	migration, err := b.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := migration.Exec(`LOCK TABLE watched IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	err = extract(b, s, sinkOf[table.ViewingRow](table.Viewing, b))
	contains(t, err, "lock timeout", "raise `lock_timeout`", "(6 tries)")
	equal(t, "ErrDown", errors.Is(err, connectors.ErrDown), true)

	b.log.Reset()
	s.db.wait = 20 * time.Millisecond
	time.AfterFunc(100*time.Millisecond, func() { migration.Rollback() })
	equal(t, "once the lock is gone", ids(b.views(s)), "1")

	b.Do(t, `CREATE VIEW slow AS SELECT *, pg_sleep(10) IS NULL AS waited FROM watched`, `GRANT SELECT ON slow TO reader`)
	spec := viewing
	spec.From.Table = "slow"
	spec.Only = &Condition{Column: "waited", Values: []string{"true", "false"}}
	err = extract(b, b.open(spec), sinkOf[table.ViewingRow](table.Viewing, b))
	contains(t, err, "statement timeout", "raise `statement_timeout`")
	equal(t, "ErrDown", errors.Is(err, connectors.ErrDown), true)
}

func TestNothingIsWritten(t *testing.T) {
	b := newBench(t)
	b.watch(1)
	b.Do(t, `CREATE FUNCTION sneaky() RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM watched; RETURN 1; END'`,
		`CREATE VIEW trap AS SELECT id, at, who, sneaky() AS seconds FROM watched`, `GRANT SELECT ON trap TO reader`,
		`GRANT DELETE ON watched TO reader`)
	spec := viewing
	spec.From.Table = "trap"
	contains(t, extract(b, b.open(spec), sinkOf[table.ViewingRow](table.Viewing, b)), "read-only transaction")
}

func TestTLSIsVerifiedUnlessTheConnectionStaysHere(t *testing.T) {
	read := Settings{}
	if err := read.Prepare(); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"postgres://u:p@db.cinema.dev/x":                       "verify-full",
		"postgres://u:p@db.cinema.dev/x?sslmode=require":       "verify-full",
		"postgres://u:p@db.cinema.dev/x?sslmode=verify-ca":     "verify-ca",
		"postgres://u:p@db.cinema.dev/x?sslmode=verify-full":   "verify-full",
		"host=db.cinema.dev user=u password=p":                 "verify-full",
		"postgres://u:p@localhost/x":                           "prefer",
		"postgres://u:p@127.0.0.1/x?sslmode=disable":           "disable",
		"postgres://u:p@[::1]/x":                               "prefer",
		"postgres://u:p@localhost/x?sslmode=verify-full":       "verify-full",
		"host=/run/postgresql user=u":                          "disable",
		"postgres://u:p@localhost,db.cinema.dev/x":             "verify-full",
		"postgres://u:p@db.cinema.dev/x?sslmode=disable":       "url: sslmode=disable sends the password and the rows to whoever answers",
		"postgres://u:p@db.cinema.dev/x?sslmode=prefer":        "url: sslmode=prefer sends",
		"postgres://u:p@localhost,10.0.0.1/x?sslmode=disable":  "url: sslmode=disable sends",
		"postgres://u:geheim@db.cinema.dev:99999/x":            "url: malformed: ",
		"postgres://u:geheim@db.cinema.dev/x?sslmode=geheim":   "url: malformed: ",
		"postgres://u:gehe%zzim@db.cinema.dev/x?sslmode=never": "url: malformed: expected postgres://user:password@host:port/database",
	} {
		db, err := Open(secret.New(url), read, connectors.Env{})
		if err != nil {
			contains(t, err, want)
			if strings.Contains(err.Error(), "geheim") || strings.Contains(err.Error(), "gehe%zzim") {
				t.Errorf("%v: shows the password", err)
			}
			continue
		}
		equal(t, url, string(db.config.SSLMode), want)
		db.Close()
	}
}

// A server whose certificate nobody knows is not talked to.
func TestAStrangeCertificateIsRefused(t *testing.T) {
	b := newBench(t)
	db := &DB{config: b.db().config}
	again, err := db.failure(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}})
	equal(t, "again", again, false)
	contains(t, err, "its certificate is not valid for us", "set sslrootcert")
}

func TestMessagesAreShortAndHoldNothingPersonal(t *testing.T) {
	text := brief("duplicate key (ann@cinema.dev)\n\tphone +49 160 12345678 " + strings.Repeat("é", 300))
	for _, planted := range []string{"ann@", "12345678", "\n"} {
		if strings.Contains(text, planted) {
			t.Errorf("%q has %q", text, planted)
		}
	}
	equal(t, "length", len(text) <= 204 && bytes.HasSuffix([]byte(text), []byte("é…")), true)
}

func TestACancelledContextEndsTheWait(t *testing.T) {
	b := newBench(t)
	s := b.open(viewing)
	s.db.wait = time.Hour
	b.watch(1)
	b.Do(t, `ALTER TABLE watched RENAME TO gone`, `CREATE VIEW watched AS SELECT *, pg_sleep(60) IS NULL AS x FROM gone`)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	_ = s.Extract(ctx, day, nil, connectorstest.Discard{})
	equal(t, "soon", time.Since(began) < 10*time.Second, true)
}

func TestWhichErrorsAreTriedAgain(t *testing.T) {
	db := newBench(t).db()
	for code, want := range map[string]struct {
		again bool
		is    error
	}{
		"40001": {true, connectors.ErrDown}, // also a conflict with recovery, on a standby
		"40P01": {true, connectors.ErrDown},
		"57014": {true, connectors.ErrDown},
		"57P01": {true, connectors.ErrDown},
		"57P02": {true, connectors.ErrDown},
		"57P03": {true, connectors.ErrDown},
		"08006": {true, connectors.ErrDown},
		"53300": {true, connectors.ErrDown},
		"55P03": {true, connectors.ErrDown},
		"25P03": {true, connectors.ErrDown},
		"58030": {true, connectors.ErrDown},
		"28P01": {false, connectors.ErrDown},
		"3D000": {false, connectors.ErrDown},
		"42501": {false, connectors.ErrDown},
		"42P01": {false, connectors.ErrContract},
		"42703": {false, connectors.ErrContract},
	} {
		again, err := db.failure(fmt.Errorf("wrapped: %w", &pq.Error{Code: pqerror.Code(code), Message: "m", Detail: "ann@cinema.dev"}))
		if again != want.again || !errors.Is(err, want.is) || strings.Contains(err.Error(), "ann@") {
			t.Errorf("%s: again %t, %v", code, again, err)
		}
	}
	for _, lost := range []error{driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, &net.OpError{Op: "dial", Err: context.DeadlineExceeded}} {
		if again, err := db.failure(lost); !again || !errors.Is(err, connectors.ErrDown) {
			t.Errorf("%v: again %t, %v", lost, again, err)
		}
	}
}
