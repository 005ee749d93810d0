package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// served is a stream of the world and the table that it lands in.
type served struct {
	source, stream string
	table          *table.Table
	column         string          // of the table, that holds the record's id
	kind           identifier.Kind // under which that column is hashed; "" for the id itself
	only           string          // of a stream that fills two tables: the member "kind" of its objects
}

var streams = []served{
	{"stripe", "charges", table.Payment, "source_id", "", ""},
	{"stripe", "refunds", table.Refund, "source_id", "", ""},
	{"stripe", "disputes", table.Dispute, "source_id", "", ""},
	{"stripe", "subscriptions", table.Subscription, "source_id", "", ""},
	{"stripe", "invoices", table.Invoice, "source_id", "", ""},
	{"stripe", "balance_transactions", table.BalanceTransaction, "source_id", "", ""},
	{"hubspot", "contacts", table.CRMContact, "source_id", "", ""},
	{"hubspot", "deals", table.CRMSubscription, "source_id", "", ""},
	{"bank", "transactions", table.BankTransaction, "source_id", "", ""},
	{"bank", "accruals", table.BankAccrual, "source_id", "", ""},
	{"product", "users", table.ProductUser, "account", identifier.Account, ""},
	{"product", "devices", table.ProductDevice, "device", identifier.Device, ""},
	{"product", "logins", table.ProductLogin, "source_id", "", ""},
	{"product", "viewing", table.Viewing, "source_id", "", ""},
	{"assignment", "rows", table.Assignment, "source_id", "", "assigned"},
	{"assignment", "rows", table.Exposure, "source_id", "", "exposed"},
}

// extract compares every row that a source has shown with what landed: each is once in its table or, where it was made
// unreadable, once in quarantine.
func (in Input) extract(ctx context.Context) (checks []Check, err error) {
	broken, err := in.damaged()
	if err != nil {
		return nil, err
	}
	shown := map[string]int64{}
	for _, s := range streams {
		of, err := in.stream(ctx, s, broken)
		if err != nil {
			return nil, fmt.Errorf("%s/%s: %w", s.source, s.stream, err)
		}
		shown[s.source] += of[0].N
		// A small world may have nothing of a kind, such as a chargeback: then there is nothing to compare.
		checks = append(checks, slices.DeleteFunc(of, func(c Check) bool { return c.N == 0 })...)
	}
	for _, source := range slices.Sorted(maps.Keys(shown)) {
		checks = append(checks, newCheck("extract", source+": ids shown", float64(shown[source]), ">=", 1, shown[source]))
	}
	of, err := in.events(ctx, broken)
	if err != nil {
		return nil, fmt.Errorf("ga/events: %w", err)
	}
	checks = append(checks, of...)
	for _, more := range []func(context.Context) ([]Check, error){in.money, in.totals, in.personal} {
		of, err := more(ctx)
		if err != nil {
			return nil, err
		}
		checks = append(checks, of...)
	}
	return checks, nil
}

// damage is which versions of records were made unreadable.
type damage map[string]bool

func (in Input) damaged() (damage, error) {
	rows, err := world.ReadDamaged(in.World.Dir())
	if err != nil {
		return nil, err
	}
	all := damage{}
	for _, d := range rows {
		all[d.Source+"/"+d.Stream+"/"+d.ID+"@"+d.At.UTC().String()] = true
	}
	return all, nil
}

func (d damage) has(source, stream string, r *world.Record) bool {
	return d[source+"/"+stream+"/"+r.ID+"@"+r.At.UTC().String()]
}

// window reports whether a record's instant lies in the nights that were run.
func (in Input) window(r *world.Record) bool {
	return table.Span(in.From, in.To, in.Zone).Contains(r.At)
}

