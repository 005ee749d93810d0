package night

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
	"crosslift/transform/identity/trait"
)

// node is an identifier that is worked on.
type node struct {
	id    identifier.ID
	typ   uint8
	first table.Micros // of its links
	redo  bool         // false: it stands at the end of a link, and its own block is left alone
	block identifier.ID
}

// edge is a pair of identifiers as the graph is given it: of several links the strongest and oldest.
type edge struct {
	a, b   uint32
	class  uint8
	first  table.Micros // of that class
	oldest table.Micros // of any
	told   bool         // which of the pair's links stands for it
}

// settle decides what becomes of the links.
func (b *builder) settle(ctx context.Context, workers int) error {
	b.links = slices.DeleteFunc(b.links, func(l link) bool { return l.now.count == 0 })
	b.summary.Redone = int64(len(b.links))
	b.sortLinks()
	b.enumerate()
	b.validate()
	refusing := b.refusing()
	for i := range b.links {
		b.links[i].status = b.standing(&b.links[i], refusing)
	}
	p := b.problem()
	var err error
	if b.solution, err = graph.Solve(ctx, p, workers); err != nil {
		return err
	}
	for _, of := range b.solution.Status {
		if b.reasons[of] == undecided {
			if b.reasons[of], err = b.statuses.number(b.Rules.Reason(of)); err != nil {
				return err
			}
		}
	}
	b.judge()
	return nil
}

// sortLinks puts the links of an identifier's attribute, and those of one pair, behind each other.
func (b *builder) sortLinks() {
	attributes := make([]uint8, len(b.types.list)) // of a device it does not matter as what it was seen
	for t := range attributes {
		if attributes[t] = uint8(t); b.deviceLike(uint8(t)) {
			attributes[t] = 255
		}
	}
	sources := b.sources.ranks()
	slices.SortFunc(b.links, func(x, y link) int {
		return cmp.Or(
			bytes.Compare(x.left[:], y.left[:]), cmp.Compare(attributes[x.rightType], attributes[y.rightType]), bytes.Compare(x.right[:], y.right[:]),
			cmp.Compare(x.rule, y.rule), cmp.Compare(sources[x.source], sources[y.source]),
			cmp.Compare(x.rightType, y.rightType), cmp.Compare(x.leftType, y.leftType))
	})
}

// enumerate numbers the identifiers of the links. A device that was seen as several things is the one that most may use.
func (b *builder) enumerate() {
	at := func(id identifier.ID, t uint8, l *link) uint32 {
		i, known := b.number[id]
		if !known {
			i = uint32(len(b.nodes))
			b.number[id] = i
			b.nodes = append(b.nodes, node{id: id, typ: t, first: l.now.first, redo: b.redone(id)})
		}
		n := &b.nodes[i]
		n.first = min(n.first, l.now.first)
		if b.deviceLike(t) && trait.Openness(b.types.name(t)) > trait.Openness(b.types.name(n.typ)) {
			n.typ = t
		}
		return i
	}
	for i := range b.links {
		l := &b.links[i]
		l.x = at(l.left, l.leftType, l)
		if b.between(l) {
			l.y = at(l.right, l.rightType, l)
		}
	}
	for i := range b.nodes {
		if n := &b.nodes[i]; n.redo {
			b.summary.Identifiers++
		}
	}
}

// validate finds which attributes have ended: a value holds until another one, or none, is told after it was told last.
func (b *builder) validate() {
	if b.told == nil {
		return
	}
	for from := 0; from < len(b.links); {
		to := from + 1
		for to < len(b.links) && b.links[to].left == b.links[from].left && b.links[to].rightType == b.links[from].rightType {
			to++
		}
		group := b.links[from:to]
		if b.redone(group[0].left) && b.attribute(&group[0].pair) && group[0].rightType != b.consent {
			b.ends(group)
		}
		from = to
	}
}

// ends sets until when the values of one attribute hold. Sources do not end each other's. What sealed days tell of the end
// is kept with the link, since they are not read again.
func (b *builder) ends(group []link) {
	for i := range group {
		l := &group[i]
		if l.right.IsZero() {
			continue
		}
		last, sealedLast, sealedTo := table.Micros(0), table.Micros(0), table.Micros(0)
		for k := range group { // the value may have been told by several rules
			if o := &group[k]; o.right == l.right && o.source == l.source {
				last = max(last, o.now.last)
				if o.sealed.count > 0 {
					sealedLast = max(sealedLast, o.sealed.last)
				}
				sealedTo = sooner(sealedTo, o.sealedTo)
			}
		}
		l.validTo = 0
		if sealedTo <= sealedLast {
			sealedTo = 0 // it was told again since
		}
		for k := range group {
			o := &group[k]
			if o.right == l.right || o.source != l.source {
				continue
			}
			for _, t := range b.tellings(o) {
				l.validTo = sooner(l.validTo, t.after(last))
				if t.sealed && sealedLast > 0 {
					sealedTo = sooner(sealedTo, t.after(sealedLast))
				}
			}
		}
		if l.sealedTo = 0; l.sealed.count > 0 {
			l.sealedTo = sealedTo
		}
		if sealedTo > last {
			l.validTo = sooner(l.validTo, sealedTo)
		}
	}
}

