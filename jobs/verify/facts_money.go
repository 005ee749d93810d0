package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/identifier"
	"crosslift/schemas/money"
	"crosslift/schemas/table"
)

// charges takes what was paid, by the truth about payments, and what was declined, by what the payment system shows.
func (in Input) charges(ctx context.Context, w *lived, end time.Time) error {
	broken, err := in.unreadable()
	if err != nil {
		return err
	}
	payments, err := world.ReadPayments(in.World.Dir())
	if err != nil {
		return err
	}
	landed, err := in.landed(ctx)
	if err != nil {
		return err
	}
	first := in.From.Window(in.Zone).From
	for _, p := range payments {
		at := p.CapturedAt.Truncate(time.Second)
		if at.Before(end) && (!at.Before(first) || landed[p.PaymentID]) {
			d := deed{at: table.MicrosOf(at), amount: p.AmountMinor, currency: p.Currency, plan: p.Plan, roubles: in.roubles(p), damaged: broken[p.PaymentID]}
			if d.account, err = in.hash(string(identifier.Account), p.Account); err != nil {
				return err
			}
			d.by = d.account
			w.deeds[paying] = append(w.deeds[paying], d)
		}
	}
	return in.stripe(w, broken, end)
}

// landed are the ids of payments that the lake has: of those from before the first night the ones that have changed since.
func (in Input) landed(ctx context.Context) (map[string]bool, error) {
	ids := map[string]bool{}
	for row, err := range in.rows(ctx, table.Payment) {
		if err != nil {
			return nil, err
		}
		ids[row.(*table.PaymentRow).SourceID] = true
	}
	return ids, nil
}

// roubles is a payment in minor units of roubles.
func (in Input) roubles(p world.Payment) float64 {
	if p.Currency == world.Home {
		return float64(p.AmountMinor)
	}
	from, _ := money.Exponent(p.Currency) // the world's currencies are known
	to, _ := money.Exponent(world.Home)
	rate := in.World.About().Rate(p.Currency, table.DayOf(p.CapturedAt, in.Zone))
	return float64(p.AmountMinor) * rate * math.Pow10(to-from)
}

// begun takes the subscriptions that the truth knows of.
func (in Input) begun(w *lived, end time.Time) error {
	broken, err := in.unreadable()
	if err != nil {
		return err
	}
	begun, err := world.ReadSubscriptions(in.World.Dir())
	if err != nil {
		return err
	}
	first := in.From.Window(in.Zone).From
	for _, s := range begun {
		if at := s.Started.Truncate(time.Second); !at.Before(first) && at.Before(end) {
			d := deed{at: table.MicrosOf(at), trial: s.Trial, damaged: broken[s.SubscriptionID]}
			if d.account, err = in.hash(string(identifier.Account), s.Account); err != nil {
				return err
			}
			d.by = d.account
			w.deeds[subscribed] = append(w.deeds[subscribed], d)
		}
	}
	return nil
}

// stripe takes what the payment system shows: the charges that were declined, which are no payments of the truth's, and the
// plans that subscriptions and charges had at the end of every day that changed them: of earlier changes on it nobody is told, nor
// of one that was forgotten when the history was read.
func (in Input) stripe(w *lived, broken map[string]bool, end time.Time) error {
	account, err := in.customers()
	if err != nil {
		return err
	}
	first := in.From.Window(in.Zone).From
	for _, stream := range []string{"subscriptions", "charges"} {
		records, err := in.World.Versions("stripe", stream, in.At)
		if err != nil {
			return err
		}
		last, created := map[string]int{}, map[string]bool{}
		for i := range records {
			r := &records[i]
			if !r.At.Before(end) || r.At.Before(first) {
				continue
			}
			var o struct {
				Customer, Status string
				Metadata         struct{ Plan string }
			}
			if err := json.Unmarshal(r.Object, &o); err != nil && !broken[r.ID] {
				return fmt.Errorf("stripe/%s: record %s: %w", stream, r.ID, err)
			}
			d := deed{at: table.MicrosOf(r.At.Truncate(time.Second)), account: account[o.Customer], plan: strings.Clone(o.Metadata.Plan), damaged: broken[r.ID]}
			d.by = d.account
			key := r.ID + table.DayOf(r.At, in.Zone).String()
			at, before := last[key]
			switch {
			case created[r.ID] && r.At.Before(in.History.Add(-remembered)):
			case before:
				w.plans[stream][at] = d
			default:
				last[key] = len(w.plans[stream])
				w.plans[stream] = append(w.plans[stream], d)
			}
			created[r.ID] = true
			if stream == "charges" && o.Status == "failed" {
				w.deeds[declined] = append(w.deeds[declined], d)
			}
		}
	}
	return nil
}

// customers are the accounts of the payment system's customers.
func (in Input) customers() (map[string]identifier.ID, error) {
	customers, err := in.World.Versions("stripe", "customers", in.At)
	if err != nil {
		return nil, err
	}
	account := map[string]identifier.ID{}
	for i := range customers {
		var c struct {
			Metadata struct {
				User string `json:"user_id"`
			}
		}
		if err := json.Unmarshal(customers[i].Object, &c); err != nil {
			return nil, fmt.Errorf("stripe/customers: record %s: %w", customers[i].ID, err)
		}
		if account[customers[i].ID], err = in.hash(string(identifier.Account), c.Metadata.User); err != nil {
			return nil, err
		}
	}
	return account, nil
}
