package moment

import (
	"bytes"
	"cmp"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// crowd finds since when identifiers are shared for good: since the first instant at which links that never end, to too
// many of one unique namespace, had been seen. Attributes end, so they are not counted, nor are neighbours of which it may
// change what they are. All links of an identifier that is shared for good lie between blocks.
func (r *reach) crowd() {
	r.crowded, r.touches = slices.Repeat([]table.Micros{never}, len(r.ids)), make([][]uint32, len(r.ids))
	order := make([]uint32, len(r.crosses))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(x, y uint32) int { return cmp.Compare(r.crosses[x].first, r.crosses[y].first) })
	for _, i := range order {
		c := &r.crosses[i]
		r.touches[c.a], r.touches[c.b] = append(r.touches[c.a], i), append(r.touches[c.b], i)
	}
	for x := range r.ids {
		r.crowded[x] = r.crowdedAt(uint32(x))
	}
}

func (r *reach) crowdedAt(x uint32) table.Micros {
	var met []degreeOf
	for _, i := range r.touches[x] {
		c := &r.crosses[i]
		own, other, typ := c.leftType, c.b, c.rightType
		if c.b == x {
			own, other, typ = c.rightType, c.a, c.leftType
		}
		most := r.mostCap(own)
		switch {
		case most == 0:
			return never
		case c.refused, c.attribute, r.types.Types[typ].Device, r.types.Types[typ].Limit == 0:
			continue
		}
		if count(&met, typ, other) > most {
			return c.first
		}
	}
	return never
}

// mostCap is the greatest cap that an identifier of a type may have, whatever it turns out to be; 0: none.
func (r *reach) mostCap(typ uint8) int {
	of := r.types.Types[typ]
	if !of.Device {
		return of.Cap
	}
	if r.types.limited {
		return 0 // what its neighbours' degrees are depends on what it turns out to be: all is read
	}
	most := 0
	for _, t := range r.types.Types {
		switch {
		case !t.Device:
		case t.Cap == 0:
			return 0
		default:
			most = max(most, t.Cap)
		}
	}
	return most
}

// walk marks what is reached.
func (r *reach) walk(asked int, must map[uint32][]uint32) {
	members := map[identifier.ID][]uint32{}
	for x, block := range r.block {
		if !block.IsZero() {
			members[block] = append(members[block], uint32(x))
		}
	}
	r.kept = make([]bool, len(r.crosses))
	seen := make([]bool, len(r.ids))
	var queue []uint32
	visit := func(xs ...uint32) {
		for _, x := range xs {
			if !seen[x] {
				seen[x] = true
				queue = append(queue, x)
			}
		}
	}
	for x := range asked {
		visit(uint32(x))
	}
	for len(queue) > 0 {
		x := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		visit(must[x]...)
		if block := r.block[x]; !block.IsZero() && !r.blocks.Has(block) {
			r.blocks[block] = struct{}{}
			visit(members[block]...)
		}
		for _, i := range r.touches[x] {
			r.kept[i] = true
			c := &r.crosses[i]
			other := c.b
			if c.b == x {
				other = c.a
			}
			// Once either end is shared for good, the link merges nothing. But whether a shared contact's attribute held,
			// which counts towards the degree of the value, is told by the contact's others.
			if !c.refused && c.first < r.crowded[x] && (c.first < r.crowded[other] || c.attribute && other == c.a) {
				visit(other)
			}
		}
	}
}

// holding are the row groups that hold blocks that are reached.
func (r *reach) holding() (groups []int) {
	blocks := make([]identifier.ID, 0, len(r.blocks))
	for block := range r.blocks {
		blocks = append(blocks, block)
	}
	compare := func(x, y identifier.ID) int { return bytes.Compare(x[:], y[:]) }
	slices.SortFunc(blocks, compare)
	for _, s := range r.groups {
		i, _ := slices.BinarySearchFunc(blocks, s.first, compare)
		if i < len(blocks) && compare(blocks[i], s.last) <= 0 {
			groups = append(groups, s.group)
		}
	}
	slices.Sort(groups)
	return groups
}

// degreeOf is a neighbour that counts towards a cap.
type degreeOf struct {
	typ  uint8
	node uint32
}

// count adds a neighbour, and gives how many there are of its type. There are few: whoever counts ends beyond the cap.
func count(met *[]degreeOf, typ uint8, node uint32) int {
	n := 1
	for _, m := range *met {
		if m.typ == typ {
			if m.node == node {
				return 0
			}
			n++
		}
	}
	*met = append(*met, degreeOf{typ, node})
	return n
}
