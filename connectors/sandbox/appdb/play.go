package appdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/lib/pq"

	"crosslift/connectors/sandbox/world"
)

// Play is Load for a database at a URL that is played on from where it was left: the file mark says until when it has been
// loaded. It makes the role that may read its tables when it is loaded first. Without the mark, and when the database has
// been played further already, it begins anew.
func Play(ctx context.Context, url string, r world.Reader, mark string, to time.Time, reader string) error {
	from, err := playedUntil(mark)
	if err != nil {
		return fmt.Errorf("product database: %w", err)
	}
	if from.Equal(to) {
		return nil
	}
	db, err := sql.Open("postgres", url)
	if err != nil {
		return fmt.Errorf("product database: %w", err)
	}
	if from.After(to) {
		from = time.Time{}
	}
	if from.IsZero() {
		err = clear(ctx, db, mark)
	}
	if err == nil {
		err = Load(ctx, db, r, from, to)
	}
	if err == nil && from.IsZero() {
		err = CreateReader(ctx, db, reader, "")
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	if err := os.WriteFile(mark, []byte(to.UTC().Format(time.RFC3339Nano)+"\n"), 0o600); err != nil {
		return fmt.Errorf("product database: %w", err)
	}
	return nil
}

// clear removes the tables, and first the mark that says what is in them.
func clear(ctx context.Context, db *sql.DB, mark string) error {
	if err := os.Remove(mark); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("product database: %w", err)
	}
	for _, t := range targets {
		if _, err := db.ExecContext(ctx, "DROP TABLE IF EXISTS "+pq.QuoteIdentifier(t.table)); err != nil {
			return fmt.Errorf("product database: %w", err)
		}
	}
	return nil
}

// playedUntil reads a mark; one that is missing is before everything.
func playedUntil(mark string) (time.Time, error) {
	content, err := os.ReadFile(mark)
	if errors.Is(err, os.ErrNotExist) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339Nano, strings.TrimSpace(string(content)))
}
