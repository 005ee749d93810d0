// Package night makes a night's identity from everything that was observed until its end: which identifiers are one
// profile, which profiles one person or household, what was refused and why, and how that differs from the night before.
//
// # A pure function
//
// Memberships follow from the observations alone, whatever their order and however they were split into nights. Every step
// is local to its block, the identifiers that plain components would join once those are left out that too many accounts
// touch; so a night that is given the links of the night before redoes only the blocks in which something has changed,
// and comes to the same rows as one that begins from nothing.
//
// # Ids
//
// A profile's id is minted from its anchor: its account or, while it has none, the identifier of it that was observed
// first. Whoever keeps the anchor keeps the id. So no account is ever renamed; of two profiles that merge, the id of the
// one with the account stays, or else the older one's; a part that splits off gets an id of its own, and gets its old
// one back when it had one. An id that is no longer a profile stays known as an alias of the profile that holds its
// anchor, and is never another's.
//
// # Attributes and consent
//
// An e-mail address or phone of an account or CRM contact belongs to it until it has another or none (table.IdentityEdgeRow);
// what has ended links nothing, and is kept as a membership of the past. An account or contact that refuses analysis keeps
// its own profile, to which nothing is joined.
package night

import (
	"context"
	"fmt"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
	"crosslift/warehouse/columns"
)

// Logic is raised when the same observations give other rows.
const Logic = 2

// Open is for how many days a day's observations may still change before a night counts them as sealed: the links of the
// night before hold them in one sum, and only the days after are read again.
const Open = 31

// Tables are what a night makes.
func Tables() []*table.Table {
	return []*table.Table{table.ProfileIdentifier, table.IdentityLink, table.Profile, table.Person, table.Household,
		table.IdentityRefused, table.IdentityChange, table.IdentityQuality}
}

// Input is what a night's identity is made from.
type Input struct {
	Night     table.Day
	Rules     graph.Rules
	Decisions Decisions
	Edges     []Day     // of core/identity_edge until the night: all, or with Previous.Links those after Previous.Sealed
	Previous  *Previous // nil on the first night
}

// Day is a partition.
type Day struct {
	Day  table.Day
	File *columns.File
}

// Previous is the night before.
type Previous struct {
	Night       table.Day
	Links       *columns.File // nil: everything is made from Edges
	Identifiers *columns.File
	Profiles    *columns.File
	Persons     *columns.File
	Households  *columns.File
	Refused     *columns.File
	Quality     *columns.File
}

// sealed is the last day whose observations a night's links hold in one sum.
func sealed(night table.Day) table.Day { return night - Open }

// Unsealed is the first day of observations that the night after one reads again, when it is given its links.
func Unsealed(night table.Day) table.Day { return sealed(night) + 1 }

// Decisions are what people have decided about pairs of identifiers.
type Decisions struct {
	Must   [][2]identifier.ID // links before all others; limits still hold
	Cannot [][2]identifier.ID // never one profile, nor one person
}

// Summary says how much there was to do.
type Summary struct {
	Observations int64 // rows of edges read
	Links        int64 // known tonight
	Redone       int64 // links that were worked on
	Identifiers  int64 // redone
	Profiles     int64 // current
}

// Emit takes a row of one of Tables, which it must not keep.
type Emit func(t *table.Table, row any) error

// Build makes a night, and emits its rows in no order; but for those of core/identity_quality, which Quality emits.
func Build(ctx context.Context, in Input, workers int, emit Emit) (Known, Summary, error) {
	b := newBuilder(in, emit)
	if err := b.build(ctx, workers); err != nil {
		return Known{}, b.summary, fmt.Errorf("identity of night %s: %w", in.Night, err)
	}
	return b.known(), b.summary, nil
}

func (b *builder) build(ctx context.Context, workers int) error {
	if err := b.observe(ctx); err != nil {
		return err
	}
	if !b.whole {
		if err := b.inherit(ctx); err != nil {
			return fmt.Errorf("from the links of %s: %w", b.Previous.Night, err)
		}
	}
	b.takeNew()
	if err := b.settle(ctx, workers); err != nil {
		return err
	}
	return b.publish(ctx)
}
