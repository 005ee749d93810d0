package number

import (
	"context"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/identifier"
)

// entry is a key, as two numbers that order as it does, with its place among the keys of its piece.
type entry struct {
	high, low uint64
	place     uint32
}

func (e *entry) equal(o *entry) bool { return e.high == o.high && e.low == o.low }
func (e *entry) less(o *entry) bool {
	return e.high < o.high || e.high == o.high && e.low < o.low
}

// digit is the n-th byte of the key.
func (e *entry) digit(n int) uint8 {
	if n < 8 {
		return uint8(e.high >> (56 - 8*n))
	}
	return uint8(e.low >> (120 - 8*n))
}

// fewEntries are sorted sooner by insertion than by counting digits.
const fewEntries = 32

// bounds are where the entries with each value of a digit end, from 0 on.
type bounds [parts + 1]int

// radix sorts entries that agree in the bytes before the n-th, with as much spare room, by several workers.
func radix(ctx context.Context, workers int, entries, spare []entry, n int) error {
	if workers <= 1 {
		radixAlone(entries, spare, n)
		return ctx.Err()
	}
	var ends bounds
	n, dealt := deal(entries, spare, n, &ends)
	if !dealt {
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for d := range parts {
		g.Go(func() error {
			radixAlone(entries[ends[d]:ends[d+1]], spare[ends[d]:ends[d+1]], n+1)
			return ctx.Err()
		})
	}
	return g.Wait()
}

func radixAlone(entries, spare []entry, n int) {
	var ends bounds
	n, dealt := deal(entries, spare, n, &ends)
	if !dealt {
		return
	}
	for d := range parts {
		if part := entries[ends[d]:ends[d+1]]; len(part) > 1 {
			radixAlone(part, spare[ends[d]:ends[d+1]], n+1)
		}
	}
}

// deal sorts entries by the first of their bytes, from the n-th on, in which they differ, and says which byte it was and
// where the entries of each of its values end; few or equal ones it sorts altogether.
func deal(entries, spare []entry, n int, ends *bounds) (digit int, dealt bool) {
	for ; ; n++ {
		if len(entries) <= fewEntries {
			insertion(entries)
			return n, false
		}
		if n == len(identifier.ID{}) {
			return n, false // all are equal
		}
		*ends = bounds{}
		for i := range entries {
			ends[int(entries[i].digit(n))+1]++
		}
		if ends[int(entries[0].digit(n))+1] == len(entries) {
			continue
		}
		for d := range parts {
			ends[d+1] += ends[d]
		}
		at := *ends
		for i := range entries {
			d := entries[i].digit(n)
			spare[at[d]] = entries[i]
			at[d]++
		}
		copy(entries, spare)
		return n, true
	}
}

func insertion(entries []entry) {
	for i := 1; i < len(entries); i++ {
		e, j := entries[i], i
		for ; j > 0 && e.less(&entries[j-1]); j-- {
			entries[j] = entries[j-1]
		}
		entries[j] = e
	}
}
