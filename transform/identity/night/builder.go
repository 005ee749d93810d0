package night

import (
	"context"
	"fmt"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
	"crosslift/warehouse/columns"
)

// builder makes one night.
type builder struct {
	Input
	emit    Emit
	summary Summary

	types    names // those of Rules, in their order, and consent
	sources  names
	statuses names

	account, crm, email, folded, phone, card, reference, consent uint8

	places map[pair]int32     // of fresh
	fresh  []fresh            // what tonight's days say
	told   map[pair][]telling // the same of attributes, day by day; in a whole run only of what several days tell
	whole  bool               // everything is redone
	dirty  identifier.Set     // the identifiers whose blocks are redone
	crowd  identifier.Set     // identifiers that are shared and not redone
	links  []link             // that are redone

	nodes    []node
	number   map[identifier.ID]uint32
	solution *graph.Solution
	edges    []edge      // pairs given to the graph
	reasons  [256]status // by the graph's
	quality  quality
	people   people
}

func newBuilder(in Input, emit Emit) *builder {
	b := &builder{Input: in, emit: emit, places: map[pair]int32{}, told: map[pair][]telling{}, dirty: identifier.Set{}, crowd: identifier.Set{}, number: map[identifier.ID]uint32{}}
	b.types, b.sources, b.statuses = newNames(), newNames(), newNames(statusNames...)
	for i, t := range in.Rules.Types {
		b.types.list, b.types.of[t.Name] = append(b.types.list, t.Name), uint8(i)
	}
	for _, t := range []struct {
		name string
		to   *uint8
	}{
		{table.TypeAccount, &b.account}, {table.TypeCRM, &b.crm}, {table.TypeEmail, &b.email}, {table.TypeEmailFolded, &b.folded},
		{table.TypePhone, &b.phone}, {table.TypeCard, &b.card}, {table.TypeReference, &b.reference}, {table.TypeConsent, &b.consent},
	} {
		number, known := b.types.of[t.name]
		if !known {
			number = uint8(len(b.types.list))
			b.types.list, b.types.of[t.name] = append(b.types.list, t.name), number
		}
		*t.to = number
	}
	b.whole = in.Previous == nil || in.Previous.Links == nil
	b.quality.begin()
	b.people = newPeople()
	return b
}

// observe adds up what the days say.
func (b *builder) observe(ctx context.Context) error {
	for _, day := range b.Edges {
		if day.Day > b.Night {
			return fmt.Errorf("%s of %s lies after night %s", table.IdentityEdge, day.Day, b.Night)
		}
		err := columns.Scan(ctx, day.File, table.IdentityEdge, nil, func(r *table.IdentityEdgeRow) error {
			b.summary.Observations++
			p, err := b.pair(r.Left, r.LeftType, r.Right, r.RightType, r.Rule, r.Source)
			if err != nil {
				return err
			}
			f := b.find(&p)
			if f == nil {
				b.places[p] = int32(len(b.fresh))
				b.fresh = append(b.fresh, fresh{pair: p})
				f = &b.fresh[len(b.fresh)-1]
			}
			part := &f.open
			if day.Day <= sealed(b.Night) {
				part = &f.sealed
			}
			t := telling{seen{r.FirstAt, r.LastAt, r.Count}, part == &f.sealed}
			if b.attribute(&p) {
				b.tell(f, t)
			}
			*part = part.and(t.seen)
			return nil
		})
		if err != nil {
			return fmt.Errorf("%s of %s: %w", table.IdentityEdge, day.Day, err)
		}
	}
	return nil
}

// tell keeps what a day says of an attribute's value. Most values are told once: a whole run can tell that from the link.
func (b *builder) tell(f *fresh, t telling) {
	before := b.told[f.pair]
	if b.whole && before == nil {
		switch {
		case f.sealed.count > 0:
			before = []telling{{f.sealed, true}}
		case f.open.count > 0:
			before = []telling{{f.open, false}}
		default:
			return
		}
	}
	b.told[f.pair] = append(before, t)
}

// tellings are what tonight's days say of an attribute's value, day by day.
func (b *builder) tellings(l *link) []telling {
	told := b.told[l.pair]
	if told == nil && b.whole {
		return []telling{{l.now, l.sealed.count > 0}}
	}
	return told
}

// find is what tonight's days say of a pair; nil for nothing.
func (b *builder) find(p *pair) *fresh {
	if at, told := b.places[*p]; told {
		return &b.fresh[at]
	}
	return nil
}

// takeNew makes links of the pairs that the night before did not know, and lets go of what the days said.
func (b *builder) takeNew() {
	n := 0
	for i := range b.fresh {
		if !b.fresh[i].met {
			n++
		}
	}
	b.links = slices.Grow(b.links, n)
	for i := range b.fresh {
		if f := &b.fresh[i]; !f.met {
			b.links = append(b.links, link{pair: f.pair, sealed: f.sealed, now: f.sealed.and(f.open)})
		}
	}
	b.places, b.fresh = nil, nil
}

// redone reports whether an identifier's block is worked on tonight.
func (b *builder) redone(id identifier.ID) bool { return b.whole || b.dirty.Has(id) }

// deviceLike reports whether a type is one of a device.
func (b *builder) deviceLike(t uint8) bool {
	return int(t) < len(b.Rules.Types) && b.Rules.Types[t].Device
}

// between reports whether a link has two ends that are worked on.
func (b *builder) between(l *link) bool { return b.joins(&l.pair) && !b.outside(l.rightType) }

// outside reports whether identifiers of a type take no part in profiles.
func (b *builder) outside(t uint8) bool {
	return int(t) >= len(b.Rules.Types) || b.Rules.Types[t].Outside
}
