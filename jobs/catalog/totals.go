package catalog

import (
	"cmp"
	"context"

	"crosslift/connectors"
	"crosslift/jobs"
	"crosslift/schemas/table"
)

// totalsLogic is raised when the same extracts give other totals.
const totalsLogic = 1

// totals makes the job that writes raw/source_total: of every table that sources fill, what they say they have of a day
// beside what landed. The comparison itself is made by the extract, which publishes nothing when they differ.
func (p Project) totals(tables []*table.Table) *jobs.Job {
	j := &jobs.Job{Name: "totals", Writes: []*table.Table{table.SourceTotal}, Logic: totalsLogic}
	for _, t := range tables {
		j.Reads = append(j.Reads, jobs.Read{Table: t, Span: thatDay})
	}
	j.Make = func(_ context.Context, w *jobs.Work) error {
		draft := w.Draft(table.SourceTotal)
		for _, t := range tables {
			for _, h := range w.Heads(t) {
				rows := table.SourceTotalRow{
					SourceID: t.Name, At: table.MicrosOf(w.Window.From), Table: t.Path(), Measure: connectors.Rows,
					Landed: h.Rows, Rejected: h.Counts.Quarantined,
				}
				told := false
				for _, said := range h.Counts.Said {
					row := rows
					row.SourceID, row.Measure, row.Currency = cmp.Or(said.Source, t.Name), said.Measure, said.Currency
					row.Said, row.Landed = &said.Value, said.Landed
					if said.Measure == connectors.Rows {
						row.Landed, told = said.Landed-h.Counts.Quarantined, true
					}
					if err := draft.Add(&row); err != nil {
						return err
					}
				}
				if told {
					continue
				}
				if err := draft.Add(&rows); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return j
}
