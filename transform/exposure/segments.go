package exposure

import (
	"context"
	"fmt"
	"math"
	"slices"

	"crosslift/schemas/experiment"
	"crosslift/schemas/table"
	"crosslift/transform/filter"
	"crosslift/warehouse/columns"
)

// traits are what events say about subjects, by their numbers. What nobody asks for is nil.
type traits struct {
	eligible  []bool
	activated []int64 // never
	assigned  []told  // the variant, by its place in the definition
	channel   []told
	plan      []told // by subscriptions
	paidPlan  []told // by payments
}

// told is a text and when it was told; at is never where it was not.
type told struct {
	at   int64
	text int32
}

func untold(n int) []told { return slices.Repeat([]told{{at: never}}, n) }

// earlier takes what was told first; of what was told at one instant, the smallest text.
func (t *told) earlier(at int64, text int32, texts *texts) {
	if at < t.at || at == t.at && texts.compare(text, t.text) < 0 {
		*t = told{at, text}
	}
}

// later takes what was told last; likewise.
func (t *told) later(at int64, text int32, texts *texts) {
	if t.at == never || at > t.at || at == t.at && texts.compare(text, t.text) < 0 {
		*t = told{at, text}
	}
}

// readTraits reads all that is asked for.
func (b *builder) readTraits(ctx context.Context) error {
	for _, read := range []func(context.Context) error{b.readEligibility, b.readActivation, b.readChannels, b.readPlans, b.readAssignments} {
		if err := read(ctx); err != nil {
			return err
		}
	}
	return nil
}

// isEligible reports whether a subject's unit is in the experiment.
func (b *builder) isEligible(s uint32) bool { return b.traits.eligible == nil || b.traits.eligible[s] }

// events prepares reading the events that a definition means.
func (b *builder) events(e *experiment.Event, what string) (*table.Table, *filter.Filter, []*columns.File, error) {
	t := table.Named(e.Table)
	if t == nil || t.EventTime == "" {
		return nil, nil, nil, fmt.Errorf("%s: %q is no table of events", what, e.Table)
	}
	_, account := t.Column("account")
	if _, device := t.Column("device"); !account && !device {
		return nil, nil, nil, fmt.Errorf("%s: %s has neither an account nor a device, so its events are nobody's", what, t)
	}
	f, err := filter.New(t, e.Filter)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", what, err)
	}
	files := b.filesOf(t)
	if len(files) == 0 {
		return nil, nil, nil, fmt.Errorf("%s needs %s, which has no day until the night: has its source been extracted?", what, t)
	}
	return t, f, files, nil
}

// readEligibility finds who has an event before its first exposure.
func (b *builder) readEligibility(ctx context.Context) error {
	e := b.Experiment.Eligibility
	if e == nil {
		return nil
	}
	t, f, files, err := b.events(e, "eligibility")
	if err != nil {
		return err
	}
	b.traits.eligible = make([]bool, len(b.subjects))
	within := int64(math.MaxInt64)
	if e.Within > 0 {
		within = e.Within.Duration().Microseconds()
	}
	q := inquiry{
		table: t, files: files, rosters: b.rosters, time: t.Occurred, from: math.MinInt64, to: b.lastFirst, test: f,
		wants: func(s uint32, at int64) bool {
			first := b.subjects[s].at
			return at < first && first-at <= within
		},
		take: func(s uint32, _ int64, _ string) { b.traits.eligible[s] = true },
	}
	if t.Kind == table.Change {
		return b.inquireVersions(ctx, q, func(s uint32, v *version) bool {
			first := b.subjects[s].at
			return v.changed < first && first <= v.until // what it was as of the exposure
		})
	}
	return b.inquire(ctx, q)
}

// readActivation finds who has an event from its first exposure on, and when first.
func (b *builder) readActivation(ctx context.Context) error {
	e := b.Experiment.Activation
	if e == nil {
		return nil
	}
	t, f, files, err := b.events(e, "activation")
	if err != nil {
		return err
	}
	b.traits.activated = slices.Repeat([]int64{never}, len(b.subjects))
	q := inquiry{
		table: t, files: files, rosters: b.rosters, time: t.Occurred, from: b.Window.From.UnixMicro(), to: b.End.UnixMicro(), test: f,
		wants: func(s uint32, at int64) bool { return at >= b.subjects[s].at },
		take: func(s uint32, at int64, _ string) {
			b.traits.activated[s] = min(b.traits.activated[s], at)
		},
	}
	if t.Kind == table.Change {
		return b.inquireVersions(ctx, q, func(_ uint32, v *version) bool { return v.until == never }) // what it has become
	}
	return b.inquire(ctx, q)
}

// readChannels finds the channel of the first visit.
func (b *builder) readChannels(ctx context.Context) error {
	files := b.filesOf(table.WebEvent)
	if !slices.Contains(b.Experiment.Segments, experiment.Channel) || len(files) == 0 {
		return nil
	}
	b.traits.channel = untold(len(b.subjects))
	return b.inquire(ctx, inquiry{
		table: table.WebEvent, files: files, rosters: b.rosters, time: "event_at", text: "channel",
		from: b.Window.From.Add(-visits).UnixMicro(), to: b.lastFirst,
		wants: b.before,
		take: func(s uint32, at int64, text string) {
			b.traits.channel[s].earlier(at, b.texts.number(text), &b.texts)
		},
	})
}

// readPlans finds the plan of the newest subscription and of the newest payment.
func (b *builder) readPlans(ctx context.Context) error {
	if !slices.Contains(b.Experiment.Segments, experiment.Plan) {
		return nil
	}
	for _, source := range []struct {
		table *table.Table
		into  *[]told
	}{{table.Subscription, &b.traits.plan}, {table.Payment, &b.traits.paidPlan}} {
		files := b.filesOf(source.table)
		if len(files) == 0 {
			continue
		}
		into := untold(len(b.subjects))
		*source.into = into
		err := b.inquire(ctx, inquiry{
			table: source.table, files: files, rosters: b.rosters, time: source.table.EventTime, text: "plan",
			from: math.MinInt64, to: b.lastFirst, wants: b.before,
			take: func(s uint32, at int64, text string) { into[s].later(at, b.texts.number(text), &b.texts) },
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// before says whether an instant lies before a subject's first exposure.
func (b *builder) before(s uint32, at int64) bool { return at < b.subjects[s].at }

func (b *builder) filesOf(t *table.Table) []*columns.File {
	var files []*columns.File
	for _, day := range b.Events[t.Path()] {
		files = append(files, day.File)
	}
	return files
}
