package ga

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"crosslift/connectors"
	"crosslift/schemas/table"
)

// maxSkew is how far apart clocks may be: Google takes no statement from the future.
const maxSkew = time.Minute

// Check gets a token, lists the dataset's tables, and reads the newest daily one: its columns and some of its rows,
// whose times tell whether property_zone is right.
func (s *source) Check(ctx context.Context) []connectors.Finding {
	list := connectors.Finding{
		What: "dataset " + s.config.Dataset, Remedy: "give the service account the role BigQuery Data Viewer on the dataset",
	}
	ids, err := s.service.tables(ctx, daily)
	if errors.Is(err, errMissing) {
		list.Remedy = "check project and dataset, and the property's link to BigQuery"
	}
	list.Problem = err
	findings := []connectors.Finding{list}
	if ahead, known := s.service.rest.Skew(); known {
		clock := connectors.Finding{What: "clock", Remedy: "set this machine's clock by NTP"}
		if ahead.Abs() > maxSkew {
			clock.Problem = fmt.Errorf("that of Google is ahead of ours by %s", ahead)
		}
		findings = append(findings, clock)
	}
	if err != nil {
		return findings
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return strings.HasPrefix(id, intraday) })
	if len(ids) == 0 {
		return append(findings, connectors.Finding{
			What: "stream " + Name + "/events", Problem: errors.New("the dataset has no daily table events_YYYYMMDD yet"),
			Remedy: "switch the daily export on in the property's link to BigQuery, and wait for a day",
		})
	}
	return append(findings, s.checkTable(ctx, slices.Max(ids)))
}

// checkTable reads the beginning of a table.
func (s *source) checkTable(ctx context.Context, id string) connectors.Finding {
	f := connectors.Finding{What: "stream " + Name + "/events", Remedy: "look at the table " + id + " in BigQuery"}
	at, err := time.Parse("20060102", strings.TrimPrefix(id, daily))
	if err != nil {
		f.Problem = fmt.Errorf("table %s is named for no day", id)
		return f
	}
	window := table.DayOf(at, time.UTC).Window(s.zone)
	meta, err := s.service.metadata(ctx, id)
	if err != nil {
		f.Problem = err
		return f
	}
	l, err := layoutOf(meta.Schema)
	if err != nil {
		f.Problem = fmt.Errorf("table %s: %w", id, err)
		return f
	}
	p := page{columns: l.columns}
	if _, _, err = s.service.read(ctx, id, 0, "", &p); err != nil {
		f.Problem = fmt.Errorf("table %s: %w", id, err)
		return f
	}
	var d decoder
	outside := 0
	for i := range p.rows {
		list := l.some
		if n, err := cells(p.row(i)); err == nil && n != len(l.some) {
			list = l.whole
		}
		if err := d.row(p.row(i), list); err != nil {
			f.Problem = fmt.Errorf("table %s: row %d: %w", id, i+1, err)
			return f
		}
		if at, ok := d.event.at(); !ok || !window.Contains(at.Time()) {
			outside++
		}
	}
	if outside*100 > len(p.rows) {
		f.Problem = fmt.Errorf("table %s: of %d events %d happened outside its day in %s", id, len(p.rows), outside, s.zone)
		f.Remedy = "set property_zone to the reporting time zone that the property's settings show"
	}
	return f
}
