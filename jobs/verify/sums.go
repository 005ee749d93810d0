package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/table"
)

// events compares web analytics, which has no ids, by instant and name.
func (in Input) events(ctx context.Context, broken damage) ([]Check, error) {
	nights, err := in.World.Nights("ga", "events")
	if err != nil {
		return nil, err
	}
	shown, n, unreadable := map[string]int{}, int64(0), 0
	for _, night := range nights {
		records, err := in.World.Night("ga", "events", night)
		if err != nil {
			return nil, err
		}
		seen := map[string]bool{}
		for i := range records {
			r := &records[i]
			if r.Visible.After(in.At) || r.Gone != nil || !in.window(r) {
				continue
			}
			if broken.has("ga", "events", r) {
				unreadable++
				continue
			}
			var of struct {
				Name string `json:"event_name"`
			}
			if err := json.Unmarshal(r.Object, &of); err != nil {
				return nil, fmt.Errorf("%s: record %s: %w", night, r.ID, err)
			}
			if !seen[r.ID] {
				shown[strconv.FormatInt(r.At.UnixMicro(), 10)+" "+of.Name]++
				n++
			}
			seen[r.ID] = true
		}
	}
	extra, landed := 0, int64(0)
	for row, err := range in.rows(ctx, table.WebEvent) {
		if err != nil {
			return nil, err
		}
		e := row.(*table.WebEventRow)
		key := strconv.FormatInt(int64(e.EventAt), 10) + " " + e.EventName
		if shown[key] == 0 {
			extra++
		} else {
			shown[key]--
		}
		landed++
	}
	lost := 0
	for _, left := range shown {
		lost += left
	}
	checks := []Check{
		newCheck("extract", "ga events: lost", float64(lost), "==", 0, n),
		newCheck("extract", "ga events: twice, or never shown", float64(extra), "==", 0, landed),
	}
	if unreadable > 0 {
		rejected, err := in.rejected(ctx, table.WebEvent)
		if err != nil {
			return nil, err
		}
		checks = append(checks, newCheck("extract", "ga events: unreadable, in quarantine", float64(rejected), "==", float64(unreadable), int64(unreadable)))
	}
	return checks, nil
}

// money compares what was paid, by currency, with the truth about payments.
func (in Input) money(ctx context.Context) ([]Check, error) {
	truth, err := world.ReadPayments(in.World.Dir())
	if err != nil {
		return nil, err
	}
	unreadable, err := in.unreadable()
	if err != nil {
		return nil, err
	}
	due := map[string]int64{}
	window := table.Span(in.From, in.To, in.Zone)
	for _, p := range truth {
		if window.Contains(p.CapturedAt) && !unreadable[p.PaymentID] {
			due[p.Currency] += p.AmountMinor
		}
	}
	newest := map[string]*table.PaymentRow{}
	for row, err := range in.rows(ctx, table.Payment) {
		if err != nil {
			return nil, err
		}
		p := row.(*table.PaymentRow)
		if was := newest[p.SourceID]; was == nil || was.ChangedAt <= p.ChangedAt {
			newest[p.SourceID] = p
		}
	}
	paid := map[string]int64{}
	for _, p := range newest {
		if p.Status == "succeeded" && window.Contains(p.PaidAt.Time()) && !unreadable[p.SourceID] {
			paid[p.Currency] += p.AmountMinor
		}
	}
	var checks []Check
	for _, currency := range []string{"RUB", "KZT", "JPY", "KWD"} {
		if due[currency] > 0 {
			checks = append(checks, newCheck("extract", "payments in "+currency+", minor units", float64(paid[currency]), "==", float64(due[currency]), due[currency]))
		}
	}
	return checks, nil
}

// unreadable are the ids of records of which a version was made unreadable.
func (in Input) unreadable() (map[string]bool, error) {
	rows, err := world.ReadDamaged(in.World.Dir())
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, d := range rows {
		ids[d.ID] = true
	}
	return ids, nil
}

// totals holds what sources say of themselves against what landed, as raw/source_total has it.
func (in Input) totals(ctx context.Context) ([]Check, error) {
	told, differ := int64(0), 0
	for row, err := range in.rows(ctx, table.SourceTotal) {
		if err != nil {
			return nil, err
		}
		t := row.(*table.SourceTotalRow)
		if t.Said == nil {
			continue
		}
		told++
		landed := t.Landed
		if t.Measure == "rows" {
			landed += t.Rejected
		}
		if landed != *t.Said {
			differ++
		}
	}
	return []Check{newCheck("extract", "sources' own totals that differ", float64(differ), "==", 0, told)}, nil
}
