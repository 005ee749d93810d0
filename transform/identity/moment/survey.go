package moment

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// never is after every instant.
const never = table.Micros(math.MaxInt64)

// reach is what the identifiers that are asked about may ever have been connected with: blocks of the night, and the links
// between blocks that lead from one to the other.
type reach struct {
	file    *columns.File
	types   *types
	sources *sources
	until   table.Micros

	// The identifiers that are asked about, decided on, or at the end of a link between blocks, by number.
	ids     []identifier.ID
	number  map[identifier.ID]uint32
	block   []identifier.ID // zero: none is known, for want of other links
	crowded []table.Micros  // after it, the identifier is shared for good; never
	crosses []cross
	touches [][]uint32 // by number: its crosses, the oldest first

	groups []span // of row groups that hold blocks
	// What is reached.
	blocks identifier.Set
	kept   []bool // by cross
}

// cross is a link between blocks.
type cross struct {
	row
	a, b uint32
}

// span is which blocks lie in a row group.
type span struct {
	group       int
	first, last identifier.ID
}

// survey finds what is to be read. Links between blocks come first in the file; then it is looked up in which blocks their
// ends are, and then the way goes from the identifiers that are asked about through blocks and links.
func survey(ctx context.Context, in Input, types types, workers int) (*reach, error) {
	r := &reach{
		file: in.Links, types: &types, sources: &sources{of: map[string]uint8{}}, until: in.Until,
		number: map[identifier.ID]uint32{}, blocks: identifier.Set{},
	}
	for _, id := range in.IDs {
		r.of(id)
	}
	asked := len(r.ids)
	must := map[uint32][]uint32{}
	for _, pair := range in.Decisions.Must {
		x, y := r.of(pair[0]), r.of(pair[1])
		must[x], must[y] = append(must[x], y), append(must[y], x)
	}
	from, err := r.between(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.within(ctx, from, workers); err != nil {
		return nil, err
	}
	r.crowd()
	r.walk(asked, must)
	return r, nil
}

// of numbers an identifier.
func (r *reach) of(id identifier.ID) uint32 {
	i, known := r.number[id]
	if !known {
		i = uint32(len(r.ids))
		r.number[id], r.ids = i, append(r.ids, id)
	}
	return i
}

func (r *reach) reader() *reader { return &reader{file: r.file, types: r.types, sources: r.sources} }

// between reads the links between blocks, and gives the row group in which they end.
func (r *reach) between(ctx context.Context) (from int, err error) {
	reader := r.reader()
	for group := range r.file.RowGroups() {
		rows, err := reader.rows(ctx, group)
		if err != nil {
			return 0, err
		}
		for at := range rows {
			if reader.block.Index[at] >= 0 {
				return group, nil
			}
			l, err := reader.row(at)
			if err != nil {
				return 0, err
			}
			if l.first < r.until && l.leftType != noType && l.joins() {
				r.crosses = append(r.crosses, cross{row: l, a: r.of(l.left), b: r.of(l.right)})
			}
		}
	}
	return r.file.RowGroups(), nil
}

// within finds the blocks of the identifiers.
func (r *reach) within(ctx context.Context, from, workers int) error {
	r.block = make([]identifier.ID, len(r.ids))
	var mu sync.Mutex
	return inParallel(ctx, r.file.RowGroups()-from, workers, r.reader, func(ctx context.Context, reader *reader, i int) error {
		rows, err := reader.ends(ctx, from+i)
		if err != nil {
			return err
		}
		holds := span{group: from + i}
		type found struct {
			number uint32
			block  identifier.ID
		}
		var all []found
		var last identifier.ID
		look := func(x, block identifier.ID) {
			if x.IsZero() || x == last {
				return
			}
			if number, known := r.number[x]; known {
				all = append(all, found{number, block})
			}
		}
		for at := range rows {
			block, left := id(&reader.block, at), id(&reader.left, at)
			switch {
			case block.IsZero() && (i > 0 || !holds.first.IsZero()):
				return fmt.Errorf("%s is not in its order: a link between blocks after one of a block", table.IdentityLink)
			case block.IsZero():
				continue
			case holds.first.IsZero():
				holds.first = block
			}
			holds.last = block
			look(left, block)
			last = left
			look(id(&reader.right, at), block)
		}
		mu.Lock()
		defer mu.Unlock()
		r.groups = append(r.groups, holds)
		for _, f := range all {
			r.block[f.number] = f.block
		}
		return nil
	})
}

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
