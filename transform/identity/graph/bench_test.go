package graph

import (
	"os"
	"runtime"
	"strconv"
	"testing"
)

// The benchmarks solve worlds of CROSSLIFT_BENCH_LINKS links (default 1,000,000) and half as many nodes again, numbered by
// block, as a compaction leaves them, and shuffled. `go test -run '^$' -bench . -benchtime 3x ./transform/identity/graph`
func benchWorlds(b *testing.B, f func(b *testing.B, p *Problem, workers int)) {
	links := 1_000_000
	if s := os.Getenv("CROSSLIFT_BENCH_LINKS"); s != "" {
		var err error
		if links, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	for _, numbering := range []string{"block", "shuffled"} {
		p := world(links, numbering == "block")
		for _, workers := range []int{1, 2} {
			b.Run(numbering+"/"+strconv.Itoa(workers), func(b *testing.B) {
				runtime.GC()
				f(b, p, workers)
				b.ReportMetric(float64(len(p.Links.A))*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mlinks/s")
			})
		}
	}
}

func BenchmarkComponents(b *testing.B) {
	benchWorlds(b, func(b *testing.B, p *Problem, workers int) {
		for b.Loop() {
			if _, err := Components(b.Context(), len(p.Keys), p.Links.A, p.Links.B, workers); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSolve(b *testing.B) {
	benchWorlds(b, func(b *testing.B, p *Problem, workers int) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for b.Loop() {
			solved(b, p, workers)
		}
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N)/float64(len(p.Links.A)), "B/link")
	})
}
