package crm_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
	"crosslift/connectors/crm"
	"crosslift/connectors/rest"
	"crosslift/connectors/sandbox/hubspot"
	"crosslift/connectors/sandbox/world"
	"crosslift/connectors/sandbox/world/worldtest"
	"crosslift/schemas/identifier"
	"crosslift/schemas/secret"
	"crosslift/schemas/table"
)

var (
	zone   = mustZone("Europe/Berlin")
	day, _ = table.ParseDay("2026-11-03")
	start  = day.Window(zone).From
	after  = day.Window(zone).To.Add(6 * time.Hour) // when the night runs
	key, _ = identifier.NewKey("test", []byte("0123456789abcdef"))
)

func mustZone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return z
}

func hash(t *testing.T, kind identifier.Kind, value string) identifier.ID {
	t.Helper()
	id, err := key.Hash(kind, value)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// account is a HubSpot account with a source that reads it.
type account struct {
	t      *testing.T
	memory *worldtest.Memory
	clock  *worldtest.Clock
	front  func(h http.Handler) http.Handler // what stands before it
	config func(c *crm.Config)
	log    io.Writer
	quota  hubspot.Quota
}

func (a *account) add(c *world.Chunk) {
	a.t.Helper()
	if a.memory == nil {
		a.memory = worldtest.NewMemory(zone)
	}
	if err := hubspot.Builder().Build(c, a.memory); err != nil {
		a.t.Fatal(err)
	}
}

func (a *account) source() connectors.Source {
	a.t.Helper()
	if a.clock == nil {
		a.clock = worldtest.NewClock(after)
	}
	if a.log == nil {
		a.log = io.Discard
	}
	a.add(&world.Chunk{})
	served := hubspot.Handler(a.memory, hubspot.Options{Token: "pat-1", Now: a.clock.Now, Quota: a.quota})
	h := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", a.clock.Now().UTC().Format(http.TimeFormat)) // that of the machine is another
		served.ServeHTTP(w, r)
	}))
	if a.front != nil {
		h = a.front(h)
	}
	var one sync.Mutex // a request after the other: what stands before HubSpot counts, remembers and changes the world
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		one.Lock()
		defer one.Unlock()
		h.ServeHTTP(w, r)
	}))
	a.t.Cleanup(s.Close)
	c := crm.Config{
		Base: s.URL, Token: secret.New("pat-1"), RequestsPerSecond: 1e6, Region: "RU",
		Retry: rest.Retry{Tries: 8, First: time.Millisecond, Most: time.Millisecond},
		Contacts: crm.Contacts{
			Account: "user_id", MarketingConsent: "marketing_consent", AnalyticsConsent: "analytics_consent", ConsentVersion: "consent_version",
		},
		Subscriptions: crm.Subscriptions{Plan: "plan"},
	}
	if a.config != nil {
		a.config(&c)
	}
	source, err := crm.New(c, connectors.Env{
		Key: key, Zone: zone, Now: a.clock.Now, Log: slog.New(slog.NewTextHandler(a.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { source.Close() })
	return source
}

// contacts and deals extract a day into a sink.
func contacts(s connectors.Source, d table.Day, from string) (*connectorstest.Sink[table.CRMContactRow], error) {
	sink := &connectorstest.Sink[table.CRMContactRow]{Table: table.CRMContact, Window: d.Window(zone), From: from}
	return sink, s.Streams()[0].Extract(context.Background(), d, nil, sink)
}

func deals(s connectors.Source, d table.Day) (*connectorstest.Sink[table.CRMSubscriptionRow], error) {
	sink := &connectorstest.Sink[table.CRMSubscriptionRow]{Table: table.CRMSubscription, Window: d.Window(zone)}
	return sink, s.Streams()[1].Extract(context.Background(), d, nil, sink)
}

// person is a contact that was modified so long after the day's start.
func person(n int, since time.Duration) world.Contact {
	at := start.Add(since)
	return world.Contact{ID: strconv.Itoa(n), Email: fmt.Sprintf("p%d@example.org", n), Created: start, Changed: at, Visible: at}
}

// crowd is n contacts from id first on, modified evenly over a span; 0 puts all in one millisecond.
func crowd(first, n int, from, span time.Duration) *world.Chunk {
	c := &world.Chunk{}
	for i := range n {
		c.Contacts = append(c.Contacts, person(first+i, from+time.Duration(i)*span/time.Duration(n)))
	}
	return c
}

// exactly makes sure that each id from first on landed once.
func exactly(t *testing.T, name string, rows []table.CRMContactRow, first, n int) {
	t.Helper()
	seen := map[string]int{}
	for _, r := range rows {
		seen[r.SourceID]++
	}
	for i := range n {
		if seen[strconv.Itoa(first+i)] != 1 {
			t.Fatalf("%s: contact %d landed %d times", name, first+i, seen[strconv.Itoa(first+i)])
		}
	}
	if len(seen) != n {
		t.Errorf("%s: %d contacts landed, expected %d", name, len(seen), n)
	}
}

func TestContacts(t *testing.T) {
	yes, no := true, false
	at := start.Add(3*time.Hour + 1234567*time.Nanosecond)
	a := &account{t: t}
	a.add(&world.Chunk{Contacts: []world.Contact{
		{ID: "101", Account: "u00c0ffee", Email: "Ann.Lee+tv@GMail.com", Phone: "8 (916) 123-45-67", Name: "Ann Lee",
			MarketingConsent: &yes, AnalyticsConsent: &no, ConsentVersion: "2026-01", Created: start.Add(-time.Hour), Changed: at, Visible: at},
		{ID: "102", Email: "not an address", Phone: "112", Created: start, Changed: at, Visible: at},
		{ID: "103", Account: "undefined", Email: "noreply@example.org", Archived: true, Created: start, Changed: at, Visible: at},
		person(104, -time.Millisecond), person(105, 24*time.Hour), person(106, 0), person(107, 24*time.Hour-time.Millisecond),
	}})
	sink, err := contacts(a.source(), day, "")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]table.CRMContactRow{}
	for _, r := range sink.Rows {
		got[r.SourceID] = r
	}
	if len(sink.Rows) != 5 || len(got) != 5 || len(sink.Rejected) != 0 || len(sink.Fields) != 0 {
		t.Fatal(len(sink.Rows), len(got), sink.Rejected, sink.Fields)
	}
	r := got["101"]
	if r.MarketingConsent == nil || !*r.MarketingConsent || r.AnalyticsConsent == nil || *r.AnalyticsConsent {
		t.Error("consents of 101")
	}
	r.MarketingConsent, r.AnalyticsConsent = nil, nil
	if want := (table.CRMContactRow{
		SourceID: "101", ChangedAt: table.MicrosOf(start.Add(3*time.Hour + time.Millisecond)), Contact: hash(t, identifier.CRMContact, "101"),
		Account: hash(t, identifier.Account, "u00c0ffee"), Email: hash(t, identifier.Email, "ann.lee+tv@gmail.com"),
		EmailFolded: hash(t, identifier.EmailFolded, "annlee@gmail.com"), Phone: hash(t, identifier.Phone, "+79161234567"),
		ConsentVersion: "2026-01", System: "hubspot",
	}); r != want {
		t.Errorf("%+v\nexpected\n%+v", r, want)
	}
	if r := got["102"]; r.Email != (identifier.ID{}) || r.Phone != (identifier.ID{}) || r.Account != (identifier.ID{}) || r.MarketingConsent != nil {
		t.Error("what is invalid or not there is none:", r)
	}
	if r := got["103"]; !r.Archived || r.Email != (identifier.ID{}) || r.Account != (identifier.ID{}) {
		t.Error("archived, and blocked values:", r)
	}
	if fmt.Sprint(sink.Totals) != "[{rows  5}]" {
		t.Error("total", sink.Totals)
	}
}

func TestDeals(t *testing.T) {
	at := start.Add(time.Hour)
	deal := func(id string, d world.Deal) world.Deal {
		d.ID, d.Created, d.Changed, d.Visible = id, start.Add(-time.Hour), at, at
		return d
	}
	a := &account{t: t}
	a.add(&world.Chunk{Deals: []world.Deal{
		deal("1", world.Deal{Contact: "101", Stage: "active", Plan: "family", Amount: 29950, Currency: "RUB"}),
		deal("2", world.Deal{Stage: "trial", Amount: 1500, Currency: "JPY"}),
		deal("3", world.Deal{Contact: "102", Stage: "churned", Amount: 12345, Currency: "KWD", Closed: at.Add(-time.Minute)}),
		deal("4", world.Deal{Contact: "103", Stage: "churned", Amount: 1, Currency: "RUB", Archived: true}),
	}})
	sink, err := deals(a.source(), day)
	if err != nil || len(sink.Rows) != 4 || len(sink.Rejected) != 0 || len(sink.Fields) != 0 {
		t.Fatal(err, sink.Rows, sink.Rejected, sink.Fields)
	}
	slices.SortFunc(sink.Rows, func(a, b table.CRMSubscriptionRow) int { return strings.Compare(a.SourceID, b.SourceID) })
	none := identifier.ID{}
	for i, want := range []struct {
		contact         identifier.ID
		stage, plan     string
		amount          int64
		currency        string
		closed, archive bool
	}{
		{hash(t, identifier.CRMContact, "101"), "active", "family", 29950, "RUB", false, false},
		{none, "trial", "", 1500, "JPY", false, false},
		{hash(t, identifier.CRMContact, "102"), "churned", "", 12345, "KWD", true, false},
		{hash(t, identifier.CRMContact, "103"), "churned", "", 1, "RUB", false, true},
	} {
		r := sink.Rows[i]
		if r.Contact != want.contact || r.Stage != want.stage || r.Plan != want.plan || r.Currency != want.currency ||
			(r.ClosedAt != nil) != want.closed || r.Archived != want.archive || r.CreatedAt == nil || r.System != "hubspot" {
			t.Errorf("%d: %+v", i+1, r)
		}
		if r.AmountMinor == nil || *r.AmountMinor != want.amount {
			t.Errorf("%d: amount %v", i+1, r.AmountMinor)
		}
	}
}

// Two contacts may be a deal's: the one that has been there longest is taken. Money is read exactly.
func TestDealsByHand(t *testing.T) {
	answer := func(body string) func(http.Handler) http.Handler {
		return func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case strings.HasSuffix(r.URL.Path, "/deals/search"):
					fmt.Fprintf(w, `{"total":1,"results":[%s]}`, body)
				case strings.Contains(r.URL.Path, "/associations/"):
					io.WriteString(w, `{"results":[{"from":{"id":"1"},"to":[{"toObjectId":"200"},{"toObjectId":99}]}]}`)
				default:
					h.ServeHTTP(w, r)
				}
			})
		}
	}
	const head = `{"id":"1","createdAt":"2026-11-01T00:00:00Z","archived":false,"properties":{"hs_lastmodifieddate":"2026-11-03T10:00:00.000Z",`
	for name, test := range map[string]struct{ properties, reason, closed string }{
		"as it should be":         {`"dealstage":"205839275","amount":"10.50","deal_currency_code":"RUB"`, "", ""},
		"its account's currency":  {`"dealstage":"won","amount":"10.50"`, "", ""},
		"nothing set":             {`"dealstage":"won","amount":"","closedate":""`, "", ""},
		"a forecast":              {`"dealstage":"won","closedate":"2026-12-01T00:00:00Z","hs_is_closed":"false"`, "", ""},
		"closed on a day":         {`"dealstage":"won","closedate":"2026-11-02","hs_is_closed":"true"`, "", "2026-11-02 00:00:00 +0000 UTC"},
		"closed in milliseconds":  {`"dealstage":"won","closedate":"1762128000000"`, "", "2025-11-03 00:00:00 +0000 UTC"},
		"no stage":                {`"amount":"1"`, "stage: required, but empty", ""},
		"too fine":                {`"dealstage":"won","amount":"1.005","deal_currency_code":"RUB"`, "amount_minor: expected at most 2 decimals", ""},
		"not a number":            {`"dealstage":"won","amount":"ann@example.org"`, "amount_minor: expected a number such as 12.50, with a point and no grouping", ""},
		"another type":            {`"dealstage":"won","amount":{}`, "amount_minor: expected a number as text", ""},
		"an unknown currency":     {`"dealstage":"won","amount":"1","deal_currency_code":"ABC"`, "amount_minor: expected an ISO 4217 currency code, such as EUR", ""},
		"not a time":              {`"dealstage":"won","closedate":"soon"`, "closed_at: expected a time", ""},
		"a person in the stage":   {`"dealstage":"ann@example.org"`, "stage: expected a name", ""},
		"a phone in the plan":     {`"dealstage":"won","plan":"+79161234567"`, "plan: expected a name", ""},
		"a card number for stage": {`"dealstage":"4111111111111111"`, "stage: expected a name", ""},
	} {
		a := &account{t: t, front: answer(head + test.properties + `}}`), config: func(c *crm.Config) { c.Subscriptions.DefaultCurrency = "RUB" }}
		sink, err := deals(a.source(), day)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if test.reason != "" {
			if len(sink.Rows) != 0 || len(sink.Rejected) != 1 || sink.Rejected[0].Reason != test.reason || sink.Rejected[0].Where.Position != 1 ||
				sink.Rejected[0].Where.File != "crm/v3/objects/deals/search" || len(sink.Rejected[0].Where.Raw) == 0 || sink.Rejected[0].Where.Fields != nil {
				t.Errorf("%s: %v %v", name, sink.Rows, sink.Rejected)
			}
			continue
		}
		if len(sink.Rows) != 1 || sink.Rows[0].Contact != hash(t, identifier.CRMContact, "99") {
			t.Errorf("%s: %+v %v", name, sink.Rows, sink.Rejected)
			continue
		}
		closed := ""
		if sink.Rows[0].ClosedAt != nil {
			closed = sink.Rows[0].ClosedAt.Time().String()
		}
		if closed != test.closed {
			t.Errorf("%s: closed %s", name, closed)
		}
	}
}

