package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"

	"crosslift/connectors"
	"crosslift/jobs"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/lake"
)

// sink checks a stream's rows against their contract: those that keep it go to the table, the others to quarantine.
type sink struct {
	table      *table.Table
	stream     string
	definition string
	key        identifier.Key
	suppressed identifier.Set
	work       *jobs.Work
	log        *slog.Logger

	codec, quarantine *columns.Codec
	row               []byte

	read, rejected int64
	erased         int64 // rows of erased persons
	reasons        map[string]int64
	first          connectors.Origin // of the rejected rows
	said           []lake.Said
	fields         map[string]bool // that nobody has classified

	// Of a stream that comes page by page, and may give a row twice.
	journal *journal
	broken  map[string]bool // hashes of the rejected rows
	// keys are those of the rows so far, of a table of changes or one that other streams fill too; nil for others, where
	// equal rows are dropped, and counted, when they are sorted.
	keys    map[[16]byte]bool
	sums    map[string]int64 // of the rows that keys has counted, by column and currency
	keyText []byte           // for keyOf
}

// newSink makes the sink of a stream; other streams may fill the same table.
func (p Project) newSink(w *jobs.Work, t *table.Table, f feed, others bool) *sink {
	s := &sink{
		table: t, stream: f.Name(), definition: f.Definition(), key: p.Key, suppressed: p.Suppressed, work: w, log: p.Log,
		codec: columns.NewCodec(t), quarantine: columns.NewCodec(t.Quarantine()), reasons: map[string]int64{}, fields: map[string]bool{},
	}
	if f.paged {
		w.Draft(t).Unique = true
		s.broken = map[string]bool{}
		if t.Kind == table.Change || others {
			s.keys, s.sums = map[[16]byte]bool{}, map[string]int64{}
		}
	}
	return s
}

