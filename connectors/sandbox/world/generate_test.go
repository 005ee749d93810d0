package world_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/table"
)

func options(t testing.TB, people, nights int) world.Options {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	first, err := table.ParseDay("2026-09-01")
	if err != nil {
		t.Fatal(err)
	}
	return world.Options{Seed: 99, People: people, Nights: nights, First: first, Zone: zone}
}

// whole is all chunks in one.
func whole(t testing.TB, o world.Options) *world.Chunk {
	t.Helper()
	all := new(world.Chunk)
	err := world.Generate(context.Background(), o, func(c *world.Chunk) error {
		all.Humans = append(all.Humans, c.Humans...)
		all.Accounts = append(all.Accounts, c.Accounts...)
		all.Devices = append(all.Devices, c.Devices...)
		all.Logins = append(all.Logins, c.Logins...)
		all.Views = append(all.Views, c.Views...)
		all.Events = append(all.Events, c.Events...)
		all.Assignments = append(all.Assignments, c.Assignments...)
		all.Exposures = append(all.Exposures, c.Exposures...)
		all.Customers = append(all.Customers, c.Customers...)
		all.Subscriptions = append(all.Subscriptions, c.Subscriptions...)
		all.Invoices = append(all.Invoices, c.Invoices...)
		all.Charges = append(all.Charges, c.Charges...)
		all.Refunds = append(all.Refunds, c.Refunds...)
		all.Disputes = append(all.Disputes, c.Disputes...)
		all.Balances = append(all.Balances, c.Balances...)
		all.Transactions = append(all.Transactions, c.Transactions...)
		all.Accruals = append(all.Accruals, c.Accruals...)
		all.Contacts = append(all.Contacts, c.Contacts...)
		all.Deals = append(all.Deals, c.Deals...)
		all.Truth.Nodes = append(all.Truth.Nodes, c.Truth.Nodes...)
		all.Truth.Exposures = append(all.Truth.Exposures, c.Truth.Exposures...)
		all.Truth.Payments = append(all.Truth.Payments, c.Truth.Payments...)
		all.Truth.Subscriptions = append(all.Truth.Subscriptions, c.Truth.Subscriptions...)
		all.Truth.Accruals = append(all.Truth.Accruals, c.Truth.Accruals...)
		all.Truth.Planted = append(all.Truth.Planted, c.Truth.Planted...)
		all.Truth.Attended = append(all.Truth.Attended, c.Truth.Attended...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func sum(t testing.TB, v any) string {
	t.Helper()
	content, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(content))
}

func TestSameOptionsGiveTheSamePeople(t *testing.T) {
	t.Parallel()
	o := options(t, 1500, 12)
	want := sum(t, whole(t, o))
	for _, chunk := range []int{1, 7, 100_000} {
		o.Chunk = chunk
		if got := sum(t, whole(t, o)); got != want {
			t.Errorf("chunks of %d households give another world", chunk)
		}
	}
	o.Seed++
	if sum(t, whole(t, o)) == want {
		t.Error("another seed gives the same world")
	}
}

func TestAHouseholdIsTheSameInALargerWorld(t *testing.T) {
	t.Parallel()
	small, large := whole(t, options(t, 500, 5)), whole(t, options(t, 900, 5))
	accounts := map[string]string{}
	for _, a := range large.Accounts {
		accounts[a.ID+a.Changed.String()] = sum(t, a)
	}
	last := small.Humans[len(small.Humans)-1].Household // may be cut
	for _, a := range small.Accounts {
		if a.Household != last && accounts[a.ID+a.Changed.String()] != sum(t, a) {
			t.Fatalf("account %s of household %d differs", a.ID, a.Household)
		}
	}
}

func TestProgressEndsWithEverybody(t *testing.T) {
	t.Parallel()
	o, last := options(t, 3000, 2), 0
	o.Progress = func(done, total int) {
		if done <= last || total != 3000 {
			t.Errorf("%d of %d after %d", done, total, last)
		}
		last = done
	}
	if whole(t, o); last != 3000 {
		t.Errorf("ended at %d", last)
	}
}

func TestImpossibleOptions(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*world.Options){
		"at least one person": func(o *world.Options) { o.People = 0 },
		"one night":           func(o *world.Options) { o.Nights = -1 },
		"a zone":              func(o *world.Options) { o.Zone = nil },
		"account or device":   func(o *world.Options) { o.AssignedBy = "person" },
		"from 0 to 1":         func(o *world.Options) { o.Late = 2 },
	} {
		o := options(t, 10, 1)
		change(&o)
		err := world.Generate(context.Background(), o, func(*world.Chunk) error { return nil })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := world.Generate(ctx, options(t, 10, 1), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

// What a unit did is worked out from the feeds alone, by account, and must be what the truth says of its arm.
func TestTruthHoldsInTheFeeds(t *testing.T) {
	t.Parallel()
	for _, by := range []string{world.ByAccount, world.ByDevice} {
		o := options(t, 10_000, 45)
		o.AssignedBy, o.Scale = by, 0.01 // of what is beside the experiment
		c := whole(t, o)
		met := map[string]time.Time{}
		for _, e := range c.Exposures {
			if at, ok := met[e.Account]; !ok || e.At.Before(at) {
				met[e.Account] = e.At
			}
		}
		got := map[string]*world.Outcome{}
		inside := func(account string, at time.Time, days int) *world.Outcome {
			first, ok := met[account]
			if !ok || at.Before(first) || !at.Before(first.Add(time.Duration(days)*24*time.Hour)) {
				return new(world.Outcome)
			}
			if got[account] == nil {
				got[account] = new(world.Outcome)
			}
			return got[account]
		}
		seen := map[string]bool{}
		for _, ch := range c.Charges {
			if ch.Status != "succeeded" || seen[ch.ID] {
				continue
			}
			seen[ch.ID] = true
			if ch.Plan == "first_month" {
				inside(ch.Account, ch.Created, 7).First = true
			} else {
				inside(ch.Account, ch.Created, 32).Second = true
			}
			if ch.Currency == "RUB" {
				inside(ch.Account, ch.Created, 32).Revenue += ch.Amount
			}
		}
		for _, v := range c.Views {
			inside(v.Account, v.At, 14).Watched += v.Seconds
		}
		type sums struct{ n, x, xx float64 }
		means := map[string]*sums{}
		add := func(key string, x float64) {
			if means[key] == nil {
				means[key] = new(sums)
			}
			means[key].n, means[key].x, means[key].xx = means[key].n+1, means[key].x+x, means[key].xx+x*x
		}
		crossed := 0
		for _, e := range c.Truth.Exposures {
			if !e.At.Equal(met[e.Account]) {
				t.Fatalf("%s: t0 is %s, the first exposure %s", e.Account, e.At, met[e.Account])
			}
			if e.Arm != e.Acts {
				crossed++
			}
			if !e.Matured {
				continue
			}
			want := world.Outcome{First: e.FirstControl, Second: e.SecondControl, Revenue: e.RevenueControl, Watched: e.WatchedControl}
			if e.Acts == world.Treatment {
				want = world.Outcome{First: e.FirstTreatment, Second: e.SecondTreatment, Revenue: e.RevenueTreatment, Watched: e.WatchedTreatment}
			}
			did := world.Outcome{}
			if got[e.Account] != nil {
				did = *got[e.Account]
			}
			if did != want {
				t.Fatalf("%s, assigned by %s, acts as %s: did %+v, truth %+v", e.Account, by, e.Acts, did, want)
			}
			for metric, pair := range map[string][2]float64{
				"paid_first_month":  {number(e.FirstControl), number(e.FirstTreatment)},
				"paid_second_month": {number(e.SecondControl), number(e.SecondTreatment)},
				"revenue":           {float64(e.RevenueControl), float64(e.RevenueTreatment)},
				"watched_seconds":   {float64(e.WatchedControl), float64(e.WatchedTreatment)},
			} {
				add(metric+" control", pair[0])
				add(metric+" treatment", pair[1])
			}
		}
		if n := means["revenue control"].n; n < 3000 {
			t.Errorf("%.0f matured units: expected some thousands", n)
		}
		if by == world.ByAccount != (crossed == 0) {
			t.Errorf("by %s: %d units act by another arm than theirs", by, crossed)
		}
		for _, e := range world.Effects() {
			for name, want := range map[string]float64{" control": e.Control, " treatment": e.Treatment} {
				s := means[e.Metric+name]
				mean := s.x / s.n
				z := (mean - want) / math.Sqrt((s.xx/s.n-mean*mean)/s.n)
				t.Logf("by %s: %s%s: n %.0f, mean %.6g, model %.6g, z %.2f", by, e.Metric, name, s.n, mean, want, z)
				if !(math.Abs(z) < 4) {
					t.Errorf("by %s: %s%s: mean %g, the model says %g", by, e.Metric, name, mean, want)
				}
			}
		}
	}
}

// Where devices are assigned, some who meet the offer have been there for days, on several devices: who they are can be told. Where
// accounts are, whoever is registered meets it.
func TestRegularsMeetTheOffer(t *testing.T) {
	t.Parallel()
	for by, between := range map[string][2]float64{world.ByAccount: {0, 0.08}, world.ByDevice: {0.3, 0.5}} {
		o := options(t, 4000, 30)
		o.AssignedBy = by
		several, n := 0.0, 0.0
		for _, e := range whole(t, o).Truth.Exposures {
			several += number(len(e.Devices) > 1)
			n++
		}
		if is := several / n; is < between[0] || is > between[1] {
			t.Errorf("by %s: %.3f of the units had been logged in on several devices, expected %v", by, is, between)
		}
	}
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func BenchmarkGenerate(b *testing.B) {
	o := options(b, 20_000, 45)
	var events, logins, views int
	for b.Loop() {
		events, logins, views = 0, 0, 0
		err := world.Generate(context.Background(), o, func(c *world.Chunk) error {
			events, logins, views = events+len(c.Events), logins+len(c.Logins), views+len(c.Views)
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(events), "events")
	b.ReportMetric(float64(logins), "logins")
	b.ReportMetric(float64(views), "views")
}

// Rates are the same whenever they are asked for, differ by day, currency and world, and stay near an average day's.
func TestRates(t *testing.T) {
	t.Parallel()
	const days = 400
	seen := map[float64]int{}
	for _, seed := range []uint64{1, 2} {
		about := world.About{Seed: seed}
		for currency, average := range map[string]float64{"JPY": 0.52, "KWD": 262.5, "KZT": 0.163} {
			sum := 0.0
			for day := table.Day(20_000); day < 20_000+days; day++ {
				rate := about.Rate(currency, day)
				if rate != about.Rate(currency, day) || math.Abs(rate/average-1) > 0.0301 {
					t.Fatalf("seed %d: %s on %s: %v", seed, currency, day, rate)
				}
				sum += rate
				seen[rate]++
			}
			if mean := sum / days; math.Abs(mean/average-1) > 0.003 {
				t.Errorf("seed %d: a %s is worth %v on average, expected about %v", seed, currency, mean, average)
			}
		}
	}
	if len(seen) < 2*3*days*9/10 {
		t.Errorf("%d different rates of %d", len(seen), 2*3*days)
	}
}
