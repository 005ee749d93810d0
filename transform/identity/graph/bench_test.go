//go:build unix

package graph

import (
	"os"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// The benchmarks solve worlds of CROSSLIFT_BENCH_LINKS links (default 1,000,000) and about half as many nodes again,
// numbered by household, much as a compaction leaves them, and shuffled. On a busy machine the processor's time says more
// than the clock.
func benchWorlds(b *testing.B, f func(b *testing.B, p *Problem, workers int)) {
	links := 1_000_000
	if s := os.Getenv("CROSSLIFT_BENCH_LINKS"); s != "" {
		var err error
		if links, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	for _, numbering := range []string{"block", "shuffled"} {
		var p *Problem
		for _, workers := range []int{1, 2} {
			b.Run(numbering+"/"+strconv.Itoa(workers), func(b *testing.B) {
				if p == nil {
					p = world(links, numbering == "block")
				}
				runtime.GC()
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				spent := processorTime(b)
				b.ResetTimer()
				f(b, p, workers)
				perLink := float64(b.N) * float64(len(p.Links.A))
				b.ReportMetric(float64(processorTime(b)-spent)/perLink, "cpu-ns/link")
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/perLink, "B/link")
				b.ReportMetric(perLink/b.Elapsed().Seconds()/1e6, "Mlinks/s")
			})
		}
	}
}

func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
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
		for b.Loop() {
			solved(b, p, workers)
		}
	})
}