// Row implements connectors.Sink.
func (s *sink) Row(row any, where connectors.Origin) error {
	if s.table.Names(row, s.suppressed) {
		s.read++
		s.erased++
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
	var err error
	if s.row, err = s.codec.Append(s.row[:0], row); err != nil {
		return err
	}
	s.read++
	s.work.Counts.Read++
	if s.keys != nil {
		key := s.keyOf(row)
		if s.keys[key] {
			return nil
		}
		s.keys[key] = true
		s.sum(row)
	}
	if err := s.journal.write(rowRecord, s.row); err != nil {
		return err
	}
	return s.work.Draft(s.table).AddEncoded(s.row)
}

// keyOf is a hash of what tells the rows of a source apart.
func (s *sink) keyOf(row any) [16]byte {
	s.keyText = s.keyText[:0]
	v := reflect.ValueOf(row).Elem()
	for _, at := range s.table.Key {
		switch field := v.Field(s.table.Columns[at].Field); field.Kind() {
		case reflect.String:
			s.keyText = append(s.keyText, field.String()...)
		case reflect.Int64:
			s.keyText = strconv.AppendInt(s.keyText, field.Int(), 10)
		default:
			s.keyText = append(s.keyText, s.table.Text(row, s.table.Columns[at])...)
		}
		s.keyText = append(s.keyText, 0)
	}
	sum := sha256.Sum256(s.keyText)
	return [16]byte(sum[:])
}

// sum adds a row to the sums that a source may tell.
func (s *sink) sum(row any) {
	currency := ""
	if c, ok := s.table.Column("currency"); ok {
		currency = s.table.Text(row, c)
	}
	v := reflect.ValueOf(row).Elem()
	for _, c := range s.table.Columns {
		if c.Type != table.Int {
			continue
		}
		field := v.Field(c.Field)
		if field.Kind() == reflect.Pointer {
			if field.IsNil() {
				continue
			}
			field = field.Elem()
		}
		s.sums[c.Name+"/"] += field.Int()
		if c.Unit == "minor" && currency != "" {
			s.sums[c.Name+"/"+currency] += field.Int()
		}
	}
}

// Reject implements connectors.Sink.
func (s *sink) Reject(where connectors.Origin, reason string) error {
	hash := s.key.Row(where.Raw).String()
	if s.broken[hash] {
		return nil // served again
	}
	q := &table.QuarantineRow{
		Source: s.stream, File: where.File, Position: where.Position, Length: int64(len(where.Raw)), Hash: hash, Reason: reason,
	}
	if where.Fields != nil {
		fields, err := json.Marshal(where.Fields)
		if err != nil {
			return fmt.Errorf("%s: %s line %d: fields: %w", s.stream, where.File, where.Position, err)
		}
		q.Fields = string(fields)
	}
	if err := s.table.Quarantine().Check(q); err != nil {
		return fmt.Errorf("%s: %s line %d: %w", s.stream, where.File, where.Position, err)
	}
	s.count(q)
	var err error
	if s.row, err = s.quarantine.Append(s.row[:0], q); err != nil {
		return err
	}
	if err := s.journal.write(rejectedRecord, s.row); err != nil {
		return err
	}
	return s.work.Draft(s.table.Quarantine()).AddEncoded(s.row)
}

// count takes note of a rejected row.
func (s *sink) count(q *table.QuarantineRow) {
	if s.rejected == 0 {
		s.first = connectors.Origin{File: q.File, Position: q.Position}
	}
	if s.broken != nil {
		s.broken[q.Hash] = true
	}
	s.read++
	s.rejected++
	s.reasons[q.Reason]++
	s.work.Counts.Read++
	s.work.Counts.Quarantined++
}

// Total implements connectors.Sink.
func (s *sink) Total(t connectors.Total) error {
	s.said = append(s.said, lake.Said{Source: s.stream, Measure: t.Measure, Currency: t.Currency, Value: t.Value})
	return nil
}

// printable is what a field's name may be made of where it is told: a source may have put anything into it.
var printable = regexp.MustCompile(`^[A-Za-z0-9_.\[\]]{1,64}$`)

// Unclassified implements connectors.Sink.
func (s *sink) Unclassified(field string) {
	if !printable.MatchString(field) || identifier.Redact(field) != field {
		field = "(a name that is not shown)"
	}
	if !s.fields[field] && s.log != nil {
		s.log.Warn("a new field that nobody has classified: its values are dropped", "stream", s.stream, "day", s.work.Day, "field", field)
	}
	s.fields[field] = true
}

// judgedFrom is the number of rows from which the share of broken ones is judged: below it a single bad row would
// stop a day.
const judgedFrom = 100

// judge fails the day when too many of its rows broke the contract, or every one of them and the limit is not 100 %.
func (s *sink) judge(limit float64) error {
	over := s.read >= judgedFrom && float64(s.rejected) > limit*float64(s.read)
	if s.rejected == 0 || !over && s.rejected < s.read || limit >= 1 {
		return nil
	}
	reason := slices.MaxFunc(slices.Sorted(maps.Keys(s.reasons)), func(a, b string) int { return int(s.reasons[a] - s.reasons[b]) })
	return jobs.Exit(jobs.ExitContract, fmt.Errorf(
		"%s: %d of %d rows broke the contract of %s (%.2f %%, limit %.4g %%); most often: %s (%d rows); the first is %s line %d; mend the source, or raise the mapping's `quarantine`",
		s.stream, s.rejected, s.read, s.table, 100*float64(s.rejected)/float64(s.read), 100*limit,
		reason, s.reasons[reason], s.first.File, s.first.Position))
}

// carry keeps the rows of the partition that is being replaced which the sources did not give again. A source that only
// knows how things are now no longer tells what changed that day once it has changed again; what was read then stays.
// Nothing is carried from rows of another version, logic or key.
func carry(ctx context.Context, sinks []*sink) error {
	s := sinks[0]
	was := s.work.Was(s.table)
	if was == nil || was.Recipe.Logic != extractLogic || was.Recipe.Key != s.key.Fingerprint() ||
		was.Recipe.Tables[s.table.Path()] != s.table.Version {
		return nil
	}
	r, err := s.work.OpenWas(ctx, s.table)
	if err != nil {
		return err
	}
	draft := s.work.Draft(s.table)
	for row, err := range r.Each(ctx, s.table) {
		if err != nil {
			return fmt.Errorf("%s: %w", was.Partition, err)
		}
		key := s.keyOf(row)
		again := slices.ContainsFunc(sinks, func(s *sink) bool { return s.keys[key] })
		if again || s.table.Names(row, s.suppressed) {
			continue
		}
		if err := draft.Add(row); err != nil {
			return err
		}
	}
	return nil
}
