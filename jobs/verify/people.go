package verify

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// people is what is true of identifiers at the end of the nights.
type people struct {
	owner  map[identifier.ID]identifier.ID // the account that alone an identifier is of; an account is its own
	human  map[identifier.ID]int64         // that an account is of
	public map[identifier.ID]bool          // there for everybody: nobody's
	uses   map[use]bool
	refuse map[identifier.ID]bool // accounts and contacts that refuse analysis at the end of the nights
}

// use says that an account was logged in on a device.
type use struct{ account, device identifier.ID }

// people reads the truth about identifiers, as they are hashed.
func (in Input) people(ctx context.Context) (*people, error) {
	nodes, err := world.ReadNodes(in.World.Dir())
	if err != nil {
		return nil, err
	}
	p := &people{map[identifier.ID]identifier.ID{}, map[identifier.ID]int64{}, map[identifier.ID]bool{}, map[use]bool{}, nil}
	end := table.Span(in.From, in.To, in.Zone).To
	several := map[identifier.ID]bool{}
	for _, n := range nodes {
		if !n.From.Before(end) {
			continue
		}
		id, err := in.hash(n.Type, n.Node)
		if err != nil {
			return nil, err
		}
		if n.Human == 0 {
			p.public[id] = true
		}
		if n.Account == "" {
			continue
		}
		account, err := in.hash(string(identifier.Account), n.Account)
		if err != nil {
			return nil, err
		}
		switch {
		case n.Type == string(identifier.Account):
			p.human[id] = n.Human
		case n.Type == string(identifier.Device):
			p.uses[use{account, id}] = true
		case n.To.Before(end):
			continue // a number that was given up
		}
		if was, known := p.owner[id]; known && was != account {
			several[id] = true
		}
		p.owner[id] = account
	}
	if p.refuse, err = in.refuse(ctx); err != nil {
		return nil, err
	}
	maps.DeleteFunc(p.owner, func(id, owner identifier.ID) bool {
		return several[id] || p.public[id] || id != owner && (p.refuse[id] || p.refuse[owner])
	})
	return p, nil
}

// refuse finds who refuses analysis, by the last that the product's users and the CRM's contacts have said.
func (in Input) refuse(ctx context.Context) (map[identifier.ID]bool, error) {
	type answer struct {
		at table.Micros
		no bool
	}
	last := map[identifier.ID]answer{}
	hear := func(who identifier.ID, at table.Micros, consent *bool) {
		if consent != nil && !who.IsZero() && at >= last[who].at {
			last[who] = answer{at, !*consent}
		}
	}
	for row, err := range in.rows(ctx, table.ProductUser) {
		if err != nil {
			return nil, err
		}
		u := row.(*table.ProductUserRow)
		hear(u.Account, u.ChangedAt, u.AnalyticsConsent)
	}
	for row, err := range in.rows(ctx, table.CRMContact) {
		if err != nil {
			return nil, err
		}
		c := row.(*table.CRMContactRow)
		hear(c.Contact, c.ChangedAt, c.AnalyticsConsent)
	}
	refuse := map[identifier.ID]bool{}
	for who, a := range last {
		if a.no {
			refuse[who] = true
		}
	}
	return refuse, nil
}

// hash is a truth's identifier as it lands.
func (in Input) hash(kind, value string) (id identifier.ID, err error) {
	if kind == string(identifier.Card) {
		value, err = identifier.CardToken("stripe", in.Stripe, value)
	}
	if err == nil {
		id, err = in.Key.Hash(identifier.Kind(kind), value)
	}
	if err != nil {
		err = fmt.Errorf("truth: %s: %w", kind, err)
	}
	return id, err
}

// account reports whether an identifier is an account.
func (p *people) account(id identifier.ID) bool {
	_, is := p.human[id]
	return is
}

// ownerOf and humanOf are the owner of an identifier and the human of an account.
func (p *people) ownerOf(id identifier.ID) identifier.ID { return p.owner[id] }
func (p *people) humanOf(account identifier.ID) int64    { return p.human[account] }

// inOrder lists the identifiers that a map has and that are wanted, ascending.
func inOrder[T any](of map[identifier.ID]T, wanted func(identifier.ID) bool) []identifier.ID {
	var list []identifier.ID
	for id := range of {
		if wanted(id) {
			list = append(list, id)
		}
	}
	slices.SortFunc(list, func(a, b identifier.ID) int { return bytes.Compare(a[:], b[:]) })
	return list
}
