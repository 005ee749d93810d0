package pgread

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"

	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

// query is the SQL over a stream's table for a window, as the table is in a snapshot.
type query struct {
	table       string
	time, id    string // the key, as columns of it
	timeKind    string
	idKind      string
	key         [2]string // the key as text
	columns     []string  // of the stream's rows as text, one a mapped column
	where       string    // without the window's bounds
	reason      string    // text of why a row is refused, NULL when it is not
	sum         string    // of an integer column, or ""
	tx          string    // its column, or ""
	zone        string
	window      table.Window
	unknown     []string // columns that nobody has classified
	pageRecords int
}

// prepare asks the server what the table is, and refuses one that the stream cannot be read from.
func (s *Stream) prepare(ctx context.Context, tx *sql.Tx, window table.Window) (*query, error) {
	known, err := s.describe(ctx, tx)
	if err != nil {
		return nil, err
	}
	n := &needs{known: known, named: slices.Clone(s.From.Ignore)}
	q := &query{
		table: quoted(s.From.Table), zone: s.db.read.Zone, window: window, where: "true", reason: "NULL", pageRecords: s.db.read.PageSize,
	}
	for _, c := range s.To.Columns {
		if from := s.From.Columns[c.Name]; from.From != "" {
			if err := q.column(s, c, from, n); err != nil {
				return nil, err
			}
		}
	}
	if name := s.db.read.Tx; name != "" {
		if kind := n.column(name); kind != xid8 && kind != "" {
			return nil, broken("%s: column %s is a %s: `tx` needs an xid8", s.From.Table, name, kind)
		}
		q.tx = of(name)
	}
	if s.Only != nil {
		n.column(s.Only.Column)
		q.where = s.Only.sql()
	}
	if len(s.Refuse) > 0 {
		q.reason = "CASE"
		for _, r := range s.Refuse {
			n.column(r.Column)
			q.reason += " WHEN " + r.sql() + " THEN " + pq.QuoteLiteral(r.Reason)
		}
		q.reason += " END"
	}
	if err := n.unmet(s); err != nil {
		return nil, err
	}
	q.unknown = n.unnamed()
	return q, nil
}

// column adds what a column of the lake is read from.
func (q *query) column(s *Stream, to table.Column, from Column, n *needs) error {
	kind := n.column(from.From)
	text := of(from.From) + "::text"
	isKey := to.Name == s.To.EventTime
	switch {
	case to.Type != table.Timestamp:
	case kind == timestamptz, kind == timestamp, kind == date && !isKey:
		text = instant(from.From, kind, q.zone) + "::text"
	case kind != "":
		return broken("%s: column %s is a %s: %s needs a timestamp: give the stream a view that has one",
			s.From.Table, from.From, kind, to.Name)
	}
	switch {
	case isKey:
		q.time, q.timeKind, q.key[0] = of(from.From), kind, text
	case to.Name == sourceID:
		q.id, q.idKind, q.key[1] = of(from.From), kind, of(from.From)+"::text"
	case to.Name == s.Sum && slices.Contains([]string{"bigint", "integer", "smallint"}, kind):
		q.sum = of(from.From)
	}
	if from.When != nil {
		n.column(from.When.Column)
		text = "CASE WHEN " + from.When.sql() + " THEN " + text
		if from.Else != "" {
			n.column(from.Else)
			text += " ELSE " + of(from.Else) + "::text"
		}
		text += " END"
	}
	q.columns = append(q.columns, text)
	return nil
}

// needs are the columns that a stream asks of its table.
type needs struct {
	known           columns
	named           []string // by the settings, read or not
	missing, hidden []string
}

// column asks for one, and gives its type; "" where it is missing.
func (n *needs) column(name string) (kind string) {
	c, ok := n.known[name]
	switch {
	case !ok && !slices.Contains(n.missing, name):
		n.missing = append(n.missing, name)
	case ok && !c.readable && !slices.Contains(n.hidden, name):
		n.hidden = append(n.hidden, name)
	}
	n.named = append(n.named, name)
	return c.kind
}

