package verify

import (
	"context"
	"fmt"
	"iter"

	"crosslift/connectors/sandbox/world"
	"crosslift/jobs/verify/measure"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
)

// Of fewer people or nights than these, shares are shown, not judged: a family more or less moves them, and people have
// hardly met yet.
const (
	enoughPeople = 1000
	enoughNights = 30
)

// identity compares who the newest night says people are with who they are.
//
// An owner is an account, and what counts is what is of one owner alone at the end of the nights and was seen with another
// identifier at all (it stands in core/identity_link): pairs are of e-mail addresses, phones, cards, contacts, bank clients
// and devices, B-cubed is over these and the accounts. What is of an account or contact that refuses analysis does not
// count. Something that has no profile is a cluster of its own.
//
// Two comparisons judge the world, not the stitching: with plain connected components over everything observed a good part of
// the accounts is in a cluster with another human's, and that a shared device's last login says who used it is often wrong.
//
// Limits on shares are for enoughPeople and enoughNights or more; in smaller worlds these shares are shown only.
func (in Input) identity(ctx context.Context) ([]Check, error) {
	p, err := in.people(ctx)
	if err != nil {
		return nil, err
	}
	links, err := in.links(ctx)
	if err != nil {
		return nil, err
	}
	profile, err := in.profiles(ctx)
	if err != nil {
		return nil, err
	}
	r := in.report("identity")
	in.clusters(r, p, links, profile)
	in.consent(r, p, profile)
	if err := in.persons(ctx, r, p, profile); err != nil {
		return nil, err
	}
	if err := in.renamed(ctx, r); err != nil {
		return nil, err
	}
	if err := in.attribution(ctx, r, p, profile); err != nil {
		return nil, err
	}
	component, err := links.Components(ctx)
	if err != nil {
		return nil, err
	}
	plain := measure.Clusters(inOrder(p.human, p.account), p.humanOf, component, p.account).Overmerged
	r.share("the world: accounts over-merged by plain components", plain.Share, ">=", 0.25, plain.N)
	return r.checks, nil
}

// report collects the comparisons of a stage.
type report struct {
	stage  string
	checks []Check
	few    bool // people or nights
}

func (in Input) report(stage string) *report {
	return &report{stage: stage, few: in.World.About().People < enoughPeople || in.To-in.From+1 < enoughNights}
}

func (r *report) exact(name string, value float64, limit float64, n int64) {
	r.checks = append(r.checks, newCheck(r.stage, name, value, "==", limit, n))
}

// share judges a share, where there is enough of everything.
func (r *report) share(name string, value float64, op string, limit float64, n int64) {
	if r.few {
		r.shown(name, value, n)
		return
	}
	r.checks = append(r.checks, newCheck(r.stage, name, value, op, limit, n))
}

// shown has a share printed; of nothing there is none.
func (r *report) shown(name string, value float64, n int64) {
	if n > 0 {
		r.checks = append(r.checks, newCheck(r.stage, name, value, ">=", 0, n))
	}
}

// clusters compares the profiles.
func (in Input) clusters(r *report, p *people, links *measure.Links, profile map[identifier.ID]identifier.ID) {
	cluster := func(id identifier.ID) identifier.ID { return orItself(profile, id) }
	of := measure.Clusters(inOrder(p.owner, links.Has), p.ownerOf, cluster, p.account)
	r.exact("accounts over-merged", of.Overmerged.Part, 0, of.Overmerged.N)
	r.share("profiles, B-cubed F1", of.BCubed.F1, ">=", 0.98, of.BCubed.Precision.N)
	linked := inOrder(p.owner, func(id identifier.ID) bool { return links.Has(id) && !p.account(id) })
	pairs := measure.Clusters(linked, p.ownerOf, cluster, p.account).Pairs
	r.share("pairs of linked identifiers, precision", pairs.Precision.Share, ">=", 0.995, pairs.Precision.N)
	r.share("pairs of linked identifiers, recall", pairs.Recall.Share, ">=", 0.90, pairs.Recall.N)
}

