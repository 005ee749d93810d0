package moment

import (
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
)

// queriesAtOnce is how many queries a worker takes at a time, and nodesAtOnce about how many nodes are grouped at once.
const (
	queriesAtOnce = 1 << 12
	nodesAtOnce   = 1 << 14
)

// Groups answers queries, each in its place. The cost is that of the identifiers that each was connected with at its instant;
// beside the answers a worker needs 4 bytes for each identifier that was read. Several goroutines may ask at once.
//
// An error means that a query asks for what Open was not told of, or that ctx ended.
func (l *Links) Groups(ctx context.Context, queries []Query, workers int) ([]Group, error) {
	groups := make([]Group, len(queries))
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range max(1, min(workers, (len(queries)+queriesAtOnce-1)/queriesAtOnce)) {
		g.Go(func() error {
			s := &solver{l: l, mark: make([]uint32, len(l.nodes)), groups: groups}
			for {
				from := int(next.Add(queriesAtOnce)) - queriesAtOnce
				if from >= len(queries) {
					return nil
				}
				for i := from; i < min(from+queriesAtOnce, len(queries)); i++ {
					if err := s.ask(queries[i], i); err != nil {
						return err
					}
					if len(s.nodes) >= nodesAtOnce {
						if err := s.solve(ctx); err != nil {
							return err
						}
					}
				}
				if err := s.solve(ctx); err != nil {
					return err
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("groups as of a moment: %w", err)
	}
	return groups, nil
}

// solver answers queries. What an identifier was connected with at an instant is copied into a problem, one query after
// the other, until there is enough to be solved.
type solver struct {
	l      *Links
	groups []Group

	problem graph.Problem
	nodes   []uint32 // of the problem, as the store numbers them
	asked   []asked

	mark    []uint32 // of nodes that this query has met: crowded, or their place in the problem + 2; 0: not met
	met     []uint32
	counted []degreeOf
}

const crowded = 1 // a mark

// asked is where a query's copies lie in the problem. The first is the identifier that it asks for.
type asked struct{ query, from, to int }

// ask takes a query.
func (s *solver) ask(q Query, i int) error {
	x, known := s.l.number[q.ID]
	switch {
	case !known || int(x) >= s.l.asked:
		return fmt.Errorf("%s is asked about: it is not among the identifiers that the links were opened for", q.ID)
	case q.At > s.l.until:
		return fmt.Errorf("%s is asked about as of %s: the links were opened until %s", q.ID, text(q.At), text(s.l.until))
	case s.l.nodes[x].first >= q.At:
		s.alone(i, x, noType, false)
		return nil
	}
	typ := s.l.typeAt(x, q.At)
	if s.shared(x, typ, q.At) {
		s.alone(i, x, typ, true)
		return nil
	}
	from := len(s.nodes)
	s.take(x, typ)
	for at := from; at < len(s.nodes); at++ {
		s.follow(s.nodes[at], q.At)
	}
	to := len(s.nodes)
	if to-from == 1 {
		s.drop(from)
		s.alone(i, x, typ, false)
	} else {
		s.part(from)
		s.asked = append(s.asked, asked{i, from, to})
	}
	for _, x := range s.met {
		s.mark[x] = 0
	}
	s.met = s.met[:0]
	return nil
}

func text(at table.Micros) string { return at.Time().Format("2006-01-02T15:04:05.999999Z") }

// alone answers that an identifier was a group of its own.
func (s *solver) alone(query int, x uint32, typ uint8, shared bool) {
	of, g := &s.l.nodes[x], &s.groups[query]
	*g = Group{ID: identifier.Mint(identifier.Profile, of.id, 0), Shared: shared, Members: []Member{{ID: of.id}}}
	if typ != noType {
		g.Members[0].Type, g.Members[0].FirstAt = s.l.types.Types[typ].Name, of.first
	}
	if typ == s.l.types.account {
		g.Account = of.id
	}
}

// take copies a node into the problem.
func (s *solver) take(x uint32, typ uint8) {
	s.nodes = append(s.nodes, x)
	s.mark[x] = uint32(len(s.nodes) + 1)
	s.met = append(s.met, x)
	s.problem.Keys, s.problem.Types = append(s.problem.Keys, s.l.nodes[x].id), append(s.problem.Types, typ)
}

// drop takes the last node back.
func (s *solver) drop(at int) {
	s.nodes, s.problem.Keys, s.problem.Types = s.nodes[:at], s.problem.Keys[:at], s.problem.Types[:at]
}

// follow goes from a node, which is not shared, to those that it was linked to.
func (s *solver) follow(x uint32, at table.Micros) {
	place := s.mark[x] - 2
	for _, h := range s.l.of(x) {
		if h.first >= at {
			break
		}
		l := &s.l.links[h.link]
		if !s.l.holds(l, at) || !s.join(h.other, at) || l.a != x {
			continue // a link is copied with its first end
		}
		other := s.mark[h.other] - 2
		class := max(l.rule, s.l.types.class[s.problem.Types[place]], s.l.types.class[s.problem.Types[other]])
		links := &s.problem.Links
		links.A, links.B = append(links.A, place), append(links.B, other)
		links.Class, links.First = append(links.Class, class), append(links.First, int64(l.first))
	}
	for _, other := range s.l.must[x] {
		if s.l.nodes[other].first < at && s.join(other, at) && x < other {
			s.problem.Must = append(s.problem.Must, [2]uint32{place, s.mark[other] - 2})
		}
	}
}

// join takes a node that is linked to one that was taken, unless it is shared.
func (s *solver) join(x uint32, at table.Micros) bool {
	if s.mark[x] == 0 {
		if typ := s.l.typeAt(x, at); s.shared(x, typ, at) {
			s.mark[x] = crowded
			s.met = append(s.met, x)
		} else {
			s.take(x, typ)
		}
	}
	return s.mark[x] != crowded
}

// part copies the cannot-links between the nodes of a query.
func (s *solver) part(from int) {
	if len(s.l.cannot) == 0 {
		return
	}
	for at := from; at < len(s.nodes); at++ {
		x := s.nodes[at]
		for _, other := range s.l.cannot[x] {
			if x < other && s.mark[other] > crowded {
				s.problem.Cannot = append(s.problem.Cannot, [2]uint32{uint32(at), s.mark[other] - 2})
			}
		}
	}
}

// shared reports whether a node was beyond its cap.
func (s *solver) shared(x uint32, typ uint8, at table.Micros) bool {
	most, links := s.l.types.Types[typ].Cap, s.l.of(x)
	if most == 0 {
		return false
	}
	if s.l.nodes[x].busy && at > s.l.crowded[x] {
		return true
	}
	if len(links) <= most || links[most].first >= at {
		return false
	}
	s.counted = s.counted[:0]
	for _, h := range links {
		if h.first >= at {
			break
		}
		of := s.l.typeAt(h.other, at)
		if s.l.types.Types[of].Limit == 0 || h.other == x || !s.l.holds(&s.l.links[h.link], at) {
			continue
		}
		if count(&s.counted, of, h.other) > most {
			return true
		}
	}
	return false
}

// typeAt is what a node was known to be: of several things the most open one.
func (l *Links) typeAt(x uint32, at table.Micros) uint8 {
	n := &l.nodes[x]
	if !n.mixed {
		return n.typ
	}
	typ := uint8(noType)
	for _, k := range l.kinds[x] {
		if k.first < at && (typ == noType || l.types.openness[k.typ] > l.types.openness[typ]) {
			typ = k.typ
		}
	}
	return typ
}
