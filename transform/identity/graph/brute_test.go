package graph

import (
	"bytes"
	"cmp"
	"slices"
)

// brute is the specification, as plainly as it can be said: it keeps sets of members, recounts them for each link, and
// works the whole graph at once.
func brute(p *Problem) *Solution {
	types := func(v uint32) Type { return p.Rules.Types[p.Types[v]] }
	s := &Solution{Shared: make([]bool, len(p.Keys)), Status: make([]Status, len(p.Links.A)), Must: make([]Status, len(p.Must))}
	for v := range s.Shared {
		degree := 0
		for t, typ := range p.Rules.Types {
			if typ.Limit == 0 || typ.Outside {
				continue
			}
			neighbours := map[uint32]bool{}
			for i, a := range p.Links.A {
				for _, end := range [][2]uint32{{a, p.Links.B[i]}, {p.Links.B[i], a}} {
					if end[0] == uint32(v) && end[1] != uint32(v) && int(p.Types[end[1]]) == t {
						neighbours[end[1]] = true
					}
				}
			}
			degree = max(degree, len(neighbours))
		}
		typ := types(uint32(v))
		s.Shared[v] = p.Shared != nil && p.Shared[v] || typ.Cap > 0 && degree > typ.Cap && !typ.Outside
	}

	type tried struct {
		class  int
		first  int64
		keys   [2]string
		a, b   uint32
		status *Status
	}
	var links []tried
	add := func(class int, first int64, a, b uint32, status *Status) {
		keys := [2]string{string(p.Keys[a][:]), string(p.Keys[b][:])}
		slices.Sort(keys[:])
		links = append(links, tried{class, first, keys, a, b, status})
	}
	for i, pair := range p.Must {
		add(-1, 0, pair[0], pair[1], &s.Must[i])
	}
	for i, a := range p.Links.A {
		add(int(p.Links.Class[i]), p.Links.First[i], a, p.Links.B[i], &s.Status[i])
	}
	slices.SortStableFunc(links, func(x, y tried) int {
		return cmp.Or(cmp.Compare(x.class, y.class), cmp.Compare(x.first, y.first),
			cmp.Compare(x.keys[0], y.keys[0]), cmp.Compare(x.keys[1], y.keys[1]))
	})

	blocks, profiles := newPartition(len(p.Keys)), newPartition(len(p.Keys))
	try := func(l tried, most int) Status {
		switch {
		case types(l.a).Outside || types(l.b).Outside:
			return Outside
		case s.Shared[l.a] && s.Shared[l.b]:
			return SharedBoth
		case s.Shared[l.a]:
			return SharedA
		case s.Shared[l.b]:
			return SharedB
		case profiles.of[l.a] == profiles.of[l.b]:
			return Implied
		}
		a, b := profiles.members(l.a), profiles.members(l.b)
		for _, c := range p.Cannot {
			if slices.Contains(a, c[0]) && slices.Contains(b, c[1]) || slices.Contains(a, c[1]) && slices.Contains(b, c[0]) {
				return Cannot
			}
		}
		if types(l.a).Device && len(a) > 1 || types(l.b).Device && len(b) > 1 {
			return Bridge
		}
		count := map[uint8]int{}
		for _, v := range slices.Concat(a, b) {
			count[p.Types[v]]++
		}
		for t, typ := range p.Rules.Types {
			if typ.Limit > 0 && count[uint8(t)] > typ.Limit {
				return LimitOf(uint8(t))
			}
		}
		if most > 0 && len(a)+len(b) > most {
			return Size
		}
		profiles.join(l.a, l.b)
		return Linked
	}
	for _, l := range links {
		if l.class > 1 && s.Strict == nil {
			s.Strict = profiles.representatives(p)
		}
		*l.status = try(l, p.Rules.MaxSize)
		if !s.Shared[l.a] && !s.Shared[l.b] && !types(l.a).Outside && !types(l.b).Outside {
			blocks.join(l.a, l.b)
		}
	}
	for _, l := range links {
		if *l.status == Bridge && profiles.of[l.a] == profiles.of[l.b] {
			*l.status = Implied
		}
	}
	s.Latest = profiles.representatives(p)
	if s.Strict == nil {
		s.Strict = s.Latest
	}
	for _, l := range links {
		if *l.status == Size {
			try(l, 0)
		}
	}
	s.Loose = profiles.representatives(p)
	s.Block = blocks.representatives(p)
	return s
}

// partition gives each node the number of its set.
type partition struct{ of []int }

func newPartition(n int) *partition {
	p := &partition{make([]int, n)}
	for v := range p.of {
		p.of[v] = v
	}
	return p
}

func (p *partition) members(v uint32) (m []uint32) {
	for w, set := range p.of {
		if set == p.of[v] {
			m = append(m, uint32(w))
		}
	}
	return m
}

func (p *partition) join(a, b uint32) {
	from, to := p.of[a], p.of[b]
	for v, set := range p.of {
		if set == from {
			p.of[v] = to
		}
	}
}

func (p *partition) representatives(problem *Problem) []uint32 {
	r := make([]uint32, len(p.of))
	for v := range r {
		r[v] = slices.MinFunc(p.members(uint32(v)), func(x, y uint32) int {
			return bytes.Compare(problem.Keys[x][:], problem.Keys[y][:])
		})
	}
	return r
}
