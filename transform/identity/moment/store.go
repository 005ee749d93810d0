package moment

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// store holds observations by the identifiers that they are of.
type store struct {
	number  map[identifier.ID]uint32
	nodes   []node
	kinds   map[uint32][]kind // of nodes that were seen as several things
	crowded map[uint32]table.Micros

	links  []link
	starts []uint32 // by node: where its halves start
	halves []half   // of each node, the oldest first

	told    []told
	opinion []uint32 // by attribute: where what was told of it starts
}

// node is an identifier. One that is known from decisions or questions alone was never seen.
type node struct {
	id    identifier.ID
	first table.Micros // when it was seen
	typ   uint8
	mixed bool // see kinds
	busy  bool // see crowded
}

// kind is since when a node is known to be of a type.
type kind struct {
	first table.Micros
	typ   uint8
}

// link is one that may join.
type link struct {
	a, b      uint32
	attribute int32 // of a, of which b is the value: its number; −1 for none
	first     table.Micros
	rule      uint8
}

// half is a link as one of its ends has it.
type half struct {
	first table.Micros
	other uint32
	link  uint32
}

// told is that a source told a value of an attribute for the first time.
type told struct {
	owner       uint32
	value       uint32 // none: that there is none
	first       table.Micros
	typ, source uint8
	link        int32 // −1: it is not one that may join
}

const none = ^uint32(0)

// load reads what is reached.
func (l *Links) load(ctx context.Context, in Input, r *reach, workers int) error {
	s := &l.store
	s.number, s.kinds, s.crowded = map[identifier.ID]uint32{}, map[uint32][]kind{}, map[uint32]table.Micros{}
	for _, id := range in.IDs {
		s.node(id)
	}
	l.asked = len(s.nodes)
	for _, pair := range in.Decisions.Must {
		s.node(pair[0])
		s.node(pair[1])
	}
	for i := range r.crosses {
		if r.kept[i] {
			l.add(&r.crosses[i].row)
		}
	}
	groups := r.holding()
	var mu sync.Mutex
	err := inParallel(ctx, len(groups), workers, r.reader, func(ctx context.Context, reader *reader, i int) error {
		rows, err := reader.rows(ctx, groups[i])
		if err != nil {
			return err
		}
		var all []row
		var last identifier.ID
		reached := false
		for at := range rows {
			block := id(&reader.block, at)
			if block != last {
				last, reached = block, r.blocks.Has(block)
			}
			if !reached {
				continue
			}
			row, err := reader.row(at)
			if err != nil {
				return err
			}
			if row.first < r.until {
				all = append(all, row)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for i := range all {
			l.add(&all[i])
		}
		return nil
	})
	if err != nil {
		return err
	}
	for x, at := range r.crowded {
		if number, known := s.number[r.ids[x]]; known && at != never {
			s.crowded[number], s.nodes[number].busy = at, true
		}
	}
	s.settle()
	return nil
}

// node numbers an identifier.
func (s *store) node(id identifier.ID) uint32 {
	i, known := s.number[id]
	if !known {
		i = uint32(len(s.nodes))
		s.number[id], s.nodes = i, append(s.nodes, node{id: id, first: never, typ: noType})
	}
	return i
}

// see takes note that an identifier was observed.
func (s *store) see(id identifier.ID, typ uint8, first table.Micros) uint32 {
	i := s.node(id)
	n := &s.nodes[i]
	switch {
	case n.typ == noType:
		n.typ = typ
	case n.typ == typ && !n.mixed:
	default:
		if !n.mixed {
			n.mixed, s.kinds[i] = true, []kind{{n.first, n.typ}}
		}
		known := slices.IndexFunc(s.kinds[i], func(k kind) bool { return k.typ == typ })
		if known < 0 {
			s.kinds[i] = append(s.kinds[i], kind{first, typ})
		} else if k := &s.kinds[i][known]; first < k.first {
			k.first = first
		}
	}
	n.first = min(n.first, first)
	return i
}

// add takes a row.
func (l *Links) add(r *row) {
	if r.leftType == noType {
		return
	}
	left, right, joins := l.see(r.left, r.leftType, r.first), none, r.joins()
	if joins {
		right = l.see(r.right, r.rightType, r.first)
	}
	at := int32(-1)
	if joins && !r.refused {
		at = int32(len(l.links))
		l.links = append(l.links, link{a: left, b: right, attribute: -1, first: r.first, rule: r.rule})
	}
	if r.attribute {
		l.told = append(l.told, told{left, right, r.first, r.rightType, r.source, at})
	}
}

// settle puts everything in its order.
func (s *store) settle() {
	slices.SortFunc(s.told, func(x, y told) int {
		return cmp.Or(cmp.Compare(x.owner, y.owner), cmp.Compare(x.typ, y.typ), cmp.Compare(x.source, y.source), cmp.Compare(x.first, y.first))
	})
	for i := range s.told {
		t := &s.told[i]
		if i == 0 || t.owner != s.told[i-1].owner || t.typ != s.told[i-1].typ || t.source != s.told[i-1].source {
			s.opinion = append(s.opinion, uint32(i))
		}
		if t.link >= 0 {
			s.links[t.link].attribute = int32(len(s.opinion) - 1)
		}
	}
	s.opinion = append(s.opinion, uint32(len(s.told)))
	s.starts = make([]uint32, len(s.nodes)+1)
	for i := range s.links {
		s.starts[s.links[i].a+1]++
		s.starts[s.links[i].b+1]++
	}
	for i := range s.nodes {
		s.starts[i+1] += s.starts[i]
	}
	s.halves = make([]half, 2*len(s.links))
	next := slices.Clone(s.starts)
	for i, l := range s.links {
		s.halves[next[l.a]], s.halves[next[l.b]] = half{l.first, l.b, uint32(i)}, half{l.first, l.a, uint32(i)}
		next[l.a]++
		next[l.b]++
	}
	for x := range s.nodes { // links stay as they were read, so that those of a block lie together
		slices.SortFunc(s.of(uint32(x)), func(x, y half) int { return cmp.Compare(x.first, y.first) })
	}
}

// of are the links of a node.
func (s *store) of(x uint32) []half { return s.halves[s.starts[x]:s.starts[x+1]] }

// holds reports whether a link that was seen before t held at t: of an attribute, whether its value is the newest.
func (s *store) holds(l *link, t table.Micros) bool {
	if l.attribute < 0 {
		return true
	}
	all := s.told[s.opinion[l.attribute]:s.opinion[l.attribute+1]]
	i := len(all) - 1
	for all[i].first >= t {
		i--
	}
	for newest := all[i].first; i >= 0 && all[i].first == newest; i-- {
		if all[i].value == l.b {
			return true
		}
	}
	return false
}
