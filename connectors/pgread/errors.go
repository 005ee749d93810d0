package pgread

import (
	"context"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"unicode/utf8"

	"github.com/lib/pq"

	"crosslift/connectors"
	"crosslift/schemas/identifier"
)

// refusal is an error that says itself what is wrong and what mends it.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// down and broken make refusals.
func down(format string, args ...any) error {
	return refusal{fmt.Errorf("%w: %s", connectors.ErrDown, fmt.Sprintf(format, args...))}
}

func broken(format string, args ...any) error {
	return refusal{fmt.Errorf("%w: %s", connectors.ErrContract, fmt.Sprintf(format, args...))}
}

// failure gives an error of the server its class. Again says that another try in a new snapshot may succeed; that error
// is ErrDown when no further one is made. The codes are those of PostgreSQL's manual, appendix A. Whether our own context
// has ended is for the caller to see: a dial that times out says DeadlineExceeded too.
func (d *DB) failure(err error) (again bool, _ error) {
	var refused refusal
	var server *pq.Error
	var network net.Error
	var unknown x509.UnknownAuthorityError
	var certificate x509.CertificateInvalidError
	var name x509.HostnameError
	switch {
	case err == nil:
		return false, nil
	case errors.As(err, &refused), errors.Is(err, context.Canceled):
		return false, err
	case errors.As(err, &unknown), errors.As(err, &certificate), errors.As(err, &name):
		return false, down("%s: its certificate is not valid for us: %s: set sslrootcert, or mend the certificate",
			d.place(), brief(err.Error()))
	case errors.As(err, &server):
		return d.answer(server)
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, sql.ErrTxDone),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &network):
		return true, down("%s: the connection was lost, or there is none: %s: see that the server runs, and host and port in `url`",
			d.place(), brief(err.Error()))
	}
	return false, fmt.Errorf("%s: %s", d.place(), brief(err.Error()))
}

// answer is failure for what the server answers. Of its texts only the message is shown: the detail may hold values.
func (d *DB) answer(e *pq.Error) (again bool, _ error) {
	code, message := string(e.Code), brief(e.Message)
	switch code {
	case "57014":
		return true, down("%s: %s: raise `statement_timeout`, lower `page_size`, or add the index", d.place(), message)
	case "55P03":
		return true, down("%s: %s: raise `lock_timeout`, or wait for the change of the table to end", d.place(), message)
	case "25P03", "25P04": // the server's own limits of transactions
		return true, down("%s: %s: raise the role's limit for transactions", d.place(), message)
	case "42501":
		return false, down("%s: %s: GRANT USAGE ON SCHEMA and SELECT ON the table to %s", d.place(), message, d.config.User)
	case "3D000":
		return false, down("%s: %s: mend the database's name in `url`", d.place(), message)
	case "42P01", "3F000", "42703":
		return false, broken("%s: %s: mend `table` or `columns`", d.place(), message)
	}
	switch code[:2] {
	case "08", "40", "53", "57", "58": // connection, rollback and recovery, resources, intervention, system
		return true, down("%s: %s (SQLSTATE %s)", d.place(), message, code)
	case "28":
		return false, down("%s: %s: mend user and password in `url`", d.place(), message)
	}
	return false, fmt.Errorf("%s: %s (SQLSTATE %s)", d.place(), message, code)
}

// brief makes a foreign text fit for messages: one line of 200 bytes, without what looks personal.
func brief(text string) string {
	text = identifier.Redact(strings.Join(strings.Fields(text), " "))
	const most = 200
	if len(text) <= most {
		return text
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
