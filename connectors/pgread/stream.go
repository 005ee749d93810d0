package pgread

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"crosslift/connectors"
	"crosslift/schemas/identifier"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

// Spec says what a stream reads.
type Spec struct {
	Name   string       // source/stream
	To     *table.Table // an event or change table; source_id and its event time come from columns
	From   Table
	Only   *Condition // the rows that are the stream's; nil: all
	Refuse []Refusal  // in this order
	Sum    string     // a column of To whose sum is compared; ""
}

// Stream reads a table. It implements connectors.Stream.
type Stream struct {
	Spec
	db         *DB
	definition string
}

var _ connectors.Stream = (*Stream)(nil)

const sourceID = "source_id"

// Validate checks the columns against the contract. Its errors are marked with their field in From.
func (s Spec) Validate() error {
	var errs []error
	if s.From.Table == "" || slices.Contains(strings.Split(s.From.Table, "."), "") {
		errs = append(errs, strictyaml.At("table", errors.New("expected a name, or schema.name")))
	}
	for _, name := range slices.Sorted(maps.Keys(s.From.Columns)) {
		c, known := s.To.Column(name)
		if !known {
			errs = append(errs, strictyaml.At("columns."+name,
				fmt.Errorf("%s has no such column: %s", s.To, strictyaml.Suggest(name, s.To.ColumnNames()))))
			continue
		}
		errs = append(errs, strictyaml.At("columns."+name, s.From.Columns[name].validate(c)))
	}
	for _, c := range s.To.Columns {
		from := s.From.Columns[c.Name]
		switch key := c.Name == sourceID || c.Name == s.To.EventTime; {
		case key && from.From == "":
			errs = append(errs, strictyaml.At("columns."+c.Name, errors.New("required: a column of the database")))
		case !c.Optional && from.From == "" && from.Value == nil:
			errs = append(errs, strictyaml.At("columns."+c.Name, errors.New("required: a column of the database, or a value")))
		}
	}
	return errors.Join(errs...)
}

func (c Column) validate(to table.Column) error {
	switch {
	case c.From != "" && c.Value != nil:
		return errors.New("expected either from, a column of the database, or value, a constant")
	case c.Region != "" && !identifier.KnownRegion(c.Region):
		return strictyaml.At("region", errors.New("expected the ISO 3166-1 code of a country, such as DE"))
	case c.Region != "" && to.Kind != identifier.Phone:
		return strictyaml.At("region", fmt.Errorf("%s is no phone number", to.Name))
	case c.Hash && to.Type != table.String:
		return strictyaml.At("hash", fmt.Errorf("%s is no text, its type is %s", to.Name, to.Type))
	case c.Value != nil && to.Type == table.ID:
		return strictyaml.At("value", fmt.Errorf("%s is not the same in every row: expected from", to.Name))
	case c.Map != nil && (c.Value != nil || to.Type == table.ID || to.Type == table.Timestamp):
		return strictyaml.At("map", errors.New("only texts, numbers and bools that come from a column can be mapped"))
	case c.Value != nil:
		return strictyaml.At("value", c.constant(to))
	}
	return nil
}

// New makes a stream over a table.
func (d *DB) New(s Spec) (*Stream, error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	const logic = 1 // raised when the same settings give other rows from the same tables
	canonical, err := json.Marshal(struct {
		Logic             int
		Table, Zone, Read string
		Tx                string
		From              map[string]Column
		Only              *Condition
		Refuse            []Refusal
	}{logic, s.From.Table, d.env.Zone.String(), d.read.Zone, d.read.Tx, s.From.Columns, s.Only, s.Refuse})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	sum := sha256.Sum256(canonical)
	return &Stream{Spec: s, db: d, definition: hex.EncodeToString(sum[:])}, nil
}

// Name implements connectors.Stream.
func (s *Stream) Name() string { return s.Spec.Name }

// Table implements connectors.Stream.
func (s *Stream) Table() *table.Table { return s.To }

// Definition is a hash of table, columns, conditions and zones.
func (s *Stream) Definition() string { return s.definition }

// Versioned: with tx the greatest one tells one state of a day from another.
func (s *Stream) Versioned() bool { return s.db.read.Tx != "" }

// Quarantine is 1 % unless the settings say otherwise.
func (s *Stream) Quarantine() float64 { return connectors.Quarantine(s.db.read.Quarantine) }

// Restatement is for how many nights a day is read again.
func (s *Stream) Restatement() int { return *s.db.read.Restatement }

// state is how Inputs writes the greatest finished transaction of a day.
const state = "tx "

// Inputs gives, with tx, the greatest transaction among the day's rows below the horizon; else nothing.
func (s *Stream) Inputs(ctx context.Context, day table.Day) ([]connectors.Input, error) {
	if !s.Versioned() {
		return nil, nil
	}
	last := "0"
	err := s.retrying(ctx, func() error {
		return s.db.snapshot(ctx, func(tx *sql.Tx) error {
			q, err := s.prepare(ctx, tx, day.Window(s.db.env.Zone))
			if err != nil {
				return err
			}
			query, args := q.last()
			err = tx.QueryRowContext(ctx, query, args...).Scan(&last)
			if errors.Is(err, sql.ErrNoRows) {
				return nil
			}
			return err
		})
	}, func() bool { return false })
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", s.Spec.Name, day, err)
	}
	return []connectors.Input{{Name: s.From.Table, SHA256: state + last}}, nil
}

// horizon reads what Inputs wrote; "" without tx.
func (s *Stream) horizon(inputs []connectors.Input) (string, error) {
	if !s.Versioned() {
		return "", nil
	}
	if len(inputs) == 1 && inputs[0].Name == s.From.Table {
		last, ok := strings.CutPrefix(inputs[0].SHA256, state)
		if _, err := strconv.ParseUint(last, 10, 64); ok && err == nil {
			return last, nil
		}
	}
	return "", errors.New("the table came or went since the plan was made: run again")
}

// retrying calls do until it succeeds, as long as its failures are such that another try may, and either something was
// gained by the last ones or there were few of them.
func (s *Stream) retrying(ctx context.Context, do func() error, gained func() bool) error {
	wait := s.db.wait
	for failures := 1; ; failures++ {
		again, err := s.db.failure(do())
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if gained() {
			failures, wait = 1, s.db.wait
		}
		if !again {
			return err
		}
		if failures == tries {
			return fmt.Errorf("%w (%d tries)", err, tries)
		}
		s.db.env.Log.Info("reading goes on in a new snapshot", "stream", s.Spec.Name, "because", err.Error())
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		wait *= 2
	}
}
