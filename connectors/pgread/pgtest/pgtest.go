// Package pgtest gives tests a real PostgreSQL server: one a test binary, with a new database for each test.
package pgtest

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lib/pq"

	"crosslift/warehouse/postgres/local"
)

// Server is the test binary's own. It starts with the first database.
type Server struct {
	start     sync.Once
	failed    error
	dir       string
	cluster   *local.Cluster
	databases atomic.Int64
}

// Main runs a package's tests, and ends the server, for os.Exit.
func Main(m *testing.M, s *Server) int {
	defer s.end()
	return m.Run()
}

func (s *Server) begin() {
	if s.dir, s.failed = os.MkdirTemp("", "crosslift-source-"); s.failed != nil {
		return
	}
	s.cluster, s.failed = local.Join(context.Background(), filepath.Join(s.dir, "cluster"), slog.New(slog.DiscardHandler))
	if s.failed == nil {
		s.failed = s.hasten()
	}
}

func (s *Server) end() {
	if s.cluster != nil {
		if err := s.cluster.Leave(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	if s.dir != "" {
		os.RemoveAll(s.dir)
	}
}

// hasten lets a server that is thrown away afterwards not wait for the disk, nor hold transactions of its own.
func (s *Server) hasten() error {
	db, err := sql.Open("postgres", s.cluster.URL("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	for _, statement := range []string{
		"ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off",
		"ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()",
	} {
		if _, err := db.Exec(statement); err != nil {
			return err
		}
	}
	return nil
}

// Database is a database of a test's own.
type Database struct {
	*sql.DB // as superuser
	server  *Server
	name    string
}

// Database makes an empty one.
func (s *Server) Database(t testing.TB) *Database {
	t.Helper()
	if s.start.Do(s.begin); s.failed != nil {
		t.Fatal(s.failed)
	}
	d := &Database{server: s, name: fmt.Sprintf("test_%d", s.databases.Add(1))}
	admin, err := sql.Open("postgres", s.cluster.URL("postgres"))
	if err == nil {
		defer admin.Close()
		_, err = admin.Exec("CREATE DATABASE " + pq.QuoteIdentifier(d.name))
	}
	if err == nil {
		d.DB, err = sql.Open("postgres", d.URL("postgres"))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// URL leads to the database as a role, without a password.
func (d *Database) URL(role string) string {
	u, err := url.Parse(d.server.cluster.URL(role))
	if err != nil {
		panic(err) // the cluster's own
	}
	u.Path = "/" + d.name
	return u.String()
}

// Do executes statements.
func (d *Database) Do(t testing.TB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := d.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}
