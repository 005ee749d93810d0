package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// meeting is one time that somebody met a variant, or was put in it, as the product's table shows it.
type meeting struct {
	at                         table.Micros
	account, device            identifier.ID
	variant, platform, country string
}

// The kinds of deeds.
const (
	paying     = "paying"   // and it succeeded
	declined   = "declined" // a payment was
	subscribed = "subscribed"
	watching   = "watching"
	visiting   = "visiting"  // the site or an app, as web analytics has seen it
	promotion  = "promotion" // the offer's page, likewise
)

// kinds are all of them.
var kinds = []string{paying, declined, subscribed, watching, visiting, promotion}

// deed is something that somebody did, as the world has it.
type deed struct {
	at              table.Micros
	account, device identifier.ID // as sources show it
	by              identifier.ID // the account in whose name it truly was; zero: nobody's
	amount          int64         // minor units
	currency, plan  string
	roubles         float64 // minor units, at the rate of the day
	trial           bool
	title           string
	channel         string // where a visit came from
	seconds         int64
	damaged         bool // a version of it was made unreadable: it may have landed or not
}

// lived is what happened in a world until the end of a night.
type lived struct {
	exposed, assigned []meeting // of the experiment; exposed in its days only
	later             int64     // exposures after those days
	deeds             map[string][]deed
	sights            []deed               // events of web analytics on the days when exposures count
	plans             map[string][]deed    // versions of subscriptions and payments, by table
	truth             []world.TrueExposure // that entered by then
}

// lived reads what the world shows and what is true of it.
func (in Input) lived(ctx context.Context, night table.Day) (*lived, error) {
	w := &lived{deeds: map[string][]deed{}, plans: map[string][]deed{}}
	end := night.Window(in.Zone).To
	if err := in.meetings(w, end); err != nil {
		return nil, err
	}
	attended, err := in.attended()
	if err != nil {
		return nil, err
	}
	if w.deeds[watching], err = in.views(attended, end); err != nil {
		return nil, err
	}
	if err = in.charges(ctx, w, end); err != nil {
		return nil, err
	}
	if err = in.begun(w, end); err != nil {
		return nil, err
	}
	if err = in.analytics(ctx, w, attended, end); err != nil {
		return nil, err
	}
	units, err := world.ReadExposures(in.World.Dir())
	if err != nil {
		return nil, err
	}
	for _, e := range units {
		if e.Entered && e.At.Before(end) {
			w.truth = append(w.truth, e)
		}
	}
	return w, ctx.Err()
}

// meetings reads the assignments and exposures until an instant.
func (in Input) meetings(w *lived, end time.Time) error {
	records, err := in.World.Versions("assignment", "rows", in.At)
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
	days := table.Span(first, first+table.Day(n)-1, in.Zone)
	for i := range records {
		r := &records[i]
		if broken.has("assignment", "rows", r) || !r.At.Before(end) {
			continue
		}
		var row struct {
			Kind, Variant, Platform, Country string
			Type                             string `json:"unit_type"`
			Unit                             string `json:"unit_id"`
			Device                           string `json:"device_id"`
		}
		if err := json.Unmarshal(r.Object, &row); err != nil {
			return fmt.Errorf("assignment/rows: record %s: %w", r.ID, err)
		}
		m := meeting{at: table.MicrosOf(r.At), variant: row.Variant, platform: row.Platform, country: row.Country}
		account := ""
		if row.Type == world.ByAccount {
			account = row.Unit
		} else {
			row.Device = row.Unit
		}
		if m.account, m.device, err = in.both(account, row.Device); err != nil {
			return err
		}
		switch {
		case row.Kind == "assigned":
			w.assigned = append(w.assigned, m)
		case days.Contains(r.At):
			w.exposed = append(w.exposed, m)
		default:
			w.later++
		}
	}
	return nil
}

// views reads what was watched until an instant, and who it was where that is not shown.
func (in Input) views(attended spans, end time.Time) ([]deed, error) {
	records, err := in.World.Versions("product", "viewing", in.At)
	if err != nil {
		return nil, err
	}
	var all []deed
	for i := range records {
		r := &records[i]
		if !r.At.Before(end) {
			continue
		}
		var row struct {
			User    string `json:"user_id"`
			Device  string `json:"device_id"`
			Title   string
			Seconds int64
		}
		if err := json.Unmarshal(r.Object, &row); err != nil {
			return nil, fmt.Errorf("product/viewing: record %s: %w", r.ID, err)
		}
		d := deed{at: table.MicrosOf(r.At), title: row.Title, seconds: row.Seconds}
		if d.account, d.device, err = in.both(row.User, row.Device); err != nil {
			return nil, err
		}
		d.by = attended.whose(d)
		all = append(all, d)
	}
	return all, nil
}

// both hashes an account and a device, each where there is one that is not a placeholder.
func (in Input) both(account, device string) (a, d identifier.ID, err error) {
	for _, x := range []struct {
		kind  identifier.Kind
		value string
		to    *identifier.ID
	}{{identifier.Account, account, &a}, {identifier.Device, device, &d}} {
		if *x.to, err = in.Key.Hash(x.kind, x.value); err != nil && !errors.Is(err, identifier.ErrBlocked) {
			return a, d, fmt.Errorf("truth: %s: %w", x.kind, err)
		}
	}
	return a, d, nil
}
