package appdb

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"

	"crosslift/connectors/sandbox/world"
)

//go:embed schema.sql
var schema string

// target is a table and the stream that its rows come from.
type target struct {
	source, stream, table string
	columns               []string
}

var targets = []target{
	{Product, "users", "users", strings.Fields("id registered_at email email_verified phone name country " +
		"marketing_consent analytics_consent deleted updated_at")},
	{Product, "devices", "devices", strings.Fields("id type platform model first_seen_at registered_by updated_at")},
	{Product, "logins", "logins", strings.Fields("id at user_id device_id session kind")},
	{Product, "viewing", "viewing_actions", strings.Fields("id started_at user_id device_id title seconds")},
	{Assignment, "rows", "ab_assignments", strings.Fields("id experiment unit_type unit_id variant kind assigned_at " +
		"platform country device_id")},
}

// Load brings the tables of a database from how they were at one instant, from, to how the product has them at a later
// one: every version that became visible in (from, to] is written, in one transaction. The zero from is before
// everything. In a database without them the tables are created; nothing else is touched.
func Load(ctx context.Context, db *sql.DB, r world.Reader, from, to time.Time) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("product database: %w", err)
	}
	defer tx.Rollback()
	var missing bool
	if err := tx.QueryRowContext(ctx, "SELECT to_regclass('users') IS NULL").Scan(&missing); err != nil {
		return fmt.Errorf("product database: %w", err)
	}
	if missing {
		if _, err := tx.ExecContext(ctx, schema); err != nil {
			return fmt.Errorf("product database: %w", err)
		}
	}
	for _, t := range targets {
		if err := t.load(ctx, tx, r, from, to); err != nil {
			return fmt.Errorf("product database: %s: %w", t.table, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("product database: %w", err)
	}
	return nil
}

// CreateReader makes a role that may log in and read the tables, and nothing else. Without a password it can only come
// where the server trusts it. It needs the right to create roles, and Load before it.
func CreateReader(ctx context.Context, db *sql.DB, role, password string) error {
	login := " LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE"
	if password != "" {
		login += " PASSWORD " + pq.QuoteLiteral(password)
	}
	var exists bool
	if err := db.QueryRowContext(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role).Scan(&exists); err != nil {
		return fmt.Errorf("product database: %w", err)
	}
	var statements []string
	if !exists { // who may create a role may not change all of it
		statements = append(statements, "CREATE ROLE "+pq.QuoteIdentifier(role)+login)
	}
	name := pq.QuoteIdentifier(role)
	statements = append(statements, "ALTER ROLE "+name+" SET default_transaction_read_only = on", "GRANT USAGE ON SCHEMA public TO "+name)
	for _, t := range targets {
		statements = append(statements, "GRANT SELECT ON "+pq.QuoteIdentifier(t.table)+" TO "+name)
	}
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("product database: role %s: %w", role, err)
		}
	}
	return nil
}

// load writes what became visible of one table.
func (t target) load(ctx context.Context, tx *sql.Tx, r world.Reader, from, to time.Time) error {
	nights, err := r.Nights(t.source, t.stream)
	if err != nil {
		return err
	}
	for _, night := range nights {
		near, err := mayHold(night, from, to)
		if err != nil {
			return err
		}
		if !near {
			continue
		}
		records, err := r.Night(t.source, t.stream, night)
		if err != nil {
			return err
		}
		newest, err := newest(records, from, to)
		if err != nil {
			return fmt.Errorf("%s: %w", night, err)
		}
		if err := t.write(ctx, tx, newest); err != nil {
			return fmt.Errorf("%s: %w", night, err)
		}
	}
	return nil
}

// mayHold reports whether the file of a night can have records that became visible in (from, to], whatever its zone.
func mayHold(night string, from, to time.Time) (bool, error) {
	day, err := time.Parse(time.DateOnly, night)
	if err != nil {
		return false, fmt.Errorf("%q is no night: expected YYYY-MM-DD", night)
	}
	const farthest = 15 * time.Hour // of any zone from UTC
	return !day.Add(-farthest).After(to) && day.Add(25*time.Hour+farthest).After(from), nil
}

