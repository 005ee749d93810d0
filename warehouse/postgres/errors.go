package postgres

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	"github.com/lib/pq"
)

var (
	// ErrUnavailable says that the database cannot be used as it is configured: a matter for who runs the program.
	ErrUnavailable = errors.New("the warehouse cannot be used")
	// ErrHeld says that another live run owns a task; the message names its host and process.
	ErrHeld = errors.New("another run owns it")
	// ErrLost says that a claim is no longer ours: the session that held it has ended, and another run may have
	// claimed the task since. Nothing was written.
	ErrLost = errors.New("the claim on the task was lost")
	// ErrConflict says that a load was published before with other rows; a published revision never changes.
	ErrConflict = errors.New("already published with other rows")
)

// malformed is the error for a URL that cannot be read. Such errors may quote any part of it, so the reason is only
// given when the password is known and can be cut out.
func malformed(dsn string, err error) error {
	reason := "expected postgres://user:password@host:port/database"
	if u, bad := url.Parse(dsn); bad == nil && u.User != nil {
		password, _ := u.User.Password()
		reason = oneLine(redact(err.Error(), password))
	}
	return fmt.Errorf("postgres: %w: the URL is malformed: %s", ErrUnavailable, reason)
}

func redact(text, password string) string {
	if password == "" {
		return text
	}
	for _, secret := range []string{password, url.QueryEscape(password), url.PathEscape(password)} {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return text
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// place names a server and database in messages.
func place(cfg pq.Config) string {
	at := fmt.Sprintf("%s:%d", cfg.Host, cfg.Port)
	if cfg.Host == "" && cfg.Hostaddr.IsValid() {
		at = fmt.Sprintf("%s:%d", cfg.Hostaddr, cfg.Port)
	}
	return fmt.Sprintf("database %q at %s", cfg.Database, at)
}

// failed wraps the error of a statement with what was being done, as one line.
func failed(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone): // their texts say little
		return fmt.Errorf("postgres: %s: the connection to the server was lost: run again: %w", doing, err)
	}
	return fmt.Errorf("postgres: %s: %w", doing, err)
}

// lost reports an error that ends a session.
func lost(err error) bool {
	var network *net.OpError
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		pq.As(err, "57P01", "57P02", "57P05") != nil // ended by an administrator, by a crash, for being idle
}
