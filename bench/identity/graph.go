package identity

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"
	"unsafe"

	"crosslift/schemas/identifier"
	"crosslift/transform/identity/graph"
)

// array reads a file of numbers.
func array[T uint8 | uint32 | int64](dir, name string) ([]T, error) {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	var one T
	all := make([]T, len(data)/int(unsafe.Sizeof(one)))
	_, err = binary.Decode(data, binary.LittleEndian, all)
	return all, err
}

// stopwatch measures a step; the memory that came before it is given back first.
type stopwatch struct {
	wall time.Time
	cpu  time.Duration
}

func processors() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func start() stopwatch {
	runtime.GC()
	return stopwatch{time.Now(), processors()}
}

func (s stopwatch) stop() (wall, cpu float64) {
	return time.Since(s.wall).Seconds(), (processors() - s.cpu).Seconds()
}

// clusterGraph finds the connected components of a graph in one of its orders and writes them. Of three times the
// shortest counts, as the first pays for memory that the system has to clear.
func clusterGraph(ctx context.Context, args []string) error {
	dir, order := args[0], args[1]
	types, err := array[uint8](dir, "types."+order)
	if err != nil {
		return err
	}
	a, b, err := endsOf(dir, order)
	if err != nil {
		return err
	}
	var labels []uint32
	best, bestCPU := 0.0, 0.0
	for range 3 {
		s := start()
		if labels, err = graph.Components(ctx, len(types), a, b, runtime.GOMAXPROCS(0)); err != nil {
			return err
		}
		if wall, cpu := s.stop(); best == 0 || wall < best {
			best, bestCPU = wall, cpu
		}
	}
	fmt.Printf("%f %f\n", best, bestCPU)
	return os.WriteFile(args[2], unsafe.Slice((*byte)(unsafe.Pointer(&labels[0])), 4*len(labels)), 0o600)
}

func endsOf(dir, order string) (a, b []uint32, err error) {
	a, err = array[uint32](dir, "a."+order)
	if err != nil {
		return nil, nil, err
	}
	b, err = array[uint32](dir, "b."+order)
	return a, b, err
}

// problemOf is the graph with all that profiles need.
func problemOf(dir, order string) (*graph.Problem, error) {
	p := &graph.Problem{Rules: graph.DefaultRules()}
	var err, failed error
	p.Links.A, p.Links.B, failed = endsOf(dir, order)
	p.Links.Class, err = array[uint8](dir, "class."+order)
	failed = errors.Join(failed, err)
	p.Links.First, err = array[int64](dir, "first."+order)
	failed = errors.Join(failed, err)
	p.Types, err = array[uint8](dir, "types."+order)
	if failed = errors.Join(failed, err); failed != nil {
		return nil, failed
	}
	p.Keys = make([]identifier.ID, len(p.Types))
	for i := range p.Keys {
		p.Keys[i] = key(uint32(i))
	}
	return p, nil
}

// profileGraph stitches the graph to profiles, and holds it against its plain components.
func profileGraph(ctx context.Context, args []string) error {
	p, err := problemOf(args[0], args[1])
	if err != nil {
		return err
	}
	workers := runtime.GOMAXPROCS(0)
	plain, best, bestCPU := 0.0, 0.0, 0.0
	for range 2 {
		s := start()
		if _, err := graph.Components(ctx, len(p.Keys), p.Links.A, p.Links.B, workers); err != nil {
			return err
		}
		if wall, _ := s.stop(); plain == 0 || wall < plain {
			plain = wall
		}
		s = start()
		if _, err := graph.Solve(ctx, p, workers); err != nil {
			return err
		}
		if wall, cpu := s.stop(); best == 0 || wall < best {
			best, bestCPU = wall, cpu
		}
	}
	fmt.Printf("%f %f %.1f million edges a second, %.1f× its plain components (%.2f s)\n",
		best, bestCPU, float64(len(p.Links.A))/best/1e6, best/plain, plain)
	return nil
}

// state is what a night leaves for the next: the profiles, and the links by block, so that those of a block lie together.
type state struct {
	solution *graph.Solution
	links    []uint32 // by the block of an end that is in one
	first    []uint32 // of each block's links, by its representative
	place    []uint32 // scratch of a night: where a node is among those that are worked on, from 1; 0 for all others
}

func newState(p *graph.Problem, s *graph.Solution) *state {
	t := &state{solution: s, first: make([]uint32, len(p.Keys)+1), links: make([]uint32, len(p.Links.A)), place: make([]uint32, len(p.Keys))}
	for v := range t.place { // so that its memory is there
		t.place[v] = 0
	}
	block := func(i int) uint32 {
		if a := p.Links.A[i]; !s.Shared[a] {
			return s.Block[a]
		}
		return s.Block[p.Links.B[i]]
	}
	for i := range p.Links.A {
		t.first[block(i)+1]++
	}
	for v := range p.Keys {
		t.first[v+1] += t.first[v]
	}
	at := slices.Clone(t.first)
	for i := range p.Links.A {
		t.links[at[block(i)]] = uint32(i)
		at[block(i)]++
	}
	return t
}

