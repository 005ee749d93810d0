package verify

import (
	"bytes"
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
}

// use says that an account was logged in on a device.
type use struct{ account, device identifier.ID }

// people reads the truth about identifiers, as they are hashed.
func (in Input) people() (*people, error) {
	nodes, err := world.ReadNodes(in.World.Dir())
	if err != nil {
		return nil, err
	}
	p := &people{map[identifier.ID]identifier.ID{}, map[identifier.ID]int64{}, map[identifier.ID]bool{}, map[use]bool{}}
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
	maps.DeleteFunc(p.owner, func(id, _ identifier.ID) bool { return several[id] || p.public[id] })
	return p, nil
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
