package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"time"

	"crosslift/jobs"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
	"crosslift/transform/identity/night"
	"crosslift/transform/identity/timeline"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/lake"
)

// Identity is what the project says about who is one person.
type Identity struct {
	Rules     graph.Rules
	Decisions night.Decisions
	Timeline  timeline.Rules
}

// links names what decides which identifiers belong together.
func (i Identity) links() map[string]string {
	return map[string]string{"identity's rules": hash(i.Rules), "identity's decisions": hash(i.Decisions)}
}

// definitions names what decides a night's rows.
func (i Identity) definitions() map[string]string {
	all := i.links()
	all["the timeline's rules"] = hash(i.Timeline)
	return all
}

// hash identifies a part of a definition.
func hash(part any) string {
	content, err := json.Marshal(part)
	if err != nil {
		panic(err) // names, numbers, days and identifiers only
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// stitcher makes the job of identity: who is one person, and who used a device when, as known by the end of a night.
type stitcher struct {
	Identity
	zone   *time.Location
	memory int64
	whole  bool // from all observations, as if the night before had left nothing but ids
}

// lived are the tables that tell when an account was on a device.
func lived() []*table.Table { return []*table.Table{table.ProductLogin, table.Viewing, table.WebEvent} }

func (s stitcher) job() *jobs.Job {
	j := &jobs.Job{
		Name: "identity", Writes: append(night.Tables(), table.DeviceTimeline), Logic: 100*night.Logic + timeline.Logic, Definitions: s.definitions(),
		Reads: []jobs.Read{{Table: table.IdentityEdge, Span: untilNight}},
	}
	for _, t := range lived() {
		j.Reads = append(j.Reads, jobs.Read{Table: t, Span: untilNight})
	}
	for _, t := range j.Writes {
		j.Reads = append(j.Reads, jobs.Read{Table: t, Previous: true})
	}
	j.Make = func(ctx context.Context, w *jobs.Work) error {
		return s.make(ctx, w, j, func(t *table.Table, row any) error { return w.Draft(t).Add(row) })
	}
	return j
}

// untilNight is every day up to the night.
func untilNight(night table.Day) (from, to table.Day) { return -1 << 30, night }

// before is the night before, as far as it is of use.
type before struct {
	heads map[*table.Table]*lake.Head
	files map[*table.Table]*columns.File
	// changed is the first day of which an observation or an event may be another than that night had it; the days before
	// it hold the same. A night that was made by other rules counts as having had none.
	changed table.Day
}

// before opens the night before; nil when there is none.
func (s stitcher) before(ctx context.Context, w *jobs.Work, j *jobs.Job) (*before, error) {
	if len(w.Heads(table.ProfileIdentifier)) == 0 {
		return nil, nil
	}
	b := &before{heads: map[*table.Table]*lake.Head{}, files: map[*table.Table]*columns.File{}, changed: math.MinInt32}
	for _, t := range j.Writes {
		r, err := w.OpenOne(ctx, t)
		if err != nil {
			return nil, fmt.Errorf("the night before: %w", err)
		}
		b.heads[t], b.files[t] = r.Head, r.File
	}
	first := b.heads[j.Writes[0]]
	for t, h := range b.heads {
		if h.Day != first.Day || h.Recipe.Hash() != first.Recipe.Hash() {
			return nil, fmt.Errorf("the night before: %s and %s were not made together: run night %s again", t, j.Writes[0], first.Day)
		}
	}
	r := first.Recipe
	if s.whole || r.Logic != j.Logic || !maps.Equal(r.Definitions, j.Definitions) || lake.Tables(j.Writes...)[table.IdentityLink.Path()] != r.Tables[table.IdentityLink.Path()] {
		return b, nil
	}
	b.changed = first.Day + 1
	now := map[string]bool{}
	for _, t := range append(lived(), table.IdentityEdge) {
		for _, h := range w.Heads(t) {
			now[h.Key()] = true
			if r.Inputs[h.Key()] != h.Content {
				b.changed = min(b.changed, h.Day)
			}
		}
	}
	for key := range r.Inputs {
		if p, ok := lake.ParseKey(key); ok && !now[key] {
			b.changed = min(b.changed, p.Day)
		}
	}
	return b, nil
}

// make makes a night. What the night before holds is taken over as far as its inputs are still the same.
func (s stitcher) make(ctx context.Context, w *jobs.Work, j *jobs.Job, emit night.Emit) error {
	was, err := s.before(ctx, w, j)
	if err != nil {
		return err
	}
	in := night.Input{Night: w.Day, Rules: s.Rules, Decisions: s.Decisions}
	since := table.Day(math.MinInt32)
	if was != nil {
		in.Previous = &night.Previous{
			Night: was.heads[table.IdentityLink].Day, Identifiers: was.files[table.ProfileIdentifier], Profiles: was.files[table.Profile],
			Persons: was.files[table.Person], Households: was.files[table.Household], Refused: was.files[table.IdentityRefused],
			Quality: was.files[table.IdentityQuality],
		}
		if unsealed := night.Unsealed(in.Previous.Night); was.changed >= unsealed {
			in.Previous.Links, since = was.files[table.IdentityLink], unsealed
		}
	}
	days, err := w.OpenSince(ctx, table.IdentityEdge, since)
	if err != nil {
		return err
	}
	for _, day := range days {
		in.Edges = append(in.Edges, night.Day{Day: day.Head.Day, File: day.File})
	}
	profiles := map[identifier.ID]identifier.ID{}
	known, _, err := night.Build(ctx, in, w.Workers, func(t *table.Table, row any) error {
		if m, is := row.(*table.ProfileIdentifierRow); is && m.IdentifierType == table.TypeAccount {
			profiles[m.Identifier] = m.Profile
		}
		return emit(t, row)
	})
	if err != nil {
		return err
	}
	covered, err := s.timeline(ctx, w, was, known, profiles, emit)
	if err != nil {
		return err
	}
	return night.Quality(ctx, in, append(known.Numbers, coverage(covered)...), emit)
}

// coverage is how the anonymous events of the night's day were attributed, in numbers.
func coverage(c timeline.Covered) []night.Number {
	var numbers []night.Number
	for _, method := range []string{timeline.Session, timeline.Span, timeline.Backfill, timeline.Bracket, ""} {
		n := night.Number{Name: "attribution_coverage", Of: method, N: c.Events}
		if method == "" {
			n.Of = "none"
		}
		if c.Events > 0 {
			n.Value = float64(c.ByMethod[method]) / float64(c.Events)
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// timeline makes who used a device when, and says what it is worth for the events of the night's day.
func (s stitcher) timeline(
	ctx context.Context, w *jobs.Work, was *before, known night.Known, profiles map[identifier.ID]identifier.ID, emit night.Emit,
) (covered timeline.Covered, err error) {
	in := timeline.Input{
		Rules: s.Timeline, Memory: s.memory, Refused: known.Refused,
		Type:    func(device identifier.ID) string { return known.Types[device] },
		Profile: func(account identifier.ID) identifier.ID { return profiles[account] },
	}
	since := table.Day(math.MinInt32)
	if was != nil && was.changed > math.MinInt32 && !known.Rewound {
		in.Previous = was.files[table.DeviceTimeline]
		in.Horizon = s.Timeline.Horizon(table.MicrosOf(was.changed.Window(s.zone).From))
		since = table.DayOf(s.Timeline.ReadFrom(in.Horizon).Time(), s.zone)
	}
	for _, t := range lived() {
		days, err := w.OpenSince(ctx, t, since)
		if err != nil {
			return covered, err
		}
		for _, day := range days {
			in.Days = append(in.Days, timeline.Day{Table: t, Day: day.Head.Day, File: day.File})
		}
	}
	var today []timeline.Day
	for _, day := range in.Days {
		if day.Day == w.Day {
			today = append(today, day)
		}
	}
	anonymous, err := timeline.Anonymous(ctx, today)
	if err != nil {
		return covered, err
	}
	err = timeline.Build(ctx, in, w.Workers, func(row *table.DeviceTimelineRow) error {
		anonymous.Add(row)
		return emit(table.DeviceTimeline, row)
	})
	return anonymous.Count(), err
}
