package world_test

import (
	"fmt"
	"math"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// version is what every version of anything has.
type version struct {
	kind, id         string
	changed, visible time.Time
}

func versions(c *world.Chunk) (all []version) {
	add := func(kind, id string, changed, visible time.Time) {
		all = append(all, version{kind, id, changed, visible})
	}
	for _, x := range c.Accounts {
		add("account", x.ID, x.Changed, x.Visible)
	}
	for _, x := range c.Devices {
		add("device", x.ID, x.Changed, x.Visible)
	}
	for _, x := range c.Subscriptions {
		add("subscription", x.ID, x.Changed, x.Visible)
	}
	for _, x := range c.Invoices {
		add("invoice", x.ID, x.Changed, x.Visible)
	}
	for _, x := range c.Charges {
		add("charge", x.ID, x.Changed, x.Visible)
	}
	for _, x := range c.Refunds {
		add("refund", x.ID, x.Changed, x.Visible)
	}
	for _, x := range c.Disputes {
		add("dispute", x.ID, x.Changed, x.Visible)
	}
	for _, x := range c.Accruals {
		add("accrual", x.ID, x.Changed, x.Visible)
	}
	for _, x := range c.Contacts {
		add("contact", x.ID, x.Changed, x.Visible)
	}
	for _, x := range c.Deals {
		add("deal", x.ID, x.Changed, x.Visible)
	}
	for _, x := range c.Transactions {
		if x.ID != "" {
			add("transaction", x.ID, x.Booked, x.Visible)
		}
	}
	return all
}

func TestVersionsFollowEachOther(t *testing.T) {
	t.Parallel()
	o := options(t, 8000, 60)
	o.Scale = 0.2
	end := (o.First + table.Day(o.Nights-1)).Window(o.Zone).To
	last := map[string]version{}
	for _, v := range versions(whole(t, o)) {
		key := v.kind + " " + v.id
		before, again := last[key]
		switch {
		case v.visible.Before(v.changed):
			t.Errorf("%s changed at %s, is visible at %s already", key, v.changed, v.visible)
		case !v.changed.Before(end):
			t.Errorf("%s changes after the last night", key)
		case again && !v.changed.After(before.changed):
			t.Errorf("%s: a version of %s after one of %s", key, v.changed, before.changed)
		case again && v.visible.Before(before.visible), again && v.visible.Equal(before.visible) && v.kind != "charge":
			t.Errorf("%s: the version of %s is visible at %s, the one before it at %s", key, v.changed, v.visible, before.visible)
		}
		last[key] = v
	}
}

func TestRowsAreNumberedByTime(t *testing.T) {
	t.Parallel()
	c := whole(t, options(t, 3000, 20))
	seen := map[string]bool{}
	check := func(kind string, id int64, at, visible time.Time) {
		key := fmt.Sprint(kind, id)
		if seen[key] || id < 1 || id >= 1<<53 {
			t.Errorf("%s %d: there twice, or no number that JSON holds", kind, id)
		}
		if visible.Before(at) {
			t.Errorf("%s %d of %s is visible at %s", kind, id, at, visible)
		}
		seen[key] = true
	}
	for i, x := range c.Logins {
		check("login", x.ID, x.At, x.Visible)
		if y := c.Logins[max(i, 1)-1]; x.ID < y.ID != x.At.Before(y.At) && x.At.Sub(y.At).Abs() > 5*time.Second {
			t.Errorf("logins %d of %s and %d of %s", y.ID, y.At, x.ID, x.At)
		}
	}
	for _, x := range c.Views {
		check("view", x.ID, x.At, x.Visible)
	}
	for _, x := range c.Assignments {
		check("assignment", x.ID, x.At, x.Visible)
	}
	for _, x := range c.Exposures {
		check("exposure", x.ID, x.At, x.Visible)
	}
	events := map[string]bool{}
	for _, e := range c.Events {
		key := fmt.Sprint(e.PseudoID, e.At, e.Name, e.Sequence)
		if events[key] || e.Visible.Before(e.At) || e.Visible.Sub(e.At) > 102*time.Hour {
			t.Errorf("event %+v: there twice, or visible when it cannot be", e)
		}
		events[key] = true
	}
}

// noDevice is what some apps send as their device's id.
const noDevice = "00000000-0000-0000-0000-000000000000"

func TestNamesMeanSomebody(t *testing.T) {
	t.Parallel()
	o := options(t, 5000, 45)
	o.Scale = 0.3
	end := (o.First + table.Day(o.Nights-1)).Window(o.Zone).To
	c := whole(t, o)
	human, device, customer, accounts := map[string]int64{}, map[string]bool{}, map[string]string{}, map[string]time.Time{}
	for _, a := range c.Accounts {
		if was, ok := human[a.ID]; ok && was != a.Human {
			t.Errorf("account %s is of two humans", a.ID)
		}
		human[a.ID], accounts[a.ID] = a.Human, a.Registered
	}
	kinds := map[string]int{}
	household := map[string]int64{}
	for _, d := range c.Devices {
		if was, ok := household[d.ID]; ok && was != d.Household {
			t.Errorf("device %s is of two households", d.ID)
		}
		household[d.ID], device[d.ID] = d.Household, true
		kinds[d.Type]++
		if _, known := accounts[d.Account]; d.Account != "" && !known {
			t.Errorf("device %s: nobody is called %s", d.ID, d.Account)
		}
	}
	if len(kinds) != 4 {
		t.Errorf("types of devices: %v", kinds)
	}
	for _, l := range c.Logins {
		if since, ok := accounts[l.Account]; !ok || l.At.Before(since) || !device[l.Device] {
			t.Fatalf("login %+v: no such account by then, or no such device", l)
		}
	}
	for _, v := range c.Views {
		if since, ok := accounts[v.Account]; v.Account != "" && (!ok || v.At.Before(since)) || !device[v.Device] && v.Device != noDevice || v.Seconds < 1 {
			t.Fatalf("view %+v", v)
		}
	}
	for _, e := range c.Events {
		if _, ok := accounts[e.Account]; !ok && e.Account != "" && !strings.Contains("null undefined 0", e.Account) && !strings.Contains(e.Account, "@") {
			t.Fatalf("event %+v: nobody is called so", e)
		}
		if e.Consent != (e.PseudoID != "") || e.PseudoID != "" && !device[e.PseudoID] && e.PseudoID != noDevice {
			t.Fatalf("event %+v: consent and pseudo id", e)
		}
	}
	for _, x := range c.Customers {
		if customer[x.ID] = x.Account; human[x.Account] == 0 {
			t.Errorf("customer %+v", x)
		}
	}
	for _, x := range c.Charges {
		if customer[x.Customer] != x.Account || x.Amount <= 0 {
			t.Errorf("charge %+v", x)
		}
	}
	for _, e := range c.Exposures {
		if since := accounts[e.Account]; since.IsZero() || e.At.Before(since) || !device[e.Device] {
			t.Errorf("exposure %+v", e)
		}
	}
	values, moved := map[string]int64{}, map[string]bool{}
	for _, n := range c.Truth.Nodes {
		moved[n.Node] = moved[n.Node] || n.Type == "phone" && n.To.Before(end)
	}
	for _, n := range c.Truth.Nodes {
		public := n.Type == "device" && household[n.Node] == 0 || n.Type == "phone" && moved[n.Node] || strings.HasPrefix(n.Node, "info@")
		if was, ok := values[n.Type+n.Node]; ok && was != n.Household && !public {
			t.Errorf("%s %s is of two households", n.Type, n.Node)
		}
		values[n.Type+n.Node] = n.Household
		kind := identifier.Kind(n.Type)
		if _, err := identifier.Normalise(kind, n.Node); !identifier.Known(kind) || err != nil {
			t.Errorf("%s %s: %v", n.Type, n.Node, err)
		}
	}
	for _, n := range []string{"account", "device", "email", "phone", "card", "crm", "bank_client"} {
		found := false
		for _, x := range c.Truth.Nodes {
			found = found || x.Type == n
		}
		if !found {
			t.Errorf("no node of type %s", n)
		}
	}
	for id := range device {
		if _, known := values["device"+id]; !known {
			t.Errorf("device %s is no node", id)
		}
	}
}

func TestMoneyAddsUp(t *testing.T) {
	t.Parallel()
	o := options(t, 20_000, 60)
	o.Scale = 0.01
	c := whole(t, o)
	charges, refunded, balance := map[string]world.Charge{}, map[string]int64{}, map[string]int64{}
	for _, x := range c.Charges {
		charges[x.ID] = x
	}
	currencies := map[string]int{}
	for _, x := range charges {
		currencies[x.Currency]++
	}
	if len(currencies) != 4 {
		t.Errorf("currencies %v: expected such with no decimals and with three, too", currencies)
	}
	final := map[string]world.Refund{}
	for _, x := range c.Refunds {
		final[x.ID] = x
	}
	partial, late, month := 0, 0, 0
	for _, x := range final {
		ch := charges[x.Charge]
		if x.Created.Before(ch.Created) || x.Amount <= 0 || x.Amount > ch.Amount || x.Currency != ch.Currency {
			t.Errorf("refund %+v of %+v", x, ch)
		}
		partial += int(number(x.Amount < ch.Amount))
		late += int(number(x.Visible.Sub(x.Changed) > 12*time.Hour))
		month += int(number(x.Created.Month() != ch.Created.Month()))
		if x.Status == "succeeded" {
			refunded[x.Charge] += x.Amount
		}
	}
	if partial == 0 || late == 0 || month == 0 {
		t.Errorf("%d partial refunds, %d late, %d in another month: expected some of each", partial, late, month)
	}
	for id, x := range charges {
		if refunded[id] != x.Refunded || x.Refunded > x.Amount {
			t.Errorf("charge %+v, refunded %d", x, refunded[id])
		}
	}
	ids := map[string]bool{}
	for _, x := range c.Balances {
		if ids[x.ID] {
			t.Errorf("balance %s twice", x.ID)
		}
		ids[x.ID] = true
		balance[x.Of] += x.Amount
	}
	for id, x := range charges {
		if x.Status == "succeeded" && (balance[id] != x.Amount || !ids[x.BalanceTransaction]) {
			t.Errorf("charge %+v moved the balance by %d", x, balance[id])
		}
	}
	outcomes := map[string]int{}
	for _, x := range c.Disputes {
		want := -x.Amount
		if x.Status == "won" {
			want = 0
		}
		if outcomes[x.Status]++; (x.Status == "won" || x.Status == "lost") && balance[x.ID] != want {
			t.Errorf("dispute %+v moved the balance by %d", x, balance[x.ID])
		}
	}
	if outcomes["won"] == 0 || outcomes["lost"] == 0 {
		t.Errorf("disputes: %v", outcomes)
	}
	for _, x := range c.Invoices {
		if (x.Status == "paid") != (x.Paid == x.Due) || x.Paid > 0 && charges[x.Charge].Invoice != x.ID {
			t.Errorf("invoice %+v", x)
		}
	}
}

// What the truth says of payments and subscriptions is what the payment system shows of them.
func TestPaymentsAndSubscriptionsAreWhatTheTruthSays(t *testing.T) {
	t.Parallel()
	o := options(t, 5000, 45)
	o.Scale = 0.01
	c := whole(t, o)
	paid := map[string]world.Payment{}
	for _, x := range c.Charges {
		if x.Status == "succeeded" {
			paid[x.ID] = world.Payment{PaymentID: x.ID, Account: x.Account, CapturedAt: x.Created, AmountMinor: x.Amount, Currency: x.Currency, Plan: x.Plan}
		}
	}
	for _, x := range c.Truth.Payments {
		if want := (world.Payment{PaymentID: x.PaymentID, Account: x.Account, CapturedAt: x.CapturedAt, AmountMinor: x.AmountMinor, Currency: x.Currency, Plan: x.Plan}); paid[x.PaymentID] != want {
			t.Errorf("payment %+v is charge %+v", x, paid[x.PaymentID])
		}
	}
	begun := map[string]world.TrueSubscription{}
	for _, x := range c.Subscriptions {
		begun[x.ID] = world.TrueSubscription{SubscriptionID: x.ID, Account: x.Account, Started: x.Created, Trial: !x.TrialEnd.IsZero()}
	}
	trials := 0
	for _, x := range c.Truth.Subscriptions {
		if x != begun[x.SubscriptionID] {
			t.Errorf("subscription %+v is shown as %+v", x, begun[x.SubscriptionID])
		}
		trials += int(number(x.Trial))
	}
	if len(c.Truth.Payments) != len(paid) || len(c.Truth.Subscriptions) != len(begun) || trials == 0 || trials == len(begun) {
		t.Errorf("%d payments of %d, %d subscriptions of %d, %d trials", len(c.Truth.Payments), len(paid), len(c.Truth.Subscriptions), len(begun), trials)
	}
}

// What the bank accrued for a payment, by what is wrong about it.
func TestAccrualsAreWhatTheTruthSays(t *testing.T) {
	t.Parallel()
	o := options(t, 30_000, 70)
	o.Scale = 0.01
	c := whole(t, o)
	credits, kinds, truth := map[string]int64{}, map[string]int{}, map[string]world.TrueAccrual{}
	for _, a := range c.Truth.Accruals {
		truth[a.AccrualID] = a
		kinds[a.Kind]++
		if a.PaymentID != nil && a.Direction == "credit" {
			credits[*a.PaymentID] += a.AmountMinor
		}
		if a.Kind == "reversal" && (a.ReversalOf == nil || truth[*a.ReversalOf].AmountMinor < a.AmountMinor) {
			t.Errorf("reversal %+v", a)
		}
	}
	last, postings := map[string]world.Accrual{}, map[string]world.BankTransaction{}
	for _, x := range c.Transactions {
		postings[x.ID] = x
	}
	for _, a := range c.Accruals {
		if a.Revision != last[a.ID].Revision+1 || a.Amount <= 0 {
			t.Errorf("accrual %+v after %+v", a, last[a.ID])
		}
		last[a.ID] = a
		if a.Posting != "" && postings[a.Posting].Amount != a.Amount {
			t.Errorf("accrual %+v is paid out by %+v", a, postings[a.Posting])
		}
	}
	for id, a := range last {
		if row := truth[id]; row.Status != a.Status || row.AmountMinor != a.Amount || (row.PaymentID == nil) != (a.Payment == "") {
			t.Errorf("accrual %+v, truth %+v", a, row)
		}
	}
	for _, kind := range []string{"right", "late", "wrong", "duplicate", "split", "reversed", "reversal", "ineligible", "foreign"} {
		if kinds[kind] == 0 {
			t.Errorf("no accrual is %s: %v", kind, kinds)
		}
	}
	succeeded := map[string]bool{}
	for _, x := range c.Charges {
		succeeded[x.ID] = succeeded[x.ID] || x.Status == "succeeded"
	}
	paid := 0
	for _, ok := range succeeded {
		paid += int(number(ok))
	}
	if len(c.Truth.Payments) != paid {
		t.Errorf("%d payments in the truth, %d charges succeeded", len(c.Truth.Payments), paid)
	}
	// Payments long enough before the end that whatever the bank would accrue, it has.
	settled := o.First.Window(o.Zone).From.Add(time.Duration(o.Nights-27) * 24 * time.Hour)
	made, reasons, reversals := map[string]int{}, map[string]int{}, map[string]int{}
	for _, p := range c.Truth.Payments {
		reasons[p.Reason]++
		reversals[p.Reversal]++
		if !succeeded[p.PaymentID] {
			t.Errorf("payment %+v is no charge that succeeded", p)
		}
		if p.Eligible != (p.ExpectedMinor > 0) || p.NetMinor > p.ExpectedMinor || p.Eligible != (p.Reason == "") {
			t.Errorf("payment %+v", p)
		}
		if !p.Eligible || p.CapturedAt.After(settled) {
			continue
		}
		got, want := credits[p.PaymentID], p.ExpectedMinor
		made[p.Bank]++
		ok := got == want
		switch p.Bank {
		case "missing":
			ok = got == 0
		case "wrong":
			ok = got != want && got > 0
		case "duplicate":
			ok = got == 2*want
		}
		if !ok {
			t.Errorf("payment %+v: accrued %d", p, got)
		}
	}
	for _, reason := range []string{"before_campaign", "not_first_month", "not_offered", "not_first_account", "not_partner_card", "currency"} {
		if reasons[reason] == 0 {
			t.Errorf("no payment is %s: %v", reason, reasons)
		}
	}
	if reversals["done"] == 0 || reversals["missing"] == 0 {
		t.Errorf("reversals: %v", reversals)
	}
	n := 0
	for _, k := range made {
		n += k
	}
	for kind, want := range map[string]float64{"missing": 0.04, "late": 0.05, "wrong": 0.03, "duplicate": 0.02, "split": 0.02} {
		share(t, kind, made[kind], n, want)
	}
}

// share checks a share against its parameter, within four standard deviations.
func share(t *testing.T, name string, k, n int, want float64) {
	t.Helper()
	got := float64(k) / float64(n)
	z := (got - want) / math.Sqrt(want*(1-want)/float64(n))
	t.Logf("%s: %d of %d, %.4f, parameter %.4f, z %.2f", name, k, n, got, want, z)
	if !(math.Abs(z) < 4) {
		t.Errorf("%s: %d of %d is %.4f: expected about %.4f", name, k, n, got, want)
	}
}

func TestSharesAreTheParameters(t *testing.T) {
	t.Parallel()
	o := options(t, 10_000, 45)
	o.Scale = 0.4
	c := whole(t, o)
	size := map[int64]int{}
	for _, h := range c.Humans {
		if h.Household <= 1<<23 { // others have somebody's password
			size[h.Household]++
		}
	}
	sizes := map[int]int{}
	for _, n := range size {
		sizes[n]++
	}
	for i, want := range []float64{0.336, 0.319, 0.156, 0.131, 0.058} {
		share(t, fmt.Sprint("households of ", i+1), sizes[i+1], len(size), want)
	}
	late, anonymous, refused := 0, 0, 0
	for _, e := range c.Events {
		if d := table.DayOf(e.At, o.Zone); e.Visible.After((d + 1).Window(o.Zone).To) {
			late++
		}
		anonymous += int(number(e.Account == ""))
		refused += int(number(!e.Consent))
	}
	share(t, "late events", late, len(c.Events), 0.02)
	if a, r := float64(anonymous)/float64(len(c.Events)), float64(refused)/float64(len(c.Events)); a < 0.2 || a > 0.65 || r < 0.1 || r > 0.45 {
		t.Errorf("%.2f of the events are anonymous, %.2f without consent", a, r)
	}
	late, midnight := 0, 0
	for _, l := range c.Logins {
		late += int(number(l.Visible.Sub(l.At) > 10*time.Second))
		midnight += int(number(table.DayOf(l.Visible, o.Zone) != table.DayOf(l.At, o.Zone) && l.Visible.Sub(l.At) > time.Minute))
	}
	share(t, "late commits", late, len(c.Logins), 0.004)
	if midnight == 0 {
		t.Error("no login is committed past midnight")
	}
	treated, assigned := 0, map[string]string{}
	for _, a := range c.Assignments {
		if was := assigned[a.Unit]; was != "" {
			t.Errorf("%s is assigned twice", a.Unit)
		}
		assigned[a.Unit] = a.Variant
		treated += int(number(a.Variant == world.Treatment))
	}
	share(t, "assigned to the offer", treated, len(c.Assignments), 0.5)
	for _, e := range c.Exposures {
		if assigned[e.Unit] != e.Variant {
			t.Errorf("%s was assigned %q and met %q", e.Unit, assigned[e.Unit], e.Variant)
		}
	}
	typos := map[string]int{}
	for _, p := range c.Truth.Planted {
		typos[p.Kind]++
	}
	for _, kind := range []string{"email", "phone", "card", "name"} {
		if typos[kind] < 10 {
			t.Errorf("planted: %v", typos)
		}
	}
	holders := map[int64]map[string]bool{}
	for _, a := range c.Accounts {
		if holders[a.Human] == nil {
			holders[a.Human] = map[string]bool{}
		}
		holders[a.Human][a.ID] = true
	}
	doubles := 0
	for _, ids := range holders {
		doubles += int(number(len(ids) > 1))
	}
	share(t, "humans with two accounts", doubles, len(holders), 0.04)
}

var digits = regexp.MustCompile(`\D`)

// Wherever a source shows personal data of somebody, the truth has it.
func TestEverythingPlantedIsKnown(t *testing.T) {
	t.Parallel()
	c := whole(t, options(t, 5000, 30))
	known := map[string]bool{}
	for _, p := range c.Truth.Planted {
		known[p.Value] = true
		if p.Kind == "card" && len(digits.ReplaceAllString(p.Value, "")) != 16 {
			t.Errorf("%+v is no card number", p)
		}
	}
	shows := func(place, value string) {
		if value != "" && !known[value] {
			t.Errorf("%s shows %q, which is not among the planted", place, value)
		}
	}
	for _, a := range c.Accounts {
		shows("account", a.Email)
		shows("account", a.Phone)
		shows("account", a.Name)
	}
	for _, x := range c.Customers {
		shows("customer", x.Email)
		shows("customer", x.Phone)
	}
	for _, x := range c.Contacts {
		shows("contact", x.Email)
		shows("contact", x.Phone)
		shows("contact", x.Name)
	}
	for _, x := range c.Transactions {
		for _, what := range []string{"OPLATA KINO", "VOZVRAT KINO", "CASHBACK cashback_99", "PYATEROCHKA", "KAFE", "TAXI", "APTEKA", "PEREVOD"} {
			if rest, ok := strings.CutPrefix(x.Info, what); ok {
				shows("free text", strings.TrimPrefix(rest, " "))
			}
		}
	}
	pages := 0
	for _, e := range c.Events {
		if strings.Contains(e.Account, "@") {
			shows("user id", e.Account)
		}
		_, query, found := strings.Cut(e.Page, "?")
		for _, name := range []string{"email=", "phone=", "card="} {
			if value, ok := strings.CutPrefix(query[max(0, strings.Index(query, name)):], name); found && ok {
				pages++
				if value, _ = url.PathUnescape(value); value != "" { // which leaves a + alone
					shows("page", value)
				}
			}
		}
	}
	if pages == 0 {
		t.Error("no page has personal data")
	}
}

func TestDaysWhenTheClocksChange(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"2026-03-28", "2026-10-24"} {
		o := options(t, 2000, 4)
		var err error
		if o.Zone, err = time.LoadLocation("Europe/Berlin"); err != nil {
			t.Fatal(err)
		}
		if o.First, err = table.ParseDay(first); err != nil {
			t.Fatal(err)
		}
		days := map[table.Day]int{}
		for _, e := range whole(t, o).Events {
			d := table.DayOf(e.At, o.Zone)
			days[d]++
			if export := d.Window(o.Zone).To.Add(4 * time.Hour); e.Visible.Before(export) {
				t.Errorf("an event of %s is visible before its day is exported", e.At.In(o.Zone))
			}
		}
		if len(days) != 4 {
			t.Errorf("%s: events on %v", first, days)
		}
	}
}
