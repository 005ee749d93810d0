package graph

import "context"

// role is what phase B needs to know of a node.
type role uint8

const (
	member  role = iota // of a profile, perhaps
	shared              // by too many
	outside             // of a type that takes no part
)

// apart says why a link takes no part in phase C; Linked if it does.
func apart(a, b role) Status {
	switch {
	case a == member && b == member:
		return Linked
	case a == outside || b == outside:
		return Outside
	case b == member:
		return SharedA
	case a == member:
		return SharedB
	default:
		return SharedBoth
	}
}

// block is phase B: it sets Block to the smallest number, for now, of the nodes that are connected by links without a
// shared or outside end. The status of the links that take no part in phase C is final with this; the others are Linked.
func (s *Solution) block(ctx context.Context, p *Problem, workers int) error {
	f, roles := forest(s.Block), make([]role, len(p.Keys))
	err := each(ctx, len(roles), chunk, workers, func(from, to int) error {
		f.plant(from, to)
		for v := from; v < to; v++ {
			switch {
			case p.Rules.Types[p.Types[v]].Outside:
				roles[v] = outside
			case s.Shared[v]:
				roles[v] = shared
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	status := func(a, b uint32) Status {
		if status := apart(roles[a], roles[b]); a != b || status != Linked {
			return status
		}
		return Implied
	}
	err = each(ctx, len(p.Links.A), chunk, workers, func(from, to int) error {
		var a, b [ahead]uint32 // ends of links that join
		joining := 0
		for i := from; i < to; i++ {
			a[joining], b[joining] = p.Links.A[i], p.Links.B[i]
			if s.Status[i] = status(a[joining], b[joining]); s.Status[i] == Linked {
				joining++
			}
			if joining == len(a) || i == to-1 {
				f.join(a[:joining], b[:joining])
				joining = 0
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, pair := range p.Must {
		if s.Must[i] = status(pair[0], pair[1]); s.Must[i] == Linked {
			f.joinTwo(pair[0], pair[1])
		}
	}
	f.flatten()
	return nil
}
