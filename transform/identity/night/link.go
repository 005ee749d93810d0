package night

import (
	"context"
	"fmt"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
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

// fresh is what the days that are read tonight say of a pair.
type fresh struct {
	sealed, open seen
	met          bool // the night before knew the pair
}

// link is everything that was observed of a pair.
type link struct {
	pair
	sealed, now seen
	was         seen         // by the night before
	before      string       // its status then; "" for a new one
	validTo     table.Micros // of an attribute that has ended; 0 while it holds
	status      string
	block       identifier.ID
}

// The statuses of links besides those of the graph.
const (
	statusLinked    = "linked"
	statusImplied   = "implied"     // both ends are one profile's by other links
	statusEnded     = "ended"       // the attribute has another value now, or none
	statusConsent   = "no_consent"  // of an account or contact that refuses analysis
	statusSign      = "person_sign" // of persons, not of profiles
	statusAttribute = "attribute"   // says something of left alone
	statusLeft      = "shared_left" // too many accounts touch left
	statusRight     = "shared_right"
	statusBoth      = "shared_both"
)

// refused reports whether a status says that a link was not made although it was observed and holds.
func refused(status string) bool {
	switch status {
	case statusLinked, statusImplied, statusEnded, statusConsent, statusSign, statusAttribute:
		return false
	}
	return true
}

// scanLinks reads the links of the night before.
func (b *builder) scanLinks(ctx context.Context, f *columns.File, each func(*link) error) error {
	return columns.Scan(ctx, f, table.IdentityLink, nil, func(r *table.IdentityLinkRow) error {
		l, err := b.linkOf(r)
		if err != nil {
			return err
		}
		l.now = l.sealed
		if f := b.fresh[l.pair]; f != nil {
			l.sealed = l.sealed.and(f.sealed)
			l.now = l.sealed.and(f.open)
		}
		return each(&l)
	})
}

// linkOf is a link as a night left it.
func (b *builder) linkOf(r *table.IdentityLinkRow) (link, error) {
	l := link{was: seen{r.FirstAt, r.LastAt, r.Count}, before: r.Status, status: r.Status, block: r.Block}
	var err error
	if l.pair, err = b.pair(r.Left, r.LeftType, r.Right, r.RightType, r.Rule, r.Source); err != nil {
		return l, err
	}
	if r.ValidTo != nil {
		l.validTo = *r.ValidTo
	}
	if r.SealedCount != nil && r.SealedFirstAt != nil && r.SealedLastAt != nil {
		l.sealed = seen{*r.SealedFirstAt, *r.SealedLastAt, *r.SealedCount}
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
		Rule: int64(l.rule), Source: b.sources.name(l.source), FirstAt: l.now.first, LastAt: l.now.last, Count: l.now.count, Status: l.status,
	}
	if l.validTo != 0 {
		row.ValidTo = &l.validTo
	}
	if l.sealed.count > 0 {
		row.SealedFirstAt, row.SealedLastAt, row.SealedCount = &l.sealed.first, &l.sealed.last, &l.sealed.count
	}
	b.summary.Links++
	b.quality.link(b, l)
	b.meet(b.people.types, b.people.said, &l.pair, l.now)
	return b.emit(table.IdentityLink, &row)
}

// names numbers the few names of types and sources.
type names struct {
	list []string
	of   map[string]uint8
}

func (n *names) name(i uint8) string { return n.list[i] }

// number finds a name's number, or gives it one.
func (n *names) number(name string) (uint8, error) {
	if i, known := n.of[name]; known {
		return i, nil
	}
	if len(n.list) == 256 {
		return 0, fmt.Errorf("more than 256 types or sources: %q is one too many", name)
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
	owner := p.leftType == b.account || p.leftType == b.crm
	return owner && (p.rightType == b.email || p.rightType == b.folded || p.rightType == b.phone || p.rightType == b.consent)
}

// joins reports whether a link is between two identifiers, rather than about one.
func (b *builder) joins(p *pair) bool {
	return !p.right.IsZero() && p.rightType != b.consent && p.left != p.right
}
