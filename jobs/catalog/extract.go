package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"crosslift/connectors"
	"crosslift/connectors/files"
	"crosslift/jobs"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// extractLogic is raised when extracts give other rows from the same files and definitions.
const extractLogic = 2

// extract makes the job that fills a raw table, and its quarantine, from all the streams that map onto it. Suppression
// is no part of the recipe: an erasure changes partitions by itself, and must not make all others stale.
func extract(t *table.Table, streams []connectors.Stream, key identifier.Key, suppressed identifier.Set) *jobs.Job {
	restatement := 0
	definitions := make([]string, len(streams))
	for i, s := range streams {
		definitions[i] = s.Name() + " " + s.Definition()
		switch days := s.Restatement(); {
		case days < 0 || restatement < 0:
			restatement = -1
		default:
			restatement = max(restatement, days)
		}
	}
	return &jobs.Job{
		Name: "extract/" + t.Name, Writes: []*table.Table{t, t.Quarantine()},
		Logic: extractLogic, Definitions: strings.Join(definitions, "\n"), Key: key.Fingerprint(),
		Restatement: restatement,
		Files: func(ctx context.Context, day table.Day) (map[string]string, error) {
			read := map[string]string{}
			for _, s := range streams {
				inputs, err := s.Inputs(ctx, day)
				if errors.Is(err, files.ErrMissing) || errors.Is(err, fs.ErrNotExist) { // not delivered, or a share not mounted
					return nil, jobs.Exit(jobs.ExitSource, err)
				}
				if err != nil {
					return nil, err
				}
				for _, in := range inputs {
					read[s.Name()+": "+in.Name] = in.SHA256
				}
			}
			return read, nil
		},
		Make: func(ctx context.Context, w *jobs.Work) error {
			for _, s := range streams {
				sink := &sink{table: t, stream: s.Name(), key: key, suppressed: suppressed, work: w}
				if err := s.Extract(ctx, w.Day, inputsOf(s, w.Files), sink); err != nil {
					return err
				}
				if err := sink.judge(s.Quarantine()); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// inputsOf gives a stream its own part of what the plan found.
func inputsOf(s connectors.Stream, files map[string]string) []connectors.Input {
	var inputs []connectors.Input
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if file, ok := strings.CutPrefix(name, s.Name()+": "); ok {
			inputs = append(inputs, connectors.Input{Name: file, SHA256: files[name]})
		}
	}
	return inputs
}

// sink checks a stream's rows against their contract: those that keep it go to the table, the others to quarantine.
type sink struct {
	table      *table.Table
	stream     string
	key        identifier.Key
	suppressed identifier.Set
	work       *jobs.Work

	read, rejected int64
	reasons        map[string]int64
	first          connectors.Origin // of the rejected rows
}

func (s *sink) Row(row any, where connectors.Origin) error {
	if s.table.Names(row, s.suppressed) {
		s.read++
		s.work.Counts.Read++
		return nil
	}
	reason := s.table.Check(row)
	if at, timed := s.table.TimeOf(row); reason == nil && timed && !s.work.Window.Contains(at.Time()) {
		return fmt.Errorf("%s: %s line %d: its time lies outside %s", s.stream, where.File, where.Position, s.work.Window)
	}
	if reason != nil {
		return s.Reject(where, reason.Error())
	}
	s.read++
	s.work.Counts.Read++
	return s.work.Draft(s.table).Add(row)
}

func (s *sink) Reject(where connectors.Origin, reason string) error {
	if s.rejected == 0 {
		s.first, s.reasons = where, map[string]int64{}
	}
	s.read++
	s.rejected++
	s.reasons[reason]++
	s.work.Counts.Read++
	s.work.Counts.Quarantined++
	q := &table.QuarantineRow{
		Source: s.stream, File: where.File, Position: where.Position, Length: int64(len(where.Raw)),
		Hash: s.key.Row(where.Raw).String(), Reason: reason,
	}
	if where.Fields != nil {
		fields, err := json.Marshal(where.Fields)
		if err != nil {
			return fmt.Errorf("%s: %s line %d: fields: %w", s.stream, where.File, where.Position, err)
		}
		q.Fields = string(fields)
	}
	return s.work.Draft(s.table.Quarantine()).Add(q)
}

// judgedFrom is the number of rows from which the share of broken ones is judged: below it a single bad row would
// stop a day.
const judgedFrom = 100

// judge fails the day when too many of its rows broke the contract, or every one of them.
func (s *sink) judge(limit float64) error {
	over := s.read >= judgedFrom && float64(s.rejected) > limit*float64(s.read)
	if s.rejected == 0 || !over && s.rejected < s.read {
		return nil
	}
	reason := slices.MaxFunc(slices.Sorted(maps.Keys(s.reasons)), func(a, b string) int { return int(s.reasons[a] - s.reasons[b]) })
	return jobs.Exit(jobs.ExitContract, fmt.Errorf(
		"%s: %d of %d rows broke the contract of %s (%.2f %%, limit %.4g %%); most often: %s (%d rows); the first is %s line %d; mend the source, or raise the mapping's `quarantine`",
		s.stream, s.rejected, s.read, s.table, 100*float64(s.rejected)/float64(s.read), 100*limit,
		reason, s.reasons[reason], s.first.File, s.first.Position))
}

func (s *sink) Resume() string { return "" }

func (s *sink) Page(string) error { return nil }

func (s *sink) Total(connectors.Total) error { return nil }

func (s *sink) Unclassified(string) {}
