package observe_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/observe"
	"crosslift/warehouse/columns/columnstest"
)

// names of identifiers in these tests: an identifier is its name's letters.
func id(name string) (id identifier.ID) {
	copy(id[:], name)
	return id
}

func name(id identifier.ID) string {
	if id.IsZero() {
		return "-"
	}
	return strings.TrimRight(string(id[:]), "\x00")
}

// edges are what partitions show, as lines "left_type left right_type right rule source first-last count", sorted.
func edges(t *testing.T, workers int, day ...observe.Partition) []string {
	t.Helper()
	var found []string
	err := observe.Observe(t.Context(), day, workers, func(row *table.IdentityEdgeRow) error {
		if err := table.IdentityEdge.Check(row); err != nil {
			t.Errorf("%+v: %v", row, err)
		}
		found = append(found, fmt.Sprintf("%s %s %s %s %d %s %d-%d %d", row.LeftType, name(row.Left), row.RightType, name(row.Right),
			row.Rule, row.Source, row.FirstAt, row.LastAt, row.Count))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	return found
}

func day[Row any](t *testing.T, of *table.Table, rows ...*Row) observe.Partition {
	t.Helper()
	return observe.Partition{Table: of, File: columnstest.File(t, of, rows...)}
}

func shows(t *testing.T, p observe.Partition, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := edges(t, 2, p); !slices.Equal(got, want) {
		t.Errorf("%s shows\n %s\nexpected\n %s", p.Table, strings.Join(got, "\n "), strings.Join(want, "\n "))
	}
}

var yes, no = new(true), new(false)

func TestProductUser(t *testing.T) {
	t.Parallel()
	shows(t, day(t, table.ProductUser,
		// Ann has an address, verifies it, tries another, and returns to it; her phone is found late.
		&table.ProductUserRow{SourceID: "1", ChangedAt: 1, Account: id("ann"), Email: id("a@"), EmailFolded: id("fa@"), EmailVerified: no, AnalyticsConsent: no},
		&table.ProductUserRow{SourceID: "1", ChangedAt: 2, Account: id("ann"), Email: id("a@"), EmailFolded: id("fa@"), EmailVerified: yes, AnalyticsConsent: yes},
		&table.ProductUserRow{SourceID: "1", ChangedAt: 3, Account: id("ann"), Email: id("b@"), EmailFolded: id("fa@"), Phone: id("7")},
		&table.ProductUserRow{SourceID: "1", ChangedAt: 4, Account: id("ann"), Email: id("a@"), EmailFolded: id("fa@"), EmailVerified: yes, Phone: id("7"), AnalyticsConsent: yes},
		// Bob deletes his account, which keeps its columns, and his consent as it was.
		&table.ProductUserRow{SourceID: "2", ChangedAt: 5, Account: id("bob"), Email: id("b@"), EmailFolded: id("fb@"), EmailVerified: yes, Phone: id("8"), AnalyticsConsent: yes, Deleted: true},
	),
		"account ann email a@ 2 product_user 1-1 1", "account ann email a@ 0 product_user 2-4 2", "account ann email b@ 2 product_user 3-3 1",
		"account ann email_folded fa@ 2 product_user 1-3 2", "account ann email_folded fa@ 0 product_user 2-4 2",
		"account ann phone - 1 product_user 1-2 2", "account ann phone 7 1 product_user 3-4 2",
		"account ann consent - 1 product_user 1-1 1", "account ann consent ann 1 product_user 2-4 2",
		"account bob email - 2 product_user 5-5 1", "account bob email_folded - 2 product_user 5-5 1",
		"account bob phone - 1 product_user 5-5 1", "account bob consent bob 1 product_user 5-5 1",
	)
}

func TestCRMContact(t *testing.T) {
	t.Parallel()
	shows(t, day(t, table.CRMContact,
		&table.CRMContactRow{SourceID: "1", ChangedAt: 1, Contact: id("c1"), Account: id("ann"), Email: id("a@"), EmailFolded: id("fa@"), Phone: id("7"), AnalyticsConsent: no},
		&table.CRMContactRow{SourceID: "2", ChangedAt: 2, Contact: id("c2"), Email: id("b@"), EmailFolded: id("fb@")},
		&table.CRMContactRow{SourceID: "2", ChangedAt: 3, Contact: id("c2"), Account: id("bob"), Email: id("b@"), EmailFolded: id("fb@"), Archived: true},
		&table.CRMContactRow{SourceID: "3", ChangedAt: 4, Account: id("eve"), Email: id("e@"), AnalyticsConsent: yes}, // of no contact
	),
		"crm c1 account ann 1 crm_contact 1-1 1", "crm c1 email a@ 2 crm_contact 1-1 1", "crm c1 email_folded fa@ 2 crm_contact 1-1 1",
		"crm c1 phone 7 2 crm_contact 1-1 1", "crm c1 consent - 2 crm_contact 1-1 1",
		"crm c2 account - 1 crm_contact 2-3 2", "crm c2 email b@ 2 crm_contact 2-2 1", "crm c2 email_folded fb@ 2 crm_contact 2-2 1",
		"crm c2 email - 2 crm_contact 3-3 1", "crm c2 email_folded - 2 crm_contact 3-3 1", "crm c2 phone - 2 crm_contact 2-3 2",
	)
}

func TestDevices(t *testing.T) {
	t.Parallel()
	shows(t, day(t, table.ProductLogin,
		&table.ProductLoginRow{SourceID: "1", EventAt: 1, Account: id("ann"), Device: id("d1"), Kind: "login"},
		&table.ProductLoginRow{SourceID: "2", EventAt: 5, Account: id("ann"), Device: id("d1"), Kind: "logout"},
	), "account ann device d1 4 product_login 1-5 2")
	shows(t, day(t, table.Viewing,
		&table.ViewingRow{SourceID: "1", ViewedAt: 1, Account: id("ann"), Device: id("d1"), Seconds: 1},
		&table.ViewingRow{SourceID: "2", ViewedAt: 2, Device: id("d1"), Seconds: 1},
		&table.ViewingRow{SourceID: "3", ViewedAt: 3, Account: id("bob"), Seconds: 1},
	), "account ann device d1 4 viewing 1-1 1")
	var rows []*table.ProductDeviceRow
	for i, kind := range []string{"phone", "tablet", "web", "tv", "fridge"} {
		rows = append(rows, &table.ProductDeviceRow{SourceID: kind, ChangedAt: table.Micros(2 * i), Device: id(kind), Type: kind},
			&table.ProductDeviceRow{SourceID: kind, ChangedAt: table.Micros(2*i + 1), Device: id(kind), Type: kind, RegisteredBy: id("ann")})
	}
	shows(t, day(t, table.ProductDevice, rows...),
		"app phone device - 4 product_device 0-0 1", "account ann app phone 4 product_device 1-1 1",
		"app tablet device - 4 product_device 2-2 1", "account ann app tablet 4 product_device 3-3 1",
		"cookie web device - 5 product_device 4-4 1", "account ann cookie web 5 product_device 5-5 1",
		"tv tv device - 6 product_device 6-6 1", "account ann tv tv 6 product_device 7-7 1",
		"account ann device fridge 4 product_device 9-9 1",
	)
}

func TestWebEvent(t *testing.T) {
	t.Parallel()
	var rows []*table.WebEventRow
	for i, platform := range []string{"web", "ios", "android", "tv", "console", ""} {
		rows = append(rows, &table.WebEventRow{SourceID: fmt.Sprint(i), EventAt: table.Micros(i), EventName: "e", Account: id("ann"), Device: id("d" + platform), Platform: platform, Consent: yes})
	}
	rows = append(rows,
		&table.WebEventRow{SourceID: "a", EventAt: 10, EventName: "e", Device: id("dios"), Email: id("a@"), Platform: "ios"}, // nobody said whether
		&table.WebEventRow{SourceID: "b", EventAt: 11, EventName: "e", Device: id("dtv"), Phone: id("7"), Platform: "tv"},
		&table.WebEventRow{SourceID: "c", EventAt: 12, EventName: "e", Device: id("dno"), Account: id("ann"), Email: id("a@"), Phone: id("7"), Platform: "web", Consent: no},
		&table.WebEventRow{SourceID: "d", EventAt: 13, EventName: "e", Account: id("ann"), Email: id("a@"), Platform: "web"},
	)
	shows(t, day(t, table.WebEvent, rows...),
		"account ann cookie dweb 5 web_event 0-0 1", "account ann app dios 4 web_event 1-1 1", "account ann app dandroid 4 web_event 2-2 1",
		"account ann tv dtv 6 web_event 3-3 1", "account ann device dconsole 4 web_event 4-4 1", "account ann device d 4 web_event 5-5 1",
		"app dios email a@ 5 web_event 10-10 1", "tv dtv phone 7 6 web_event 11-11 1",
	)
}

func TestPaymentsAndBank(t *testing.T) {
	t.Parallel()
	pay := func(at table.Micros, account, card, kind, rrn, status string) *table.PaymentRow {
		return &table.PaymentRow{SourceID: fmt.Sprint(at), ChangedAt: at, PaidAt: 0, Account: id(account), Card: id(card), CardKind: kind, RRN: id(rrn),
			Status: status, Currency: "RUB"}
	}
	shows(t, day(t, table.Payment,
		pay(1, "ann", "k1", "fingerprint", "r1", "succeeded"),
		pay(2, "ann", "k2", "fingerprint", "r2", "failed"),
		pay(3, "ann", "k3", "fingerprint", "r3", "pending"),
		pay(4, "ann", "k4", "weak", "r4", "succeeded"),
		pay(5, "ann", "k5", "", "", "succeeded"),
		pay(6, "", "k1", "fingerprint", "r6", "succeeded"),
		pay(7, "ann", "k1", "fingerprint", "r1", "succeeded"),
	), "account ann card k1 3 payment 1-7 2", "account ann reference r1 1 payment 1-7 2", "account ann reference r4 1 payment 4-4 1")

	booked := func(at table.Micros, client, rrn, direction, status string) *table.BankTransactionRow {
		return &table.BankTransactionRow{SourceID: fmt.Sprint(at), BookedAt: at, ClientRef: id(client), Card: id("mask"), RRN: id(rrn),
			Direction: direction, Status: status, Currency: "RUB"}
	}
	shows(t, day(t, table.BankTransaction,
		booked(1, "b1", "r1", "debit", "booked"), booked(2, "b1", "r2", "debit", "pending"), booked(3, "b1", "r3", "debit", "rejected"),
		booked(4, "b1", "r4", "credit", "booked"), booked(5, "", "r5", "debit", "booked"), booked(6, "b1", "", "debit", "booked"),
	), "bank_client b1 reference r1 1 bank_transaction 1-1 1", "bank_client b1 reference r2 1 bank_transaction 2-2 1")

	accrued := func(at table.Micros, client, rrn, direction, status string) *table.BankAccrualRow {
		return &table.BankAccrualRow{SourceID: fmt.Sprint(at), Revision: 1, StatusAt: at, Campaign: "c", ClientRef: id(client), Card: id("mask"), RRN: id(rrn),
			Direction: direction, Status: status, Currency: "RUB"}
	}
	shows(t, day(t, table.BankAccrual,
		accrued(1, "b1", "r1", "credit", "accrued"), accrued(2, "b1", "r1", "debit", "posted"), accrued(3, "b1", "r3", "credit", "rejected"),
		accrued(4, "", "r4", "credit", "posted"),
	), "bank_client b1 reference r1 1 bank_accrual 1-2 2")
}

// TestOrderAndSplits: the same rows in any order, in any number of files, read by any number of workers, show the same.
func TestOrderAndSplits(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	some := func(kind string, n int) identifier.ID {
		if i := r.IntN(n + 1); i > 0 {
			return id(fmt.Sprint(kind, i))
		}
		return identifier.ID{}
	}
	for range 6 {
		var users []*table.ProductUserRow
		var events []*table.WebEventRow
		for i := range 100 + r.IntN(200) {
			at := table.Micros(r.IntN(50))
			users = append(users, &table.ProductUserRow{SourceID: fmt.Sprint(i), ChangedAt: at, Account: id(fmt.Sprint("a", r.IntN(10))), Email: some("e", 3),
				EmailFolded: some("f", 3), Phone: some("p", 3), EmailVerified: []*bool{nil, yes, no}[r.IntN(3)], AnalyticsConsent: []*bool{nil, yes, no}[r.IntN(3)], Deleted: r.IntN(8) == 0})
			events = append(events, &table.WebEventRow{SourceID: fmt.Sprint(i), EventAt: at, EventName: "e", Account: some("a", 5), Device: some("d", 5), Email: some("e", 3),
				Phone: some("p", 3), Platform: []string{"", "web", "ios", "tv"}[r.IntN(4)], Consent: []*bool{nil, yes, no}[r.IntN(3)]})
		}
		want := edges(t, 1, day(t, table.ProductUser, users...), day(t, table.WebEvent, events...))
		split := func(n int) (from, to int) {
			from = r.IntN(n)
			return from, from + r.IntN(n-from+1)
		}
		r.Shuffle(len(users), func(i, j int) { users[i], users[j] = users[j], users[i] })
		r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		u1, u2 := split(len(users))
		e1, e2 := split(len(events))
		got := edges(t, 1+r.IntN(6),
			day(t, table.WebEvent, events[e1:e2]...), day(t, table.ProductUser, users[u2:]...), day(t, table.ProductUser, users[:u1]...),
			day(t, table.WebEvent, events[e2:]...), day(t, table.WebEvent, events[:e1]...), day(t, table.ProductUser, users[u1:u2]...))
		if !slices.Equal(got, want) {
			t.Fatalf("got\n %s\nexpected\n %s", strings.Join(got, "\n "), strings.Join(want, "\n "))
		}
	}
}

// TestRowGroups reads a file of several row groups, against a count of its rows.
func TestRowGroups(t *testing.T) {
	t.Parallel()
	const n = 150_000
	rows, seen := make([]*table.ViewingRow, n), map[string]int{}
	for i := range rows {
		account, device := fmt.Sprint("a", i%700), fmt.Sprint("d", i%300)
		rows[i] = &table.ViewingRow{SourceID: fmt.Sprint(i), ViewedAt: table.Micros(i), Account: id(account), Device: id(device), Seconds: 1}
		seen[account+" "+device]++
	}
	p := day(t, table.Viewing, rows...)
	if p.File.RowGroups() < 2 {
		t.Fatalf("%d row group", p.File.RowGroups())
	}
	found := 0
	if err := observe.Observe(t.Context(), []observe.Partition{p}, 4, func(row *table.IdentityEdgeRow) error {
		found++
		if want := seen[name(row.Left)+" "+name(row.Right)]; row.Count != int64(want) {
			return fmt.Errorf("%s and %s: %d rows, expected %d", name(row.Left), name(row.Right), row.Count, want)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if found != len(seen) {
		t.Errorf("%d edges, expected %d", found, len(seen))
	}
}

// TestTables: what the experiment's own feeds say is not among what links people.
func TestTables(t *testing.T) {
	t.Parallel()
	for _, of := range observe.Tables() {
		if of == table.Assignment || of == table.Exposure || of.Layer != "raw" {
			t.Errorf("%s gives edges", of)
		}
	}
	p := day(t, table.Exposure, &table.ExposureRow{SourceID: "1", Experiment: "e", Variant: "v", Account: id("ann"), Device: id("d")})
	if err := observe.Observe(t.Context(), []observe.Partition{p}, 1, nil); err == nil {
		t.Error("exposures were taken")
	}
}
