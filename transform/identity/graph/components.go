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
	if err := validEnds(n, a, b); err != nil {
		return nil, fmt.Errorf("components: %w", err)
	}
	f := newForest(make([]uint32, n))
	if err := each(ctx, len(a), chunk, workers, func(from, to int) {
		f.join(a[from:to], b[from:to])
	}); err != nil {
		return nil, err
	}
	return f, each(ctx, n, chunk, workers, f.flatten)
}

func validEnds(n int, a, b []uint32) error {
	for i := range a {
		if int(max(a[i], b[i])) >= n {
			return fmt.Errorf("link %d joins nodes %d and %d of %d", i, a[i], b[i], n)
		}
	}
	return nil
}

// forest is a union-find: the parent of each node, itself for a root. A parent has the smaller number, so that a root is
// the smallest of its tree whoever joined what first. Several goroutines may join at once: a root is given a parent by
// compare-and-swap, and no node ever becomes a root again.
type forest []uint32

func newForest(parent []uint32) forest {
	for v := range parent {
		parent[v] = uint32(v)
	}
	return parent
}

func (f forest) join(a, b []uint32) {
	for i := range a {
		x, y := a[i], b[i]
		for {
			x, y = f.root(x), f.root(y)
			if x == y {
				break
			}
			if x < y {
				x, y = y, x
			}
			if atomic.CompareAndSwapUint32(&f[x], x, y) {
				break
			}
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

// flatten hangs nodes to their roots.
func (f forest) flatten(from, to int) {
	for v := from; v < to; v++ {
		if r := f.root(uint32(v)); r != uint32(v) {
			atomic.StoreUint32(&f[v], r)
		}
	}
}
