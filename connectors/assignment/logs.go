package assignment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/files"
	"crosslift/connectors/pgread"
	"crosslift/schemas/identifier"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

// Logs say which files hold who was assigned and who was exposed, and their fields: ts, experiment, variant, unit_type,
// unit_id, platform, country, as dotted paths. The last two are only known of exposures, and may be missing.
type Logs struct {
	Assigned    string              `yaml:"assigned"` // below the root; {day} or {yyyymmdd}, * and ?
	Exposed     string              `yaml:"exposed"`
	Fields      map[string]string   `yaml:"fields"`   // by the names above
	Units       map[string]string   `yaml:"units"`    // how the logs write account and device
	Time        string              `yaml:"time"`     // of ts: rfc3339 without it, unix, unix_ms or a layout of package time
	Zone        string              `yaml:"zone"`     // of a ts without an offset
	Cut         string              `yaml:"cut"`      // the zone in which the files are cut into days; the business's without it
	Override    string              `yaml:"override"` // the field that marks a tester's choice: true, or any text
	Quarantine  *connectors.Percent `yaml:"quarantine"`
	Restatement *int                `yaml:"restatement"` // days for which a file may change; for ever without it
}

func (l *Logs) prepare() error {
	var errs []error
	if l.Assigned == "" && l.Exposed == "" {
		errs = append(errs, strictyaml.At("exposed", errors.New("required without `assigned`: a path such as exposed/{day}.jsonl.gz")))
	}
	var err error
	l.Fields, err = over(l.Fields, map[string]string{
		"ts": "ts", "experiment": "experiment", "variant": "variant", "unit_type": "unit.type", "unit_id": "unit.id",
		"platform": "platform", "country": "country",
	})
	errs = append(errs, strictyaml.At("fields", err))
	l.Units, err = texts(l.Units, units)
	errs = append(errs, strictyaml.At("units", err))
	return errors.Join(errs...)
}

// mapping is how the files of a kind are read. What a unit is depends on its type, which a mapping cannot say: it reads
// the id as both, and the type in the place of the source_id that a line lacks; the stream's sink settles it.
func (l *Logs) mapping(kind string) files.Mapping {
	m := files.Mapping{
		Table: table.Assignment.Path(), Path: l.Assigned, Format: "jsonl", Cut: l.Cut,
		Quarantine: l.Quarantine, Restatement: l.Restatement,
		Columns: map[string]files.Column{
			"source_id":   {From: l.Fields["unit_type"]},
			"assigned_at": {From: l.Fields["ts"], Time: l.Time, Zone: l.Zone},
			"experiment":  {From: l.Fields["experiment"]},
			"variant":     {From: l.Fields["variant"]},
			account:       {From: l.Fields["unit_id"]},
			device:        {From: l.Fields["unit_id"]},
		},
	}
	if kind == exposed {
		m.Table, m.Path = table.Exposure.Path(), l.Exposed
		m.Columns["exposed_at"] = m.Columns["assigned_at"]
		delete(m.Columns, "assigned_at")
		for _, name := range []string{"platform", "country"} {
			if l.Fields[name] != "" {
				m.Columns[name] = files.Column{From: l.Fields[name]}
			}
		}
	}
	if l.Override != "" {
		unmarked := make([][]string, len(notMarked))
		for i, text := range notMarked {
			unmarked[i] = []string{text}
		}
		m.Assert = append(m.Assert, files.Assertion{Columns: []string{l.Override}, OneOf: unmarked, Reason: qaOverride})
	}
	m.Assert = append(m.Assert, files.Assertion{
		Columns: []string{l.Fields["unit_type"]}, OneOf: [][]string{{l.Units[account]}, {l.Units[device]}},
		Reason: fmt.Sprintf("unit_type: expected %s or %s", l.Units[account], l.Units[device]),
	})
	return m
}

// logStream is the stream of the files of a kind.
type logStream struct {
	*files.Stream
	logs *Logs
	key  identifier.Key
	now  func() time.Time
	zone *time.Location
}

var _ connectors.Stream = (*logStream)(nil)

// Extract implements connectors.Stream.
func (s *logStream) Extract(ctx context.Context, day table.Day, inputs []connectors.Input, sink connectors.Sink) error {
	return s.Stream.Extract(ctx, day, inputs, &unitSink{Sink: sink, stream: s, drift: newDrift(s.logs, sink)})
}

// unitSink settles whether a row's unit is an account or a device, and gives it its id.
type unitSink struct {
	connectors.Sink
	stream *logStream
	drift  *drift
}

func (s *unitSink) Reject(where connectors.Origin, reason string) error {
	s.drift.line(where.Raw)
	return s.Sink.Reject(where, reason)
}

func (s *unitSink) Row(row any, where connectors.Origin) error {
	var id *string
	var of struct{ account, device *identifier.ID }
	switch row := row.(type) {
	case *table.AssignmentRow:
		id, of.account, of.device = &row.SourceID, &row.Account, &row.Device
	case *table.ExposureRow:
		id, of.account, of.device = &row.SourceID, &row.Account, &row.Device
	default:
		return fmt.Errorf("%s: unexpected row %T", s.stream.Name(), row)
	}
	if *id == s.stream.logs.Units[account] {
		*of.device = identifier.ID{}
	} else {
		*of.account = identifier.ID{}
	}
	s.drift.line(where.Raw)
	*id = s.stream.key.Row(where.Raw).String()
	return s.Sink.Row(row, where)
}

// check reads the start of yesterday's files against the contract.
func (s *logStream) check(ctx context.Context) connectors.Finding {
	f := connectors.Finding{What: "stream " + s.Name()}
	day := table.DayOf(s.now(), s.zone) - 1
	inputs, err := s.Inputs(ctx, day)
	if err == nil {
		sample := &firstRows{Sample: pgread.Sample{Table: s.Table()}}
		if err = s.Extract(ctx, day, inputs, sample); errors.Is(err, errEnough) {
			err = nil
		}
		f.Problem, f.Remedy = sample.Problem(), "mend the lines, or the logs' `fields`"
	}
	switch {
	case errors.Is(err, files.ErrMissing):
		f.Problem, f.Remedy = err, "mend the path, or ask whoever delivers the logs"
	case err != nil:
		f.Problem, f.Remedy = err, "see that `root` can be read, and that its files are JSON Lines"
	case f.Problem == nil:
		f.Remedy = ""
	}
	return f
}

// firstRows ends an extract after some rows.
type firstRows struct{ pgread.Sample }

var errEnough = errors.New("enough rows for a check")

func (s *firstRows) Row(row any, where connectors.Origin) error {
	if s.Rows+s.Rejected >= 1000 {
		return errEnough
	}
	return s.Sample.Row(row, where)
}