// consent counts what is joined to those that refuse analysis: an account keeps a profile of its own, a contact has none.
func (in Input) consent(r *report, p *people, profile map[identifier.ID]identifier.ID) {
	members := map[identifier.ID]int{}
	for _, of := range profile {
		members[of]++
	}
	joined := 0
	for who := range p.refuse {
		if of, is := profile[who]; is {
			joined += members[of] - 1
		}
	}
	if len(p.refuse) > 0 {
		r.exact("identifiers joined to those that refuse analysis", float64(joined), 0, int64(len(p.refuse)))
	}
}

func orItself(of map[identifier.ID]identifier.ID, id identifier.ID) identifier.ID {
	if other, known := of[id]; known {
		return other
	}
	return id
}

// persons compares which accounts are said to be one human's.
func (in Input) persons(ctx context.Context, r *report, p *people, profile map[identifier.ID]identifier.ID) error {
	person := map[identifier.ID]identifier.ID{}
	for row, err := range in.newest(ctx, table.Person) {
		if err != nil {
			return err
		}
		person[row.(*table.PersonRow).Profile] = row.(*table.PersonRow).Person
	}
	cluster := func(id identifier.ID) identifier.ID { return orItself(person, orItself(profile, id)) }
	pairs := measure.Clusters(inOrder(p.human, p.account), p.humanOf, cluster, p.account).AccountPairs
	r.shown("pairs of a human's accounts by person, precision", pairs.Precision.Share, pairs.Precision.N)
	r.shown("pairs of a human's accounts by person, recall", pairs.Recall.Share, pairs.Recall.N)
	return nil
}

// renamed counts accounts whose profile has another id than the night before.
func (in Input) renamed(ctx context.Context, r *report) error {
	heads, err := in.Lake.Heads(ctx, table.ProfileIdentifier, "")
	if err != nil {
		return err
	}
	var last map[identifier.ID]identifier.ID
	renamed, n := 0, int64(0)
	for _, h := range heads {
		now := map[identifier.ID]identifier.ID{}
		for row, err := range in.read(ctx, table.ProfileIdentifier, h) {
			if err != nil {
				return err
			}
			if m := row.(*table.ProfileIdentifierRow); m.Stitching == latest && m.IdentifierType == table.TypeAccount && m.ValidTo == nil {
				now[m.Identifier] = m.Profile
			}
		}
		for account, profile := range now {
			if was, known := last[account]; known {
				n++
				if was != profile {
					renamed++
				}
			}
		}
		last = now
	}
	r.exact("accounts renamed from a night to the next", float64(renamed), 0, n)
	return nil
}

const latest = "latest"

// profiles reads which profile each identifier is in.
func (in Input) profiles(ctx context.Context) (map[identifier.ID]identifier.ID, error) {
	profile := map[identifier.ID]identifier.ID{}
	for row, err := range in.newest(ctx, table.ProfileIdentifier) {
		if err != nil {
			return nil, err
		}
		if m := row.(*table.ProfileIdentifierRow); m.Stitching == latest && m.ValidTo == nil {
			profile[m.Identifier] = m.Profile
		}
	}
	return profile, nil
}

// links reads everything that was observed to belong together.
func (in Input) links(ctx context.Context) (*measure.Links, error) {
	var l measure.Links
	for row, err := range in.newest(ctx, table.IdentityLink) {
		if err != nil {
			return nil, err
		}
		if e := row.(*table.IdentityLinkRow); e.RightType != table.TypeConsent && !e.Right.IsZero() {
			l.Add(e.Left, e.Right)
		}
	}
	return &l, nil
}

// newest reads the last night of a state.
func (in Input) newest(ctx context.Context, t *table.Table) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		h, err := in.last(ctx, t)
		if err != nil {
			yield(nil, err)
			return
		}
		in.read(ctx, t, h)(yield)
	}
}

// last is the newest night of a state, of the sandbox's experiment where it is one of experiments.
func (in Input) last(ctx context.Context, t *table.Table) (*lake.Head, error) {
	of := ""
	if t.ByExperiment {
		of = world.Experiment
	}
	heads, err := in.Lake.Heads(ctx, t, of)
	if err == nil && len(heads) == 0 {
		err = fmt.Errorf("%s: there is no night of it", t)
	}
	if err != nil {
		return nil, err
	}
	return heads[len(heads)-1], nil
}
