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
	f := make(forest, n)
	err := each(ctx, n, chunk, workers, func(from, to int) error {
		f.plant(from, to)
		return nil
	})
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
	f.flatten()
	return f, nil
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

// plant makes nodes roots.
func (f forest) plant(from, to int) {
	for v := from; v < to; v++ {
		f[v] = uint32(v)
	}
}

// ahead is how many links are looked at together.
const ahead = 64

// join joins the trees of both ends of links. With shuffled numbers nearly all of its time is waiting for memory: so the
// ends of some links are followed two steps up first, all together, and only then joined one by one from there.
func (f forest) join(a, b []uint32) {
	var xs, ys [ahead]uint32
	for len(a) > 0 {
		n := min(ahead, len(a))
		for i := range n {
			xs[i], ys[i] = atomic.LoadUint32(&f[a[i]]), atomic.LoadUint32(&f[b[i]])
		}
		for i := range n {
			xs[i], ys[i] = atomic.LoadUint32(&f[xs[i]]), atomic.LoadUint32(&f[ys[i]])
		}
		for i := range n {
			f.joinTwo(xs[i], ys[i])
		}
		a, b = a[n:], b[n:]
	}
}

func (f forest) joinTwo(x, y uint32) {
	for {
		x, y = f.root(x), f.root(y)
		if x == y {
			return
		}
		if x < y {
			x, y = y, x
		}
		if atomic.CompareAndSwapUint32(&f[x], x, y) {
			return
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

// flatten hangs every node to its root, once nobody joins any more. Parents come before their children, so that a
// parent's own is the root already. Several goroutines would have to walk further, and gain nothing.
func (f forest) flatten() {
	for v, parent := range f {
		f[v] = f[parent]
	}
}
