package night

import (
	"math"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/trait"
)

// Known is what a night knows besides its rows: of single identifiers, for who attributes what devices did.
type Known struct {
	// Types are those of the devices that any source has told apart.
	Types map[identifier.ID]string
	// Refused tells of an account that refuses analysis, or once did, until when nothing is attributed to it: for ever, or
	// until it consented again.
	Refused map[identifier.ID]table.Micros
	// Rewound: a device that was known is another thing now, or an account is given back what it had refused by mistake. What
	// was attributed before has to be made anew from the beginning.
	Rewound bool
	// Numbers are those of the night's quality, as far as profiles go: for Quality.
	Numbers []Number
}

// Forever is after every instant.
const Forever = table.Micros(math.MaxInt64)

// people gathers Known from the links as they stand, and from those of the night before.
type people struct {
	types, typesWere map[identifier.ID]uint8
	said, saidWere   map[identifier.ID]answers
}

// answers are what an account said to being analysed.
type answers struct{ given, denied seen }

func newPeople() people {
	return people{
		types: map[identifier.ID]uint8{}, typesWere: map[identifier.ID]uint8{}, said: map[identifier.ID]answers{}, saidWere: map[identifier.ID]answers{},
	}
}

// meet takes note of a link with what was seen of it.
func (b *builder) meet(types map[identifier.ID]uint8, said map[identifier.ID]answers, p *pair, s seen) {
	for _, end := range []struct {
		id identifier.ID
		t  uint8
	}{{p.left, p.leftType}, {p.right, p.rightType}} {
		if end.id.IsZero() || !b.deviceLike(end.t) || b.types.name(end.t) == table.TypeDevice {
			continue
		}
		if is, known := types[end.id]; !known || trait.Openness(b.types.name(end.t)) > trait.Openness(b.types.name(is)) {
			types[end.id] = end.t
		}
	}
	if p.rightType == b.consent && p.leftType == b.account {
		a := said[p.left]
		if p.right.IsZero() {
			a.denied = a.denied.and(s)
		} else {
			a.given = a.given.and(s)
		}
		said[p.left] = a
	}
}

// refusedUntil is until when nothing is attributed to an account; 0 when it never refused.
func (a answers) refusedUntil() table.Micros {
	switch {
	case a.denied.count == 0:
		return 0
	case a.given.count == 0 || a.denied.last >= a.given.last:
		return Forever
	}
	return max(a.given.first, a.denied.last)
}

func (b *builder) known() Known {
	p := &b.people
	k := Known{Types: make(map[identifier.ID]string, len(p.types)), Refused: map[identifier.ID]table.Micros{}, Numbers: b.numbers()}
	for id, t := range p.types {
		k.Types[id] = b.types.name(t)
	}
	for id, a := range p.said {
		if until := a.refusedUntil(); until > 0 {
			k.Refused[id] = until
		}
	}
	for id, t := range p.typesWere {
		k.Rewound = k.Rewound || p.types[id] != t || k.Types[id] == ""
	}
	for id, a := range p.saidWere {
		k.Rewound = k.Rewound || k.Refused[id] < a.refusedUntil() && !later(p.said[id], a)
	}
	return k
}

// later reports whether an account that had refused has consented since, rather than that its refusal was withdrawn.
func later(now, was answers) bool { return now.denied == was.denied && now.given.last > was.given.last }
