package night

import (
	"context"

	"crosslift/schemas/identifier"
)

// What is known of an identifier that something has changed about.
const (
	grown   = 1 << iota // it has another link, or an older one: what was shared stays so
	changed             // a link went, ended or may hold again; or its type may be another one
	owner               // its attributes or its consent have changed
)

// inherit takes over the links of the night before: those of blocks in which nothing has changed are emitted as they are,
// with what was seen of them since; the others are to be redone. Two passes are made, since what has changed must be known
// before the first block is passed on.
func (b *builder) inherit(ctx context.Context) error {
	marks, crosses, err := b.compare(ctx)
	if err != nil {
		return err
	}
	b.spread(marks, crosses)
	if err := b.divide(ctx); err != nil {
		return err
	}
	for i := range crosses {
		l := &crosses[i]
		if b.redone(l.left) || b.redone(l.right) {
			b.links = append(b.links, *l)
		} else if err := b.emitLink(l); err != nil {
			return err
		}
	}
	b.quality.prove()
	return nil
}

// compare finds the identifiers of which a link is new, gone or older, and gathers the links between blocks.
func (b *builder) compare(ctx context.Context) (marks map[identifier.ID]uint8, crosses []link, err error) {
	marks = map[identifier.ID]uint8{}
	mark := func(p *pair, with uint8) {
		if marks[p.left] |= with; b.attribute(p) {
			marks[p.left] |= owner | changed
		}
		if b.joins(p) && !b.outside(p.rightType) {
			marks[p.right] |= with
		}
	}
	observedAs := map[identifier.ID]uint64{} // shared identifiers by the types under which they were seen
	err = b.scanLinks(ctx, b.Previous.Links, func(l *link) error {
		b.meet(b.people.typesWere, b.people.saidWere, &l.pair, l.was)
		f := b.find(&l.pair)
		if f != nil {
			f.met = true
		}
		switch {
		case l.now.count == 0:
			mark(&l.pair, changed)
		case l.now.first != l.was.first, b.attribute(&l.pair) && (l.now != l.was || f != nil && f.sealed.count > 0):
			mark(&l.pair, grown)
		}
		if l.block.IsZero() {
			crosses = append(crosses, *l)
			observedAs[l.left] |= 1 << l.leftType
			observedAs[l.right] |= 1 << l.rightType
		}
		return nil
	})
	for i := range b.fresh {
		p := &b.fresh[i].pair
		if b.fresh[i].met {
			continue
		}
		mark(p, grown)
		if !b.joins(p) { // it says what a device is, or that a value has gone
			marks[p.left] |= changed
		}
		for id, t := range map[identifier.ID]uint8{p.left: p.leftType, p.right: p.rightType} {
			if b.deviceLike(t) && observedAs[id]&(1<<t) == 0 {
				marks[id] |= changed
			}
		}
	}
	return marks, crosses, err
}

// spread decides which identifiers' blocks are redone: those of which something has changed. A shared one that has only
// grown stays shared, and is none of them; one that may no longer be shared concerns everybody whom it touches.
func (b *builder) spread(marks map[identifier.ID]uint8, crosses []link) {
	for i := range crosses {
		b.overcrowded(&crosses[i])
	}
	// What an owner's attributes linked may hold again or no longer; so may what it was linked to without consent.
	for i := range crosses {
		l := &crosses[i]
		if marks[l.left]&owner != 0 {
			marks[l.right] |= changed
		}
		if marks[l.right]&owner != 0 {
			marks[l.left] |= changed
		}
	}
	// An owner is not among the crosses when it is in its partner's block; its block is redone whole.
	for i := range crosses {
		l := &crosses[i]
		for _, ends := range [2][2]identifier.ID{{l.left, l.right}, {l.right, l.left}} {
			if b.crowd.Has(ends[0]) && marks[ends[0]]&changed != 0 {
				marks[ends[1]] |= grown
			}
		}
	}
	for _, pair := range b.Decisions.Must { // it joins blocks without a link that would show it
		if marks[pair[0]]|marks[pair[1]] != 0 || b.crowd.Has(pair[0]) || b.crowd.Has(pair[1]) {
			marks[pair[0]] |= changed
			marks[pair[1]] |= changed
		}
	}
	for id, with := range marks {
		if with&changed != 0 || !b.crowd.Has(id) {
			b.dirty[id] = struct{}{}
		}
	}
}

// overcrowded takes note of the ends of a link that the night before found shared.
func (b *builder) overcrowded(l *link) {
	if l.before == statusLeft || l.before == statusBoth {
		b.crowd[l.left] = struct{}{}
	}
	if l.before == statusRight || l.before == statusBoth {
		b.crowd[l.right] = struct{}{}
	}
}

// divide passes the blocks on in which nothing has changed, and takes the others' links.
func (b *builder) divide(ctx context.Context) error {
	var block []link
	var redo []identifier.ID
	end := func() error {
		touched := false
		for i := range block {
			touched = touched || b.dirty.Has(block[i].left) || b.dirty.Has(block[i].right)
		}
		for i := range block {
			if !touched {
				if err := b.emitLink(&block[i]); err != nil {
					return err
				}
				continue
			}
			redo = append(redo, block[i].left)
			if b.joins(&block[i].pair) && !b.outside(block[i].rightType) {
				redo = append(redo, block[i].right)
			}
		}
		if touched {
			b.links = append(b.links, block...)
		}
		b.quality.prove()
		block = block[:0]
		return nil
	}
	err := b.scanLinks(ctx, b.Previous.Links, func(l *link) error {
		if l.block.IsZero() {
			return nil
		}
		if len(block) > 0 && block[0].block != l.block {
			if err := end(); err != nil {
				return err
			}
		}
		block = append(block, *l)
		return nil
	})
	if err == nil {
		err = end()
	}
	for _, id := range redo { // only now: an identifier outside of profiles may stand in several blocks
		b.dirty[id] = struct{}{}
	}
	for _, pair := range b.Decisions.Must { // an end that has no other link in the block
		if b.dirty.Has(pair[0]) || b.dirty.Has(pair[1]) {
			b.dirty[pair[0]], b.dirty[pair[1]] = struct{}{}, struct{}{}
		}
	}
	for id := range b.dirty {
		delete(b.crowd, id)
	}
	return err
}