// However the changes lie in the day, each is read once.
func TestEveryChangeOnce(t *testing.T) {
	for name, test := range map[string]struct {
		worlds []*world.Chunk
		n      int
	}{
		"none":                              {nil, 0},
		"one page":                          {[]*world.Chunk{crowd(1, 200, time.Hour, time.Hour)}, 200},
		"a page and one":                    {[]*world.Chunk{crowd(1, 201, time.Hour, time.Hour)}, 201},
		"groups over the edges of pages":    {[]*world.Chunk{crowd(1, 1500, time.Hour, 20*time.Millisecond)}, 1500},
		"one millisecond, one page":         {[]*world.Chunk{crowd(1, 200, time.Hour, 0)}, 200},
		"one millisecond, more than a page": {[]*world.Chunk{crowd(1, 399, time.Hour, 0), crowd(400, 150, 0, time.Hour), crowd(550, 300, time.Hour+1e6, 0)}, 849},
		"the first and last millisecond":    {[]*world.Chunk{crowd(1, 450, 0, 0), crowd(451, 450, 24*time.Hour-time.Millisecond, 0)}, 900},
		"more than a query's 10,000":        {[]*world.Chunk{crowd(1, 10_700, time.Hour, time.Hour)}, 10_700},
		"an import of more than 10,000":     {[]*world.Chunk{crowd(1, 10_300, time.Hour, 0)}, 10_300},
	} {
		a := &account{t: t}
		for _, c := range test.worlds {
			a.add(c)
		}
		sink, err := contacts(a.source(), day, "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		exactly(t, name, sink.Rows, 1, test.n)
		if len(sink.Rows) != test.n || len(sink.Totals) != 1 || sink.Totals[0].Value != int64(test.n) {
			t.Errorf("%s: %d rows, total %v", name, len(sink.Rows), sink.Totals)
		}
	}
}

// Objects that lost their id, wherever they lie, are rejected once each, and cost no other.
func TestObjectsWithoutIDs(t *testing.T) {
	for name, c := range map[string]*world.Chunk{
		"spread":          crowd(1, 700, time.Hour, time.Hour),
		"groups":          crowd(1, 700, time.Hour, 8*time.Millisecond),
		"one millisecond": crowd(1, 700, time.Hour, 0),
		"archived":        crowd(1, 350, time.Hour, time.Hour),
	} {
		if name == "archived" {
			for i := range c.Contacts {
				c.Contacts[i].Archived = true
			}
		}
		a := &account{t: t}
		a.add(c)
		lost := 0
		records, err := a.memory.Current(hubspot.Source, hubspot.Contacts, after)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			if n, _ := strconv.Atoi(r.ID); n%7 == 0 {
				r.Object = []byte(strings.Replace(string(r.Object), `"id":"`+r.ID+`",`, "", 1))
				if err := a.memory.Write(hubspot.Source, hubspot.Contacts, r); err != nil {
					t.Fatal(err)
				}
				lost++
			}
		}
		sink, err := contacts(a.source(), day, "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		seen := map[string]bool{}
		for _, r := range sink.Rows {
			seen[r.SourceID] = true
		}
		if n := len(c.Contacts); len(sink.Rows) != n-lost || len(seen) != n-lost || len(sink.Rejected) != lost || sink.Totals[0].Value != int64(n) {
			t.Errorf("%s: %d rows (%d), %d rejected, %v", name, len(sink.Rows), len(seen), len(sink.Rejected), sink.Totals)
		}
	}
}

// An extract that broke off goes on behind its last page, wherever that was.
func TestResume(t *testing.T) {
	a := &account{t: t}
	a.add(crowd(1, 700, time.Hour, 6*time.Millisecond))
	a.add(crowd(701, 500, 2*time.Hour, 0))
	gone := crowd(1201, 250, 3*time.Hour, time.Hour)
	for i := range gone.Contacts {
		gone.Contacts[i].Archived = true
	}
	a.add(gone)
	source := a.source()
	whole, err := contacts(source, day, "")
	if err != nil {
		t.Fatal(err)
	}
	exactly(t, "whole", whole.Rows, 1, 1450)
	if len(whole.Cursors) < 8 {
		t.Fatal("pages:", whole.Cursors)
	}
	for i, cursor := range whole.Cursors {
		more, err := contacts(source, day, cursor)
		if err != nil {
			t.Fatal(err)
		}
		taken := len(whole.Rows) - len(more.Rows)
		exactly(t, fmt.Sprintf("page %d", i+1), append(slices.Clone(whole.Rows[:taken]), more.Rows...), 1, 1450)
		if fmt.Sprint(more.Totals) != fmt.Sprint(whole.Totals) {
			t.Errorf("page %d: total %v", i+1, more.Totals)
		}
	}
	if _, err := contacts(source, day, "x"); err == nil {
		t.Error("a cursor that is none passed")
	}
}

// Contacts that change while they are read leave the day, and displace no other.
func TestChangesMeanwhile(t *testing.T) {
	a := &account{t: t}
	a.add(crowd(1, 1000, time.Hour, time.Hour))
	searches := 0
	a.front = func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if searches++; searches == 2 {
				for n := 150; n < 550; n += 2 { // some read already, some not
					a.add(&world.Chunk{Contacts: []world.Contact{person(n, 30*time.Hour)}})
				}
				a.clock.Advance(2 * time.Second) // the shelf is filled anew
			}
			h.ServeHTTP(w, r)
		})
	}
	sink, err := contacts(a.source(), day, "")
	if err != nil {
		t.Fatal(err)
	}
	landed := map[string]bool{}
	for _, r := range sink.Rows {
		landed[r.SourceID] = true
	}
	for n := 1; n <= 1000; n++ {
		if moved := n >= 150 && n < 550 && n%2 == 0; !moved && !landed[strconv.Itoa(n)] {
			t.Fatalf("%d is lost", n)
		}
	}
	if len(sink.Totals) != 0 {
		t.Error("a total was given that changed:", sink.Totals)
	}
}

