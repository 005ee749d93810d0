package catalog

import (
	"context"
	"slices"

	"crosslift/jobs"
	"crosslift/schemas/table"
	"crosslift/transform/identity/observe"
)

// edges makes the job of observations, where a source fills a table that has any: which identifiers a day's rows show
// together. It reads every such table that the lake has, whatever is configured by now: what a source showed on its days
// stays when the source is taken out.
func edges(filled []*table.Table) (j *jobs.Job, ok bool) {
	j = &jobs.Job{Name: "identity_edge", Writes: []*table.Table{table.IdentityEdge}, Logic: observe.Logic}
	for _, t := range observe.Tables() {
		j.Reads = append(j.Reads, jobs.Read{Table: t, Span: thatDay})
		ok = ok || slices.Contains(filled, t)
	}
	j.Make = func(ctx context.Context, w *jobs.Work) error {
		var day []observe.Partition
		for _, read := range j.Reads {
			partitions, err := w.Open(ctx, read.Table)
			if err != nil {
				return err
			}
			for _, p := range partitions {
				day = append(day, observe.Partition{Table: read.Table, File: p.File})
			}
		}
		draft := w.Draft(table.IdentityEdge)
		return observe.Observe(ctx, day, w.Workers, func(row *table.IdentityEdgeRow) error { return draft.Add(row) })
	}
	return j, ok
}

// thatDay is the day itself.
func thatDay(day table.Day) (from, to table.Day) { return day, day }
