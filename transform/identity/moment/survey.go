package moment

import (
	"context"
	"fmt"
	"math"
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