// after is the first instant after another at which a value is known to have been told on a day; 0 for none.
func (s seen) after(at table.Micros) table.Micros {
	switch {
	case s.first > at:
		return s.first
	case s.last > at:
		return s.last
	}
	return 0
}

// sooner is the smaller of two instants, of which 0 is none.
func sooner(a, b table.Micros) table.Micros {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// refusing are the accounts and contacts that refuse analysis, by what they said last.
func (b *builder) refusing() identifier.Set {
	given, denied := map[identifier.ID]table.Micros{}, map[identifier.ID]table.Micros{}
	for i := range b.links {
		l := &b.links[i]
		if l.rightType != b.consent {
			continue
		}
		to := given
		if l.right.IsZero() {
			to = denied
		}
		to[l.left] = max(to[l.left], l.now.last)
	}
	set := identifier.Set{}
	for id, at := range denied {
		if at >= given[id] {
			set[id] = struct{}{}
		}
	}
	return set
}

// standing says how a link stands before the graph is asked.
func (b *builder) standing(l *link, refusing identifier.Set) status {
	switch {
	case !b.joins(&l.pair):
		return statusAttribute
	case refusing.Has(l.left), refusing.Has(l.right):
		return statusConsent
	case l.before == statusConsent && !(b.redone(l.left) && (b.redone(l.right) || b.outside(l.rightType))):
		return statusConsent // the end that is not redone has not changed its mind
	case l.validTo != 0:
		return statusEnded
	case b.outside(l.rightType):
		return statusSign
	}
	return undecided
}

// problem is what the graph is asked.
func (b *builder) problem() *graph.Problem {
	p := &graph.Problem{Rules: b.Rules, Keys: make([]identifier.ID, len(b.nodes)), Types: make([]uint8, len(b.nodes)), Shared: make([]bool, len(b.nodes))}
	for i := range b.nodes {
		n := &b.nodes[i]
		p.Keys[i], p.Types[i], p.Shared[i] = n.id, n.typ, b.crowd.Has(n.id)
	}
	for i := range b.links {
		l := &b.links[i]
		if l.status != undecided {
			continue
		}
		x, y := l.x, l.y
		class := max(l.rule, trait.Class(b.types.name(b.nodes[x].typ)), trait.Class(b.types.name(b.nodes[y].typ)))
		e := edge{a: x, b: y, class: class, first: l.now.first, oldest: l.now.first}
		// The links are in order of left, type and right: those of one pair follow each other.
		if k := len(b.edges) - 1; k >= 0 && b.edges[k].a == x && b.edges[k].b == y {
			last := &b.edges[k]
			last.oldest = min(last.oldest, e.first)
			if cmp.Or(cmp.Compare(e.class, last.class), cmp.Compare(e.first, last.first)) < 0 {
				last.class, last.first = e.class, e.first
			}
			continue
		}
		b.edges = append(b.edges, e)
	}
	for _, e := range b.edges {
		p.Links.A, p.Links.B = append(p.Links.A, e.a), append(p.Links.B, e.b)
		p.Links.Class, p.Links.First = append(p.Links.Class, e.class), append(p.Links.First, int64(e.first))
	}
	p.Must, p.Cannot = b.worked(b.Decisions.Must), b.worked(b.Decisions.Cannot)
	return p
}

// worked numbers the decisions about identifiers that are worked on.
func (b *builder) worked(pairs [][2]identifier.ID) (of [][2]uint32) {
	for _, pair := range pairs {
		x, first := b.number[pair[0]]
		y, second := b.number[pair[1]]
		if first && second {
			of = append(of, [2]uint32{x, y})
		}
	}
	return of
}

// judge writes the graph's answer to the links, and names the blocks.
func (b *builder) judge() {
	s := b.solution
	smallest := make([]identifier.ID, len(b.nodes)) // by the block's representative; zero: none yet
	for i := range b.nodes {
		n, of := &b.nodes[i], s.Block[i]
		if smallest[of].IsZero() || bytes.Compare(n.id[:], smallest[of][:]) < 0 {
			smallest[of] = n.id
		}
	}
	for i := range b.nodes {
		if n := &b.nodes[i]; n.redo {
			n.block = smallest[s.Block[i]]
		}
	}
	k := -1
	for i := range b.links {
		l := &b.links[i]
		if l.status == undecided {
			if k < 0 || b.edges[k].a != l.x || b.edges[k].b != l.y {
				k++
			}
			l.status = b.verdict(k, l)
		}
		l.block = b.nodes[l.x].block
		if b.between(l) && b.nodes[l.y].block != l.block {
			l.block = identifier.ID{}
		}
	}
}

// verdict is what became of a link of a pair. Of several links of a pair that is linked, the strongest and oldest is the
// one that links it.
func (b *builder) verdict(k int, l *link) status {
	e, of := &b.edges[k], b.solution.Status[k]
	switch of {
	case graph.Linked:
		class := max(l.rule, trait.Class(b.types.name(b.nodes[e.a].typ)), trait.Class(b.types.name(b.nodes[e.b].typ)))
		if e.told || class != e.class || l.now.first != e.first {
			return statusImplied
		}
		e.told = true
		return statusLinked
	}
	return b.reasons[of]
}
