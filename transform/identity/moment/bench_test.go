package moment_test

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
	"crosslift/transform/identity/moment"
	"crosslift/warehouse/columns"
)

// town is a night of households of two accounts: each has an address, a card and three devices of its own, and both share a
// television; every twentieth household also meets a kiosk that is everybody's. Identifiers are random, as hashes are.
func town(households int) (file *columns.File, devices []identifier.ID) {
	r := rand.New(rand.NewPCG(1, 1))
	random := func() (id identifier.ID) {
		binary.BigEndian.PutUint64(id[:], r.Uint64())
		binary.BigEndian.PutUint64(id[8:], r.Uint64())
		return id
	}
	var rows []any
	kiosk := random()
	for range households {
		tv, block := random(), random()
		for range 2 {
			account := random()
			link := func(right identifier.ID, typ string, rule int64, source string) {
				first := table.Micros(r.Int64N(100 * int64(day)))
				row := &table.IdentityLinkRow{
					Block: block, Left: account, LeftType: table.TypeAccount, Right: right, RightType: typ, Rule: rule, Source: source,
					FirstAt: first, LastAt: first + day, Count: 2, Status: "linked",
				}
				if right == kiosk {
					row.Block, row.Status = identifier.ID{}, "shared_right"
				}
				rows = append(rows, row)
			}
			link(random(), table.TypeEmail, table.RuleVerified, "product_user")
			link(random(), table.TypeCard, table.RuleCard, "payment")
			for range 3 {
				d := random()
				devices = append(devices, d)
				link(d, table.TypeDevice, table.RuleApp, "product_login")
				link(d, table.TypeDevice, table.RuleApp, "viewing")
			}
			link(tv, table.TypeTV, table.RuleShared, "viewing")
			if r.IntN(20) == 0 {
				link(kiosk, table.TypeDevice, table.RuleApp, "product_login")
			}
		}
	}
	return written(rows...), append(devices, kiosk)
}

// TestLargeFile: of a night of several row groups, what is opened for a few says the same as what is opened for all, and
// opening for the kiosk, which everybody touches, is no reason to read what everybody touches.
func TestLargeFile(t *testing.T) {
	t.Parallel()
	file, devices := town(7500)
	if file.RowGroups() < 2 {
		t.Fatal("the file is too small to show anything")
	}
	in := moment.Input{Links: file, Rules: graph.DefaultRules(), IDs: devices}
	var queries []moment.Query
	for i := 0; i < len(devices); i += 7 {
		queries = append(queries, moment.Query{ID: devices[i], At: table.Micros(i%100) * day})
	}
	queries = append(queries, moment.Query{ID: devices[len(devices)-1], At: 99 * day})
	all := groups(t, in, 2, queries...)
	if !all[len(all)-1].Shared {
		t.Error("the kiosk is not shared")
	}
	for _, from := range []int{0, len(queries) / 2, len(queries) - 3} {
		in.IDs = nil
		for _, q := range queries[from : from+3] {
			in.IDs = append(in.IDs, q.ID)
		}
		few := groups(t, in, 2, queries[from:from+3]...)
		for i, g := range few {
			if g.ID != all[from+i].ID || g.Shared != all[from+i].Shared || !slices.Equal(g.Members, all[from+i].Members) {
				t.Errorf("opened for few: %v, for all: %v", g, all[from+i])
			}
		}
	}
	in.IDs = devices[len(devices)-1:]
	kiosk, err := moment.Open(t.Context(), in, 2)
	if err != nil {
		t.Fatal(err)
	}
	if n := kiosk.Size(); n < 100 || n > 1000 {
		t.Errorf("%d links of %d are read for the kiosk, want its own and those of the few who used it before it was shared", n, file.Rows())
	}
}

// BenchmarkGroups tells the cost of a query, by what it takes to open the links that it needs, and to answer.
func BenchmarkGroups(b *testing.B) {
	file, devices := town(50000)
	in := moment.Input{Links: file, Rules: graph.DefaultRules(), IDs: devices}
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			if _, err := moment.Open(b.Context(), in, 2); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(file.Rows())*float64(b.N)/b.Elapsed().Seconds(), "links/s")
	})
	b.Run("one", func(b *testing.B) {
		one := in
		for one.IDs = devices[:1]; b.Loop(); {
			if _, err := moment.Open(b.Context(), one, 2); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(file.Rows())*float64(b.N)/b.Elapsed().Seconds(), "links/s")
	})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	links, err := moment.Open(b.Context(), in, 2)
	if err != nil {
		b.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	queries := make([]moment.Query, len(devices))
	for i, d := range devices {
		queries[i] = moment.Query{ID: d, At: table.Micros(i%100) * day}
	}
	b.Run("ask", func(b *testing.B) {
		for b.Loop() {
			if _, err := links.Groups(b.Context(), queries, 2); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(queries)), "ns/query")
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(file.Rows()), "B/link")
	})
}
