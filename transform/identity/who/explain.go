package who

import (
	"cmp"
	"context"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/night"
)

// Decided is the class of a link that people have decided.
const Decided = -1

// Explanation says why two identifiers are one profile, or why not.
type Explanation struct {
	A, B     *Standing
	Together bool
	Path     []Step // from A to B, when they are together
	Weakest  int    // place in Path of the link that holds them least: the highest class, then the newest; -1 without a path

	// When they are not together: the links between the two that were seen, and have ended or say nothing of profiles; the
	// refused links between their profiles, and those around the two; whether both are one person or household all the same;
	// and when they were one profile.
	Direct          []*table.IdentityLinkRow
	Between, Around []*table.IdentityRefusedRow
	Person          Group
	Household       Group
	Were            []Span
}

// Group says whether two profiles are of one person or household.
type Group struct {
	Same  bool
	ID    identifier.ID
	Signs string // of a person
}

// Span is a time in which two identifiers belonged to one profile.
type Span struct {
	Profile  identifier.ID
	From, To table.Micros
}

// Step is an accepted link on the way from one identifier to another.
type Step struct {
	From, To         identifier.ID
	FromType, ToType string
	Class            int64                  // of strength, 0 to 6; Decided
	Link             *table.IdentityLinkRow // the strongest and oldest observation of the pair; nil when it was decided
}

// Explain says why two identifiers are one profile, or why not.
func (n *Night) Explain(ctx context.Context, a, b identifier.ID) (*Explanation, error) {
	stands, err := n.stand(ctx, a, b)
	if err != nil {
		return nil, err
	}
	e := &Explanation{A: stands[a], B: stands[b], Weakest: -1}
	var links []*table.IdentityLinkRow
	if blocks := setOf(e.A.Block, e.B.Block); len(blocks) > 0 {
		if links, err = n.block(ctx, blocks); err != nil {
			return nil, err
		}
	}
	if a == b || e.A.Block == e.B.Block && !e.A.Block.IsZero() {
		if e.Path, err = n.path(ctx, links, stands, a, b); err != nil {
			return nil, err
		}
	}
	e.Together = a == b || len(e.Path) > 0
	for i, s := range e.Path {
		if w := e.Weakest; w < 0 || s.weaker(e.Path[w]) {
			e.Weakest = i
		}
	}
	if !e.Together {
		return e, n.apart(ctx, e, links)
	}
	return e, nil
}

// weaker reports whether a link holds less than another.
func (s Step) weaker(o Step) bool {
	if s.Class != o.Class || s.Link == nil || o.Link == nil {
		return s.Class > o.Class
	}
	return s.Link.FirstAt > o.Link.FirstAt
}

// path finds the way between two identifiers of a block in the forest of accepted links; nil when there is none.
func (n *Night) path(ctx context.Context, links []*table.IdentityLinkRow, stands map[identifier.ID]*Standing, a, b identifier.ID) ([]Step, error) {
	forest := map[identifier.ID][]Step{}
	add := func(x, y identifier.ID, class int64, l *table.IdentityLinkRow) {
		forest[x] = append(forest[x], Step{From: x, To: y, Class: class, Link: l})
		forest[y] = append(forest[y], Step{From: y, To: x, Class: class, Link: l})
	}
	must, err := n.kept(ctx)
	if err != nil {
		return nil, err
	}
	for _, pair := range must[stands[a].Block] {
		add(pair[0], pair[1], Decided, nil)
	}
	for _, l := range links {
		if l.Status == "linked" {
			add(l.Left, l.Right, 0, l)
		}
	}
	came := map[identifier.ID]Step{a: {}}
	for queue := []identifier.ID{a}; len(queue) > 0; queue = queue[1:] {
		for _, s := range forest[queue[0]] {
			if _, been := came[s.To]; !been {
				came[s.To] = s
				queue = append(queue, s.To)
			}
		}
	}
	if _, reached := came[b]; !reached {
		return nil, nil
	}
	var path []Step
	for at := b; at != a; at = came[at].From {
		path = append(path, came[at])
	}
	slices.Reverse(path)
	return path, n.classify(ctx, path, stands)
}

// classify completes the links of a path. A device may have been seen as several things, and what it is weakens its links.
func (n *Night) classify(ctx context.Context, path []Step, ends map[identifier.ID]*Standing) error {
	types, devices := map[identifier.ID]string{}, identifier.Set{}
	for _, s := range path {
		if s.Link == nil {
			devices[s.From], devices[s.To] = struct{}{}, struct{}{}
			continue
		}
		for id, typ := range map[identifier.ID]string{s.Link.Left: s.Link.LeftType, s.Link.Right: s.Link.RightType} {
			if types[id] = typ; n.device(typ) {
				devices[id] = struct{}{}
			}
		}
	}
	for id, s := range ends {
		types[id] = cmp.Or(s.Type, types[id])
		delete(devices, id)
	}
	rows, err := n.memberships(ctx, devices)
	if err != nil {
		return err
	}
	for _, r := range rows {
		types[r.Identifier] = r.IdentifierType
	}
	for i := range path {
		s := &path[i]
		s.FromType, s.ToType = types[s.From], types[s.To]
		if s.Link != nil {
			s.Class = night.Class(s.Link.Rule, s.FromType, s.ToType)
		}
	}
	return nil
}

// Concerned are the identifiers and profiles that an explanation is about.
func (e *Explanation) Concerned() identifier.Set {
	return setOf(e.A.ID, e.B.ID, e.A.Profile, e.B.Profile)
}

// Concerns reports whether a change is about both: it led from the one's profile to the other's, or moved one of the two.
func (e *Explanation) Concerns(c Change) bool {
	if c.Level != "profile" {
		return false
	}
	return both(c.From, c.To, e.A.Profile, e.B.Profile) && !c.From.IsZero() && !c.To.IsZero() ||
		!c.Identifier.IsZero() && (c.Identifier == e.A.ID || c.Identifier == e.B.ID)
}
