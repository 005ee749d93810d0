package night_test

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/night"
	"crosslift/warehouse/columns/columnstest"
)

// crowd makes the edges of many accounts, about eight each: address, phone, card, contact and devices, some of them shared
// with a neighbour.
func crowd(accounts int) (first, next []*table.IdentityEdgeRow) {
	r := rand.New(rand.NewPCG(1, 13))
	of := func(kind byte, n int) (id identifier.ID) {
		binary.BigEndian.PutUint64(id[:], uint64(n)*0x9E3779B97F4A7C15^uint64(kind)<<56)
		binary.BigEndian.PutUint64(id[8:], uint64(n)<<8|uint64(kind))
		return id
	}
	edge := func(left identifier.ID, lt string, right identifier.ID, rt string, rule int64, source string, day table.Day) *table.IdentityEdgeRow {
		at := table.Micros(day)*dayMicros + table.Micros(r.IntN(86400))*1e6
		return &table.IdentityEdgeRow{Left: left, LeftType: lt, Right: right, RightType: rt, Rule: rule, Source: source, FirstAt: at, LastAt: at, Count: 1}
	}
	for n := range accounts {
		a, near := of('a', n), func(share float64) int {
			if r.Float64() < share {
				return n &^ 1
			}
			return n
		}
		first = append(first,
			edge(a, table.TypeAccount, of('e', n), table.TypeEmail, 0, "product_user", 1),
			edge(a, table.TypeAccount, of('p', near(0.05)), table.TypePhone, table.RuleAccount, "product_user", 1),
			edge(a, table.TypeAccount, of('k', near(0.2)), table.TypeCard, table.RuleCard, "payment", 1),
			edge(of('c', n), table.TypeCRM, of('e', near(0.01)), table.TypeEmail, table.RuleTyped, "crm_contact", 1),
			edge(a, table.TypeAccount, of('t', near(0.9)), table.TypeTV, table.RuleShared, "product_device", 1))
		for range 3 {
			first = append(first, edge(a, table.TypeAccount, of('d', 4*n+r.IntN(4)), table.TypeApp, table.RuleApp, "product_login", 1))
		}
		if r.IntN(50) == 0 { // a new device, of one account or of its neighbour too
			next = append(next, edge(of('a', near(0.1)), table.TypeAccount, of('n', n), table.TypeCookie, table.RuleCookie, "web_event", 2))
		}
		if r.IntN(3) == 0 {
			next = append(next, edge(a, table.TypeAccount, of('t', near(0.9)), table.TypeTV, table.RuleShared, "product_device", 2))
		}
	}
	return unique(first), unique(next)
}

func unique(rows []*table.IdentityEdgeRow) []*table.IdentityEdgeRow {
	type key struct {
		left, right identifier.ID
	}
	seen := map[key]bool{}
	var kept []*table.IdentityEdgeRow
	for _, r := range rows {
		if k := (key{r.Left, r.Right}); !seen[k] {
			seen[k] = true
			kept = append(kept, r)
		}
	}
	return kept
}

// BenchmarkNight makes a first night, and a second one in which 0.25 % of the links are new; CROSSLIFT_BENCH_ACCOUNTS says
// of how many accounts.
func BenchmarkNight(b *testing.B) {
	accounts, _ := strconv.Atoi(os.Getenv("CROSSLIFT_BENCH_ACCOUNTS"))
	if accounts == 0 {
		accounts = 20_000
	}
	one, two := crowd(accounts)
	in := night.Input{Night: 1, Rules: rules, Edges: []night.Day{{Day: 1, File: columnstest.File(b, table.IdentityEdge, one...)}}}
	m := build(b, in, 2)
	next := night.Input{
		Night: 2, Rules: rules, Previous: m.after(false),
		Edges: append(in.Edges, night.Day{Day: 2, File: columnstest.File(b, table.IdentityEdge, two...)}),
	}
	rows := 0
	count := func(*table.Table, any) error { rows++; return nil }
	for name, of := range map[string]night.Input{"first": in, "second": next} {
		b.Run(name, func(b *testing.B) {
			var s night.Summary
			for b.Loop() {
				rows = 0
				var err error
				if _, s, err = night.Build(b.Context(), of, 2, count); err != nil {
					b.Fatal(err)
				}
			}
			var mem runtime.MemStats
			runtime.ReadMemStats(&mem)
			b.ReportMetric(float64(s.Links), "links")
			b.ReportMetric(float64(s.Redone), "redone")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(s.Links), "ns/link")
			b.ReportMetric(float64(rows), "rows")
		})
	}
}
