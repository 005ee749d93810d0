package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// versionTable records which migrations a database has.
const versionTable = "crosslift_migration"

// migrate brings the database to the program's version. There is no way back: a program refuses a database that a
// newer one has migrated.
func migrate(ctx context.Context, db *sqlx.DB, log *slog.Logger) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("postgres: migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db.DB, files,
		goose.WithDisableGlobalRegistry(true), goose.WithTableName(versionTable), goose.WithSessionLocker(migrationLock{}),
		goose.WithGoMigrations(goose.NewGoMigration(1, &goose.GoFunc{RunDB: createRoles}, nil)))
	if err != nil {
		return fmt.Errorf("postgres: migrations: %w", err)
	}
	applied, err := provider.Up(ctx)
	var denied *deniedError
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("postgres: migrating: %w", ctx.Err())
	case errors.As(err, &denied):
		return denied
	case pq.As(err, pqerror.InsufficientPrivilege) != nil:
		return deny(ctx, db.DB, err)
	case err != nil:
		return failed("migrating", err)
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return failed("migrating", err)
	}
	if current > target {
		return fmt.Errorf("postgres: %w: it was migrated to version %d, this program knows %d: use a newer crosslift",
			ErrUnavailable, current, target)
	}
	if len(applied) > 0 {
		log.Info("warehouse migrated", "version", current)
	}
	return nil
}

// migrationLock lets one program migrate at a time; the others wait. goose's own locker polls once a second.
type migrationLock struct{}

func (migrationLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1, 0)`, migrationLocks)
	return err
}

func (migrationLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_unlock($1, 0)`, migrationLocks)
	return err
}

// missingRights lists the statements that the server still needs before the schemas can be made. Roles belong to the
// whole server, so some may exist already; where an administrator has set one of bi's settings, it is left alone.
const missingRights = `
WITH here AS (
  SELECT current_database() AS db, current_user AS me, to_regrole('owner')::oid AS owner, to_regrole('bi')::oid AS bi
), setting(name, value) AS (VALUES
  ('default_transaction_read_only', 'on'), ('statement_timeout', '''1min'''),
  ('idle_in_transaction_session_timeout', '''5min'''), ('search_path', 'bi')
), present AS (
  SELECT split_part(unnest(s.setconfig), '=', 1) AS name
  FROM pg_db_role_setting s JOIN here ON s.setrole = here.bi
  JOIN pg_database d ON d.datname = here.db AND s.setdatabase IN (d.oid, 0)
)
SELECT statement FROM (
  SELECT 1 AS step, 'CREATE ROLE owner LOGIN' AS statement FROM here WHERE owner IS NULL
  UNION ALL
  SELECT 2, 'CREATE ROLE bi LOGIN' FROM here WHERE bi IS NULL
  UNION ALL
  SELECT 3, format('GRANT owner TO %I', me) FROM here
  WHERE pg_has_role(me, owner, 'MEMBER') IS NOT TRUE AND me <> 'owner'
  UNION ALL
  SELECT 4, format('GRANT CREATE ON DATABASE %I TO %I', db, me) FROM here
  WHERE NOT has_database_privilege(me, db, 'CREATE')
  UNION ALL
  SELECT 5, format('GRANT CREATE ON SCHEMA public TO %I', me) FROM here
  WHERE NOT has_schema_privilege(me, 'public', 'CREATE')
  UNION ALL
  SELECT 6, format('ALTER ROLE bi IN DATABASE %I SET %s = %s', db, name, value)
  FROM here, setting WHERE name NOT IN (SELECT name FROM present)
) missing ORDER BY step, statement`

// createRoles is the first migration: the roles owner and bi, and what bi's sessions start with. Each statement may
// find that somebody has just run it, for another database of the same server.
func createRoles(ctx context.Context, db *sql.DB) error {
	statements, err := missing(ctx, db)
	if err != nil {
		return err
	}
	for _, statement := range statements {
		_, err := db.ExecContext(ctx, statement)
		switch {
		case err == nil, pq.As(err, pqerror.DuplicateObject, pqerror.UniqueViolation) != nil:
		case pq.As(err, pqerror.InsufficientPrivilege) != nil:
			return deny(ctx, db, err)
		default:
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

func missing(ctx context.Context, db *sql.DB) ([]string, error) {
	var statements []string
	err := sqlx.NewDb(db, "postgres").SelectContext(ctx, &statements, missingRights)
	return statements, err
}

// deniedError says what an administrator has to run.
type deniedError struct {
	statements []string
	cause      error
}

func (e *deniedError) Error() string {
	return fmt.Sprintf("postgres: %s: %s: a database administrator must run, as a superuser: %s;",
		ErrUnavailable, oneLine(e.cause.Error()), strings.Join(e.statements, "; "))
}

func (e *deniedError) Unwrap() []error { return []error{ErrUnavailable, e.cause} }

// deny turns a lack of privileges into what to do about it.
func deny(ctx context.Context, db *sql.DB, cause error) error {
	statements, err := missing(ctx, db)
	if err != nil || len(statements) == 0 {
		return fmt.Errorf("postgres: migrating: %w", cause)
	}
	return &deniedError{statements, cause}
}
