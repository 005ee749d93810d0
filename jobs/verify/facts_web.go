package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/table"
)

// restated is for how many days after its own web analytics may still bring an event, with some to spare.
const restated = 7

// analytics takes what web analytics saw until an instant: visits, the offer's page, and everything on the days when exposures
// count. An event that was made unreadable is not there.
func (in Input) analytics(ctx context.Context, w *lived, attended spans, end time.Time) error {
	nights, err := in.World.Nights("ga", "events")
	if err != nil {
		return err
	}
	broken, err := in.damaged()
	if err != nil {
		return err
	}
	n, err := in.entryDays()
	if err != nil {
		return err
	}
	first := in.World.About().First
	entered := (first + table.Day(n) - 1).Window(in.Zone).To
	last := (first + table.Day(n) + table.Day(longest(visiting, promotion)/day) + restated).String()
	found := make([]lived, len(nights))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for i, night := range nights {
		if night > last {
			break // nobody's window is open any more
		}
		g.Go(func() error {
			records, err := in.World.Night("ga", "events", night)
			if err != nil {
				return err
			}
			found[i].deeds = map[string][]deed{}
			for j := range records {
				r := &records[j]
				if r.Visible.After(in.At) || r.Gone != nil || !in.window(r) || !r.At.Before(end) || broken.has("ga", "events", r) {
					continue
				}
				if err := in.sight(&found[i], r, attended, r.At.Before(entered)); err != nil {
					return fmt.Errorf("ga/events, %s: record %s: %w", night, r.ID, err)
				}
			}
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i := range found {
		w.sights = append(w.sights, found[i].sights...)
		for kind, deeds := range found[i].deeds {
			w.deeds[kind] = append(w.deeds[kind], deeds...)
		}
	}
	return nil
}

// sight takes one event; early says whether it is of the days when exposures count.
func (in Input) sight(w *lived, r *world.Record, attended spans, early bool) error {
	var e struct {
		Name    string `json:"event_name"`
		User    string `json:"user_id"`
		Pseudo  string `json:"user_pseudo_id"`
		Privacy struct {
			Analytics string `json:"analytics_storage"`
		} `json:"privacy_info"`
		Source struct {
			Source string `json:"manual_source"`
			Medium string `json:"manual_medium"`
		} `json:"collected_traffic_source"`
	}
	if !early && !bytes.Contains(r.Object, []byte("session_start")) && !bytes.Contains(r.Object, []byte("view_promotion")) {
		return nil // most are; to read all would take long
	}
	if err := json.Unmarshal(r.Object, &e); err != nil {
		return err
	}
	if strings.Contains(e.User, "@") {
		e.User = "" // a site that sends an address says no account
	}
	d := deed{at: table.MicrosOf(r.At), channel: e.Source.Source + " / " + e.Source.Medium}
	var err error
	if d.account, d.device, err = in.both(e.User, e.Pseudo); err != nil {
		return err
	}
	d.by = attended.whose(d)
	if early {
		w.sights = append(w.sights, d)
	}
	switch {
	case e.Name == "session_start":
		w.deeds[visiting] = append(w.deeds[visiting], d)
	case e.Name == "view_promotion" && e.Privacy.Analytics == "Yes":
		w.deeds[promotion] = append(w.deeds[promotion], d)
	}
	return nil
}