// stream compares the ids of one stream.
func (in Input) stream(ctx context.Context, s served, broken damage) ([]Check, error) {
	records, err := in.World.Versions(s.source, s.stream, in.At)
	if err != nil {
		return nil, err
	}
	shown := map[string]bool{} // by id as it lands: whether it must be there
	hit := map[string]bool{}   // ids of which a version was made unreadable, and whether that is what is there now
	unreadable := 0
	end := table.Span(in.From, in.To, in.Zone).To
	for i := range records {
		r := &records[i]
		if s.only != "" {
			var of struct{ Kind string }
			if err := json.Unmarshal(r.Object, &of); err != nil || of.Kind != s.only {
				continue
			}
		}
		id := r.ID
		if s.kind != "" {
			hashed, err := in.Key.Hash(s.kind, r.ID)
			if err != nil {
				return nil, err
			}
			id = hashed.String()
		}
		if broken.has(s.source, s.stream, r) {
			if in.window(r) {
				hit[id] = r.Gone == nil || r.Gone.After(in.At) // what is gone is not there when its day is read again
				unreadable++
			}
			continue
		}
		if hit[id] {
			hit[id] = false // versions come in the order of their instants
		}
		if s.source != "stripe" && !r.At.Before(end) {
			shown[id] = false // it is shown as it is now, which is of a day that was not run
			continue
		}
		must := in.window(r) && r.Gone == nil && !unnamed(s, r) && !in.forgotten(s, r)
		shown[id] = shown[id] || must
	}
	column, _ := s.table.Column(s.column)
	landed, twice, strange := map[string]bool{}, 0, 0
	seen := map[string]bool{}
	for row, err := range in.rows(ctx, s.table) {
		if err != nil {
			return nil, err
		}
		var key strings.Builder
		for _, at := range s.table.Key {
			key.WriteString(s.table.Text(row, s.table.Columns[at]) + "\x00")
		}
		if seen[key.String()] {
			twice++
		}
		seen[key.String()] = true
		id := s.table.Text(row, column)
		if _, known := shown[id]; !known && !strings.HasPrefix(id, "unnamed-") {
			strange++
		}
		landed[id] = true
	}
	lost, n := 0, int64(0)
	for id, must := range shown {
		if _, optional := hit[id]; must && !optional { // whether the readable version was ever shown is chance
			if n++; !landed[id] {
				lost++
			}
		}
	}
	name := strings.TrimSuffix(s.source+" "+s.stream+" "+s.only, " ")
	checks := []Check{
		newCheck("extract", name+": lost", float64(lost), "==", 0, n),
		newCheck("extract", name+": twice", float64(twice), "==", 0, int64(len(seen))),
		newCheck("extract", name+": never shown", float64(strange), "==", 0, int64(len(landed))),
	}
	if unreadable > 0 {
		rejected, err := in.rejected(ctx, s.table)
		if err != nil {
			return nil, err
		}
		present := 0
		for _, is := range hit {
			if is {
				present++
			}
		}
		// A version that another has replaced since is in quarantine only if a night met it.
		off := max(present-rejected, rejected-unreadable, 0)
		checks = append(checks, newCheck("extract", name+": unreadable, not in quarantine once", float64(off), "==", 0, int64(unreadable)))
	}
	return checks, nil
}

// unnamed reports a pending bank transaction to which the bank has not given an id yet: it lands under another name.
func unnamed(s served, r *world.Record) bool {
	return s.table == table.BankTransaction && !bytes.Contains(r.Object, []byte(`"TransactionId"`))
}

// remembered is for how long Stripe tells that an object has changed.
const remembered = 30 * 24 * time.Hour

// forgotten reports a change that Stripe told nobody of any more when the history was read. What was created in the
// nights is found by that; of what is older, it is as if it had changed before them.
func (in Input) forgotten(s served, r *world.Record) bool {
	if s.source != "stripe" || !r.At.Before(in.History.Add(-remembered)) {
		return false
	}
	var of struct{ Created int64 }
	return json.Unmarshal(r.Object, &of) == nil && !table.Span(in.From, in.To, in.Zone).Contains(time.Unix(of.Created, 0))
}

// rejected counts what is in a table's quarantine. A source that no longer tells how an object was on the day when it was
// created shows it there as it is now: then both days refuse the same bytes, which count once.
func (in Input) rejected(ctx context.Context, t *table.Table) (int, error) {
	hashes := map[string]bool{}
	for row, err := range in.rows(ctx, t.Quarantine()) {
		if err != nil {
			return 0, err
		}
		hashes[row.(*table.QuarantineRow).Hash] = true
	}
	return len(hashes), nil
}
