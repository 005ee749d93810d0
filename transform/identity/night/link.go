package night

import (
	"context"
	"fmt"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/trait"
	"crosslift/warehouse/columns"
)

// pair is what tells links apart.
type pair struct {
	left, right         identifier.ID // right is zero where an attribute has no value
	leftType, rightType uint8         // as observed, see builder.types
	rule                uint8
	source              uint8 // see builder.sources
}

// seen is when and how often something was observed.
type seen struct {
	first, last table.Micros
	count       int64 // 0: never
}

func (s seen) and(o seen) seen {
	if s.count == 0 {
		return o
	}
	if o.count == 0 {
		return s
	}
	return seen{min(s.first, o.first), max(s.last, o.last), s.count + o.count}
}

// telling is what one day says of an attribute's value.
type telling struct {
	seen
	sealed bool
}

// fresh is what the days that are read tonight say of a pair.
type fresh struct {
	pair
	sealed, open seen
	met          bool // the night before knew the pair
}

// link is everything that was observed of a pair. It holds no pointers: there are many.
type link struct {
	pair
	before, status status       // by the night before, and tonight; undecided: a new one, and one that the graph is asked about
	x, y           uint32       // its ends among the nodes, as far as they are some
	sealed, now    seen         //
	was            seen         // by the night before
	validTo        table.Micros // of an attribute that has ended; 0 while it holds
	sealedTo       table.Micros // the same, as far as sealed days tell
	block          identifier.ID
}

// status is a place among the builder's statuses.
type status = uint8

// The statuses of links. Behind them come the other reasons of the graph.
const (
	undecided       status = iota
	statusLinked           //
	statusImplied          // both ends are one profile's by other links
	statusEnded            // the attribute has another value now, or none
	statusConsent          // of an account or contact that refuses analysis
	statusSign             // of persons, not of profiles
	statusAttribute        // says something of left alone
	statusLeft             // too many accounts touch left
	statusRight            //
	statusBoth             //
)

// NoConsent is the name of the status of a link of an account or contact that refuses analysis.
const NoConsent = "no_consent"

var statusNames = []string{"", "linked", "implied", "ended", NoConsent, "person_sign", "attribute", "shared_left", "shared_right", "shared_both"}

// refused reports whether a status says that a link was not made although it was observed and holds.
func refused(s status) bool { return s > statusAttribute }

// scanLinks reads the links of the night before.
func (b *builder) scanLinks(ctx context.Context, f *columns.File, each func(*link) error) error {
	return columns.Scan(ctx, f, table.IdentityLink, nil, func(r *table.IdentityLinkRow) error {
		l, err := b.linkOf(r)
		if err != nil {
			return err
		}
		l.now = l.sealed
		if f := b.find(&l.pair); f != nil {
			l.sealed = l.sealed.and(f.sealed)
			l.now = l.sealed.and(f.open)
		}
		return each(&l)
	})
}

// linkOf is a link as a night left it.
func (b *builder) linkOf(r *table.IdentityLinkRow) (link, error) {
	l := link{was: seen{r.FirstAt, r.LastAt, r.Count}, block: r.Block}
	var err error
	if l.before, err = b.statuses.number(r.Status); err != nil {
		return l, err
	}
	l.status = l.before
	if l.pair, err = b.pair(r.Left, r.LeftType, r.Right, r.RightType, r.Rule, r.Source); err != nil {
		return l, err
	}
	if r.ValidTo != nil {
		l.validTo = *r.ValidTo
	}
	if r.SealedCount != nil && r.SealedFirstAt != nil && r.SealedLastAt != nil {
		l.sealed = seen{*r.SealedFirstAt, *r.SealedLastAt, *r.SealedCount}
	}
	if r.SealedTo != nil {
		l.sealedTo = *r.SealedTo
	}
	return l, nil
}

// emitLink writes a link as it stands tonight.
func (b *builder) emitLink(l *link) error {
	if l.now.count == 0 {
		return nil
	}
	row := table.IdentityLinkRow{
		Block: l.block, Left: l.left, LeftType: b.types.name(l.leftType), Right: l.right, RightType: b.types.name(l.rightType),
		Rule: int64(l.rule), Source: b.sources.name(l.source), FirstAt: l.now.first, LastAt: l.now.last, Count: l.now.count, Status: b.statuses.name(l.status),
	}
	if l.validTo != 0 {
		row.ValidTo = &l.validTo
	}
	if l.sealed.count > 0 {
		row.SealedFirstAt, row.SealedLastAt, row.SealedCount = &l.sealed.first, &l.sealed.last, &l.sealed.count
	}
	if l.sealedTo != 0 {
		row.SealedTo = &l.sealedTo
	}
	b.summary.Links++
	b.quality.link(b, l)
	b.meet(b.people.types, b.people.said, &l.pair, l.now)
	return b.emit(table.IdentityLink, &row)
}

// names numbers the few names of types, sources and statuses.
type names struct {
	list []string
	of   map[string]uint8
}

func newNames(list ...string) names {
	n := names{of: map[string]uint8{}}
	for _, name := range list {
		n.of[name] = uint8(len(n.list))
		n.list = append(n.list, name)
	}
	return n
}

// ranks orders the names, by number.
func (n *names) ranks() []uint8 {
	sorted := slices.Sorted(slices.Values(n.list))
	ranks := make([]uint8, len(n.list))
	for i, name := range n.list {
		at, _ := slices.BinarySearch(sorted, name)
		ranks[i] = uint8(at)
	}
	return ranks
}

func (n *names) name(i uint8) string { return n.list[i] }

// number finds a name's number, or gives it one.
func (n *names) number(name string) (uint8, error) {
	if i, known := n.of[name]; known {
		return i, nil
	}
	if len(n.list) == 256 {
		return 0, fmt.Errorf("more than 256 types, sources or reasons: %q is one too many", name)
	}
	i := uint8(len(n.list))
	n.list, n.of[name] = append(n.list, name), i
	return i, nil
}

// pair checks and numbers what tells a link apart.
func (b *builder) pair(left identifier.ID, leftType string, right identifier.ID, rightType string, rule int64, source string) (p pair, err error) {
	if rule < 0 || rule > table.RuleShared {
		return p, fmt.Errorf("rule %d of a link from %s: expected 0 to %d", rule, source, table.RuleShared)
	}
	p = pair{left: left, right: right, rule: uint8(rule)}
	for _, t := range []struct {
		name string
		to   *uint8
	}{{leftType, &p.leftType}, {rightType, &p.rightType}} {
		number, known := b.types.of[t.name]
		if !known {
			return p, fmt.Errorf("type %q of an identifier from %s: no rule is known for it", t.name, source)
		}
		*t.to = number
	}
	p.source, err = b.sources.number(source)
	return p, err
}

// attribute reports whether a link says what value left has, so that another value ends it.
func (b *builder) attribute(p *pair) bool {
	return trait.Attribute(b.types.name(p.leftType), b.types.name(p.rightType))
}

// joins reports whether a link is between two identifiers, rather than about one.
func (b *builder) joins(p *pair) bool {
	return !p.right.IsZero() && p.rightType != b.consent && p.left != p.right
}
