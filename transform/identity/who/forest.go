package who

import (
	"context"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// checkForest joins the accepted links block by block: none may close a circle, an implied one must lie within a tree, and
// the trees must be as large as the profiles are.
func (n *Night) checkForest(ctx context.Context, profiles *profileIDs) (Finding, error) {
	f := Finding{Check: "accepted links form a forest of as many trees as there are profiles"}
	b := trees{f: &f, parent: map[identifier.ID]identifier.ID{}, aside: identifier.Set{}, sizes: map[identifier.ID]int64{}}
	var err error
	if b.must, err = n.kept(ctx); err != nil {
		return f, err
	}
	err = columns.Scan(ctx, n.Files[table.IdentityLink], table.IdentityLink, nil, func(r *table.IdentityLinkRow) error {
		f.Rows++
		if r.Block != b.block {
			b.end()
			b.block = r.Block
		}
		switch r.Status {
		case "linked", "implied":
			if r.Block.IsZero() {
				f.fails("the link of %s and %s is %s, and joins two blocks", r.Left, r.Right, r.Status)
			}
			b.links = append(b.links, joint{r.Left, r.Right, r.LeftType == table.TypeReference, r.RightType == table.TypeReference, r.Status == "linked"})
		}
		return nil
	})
	b.end()
	for block := range b.must { // of which no link joins anything
		b.block = block
		b.end()
	}
	if b.tied != profiles.tied {
		f.fails("accepted links tie %d identifiers to others, profiles have %d beyond their first ones", b.tied, profiles.tied)
	}
	return f, err
}

// kept are the must-links that hold, by block.
func (n *Night) kept(ctx context.Context) (map[identifier.ID][][2]identifier.ID, error) {
	must := map[identifier.ID][][2]identifier.ID{}
	for _, pair := range n.Decisions.Must {
		stands, err := n.stand(ctx, pair[0], pair[1])
		if err != nil {
			return nil, err
		}
		if a, b := stands[pair[0]], stands[pair[1]]; !a.Profile.IsZero() && a.Profile == b.Profile {
			must[a.Block] = append(must[a.Block], pair)
		}
	}
	return must, nil
}

// joint is a link that joins, or would.
type joint struct {
	left, right           identifier.ID
	leftAside, rightAside bool // payments' references, which profiles do not count
	linked                bool
}

// trees grow over one block at a time.
type trees struct {
	f      *Finding
	must   map[identifier.ID][][2]identifier.ID // of blocks that have not ended
	block  identifier.ID
	links  []joint
	parent map[identifier.ID]identifier.ID
	aside  identifier.Set          // references among them
	sizes  map[identifier.ID]int64 // of the trees, by root
	tied   int64                   // identifiers beyond the first of each tree
}

// end takes the links of the block.
func (b *trees) end() {
	must := b.must[b.block]
	delete(b.must, b.block)
	if len(b.links)+len(must) == 0 {
		return
	}
	clear(b.parent)
	clear(b.aside)
	clear(b.sizes)
	for _, l := range b.links {
		b.parent[l.left], b.parent[l.right] = l.left, l.right
		if l.leftAside {
			b.aside[l.left] = struct{}{}
		}
		if l.rightAside {
			b.aside[l.right] = struct{}{}
		}
	}
	for _, pair := range must {
		b.parent[pair[0]], b.parent[pair[1]] = pair[0], pair[1]
	}
	for _, pair := range must { // they come before all links
		b.join(pair[0], pair[1])
	}
	for _, l := range b.links {
		if l.linked && !b.join(l.left, l.right) {
			b.f.fails("the accepted link of %s and %s closes a circle", l.left, l.right)
		}
	}
	for _, l := range b.links {
		if b.find(l.left) != b.find(l.right) {
			b.f.fails("the implied link of %s and %s joins two profiles", l.left, l.right)
		}
	}
	for id := range b.parent {
		if !b.aside.Has(id) {
			b.sizes[b.find(id)]++
		}
	}
	for _, size := range b.sizes {
		b.tied += size - 1
	}
	b.links = b.links[:0]
}

func (b *trees) find(id identifier.ID) identifier.ID {
	for b.parent[id] != id {
		b.parent[id] = b.parent[b.parent[id]]
		id = b.parent[id]
	}
	return id
}

// join reports whether two were of different trees.
func (b *trees) join(x, y identifier.ID) bool {
	x, y = b.find(x), b.find(y)
	b.parent[x] = y
	return x != y
}