// newest gives of each id the version that became visible last in (from, to], of several the one that changed last.
func newest(records []world.Record, from, to time.Time) ([]world.Record, error) {
	at := map[string]int{}
	var kept []world.Record
	for _, r := range records {
		switch {
		case r.Gone != nil:
			return nil, fmt.Errorf("record %s is gone at a time: rows of this table are never deleted", r.ID)
		case !r.Visible.After(from) || r.Visible.After(to):
			continue
		}
		i, seen := at[r.ID]
		switch {
		case !seen:
			at[r.ID] = len(kept)
			kept = append(kept, r)
		case cmp.Or(r.Visible.Compare(kept[i].Visible), r.At.Compare(kept[i].At)) >= 0:
			kept[i] = r
		}
	}
	return kept, nil
}

// write copies rows into a temporary table and from there over what the table has of them.
func (t target) write(ctx context.Context, tx *sql.Tx, records []world.Record) error {
	if len(records) == 0 {
		return nil
	}
	objects := make([]map[string]json.RawMessage, len(records))
	for i, r := range records {
		if err := json.Unmarshal(r.Object, &objects[i]); err != nil {
			return fmt.Errorf("record %s: expected a JSON object", r.ID)
		}
	}
	columns, err := t.widen(ctx, tx, objects)
	if err != nil {
		return err
	}
	table, incoming := pq.QuoteIdentifier(t.table), "incoming_"+t.table
	var names, updates []string
	for _, c := range columns {
		name := pq.QuoteIdentifier(c)
		names = append(names, name)
		updates = append(updates, name+" = EXCLUDED."+name)
	}
	list := strings.Join(names, ", ")
	_, err = tx.ExecContext(ctx, "CREATE TEMPORARY TABLE "+incoming+" AS SELECT "+list+" FROM "+table+" WITH NO DATA")
	if err != nil {
		return err
	}
	copied, err := tx.PrepareContext(ctx, "COPY pg_temp."+incoming+" ("+list+") FROM STDIN")
	if err != nil {
		return err
	}
	defer copied.Close()
	values := make([]any, len(columns))
	for i, r := range records {
		for j, c := range columns {
			if values[j], err = value(objects[i][c]); err != nil {
				return fmt.Errorf("record %s: %s: %w", r.ID, c, err)
			}
		}
		if _, err := copied.ExecContext(ctx, values...); err != nil {
			return err
		}
	}
	if _, err := copied.ExecContext(ctx); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO "+table+" ("+list+") SELECT "+list+" FROM "+incoming+
		" ON CONFLICT (id) DO UPDATE SET "+strings.Join(updates, ", "))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "DROP TABLE "+incoming)
	return err
}

// widen lists the columns of some rows, and adds those to the table that it lacks, as text: the product's developers
// have added them.
func (t target) widen(ctx context.Context, tx *sql.Tx, objects []map[string]json.RawMessage) ([]string, error) {
	columns := slices.Clone(t.columns)
	for _, o := range objects {
		for name := range o {
			if !slices.Contains(columns, name) {
				columns = append(columns, name)
			}
		}
	}
	added := columns[len(t.columns):]
	slices.Sort(added)
	for _, name := range added {
		_, err := tx.ExecContext(ctx, "ALTER TABLE "+pq.QuoteIdentifier(t.table)+" ADD COLUMN IF NOT EXISTS "+pq.QuoteIdentifier(name)+" text")
		if err != nil {
			return nil, err
		}
	}
	return columns, nil
}

// value gives a JSON value as the database reads it.
func value(written json.RawMessage) (any, error) {
	switch {
	case len(written) == 0 || string(written) == "null":
		return nil, nil
	case written[0] != '"':
		return string(written), nil
	case bytes.IndexByte(written, '\\') < 0: // most of them: nothing to unescape
		return string(written[1 : len(written)-1]), nil
	}
	var text string
	err := json.Unmarshal(written, &text)
	return text, err
}
