// Package assignment reads who was put in which variant of an experiment, and who met it, from a company's own
// assignment system: a Postgres table, logs in JSON Lines, or both. The two are different rows: who was assigned goes to
// raw/assignment, who was exposed to raw/exposure. Experiments are compared among the exposed.
//
// The table has a row an event: id, experiment, unit_type, unit_id, variant, kind (assigned or exposed), assigned_at.
// Package pgread says how it is read, and what is promised about rows that are committed late. A kind that is neither is
// rejected among the assigned.
//
// A log has an object a line, {"ts", "experiment", "unit": {"type", "id"}, "variant"}; assigned and exposed are files of
// different names. A line has no id: its source_id is the keyed hash of its bytes, so that a line that was delivered
// twice is one row. Package files says which file is read for which day.
//
// A unit is an account or a device; of other types its rows are rejected. A row that the setting `override` marks is a
// tester's who chose the variant: it is rejected as "QA override", so that it is in quarantine with all others that the
// source counts and not in the lake, and counts towards the limit `quarantine`. Without the setting nobody can tell.
package assignment

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"crosslift/connectors"
	"crosslift/connectors/files"
	"crosslift/connectors/pgread"
	"crosslift/schemas/secret"
	"crosslift/schemas/strictyaml"
)

// Config says where the table is, or the logs, or both.
type Config struct {
	URL  secret.Secret   `yaml:"url"` // of the table's database; without it there is no table
	Read pgread.Settings `yaml:",inline"`
	Rows Rows            `yaml:"rows"`
	Logs *Logs           `yaml:"logs"`
}

// Validate fills what is not given, and checks what is. Its errors are marked with their field.
func (c *Config) Validate() error {
	errs := []error{c.Read.Prepare(), strictyaml.At("rows", c.Rows.prepare())}
	if !c.URL.Given() && c.Logs == nil {
		errs = append(errs, strictyaml.At("url", errors.New("required without `logs`: postgres://user:password@host:port/database, as ${NAME} or file:path")))
	}
	if c.Logs != nil {
		errs = append(errs, strictyaml.At("logs", c.Logs.prepare()))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if c.URL.Given() {
		for _, kind := range kinds {
			errs = append(errs, strictyaml.At("rows", c.Rows.spec(kind).Validate()))
		}
	}
	if c.Logs != nil {
		for _, kind := range kinds {
			if mapping := c.Logs.mapping(kind); mapping.Path != "" {
				errs = append(errs, strictyaml.At("logs", mapping.Validate()))
			}
		}
	}
	return errors.Join(errs...)
}

// source implements connectors.Source.
type source struct {
	db   *pgread.DB // nil without a table
	rows []*pgread.Stream
	logs []*logStream
}

// New makes the source. The logs are a folder or a prefix of a bucket, and sums what is remembered of its files; both
// may be nil without logs, sums always. It makes no connection yet.
func New(c Config, env connectors.Env, logs files.Store, sums files.Sums) (connectors.Source, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("assignment: %w", err)
	}
	s := &source{}
	if c.Logs != nil {
		for _, kind := range kinds {
			mapping := c.Logs.mapping(kind)
			if mapping.Path == "" {
				continue
			}
			stream, err := files.New("assignment/"+kind+"_log", mapping, logs, sums, env.Key, env.Zone)
			if err != nil {
				return nil, err
			}
			s.logs = append(s.logs, &logStream{Stream: stream, logs: c.Logs, key: env.Key, now: env.Now, zone: env.Zone})
		}
	}
	if !c.URL.Given() {
		return s, nil
	}
	var err error
	if s.db, err = pgread.Open(c.URL, c.Read, env); err != nil {
		return nil, fmt.Errorf("assignment: %w", err)
	}
	for _, kind := range kinds {
		stream, err := s.db.New(c.Rows.spec(kind))
		if err != nil {
			return nil, errors.Join(err, s.db.Close())
		}
		s.rows = append(s.rows, stream)
	}
	return s, nil
}

func (s *source) Name() string { return "assignment" }

func (s *source) Streams() []connectors.Stream {
	var all []connectors.Stream
	for _, stream := range s.rows {
		all = append(all, stream)
	}
	for _, stream := range s.logs {
		all = append(all, stream)
	}
	return all
}

func (s *source) Check(ctx context.Context) []connectors.Finding {
	var found []connectors.Finding
	if s.db != nil {
		found = s.db.Check(ctx, s.rows)
	}
	for _, stream := range s.logs {
		found = append(found, stream.check(ctx))
	}
	return found
}

func (s *source) Close() error {
	if s.db == nil {
		return nil
	}
	return s.db.Close()
}

// The kinds of rows, in the order of the streams, and the types of units.
const (
	assigned = "assigned"
	exposed  = "exposed"
	account  = "account"
	device   = "device"
)

var (
	kinds = []string{assigned, exposed}
	units = []string{account, device}
)

// over lays what a configuration says over defaults, and refuses keys that these do not have.
func over(given, defaults map[string]string) (map[string]string, error) {
	merged := maps.Clone(defaults)
	var errs []error
	known := slices.Sorted(maps.Keys(defaults))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := defaults[name]; !ok {
			errs = append(errs, strictyaml.At(name, fmt.Errorf("unknown: %s", strictyaml.Suggest(name, known))))
		}
		merged[name] = given[name]
	}
	return merged, errors.Join(errs...)
}

// texts is over for two names that must have different texts.
func texts(given map[string]string, names []string) (map[string]string, error) {
	merged, err := over(given, map[string]string{names[0]: names[0], names[1]: names[1]})
	if err == nil && (merged[names[0]] == "" || merged[names[0]] == merged[names[1]] || merged[names[1]] == "") {
		err = fmt.Errorf("expected two different texts, for %s and %s", names[0], names[1])
	}
	return merged, err
}
