package exposure

import (
	"context"
	"math"
	"sync"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// readAssignments finds who was put in which variant first, exposed or not.
func (b *builder) readAssignments(ctx context.Context) error {
	if len(b.Assignments) == 0 {
		return nil
	}
	b.traits.assigned, b.unseen = untold(len(b.subjects)), map[identifier.ID]told{}
	test := assigned{builder: b, unknown: map[string]int64{}}
	err := b.inquire(ctx, inquiry{
		table: table.Assignment, files: b.Assignments, rosters: b.rosters, time: "assigned_at", text: "variant", test: &test,
		from: math.MinInt64, to: b.End.UnixMicro(),
		wants: func(uint32, int64) bool { return true },
		take: func(s uint32, at int64, variant string) {
			b.traits.assigned[s].assigned(at, b.place(variant))
		},
		strangers: func(id identifier.ID, at int64, variant string) {
			if p := b.people(b.kind); int(p.find(id)) < len(p.tallies) {
				return // exposed, but of no profile
			}
			t, met := b.unseen[id]
			if !met {
				t.at = never
			}
			t.assigned(at, b.place(variant))
			b.unseen[id] = t
		},
	})
	if err != nil {
		return err
	}
	return b.unknownVariant("assignments", test.unknown)
}

// assigned takes what was first; of several variants at one instant, that which the definition has first.
func (t *told) assigned(at int64, variant int32) {
	if at < t.at || at == t.at && variant < t.text {
		*t = told{at, variant}
	}
}

// assigned is the test that an assignment is the experiment's; it counts those to variants that it does not declare.
type assigned struct {
	*builder
	mu      sync.Mutex
	unknown map[string]int64
}

func (a *assigned) Bind(column func(name string) (*columns.Vector, error)) (func(row int) bool, error) {
	names, err := column("experiment")
	if err != nil {
		return nil, err
	}
	variants, err := column("variant")
	if err != nil {
		return nil, err
	}
	ours, _ := a.ours(names)
	declared := a.declared(variants)
	return func(row int) bool {
		if !ours[names.Index[row]] {
			return false
		}
		variant := variants.Index[row]
		if declared[variant] >= 0 {
			return true
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.unknown[variants.Strings[variant]]++
		return false
	}, nil
}
