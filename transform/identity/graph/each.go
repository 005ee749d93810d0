package graph

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// chunk is how many rows a worker takes at a time: enough to be worth it, few enough to end soon after ctx does.
const chunk = 1 << 16

// each calls f for all of 0…n−1 in pieces of at most size, from several goroutines. The first error ends it.
func each(ctx context.Context, n, size, workers int, f func(from, to int) error) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range max(1, min(workers, (n+size-1)/size)) {
		g.Go(func() error {
			for {
				from := int(next.Add(int64(size))) - size
				if from >= n {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := f(from, min(from+size, n)); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// share is the size of pieces that gives each worker one. It is for work that reads everything and writes only what is of
// its own piece: so nothing is locked, and what a worker writes stays in its cache.
func share(n, workers int) int { return max(1, (n+workers-1)/max(workers, 1)) }
