// Package pgread reads the tables of a source's own Postgres, day by day, into tables of the lake. The sources product
// database and assignment are settings over it.
//
// # How a day is read
//
// The rows of a business day are those whose time column lies in the day's half-open window. They are read in one
// transaction, REPEATABLE READ READ ONLY, in pages of the order (time, id), each page from the last key of the one
// before; count and sum of the day come from the same snapshot and must be what landed. Where the server ends the
// transaction (a conflict with a standby's recovery, a timeout, a restart), reading goes on from the last key in a new
// snapshot; then the total is what was read before plus what the new snapshot counts beyond that key.
//
// # Late commits: what is promised
//
// A row is stamped when it is written and seen when it is committed. One that is stamped before midnight and committed
// after the day was read is missing from that reading. There are two ways to get it.
//
// With `overlap`, the default: a day is read again by each of the next nights, as many as `restatement` says. A row
// is in the lake if it is committed at most `overlap` after its stamp, because the last reading of a day comes later
// than that; settings for which this does not hold are refused. (Nights that were left out have to be made up for from the
// first of them on, as backfill does, so that the day before them is read again.) Not seen: a row committed later still, a row whose stamp
// is set by hand to a day that is no longer read, and an UPDATE that leaves the stamp as it was once the day is sealed.
//
// With `tx`, a column of type xid8 that every INSERT and UPDATE sets to pg_current_xact_id(): the state of a day is the
// greatest tx of its rows below the horizon, under which every transaction has ended (pg_snapshot_xmin), and exactly
// the rows up to it are read. So a late commit changes the state however long it took and whatever its order, and the
// day is read again by the next night for which it is open, and only then: `restatement` may be long at little cost. An
// UPDATE that leaves the stamp is seen too. The price: a row written after a transaction that is still open, in any
// database of the server, waits for it to end, and comes with the next night. Not seen: what happens after `restatement` days.
//
// In neither way are rows seen that were deleted. A table of changes has one row an entity: the versions between two
// nights' readings are not seen, and were never promised by such a table.
package pgread

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/lib/pq"

	"crosslift/connectors"
	"crosslift/schemas/secret"
)

// DB is a source's Postgres. It is safe for concurrent use.
type DB struct {
	db     *sql.DB
	config pq.Config
	read   Settings
	env    connectors.Env
	wait   time.Duration // before the second try; it doubles
}

// Limits of the connections to one server.
const (
	connectTimeout = 10 * time.Second
	maxConnections = 4 // one a stream
	tries          = 6 // without a row in between
)

// Open prepares connections, and makes none. The settings are validated. An error never holds the password.
func Open(dsn secret.Secret, read Settings, env connectors.Env) (*DB, error) {
	cfg, err := pq.NewConfig(dsn.Reveal())
	if err != nil {
		return nil, malformed(dsn.Reveal(), err)
	}
	if err := verified(&cfg); err != nil {
		return nil, err
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectTimeout
	}
	if cfg.ApplicationName == "" {
		cfg.ApplicationName = "crosslift"
	}
	connector, err := pq.NewConnectorConfig(cfg)
	if err != nil {
		return nil, malformed(dsn.Reveal(), err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(maxConnections)
	db.SetConnMaxIdleTime(time.Minute)
	return &DB{db: db, config: cfg, read: read, env: env, wait: time.Second}, nil
}

// Close closes all connections.
func (d *DB) Close() error { return d.db.Close() }

// verified makes sure that the server's certificate is checked, unless the connection does not leave this machine.
func verified(cfg *pq.Config) error {
	near := true
	for _, host := range hosts(*cfg) {
		near = near && onThisMachine(host)
	}
	switch cfg.SSLMode {
	case "":
		cfg.SSLMode = pq.SSLModeVerifyFull
		if near {
			cfg.SSLMode = pq.SSLModePrefer
		}
	case pq.SSLModeVerifyFull, pq.SSLModeVerifyCA:
	case pq.SSLModeRequire: // which encrypts for whoever answers
		if !near {
			cfg.SSLMode = pq.SSLModeVerifyFull
		}
	default:
		if !near {
			return fmt.Errorf("url: sslmode=%s sends the password and the rows to whoever answers: set sslmode=verify-full, "+
				"with sslrootcert where the certificate is of your own authority", cfg.SSLMode)
		}
	}
	return nil
}

// hosts lists where the connection may lead to.
func hosts(cfg pq.Config) []string {
	all := []string{cfg.Host}
	if cfg.Hostaddr.IsValid() {
		all = []string{cfg.Hostaddr.String()}
	}
	for _, more := range cfg.Multi {
		host := more.Host
		if more.Hostaddr.IsValid() {
			host = more.Hostaddr.String()
		}
		all = append(all, host)
	}
	return all
}

// onThisMachine holds for sockets and loopback addresses.
func onThisMachine(host string) bool {
	host = strings.Trim(host, "[]")
	if host == "" || host == "localhost" || path.IsAbs(host) || strings.HasPrefix(host, "@") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// malformed is the error for a URL that cannot be read. Such errors may quote any part of it, so the reason is only
// given when the password is known and can be cut out.
func malformed(dsn string, err error) error {
	reason := "expected postgres://user:password@host:port/database?sslmode=verify-full"
	if u, bad := url.Parse(dsn); bad == nil && u.User != nil {
		if password, ok := u.User.Password(); ok && password != "" {
			text := err.Error()
			for _, form := range []string{password, url.QueryEscape(password), url.PathEscape(password)} {
				text = strings.ReplaceAll(text, form, "***")
			}
			reason = brief(text)
		}
	}
	return errors.New("url: malformed: " + reason)
}

// place names server and database in messages.
func (d *DB) place() string {
	at := hosts(d.config)[0]
	if !path.IsAbs(at) {
		at = net.JoinHostPort(at, fmt.Sprint(d.config.Port))
	}
	return fmt.Sprintf("database %q at %s", d.config.Database, at)
}

// snapshot runs do in a transaction that reads one state of the database, and writes nothing.
func (d *DB) snapshot(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := d.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, set := range []string{ // in the transaction, so that any pooler lets them through
		fmt.Sprintf("SET LOCAL statement_timeout = %d", time.Duration(d.read.StatementTimeout).Milliseconds()),
		fmt.Sprintf("SET LOCAL lock_timeout = %d", time.Duration(d.read.LockTimeout).Milliseconds()),
		"SET LOCAL TimeZone = 'UTC'", "SET LOCAL DateStyle = 'ISO, YMD'",
	} {
		if _, err := tx.ExecContext(ctx, set); err != nil {
			return err
		}
	}
	return do(tx)
}