// What search may not know yet is left to the next night.
func TestSettling(t *testing.T) {
	a := &account{t: t, clock: worldtest.NewClock(start.Add(12 * time.Hour))}
	a.add(&world.Chunk{Contacts: []world.Contact{
		person(1, 12*time.Hour-11*time.Minute), person(2, 12*time.Hour-10*time.Minute), person(3, 12*time.Hour-time.Second),
	}})
	source := a.source()
	sink, err := contacts(source, day, "")
	if err != nil || len(sink.Rows) != 1 || sink.Totals[0].Value != 1 {
		t.Error(sink.Rows, sink.Totals, err)
	}
	if sink, err = contacts(source, day+1, ""); err != nil || len(sink.Rows) != 0 {
		t.Error("a day that has not begun:", sink.Rows, err)
	}
}

// The days on which the clocks change have 25 and 23 hours.
func TestDaysOfOtherLengths(t *testing.T) {
	for date, hours := range map[string]int{"2026-10-25": 25, "2026-03-29": 23} {
		d, err := table.ParseDay(date)
		if err != nil {
			t.Fatal(err)
		}
		from := d.Window(zone).From
		a := &account{t: t, clock: worldtest.NewClock(from.Add(48 * time.Hour))}
		c := &world.Chunk{}
		for i := -1; i < 27; i++ {
			p := person(100+i, 0)
			p.Changed = from.Add(time.Duration(i) * time.Hour)
			p.Visible = p.Changed
			p.Archived = i%2 == 0
			c.Contacts = append(c.Contacts, p)
		}
		a.add(c)
		sink, err := contacts(a.source(), d, "")
		if err != nil {
			t.Fatal(err)
		}
		exactly(t, date, sink.Rows, 100, hours)
	}
}