// unmet says what is missing, or what the role may not read.
func (n *needs) unmet(s *Stream) error {
	user := s.db.config.User
	switch {
	case len(n.missing) > 0:
		return broken("%s has no column %s: %s: mend `columns`, or the table", s.From.Table,
			strings.Join(n.missing, ", "), strictyaml.Suggest(n.missing[0], slices.Sorted(maps.Keys(n.known))))
	case len(n.hidden) > 0:
		var names []string
		for _, name := range n.hidden {
			names = append(names, pq.QuoteIdentifier(name))
		}
		return down("%s may not read %s: GRANT SELECT (%s) ON %s TO %s", user, s.From.Table,
			strings.Join(names, ", "), quoted(s.From.Table), pq.QuoteIdentifier(user))
	}
	return nil
}

// unnamed lists the columns that nobody has classified.
func (n *needs) unnamed() (names []string) {
	for _, name := range slices.Sorted(maps.Keys(n.known)) {
		if !slices.Contains(n.named, name) {
			names = append(names, name)
		}
	}
	return names
}

// describe lists the table's columns.
func (s *Stream) describe(ctx context.Context, tx *sql.Tx) (columns, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT attname, format_type(atttypid, NULL), has_column_privilege(attrelid, attnum, 'SELECT')
		FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`, quoted(s.From.Table))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	known := columns{}
	for rows.Next() {
		var name string
		var c column
		if err := rows.Scan(&name, &c.kind, &c.readable); err != nil {
			return nil, err
		}
		known[name] = c
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for name, c := range known {
		if c.kind == "character" { // which a cast would take for character(1)
			known[name] = column{"bpchar", c.readable}
		}
	}
	if len(known) == 0 {
		return nil, broken("there is no table %s that %s can see: set `table`, with its schema, or GRANT USAGE ON its SCHEMA",
			s.From.Table, s.db.config.User)
	}
	return known, nil
}

// key is the place of a row in the order in which a table is read.
type key struct {
	at table.Micros
	id string
}

// from gives FROM and WHERE for the rows of the window, up to a transaction if one is given, behind a key if one is.
func (q *query) from(last string, after *key) (sql string, args []any) {
	parameter := func(value string) string {
		args = append(args, value)
		return "$" + strconv.Itoa(len(args))
	}
	at := func(t time.Time) string {
		return bound(parameter(t.UTC().Format("2006-01-02T15:04:05.000000Z")), q.timeKind, q.zone)
	}
	sql = fmt.Sprintf(" FROM %s AS t WHERE %s >= %s AND %s < %s AND %s",
		q.table, q.time, at(q.window.From), q.time, at(q.window.To), q.where)
	if last != "" {
		sql += " AND " + q.tx + " <= " + parameter(last) + "::xid8"
	}
	if after != nil {
		sql += fmt.Sprintf(" AND (%s, %s) > (%s, %s::%s)", q.time, q.id, at(after.at.Time()), parameter(after.id), q.idKind)
	}
	return sql, args
}

// page gives the rows behind a key, a page of them: the key, the reason of a refusal, the columns.
func (q *query) page(last string, after *key) (string, []any) {
	from, args := q.from(last, after)
	return fmt.Sprintf("SELECT %s, %s, %s%s ORDER BY %s, %s LIMIT %d", strings.Join(q.key[:], ", "), q.reason,
		strings.Join(q.columns, ", "), from, q.time, q.id, q.pageRecords), args
}

// total counts the rows behind a key, and sums them.
func (q *query) total(last string, after *key) (string, []any) {
	from, args := q.from(last, after)
	sum := "0::bigint"
	if q.sum != "" {
		sum = "coalesce(sum(" + q.sum + "), 0)::bigint"
	}
	return "SELECT count(*), " + sum + from, args
}

// last gives the greatest finished transaction of the window. (There is no max(xid8) before PostgreSQL 15.)
func (q *query) last() (string, []any) {
	from, args := q.from("", nil)
	return fmt.Sprintf("SELECT %s::text%s AND %s < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY %s DESC LIMIT 1",
		q.tx, from, q.tx, q.tx), args
}
