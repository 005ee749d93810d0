// Package postgres is the warehouse and the ledger. The warehouse holds published results, a load of the lake that can
// be made again from it; the ledger holds what no other place knows: runs, who owns which task, and how attempts
// ended. It is the only package with SQL.
//
// The database has three schemas: ledger and warehouse belong to the role owner, and bi has the views that the role
// bi, and with it analysts and BI tools, may read.
package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// Limits of the connections to one server.
const (
	connectTimeout = 10 * time.Second
	maxConnections = 12 // of one program: publications in parallel, the ledger's session, a few queries
)

// DB is a migrated database. It is safe for concurrent use.
type DB struct {
	db *sqlx.DB
}

// Open connects, applies the migrations that the database lacks, and gives it. Programs that start at once wait for
// each other here. The URL (or a libpq key=value string) must lead to the server itself or to a pooler in session
// mode, since a task's ownership is a lock of the session. An error wraps ErrUnavailable when the server cannot be
// reached, refuses the login, has no such database, or lacks what only an administrator can give; it never holds the
// password.
func Open(ctx context.Context, url string, log *slog.Logger) (*DB, error) {
	cfg, err := pq.NewConfig(url)
	if err != nil {
		return nil, malformed(url, err)
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectTimeout
	}
	if cfg.ApplicationName == "" {
		cfg.ApplicationName = "crosslift"
	}
	connector, err := pq.NewConnectorConfig(cfg)
	if err != nil {
		return nil, malformed(url, err)
	}
	db := sqlx.NewDb(sql.OpenDB(connector), "postgres")
	db.SetMaxOpenConns(maxConnections)
	if err := reach(ctx, db, cfg); err != nil {
		db.Close()
		return nil, err
	}
	if err := migrate(ctx, db, log); err != nil {
		db.Close()
		return nil, err
	}
	return &DB{db}, nil
}

// reach makes the first connection.
func reach(ctx context.Context, db *sqlx.DB, cfg pq.Config) error {
	var role string
	var standby bool
	err := db.QueryRowContext(ctx, `SELECT current_user, pg_is_in_recovery()`).Scan(&role, &standby)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("postgres: connecting to %s: %w", place(cfg), ctx.Err())
	case err != nil:
		return fmt.Errorf("postgres: %w: %s: %s", ErrUnavailable, place(cfg), oneLine(redact(err.Error(), cfg.Password)))
	case standby:
		return fmt.Errorf("postgres: %w: %s is a read-only standby: use the URL of the primary", ErrUnavailable, place(cfg))
	case role == "bi":
		return fmt.Errorf("postgres: %w: the URL logs in as bi, which may only read: log in as owner or a member of it",
			ErrUnavailable)
	}
	return nil
}

// Close closes all connections.
func (d *DB) Close() error { return d.db.Close() }
