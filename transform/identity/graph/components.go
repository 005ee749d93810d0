package graph

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
)

// Components are the connected components of n nodes under the links (a[i], b[i]): for each node the smallest number in
// its component. An error means that the input is not well formed, or that ctx ended.
func Components(ctx context.Context, n int, a, b []uint32, workers int) ([]uint32, error) {
	if n < 0 || n > math.MaxInt32 {
		return nil, fmt.Errorf("components: %d nodes, at most %d are possible", n, math.MaxInt32)
	}
	if len(a) != len(b) {
		return nil, fmt.Errorf("components: columns of links of different lengths: %d, %d", len(a), len(b))
	}
	f, err := newForest(ctx, make([]uint32, n), workers)
	if err != nil {
		return nil, err
	}
	err = each(ctx, len(a), chunk, workers, func(from, to int) error {
		a, b := a[from:to], b[from:to]
		if err := validEnds(n, a, b, from); err != nil {
			return fmt.Errorf("components: %w", err)
		}
		f.join(a, b)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return f, f.flatten(ctx, workers)
}

// validEnds looks for a node that there is not; first is the number of the first link.
func validEnds(n int, a, b []uint32, first int) error {
	b = b[:len(a)]
	for i := range a {
		if int(max(a[i], b[i])) >= n {
			return fmt.Errorf("link %d joins nodes %d and %d of %d", first+i, a[i], b[i], n)
		}
	}
	return nil
}

// forest is a union-find: the parent of each node, itself for a root. A parent has the smaller number, so that a root is
// the smallest of its tree whoever joined what first. Several goroutines may join at once: a root is given a parent by
// compare-and-swap, and what has a parent never becomes a root again.
type forest []uint32

func newForest(ctx context.Context, parent []uint32, workers int) (forest, error) {
	return parent, each(ctx, len(parent), chunk, workers, func(from, to int) error {
		for v := from; v < to; v++ {
			parent[v] = uint32(v)
		}
		return nil
	})
}

func (f forest) join(a, b []uint32) {
	b = b[:len(a)]
	for i := range a {
		x, y := f.root(a[i]), f.root(b[i])
		for x != y {
			if x < y {
				x, y = y, x
			}
			if atomic.CompareAndSwapUint32(&f[x], x, y) {
				break
			}
			x, y = f.root(x), f.root(y)
		}
	}
}

// root halves the path on its way: each node is hung to its grandparent.
func (f forest) root(v uint32) uint32 {
	for {
		p := atomic.LoadUint32(&f[v])
		if p == v {
			return v
		}
		pp := atomic.LoadUint32(&f[p])
		if pp == p {
			return p
		}
		atomic.CompareAndSwapUint32(&f[v], p, pp)
		v = pp
	}
}

// flatten hangs every node to its root.
func (f forest) flatten(ctx context.Context, workers int) error {
	return each(ctx, len(f), chunk, workers, func(from, to int) error {
		for v := from; v < to; v++ {
			p := atomic.LoadUint32(&f[v])
			if r := f.root(p); r != p {
				atomic.StoreUint32(&f[v], r)
			}
		}
		return nil
	})
}
