//go:build unix

package exposure_test

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"testing"
	"time"

	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/exposure"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/columns/columnstest"
)

// town is a night of households of two accounts, and two exposures of each account on one of its devices: an account has an
// address, a card and three devices of its own, all seen by two sources, and both share a television. A tenth of what is seen
// is seen after the exposures. Identifiers are random, as hashes are.
func town(b *testing.B, households int, assignedBy string) exposure.Input {
	r := rand.New(rand.NewPCG(1, 1))
	random := func() (id identifier.ID) {
		binary.BigEndian.PutUint64(id[:], r.Uint64())
		binary.BigEndian.PutUint64(id[8:], r.Uint64())
		return id
	}
	w := small(assignedBy)
	w.in.Experiment.Segments = experiment.Segments
	w.in.Experiment.Activation = &experiment.Event{Table: "raw/viewing", Filter: is("title", "film")}
	var links, identifiers, exposures, viewings, visits []any
	for range households {
		tv, block := random(), random()
		for range 2 {
			account := random()
			belongs := func(typ string, id identifier.ID) {
				for _, s := range []string{table.Latest, table.Loose} {
					identifiers = append(identifiers, &table.ProfileIdentifierRow{Stitching: s, IdentifierType: typ, Identifier: id, Profile: profile(account), Block: block})
				}
			}
			link := func(right identifier.ID, typ string, rule int64, source string) {
				first := table.Micros(r.Int64N(16 * int64(day)))
				links = append(links, &table.IdentityLinkRow{
					Block: block, Left: account, LeftType: table.TypeAccount, Right: right, RightType: typ, Rule: rule, Source: source,
					FirstAt: first, LastAt: first + day, Count: 2, Status: "linked",
				})
			}
			belongs(table.TypeAccount, account)
			identifiers = append(identifiers, &table.ProfileIdentifierRow{
				Stitching: table.Strict, IdentifierType: table.TypeAccount, Identifier: account, Profile: profile(account),
			})
			link(random(), table.TypeEmail, table.RuleVerified, "product_user")
			link(random(), table.TypeCard, table.RuleCard, "payment")
			var devices []identifier.ID
			for range 3 {
				d := random()
				devices = append(devices, d)
				belongs(table.TypeDevice, d)
				link(d, table.TypeDevice, table.RuleApp, "product_login")
				link(d, table.TypeDevice, table.RuleApp, "viewing")
			}
			link(tv, table.TypeTV, table.RuleShared, "viewing")
			variant := w.in.Experiment.Variants[r.IntN(3)].Name
			for range 2 {
				exposures = append(exposures, &table.ExposureRow{
					SourceID: strconv.Itoa(len(exposures)), ExposedAt: 10*day + table.Micros(r.Int64N(9*int64(day))), Experiment: "offer", Variant: variant,
					Account: account, Device: devices[r.IntN(3)], Platform: "ios", Country: "RU",
				})
			}
			for range 4 {
				at := table.Micros(r.Int64N(20 * int64(day)))
				viewings = append(viewings, &table.ViewingRow{SourceID: strconv.Itoa(len(viewings)), ViewedAt: at, Account: account, Device: devices[r.IntN(3)], Title: "film"})
				visits = append(visits, &table.WebEventRow{SourceID: strconv.Itoa(len(visits)), EventAt: at, EventName: "visit", Device: devices[r.IntN(3)], Channel: "ads"})
			}
		}
	}
	w.in.Links = columnstest.AnyFile(b, table.IdentityLink, links...)
	w.in.Profiles = columnstest.AnyFile(b, table.ProfileIdentifier, identifiers...)
	w.in.Exposures = []*columns.File{columnstest.AnyFile(b, table.Exposure, exposures...)}
	w.in.Events = map[string][]exposure.Day{
		"raw/viewing":   {{Day: 1, File: columnstest.AnyFile(b, table.Viewing, viewings...)}},
		"raw/web_event": {{Day: 1, File: columnstest.AnyFile(b, table.WebEvent, visits...)}},
	}
	return w.in
}

// BenchmarkBuild makes the units of CROSSLIFT_BENCH_UNITS accounts (default 20,000) with two exposures each, their links, and
// four viewings and visits each.
func BenchmarkBuild(b *testing.B) {
	units := 20_000
	if s := os.Getenv("CROSSLIFT_BENCH_UNITS"); s != "" {
		units, _ = strconv.Atoi(s)
	}
	for _, assignedBy := range []string{"account", "device"} {
		b.Run(assignedBy, func(b *testing.B) {
			in := town(b, units/2, assignedBy)
			nothing := exposure.Output{
				Unit:       func(*table.UnitExposureRow) error { return nil },
				Identifier: func(*table.UnitIdentifierRow) error { return nil },
				Quality:    func(*table.ExposureQualityRow) error { return nil },
			}
			debug.FreeOSMemory()
			var before runtime.MemStats
			runtime.ReadMemStats(&before)
			peak, stop := watched()
			var counts exposure.Counts
			spent := processorTime(b)
			for b.Loop() {
				var err error
				if counts, err = exposure.Build(b.Context(), in, 2, nothing); err != nil {
					b.Fatal(err)
				}
			}
			spent = processorTime(b) - spent
			stop()
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(counts.Units), "ns/unit")
			b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N)/float64(counts.Units), "cpu-ns/unit")
			b.ReportMetric((float64(*peak)-float64(before.HeapInuse))/float64(counts.Units), "B/unit")
		})
	}
}

// watched tells the most that the heap has held; stop comes before it is read.
func watched() (peak *uint64, stop func()) {
	peak, end, done := new(uint64), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-end:
				return
			case <-time.After(20 * time.Millisecond):
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				*peak = max(*peak, m.HeapInuse)
			}
		}
	}()
	return peak, func() { close(end); <-done }
}

func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