// nightGraph adds one edge in 400 to a graph that is stitched, and stitches again: only the blocks that the new edges
// touch, and everything. Both give the same, which is checked.
func nightGraph(ctx context.Context, args []string) error {
	all, err := problemOf(args[0], "blocks")
	if err != nil {
		return err
	}
	workers := runtime.GOMAXPROCS(0)
	before, night := *all, graph.Links{}
	before.Links = graph.Links{}
	r := rand.New(rand.NewPCG(25, 1))
	add := func(to *graph.Links, i int) {
		to.A, to.B = append(to.A, all.Links.A[i]), append(to.B, all.Links.B[i])
		to.Class, to.First = append(to.Class, all.Links.Class[i]), append(to.First, all.Links.First[i])
	}
	for i := range all.Links.A {
		if r.IntN(400) == 0 {
			add(&night, i)
		} else {
			add(&before.Links, i)
		}
	}
	full := before
	full.Links = graph.Links{
		A: slices.Concat(before.Links.A, night.A), B: slices.Concat(before.Links.B, night.B),
		Class: slices.Concat(before.Links.Class, night.Class), First: slices.Concat(before.Links.First, night.First),
	}
	was, err := graph.Solve(ctx, &before, workers)
	if err != nil {
		return err
	}
	s := newState(&before, was)
	watch := start()
	now, err := graph.Solve(ctx, all, workers) // from arrays in the order of blocks
	if err != nil {
		return err
	}
	wall, _ := watch.stop()
	watch = start()
	nodes, links, err := s.night(ctx, &before, &night, workers)
	if err != nil {
		return err
	}
	part, cpu := watch.stop()
	for v := range now.Latest {
		if now.Latest[v] != was.Latest[v] || now.Shared[v] != was.Shared[v] || now.Block[v] != was.Block[v] || now.Strict[v] != was.Strict[v] {
			return fmt.Errorf("node %d is in another profile than after a full run", v)
		}
	}
	fmt.Printf("%f %f %d new edges: %d nodes and %d links again, %.0f times as fast as everything (%.2f s), and the same\n",
		part, cpu, len(night.A), nodes, links, wall/part, wall)
	return nil
}

// night stitches the blocks that new links touch, and puts what comes of it in the state's place.
func (t *state) night(ctx context.Context, p *graph.Problem, night *graph.Links, workers int) (nodes, links int, err error) {
	s := t.solution
	var dirty []uint32
	for i, a := range night.A {
		for _, v := range [2]uint32{a, night.B[i]} {
			if !s.Shared[v] {
				dirty = append(dirty, s.Block[v])
			}
		}
	}
	slices.Sort(dirty)
	dirty = slices.Compact(dirty)
	size := len(night.A)
	for _, block := range dirty {
		size += int(t.first[block+1] - t.first[block])
	}
	sub := graph.Problem{Rules: p.Rules, Links: graph.Links{
		A: make([]uint32, 0, size), B: make([]uint32, 0, size), Class: make([]uint8, 0, size), First: make([]int64, 0, size),
	}}
	numbers := make([]uint32, 0, 2*size) // of the nodes that are worked on, by their places
	at := func(v uint32) uint32 {
		if t.place[v] == 0 {
			numbers = append(numbers, v)
			t.place[v] = uint32(len(numbers))
			sub.Keys, sub.Types, sub.Shared = append(sub.Keys, p.Keys[v]), append(sub.Types, p.Types[v]), append(sub.Shared, s.Shared[v])
		}
		return t.place[v] - 1
	}
	add := func(l *graph.Links, i uint32) {
		sub.Links.A, sub.Links.B = append(sub.Links.A, at(l.A[i])), append(sub.Links.B, at(l.B[i]))
		sub.Links.Class, sub.Links.First = append(sub.Links.Class, l.Class[i]), append(sub.Links.First, l.First[i])
	}
	for _, block := range dirty {
		for _, i := range t.links[t.first[block]:t.first[block+1]] {
			add(&p.Links, i)
		}
	}
	for i := range night.A {
		add(night, uint32(i))
	}
	for _, v := range numbers {
		t.place[v] = 0
	}
	now, err := graph.Solve(ctx, &sub, workers)
	if err != nil {
		return 0, 0, err
	}
	for i, v := range numbers {
		s.Shared[v], s.Block[v] = now.Shared[i], numbers[now.Block[i]]
		s.Strict[v], s.Latest[v], s.Loose[v] = numbers[now.Strict[i]], numbers[now.Latest[i]], numbers[now.Loose[i]]
	}
	return len(numbers), len(sub.Links.A), nil
}
