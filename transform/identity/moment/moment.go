// Package moment says which devices and accounts belonged together at an instant: the profiles as they would have been made
// then, from what had been observed by then, in event time. Experiments take their units from it, since whatever was linked
// after a unit's first exposure may depend on the arm.
//
// # As of t
//
// The group of an identifier at t is its profile under the latest stitching of a night (package night) that had been made at
// t from the observations before t: caps, blocks, the order of links, constraints, human decisions and the types of devices
// are those of the links whose first_ts is before t. The group's id is what that night would have called the profile. So all
// devices of a group get one id, and keep it at any later instant as long as the anchor of their group is the same.
//
// Everything is read from core/identity_link of one night, any from t on. Of what has been observed of a pair only its
// first_ts is used: no later observation can change that. Hence nothing that is observed at or after t changes a group at t,
// and every night says the same of t, except for what arrived late and for refusals, see below.
//
// # Attributes
//
// An account's or a contact's e-mail address and phone, and a contact's account, hold until another value, or none, is told
// by the same source. At t the value holds that was told for the first time most recently before t, under whichever rule; of values that were told
// first at one instant, all.
//
// A night that had been made at t would have taken the value that was told last before t. The two are the same unless an
// earlier value returned before t: of A, B, A the address is B here, and of none, A, none it is A. When a value was told
// last before t cannot be known from a night after t, which has only the last time of all; and last_ts and valid_to are not
// used where they happen to lie before t, because whether they do depends on what was told after t. What is lost is a link of
// the few who return to an old address or drop a new one; what decides is what they did before t, when nobody had an arm.
//
// # Consent
//
// It is the night's, not that of t: an account or contact that refuses analysis as of the night is joined to nothing at any
// t, by what the status of its links says. This is the only part of a group that may change after t. A human must-link joins
// it still, as it does in a night.
package moment

import (
	"context"
	"fmt"
	"math"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
	"crosslift/transform/identity/night"
	"crosslift/warehouse/columns"
)

// Logic is raised when the same links give other groups.
const Logic = 1

// Input is what groups are made from.
type Input struct {
	Links     *columns.File // core/identity_link of a night
	Rules     graph.Rules   // those of the night
	Decisions night.Decisions
	IDs       []identifier.ID // that will be asked about, in any order; one may stand there twice
	Until     table.Micros    // no later instant will be asked about; 0: any may be
}

// Query asks for the group of an identifier at an instant.
type Query struct {
	ID identifier.ID // a device's or an account's, or another one that takes part in profiles
	At table.Micros
}

// Group is what an identifier belonged to.
type Group struct {
	ID      identifier.ID // minted from the first member, as a profile's id is
	Account identifier.ID // zero: the group has none
	Shared  bool          // the identifier was beyond its cap, so it belonged to nobody: a group of its own
	Members []Member      // the identifier and those it was one profile with; a payment's references are left out
}

// Member is an identifier of a group. The first of a group is its anchor: its account, else what was observed first.
type Member struct {
	ID      identifier.ID
	Type    string       // as known by then; "" of one that had not been observed
	FirstAt table.Micros // when it was observed first; 0 of one that had not been
}

// Links are the observations that the groups of some identifiers may depend on.
type Links struct {
	types types
	until table.Micros
	asked int // the first nodes are those that may be asked about
	store
	must, cannot map[uint32][]uint32 // of nodes, both ways
}

// Open reads what the groups of the given identifiers may depend on at any instant until the last. Memory is proportional to
// that, some 100 bytes a link; while it reads, a like amount is needed for each link between blocks. What a shared
// identifier touched once it was shared for good is not read.
//
// The file is gone through twice. An error means that it cannot be read or is not such a table, that decisions or rules are
// not well formed, or that ctx ended.
func Open(ctx context.Context, in Input, workers int) (*Links, error) {
	l, err := open(ctx, in, workers)
	if err != nil {
		return nil, fmt.Errorf("links as of a moment: %w", err)
	}
	return l, nil
}

func open(ctx context.Context, in Input, workers int) (*Links, error) {
	for _, pair := range in.Decisions.Cannot {
		if pair[0] == pair[1] {
			return nil, fmt.Errorf("a cannot-link parts %s from itself", pair[0])
		}
	}
	if in.Until == 0 {
		in.Until = math.MaxInt64
	}
	types := newTypes(in.Rules)
	r, err := survey(ctx, in, types, workers)
	if err != nil {
		return nil, err
	}
	l := &Links{types: types, until: in.Until}
	if err := l.load(ctx, in, r, workers); err != nil {
		return nil, err
	}
	l.must, l.cannot = l.decided(in.Decisions.Must), l.decided(in.Decisions.Cannot)
	return l, nil
}

// decided lists for each node those that decisions pair it with.
func (l *Links) decided(pairs [][2]identifier.ID) map[uint32][]uint32 {
	with := map[uint32][]uint32{}
	for _, pair := range pairs {
		x, first := l.number[pair[0]]
		y, second := l.number[pair[1]]
		if first && second && x != y {
			with[x], with[y] = append(with[x], y), append(with[y], x)
		}
	}
	return with
}
