package night

import (
	"slices"
	"strings"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// A sign is what two profiles of one human share. Two independent ones are needed: an e-mail address and its folded form
// are one.
const (
	signEmail = 1 << iota
	signPhone
	signCard
	signDevice // an app installation or a browser's cookie
)

var signNames = []string{"email", "phone", "card", "device"}

// maxSharing is how many profiles may share a sign of a person: what more share is a family's, or a firm's.
const maxSharing = 3

// touch is a profile that an identifier was observed with.
type touch struct {
	of      identifier.ID // the identifier
	block   identifier.ID // of the profile: an identifier outside of profiles has none
	typ     uint8
	profile int // place among the profiles with an account, by age
}

// emitGroups writes persons and households: profiles of one block that are joined by what they share. What is shared
// across blocks is shared by too many to say anything.
func (b *builder) emitGroups(clusters []cluster, was *past) error {
	profiles := b.byAge(clusters)
	touches := b.touches(profiles)
	persons, signs := b.persons(profiles, touches)
	size := map[int]int64{}
	for i := range profiles {
		size[persons.find(i)]++
	}
	for i := range profiles {
		root := persons.find(i)
		row := &table.PersonRow{
			Profile: profiles[i].profile, Person: identifier.Mint(identifier.Person, profiles[root].profile, 0),
			Profiles: size[root], Signs: signsText(signs[root]),
		}
		b.quality.person(row)
		if err := b.emit(table.Person, row); err != nil {
			return err
		}
		if err := b.regrouped("person", profiles[i].profile, was.person[profiles[i].profile], row.Person); err != nil {
			return err
		}
	}
	houses := households(len(profiles), b, touches)
	clear(size)
	for i := range profiles {
		size[houses.find(i)]++
	}
	for i := range profiles {
		root := houses.find(i)
		row := &table.HouseholdRow{
			Profile: profiles[i].profile, Household: identifier.Mint(identifier.Household, profiles[root].profile, 0), Profiles: size[root],
		}
		if err := b.emit(table.Household, row); err != nil {
			return err
		}
		if err := b.regrouped("household", profiles[i].profile, was.house[profiles[i].profile], row.Household); err != nil {
			return err
		}
	}
	return nil
}

// regrouped records that a profile is of another person or household than last night.
func (b *builder) regrouped(level string, profile, old, now identifier.ID) error {
	if old.IsZero() || old == now {
		return nil
	}
	return b.change(table.IdentityChangeRow{Level: level, Kind: moved, From: old, To: now, Identifier: profile, IdentifierType: "profile"})
}

// touches finds which identifiers were observed with which profiles, by links that hold, made or refused.
func (b *builder) touches(profiles []cluster) []touch {
	place := map[uint32]int{} // of the profile, by identifier
	for i := range profiles {
		for _, x := range profiles[i].members {
			place[x] = i
		}
	}
	var all []touch
	add := func(of identifier.ID, typ uint8, with uint32) {
		if i, known := place[with]; known {
			all = append(all, touch{of, b.nodes[with].block, typ, i})
		}
	}
	for i := range b.links {
		l := &b.links[i]
		switch l.status {
		case statusAttribute, statusEnded, statusConsent:
			continue
		case statusSign:
			add(l.right, l.rightType, b.number[l.left])
			continue
		}
		x, y := b.number[l.left], b.number[l.right]
		if !b.solution.Shared[x] {
			add(l.left, b.nodes[x].typ, y)
			add(l.left, b.nodes[x].typ, x)
		}
		if !b.solution.Shared[y] {
			add(l.right, b.nodes[y].typ, x)
			add(l.right, b.nodes[y].typ, y)
		}
	}
	slices.SortFunc(all, func(x, y touch) int {
		if c := compareIDs(x.block, y.block); c != 0 {
			return c
		}
		if c := compareIDs(x.of, y.of); c != 0 {
			return c
		}
		return x.profile - y.profile
	})
	return slices.CompactFunc(all, func(x, y touch) bool { return x.block == y.block && x.of == y.of && x.profile == y.profile })
}

// shares calls for each identifier that several profiles of a block share, with those.
func shares(touches []touch, each func(typ uint8, of []touch)) {
	for from := 0; from < len(touches); {
		to := from + 1
		for to < len(touches) && touches[to].of == touches[from].of && touches[to].block == touches[from].block {
			to++
		}
		if to-from > 1 {
			each(touches[from].typ, touches[from:to])
		}
		from = to
	}
}

// persons joins the profiles that share at least two independent signs, unless people have decided otherwise. signs are
// those of a group, by its root.
func (b *builder) persons(profiles []cluster, touches []touch) (g *grouping, signs map[int]int) {
	common := map[[2]int]int{}
	shares(touches, func(typ uint8, of []touch) {
		sign := b.sign(typ)
		if sign == 0 || len(of) > maxSharing {
			return
		}
		for i := range of {
			for k := range i {
				common[[2]int{of[k].profile, of[i].profile}] |= sign
			}
		}
	})
	apart := map[[2]identifier.ID]bool{}
	for _, pair := range b.Decisions.Cannot {
		apart[pair], apart[[2]identifier.ID{pair[1], pair[0]}] = true, true
	}
	kept := func(x, y int) bool {
		if len(apart) == 0 {
			return false
		}
		for _, m := range profiles[x].members {
			for _, n := range profiles[y].members {
				if apart[[2]identifier.ID{b.nodes[m].id, b.nodes[n].id}] {
					return true
				}
			}
		}
		return false
	}
	g, signs = newGrouping(len(profiles)), map[int]int{}
	for pair, shared := range common {
		if shared&(shared-1) != 0 && !kept(pair[0], pair[1]) {
			g.join(pair[0], pair[1])
		}
	}
	for pair, shared := range common {
		if shared&(shared-1) != 0 && g.find(pair[0]) == g.find(pair[1]) {
			signs[g.find(pair[0])] |= shared
		}
	}
	return g, signs
}

// sign is what an identifier of a type, shared by two profiles, says of their being one human's.
func (b *builder) sign(typ uint8) int {
	switch b.types.name(typ) {
	case table.TypeEmail, table.TypeEmailFolded:
		return signEmail
	case table.TypePhone:
		return signPhone
	case table.TypeCard:
		return signCard
	case table.TypeApp, table.TypeCookie, table.TypeDevice:
		return signDevice
	}
	return 0
}

func signsText(signs int) string {
	var of []string
	for i, name := range signNames {
		if signs&(1<<i) != 0 {
			of = append(of, name)
		}
	}
	return strings.Join(of, ",")
}

// households joins the profiles that share a device or a card.
func households(n int, b *builder, touches []touch) *grouping {
	g := newGrouping(n)
	shares(touches, func(typ uint8, of []touch) {
		if b.deviceLike(typ) || typ == b.card {
			for _, t := range of[1:] {
				g.join(of[0].profile, t.profile)
			}
		}
	})
	return g
}
