package number

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/identifier"
)

// Rank numbers the keys of all lists, on so many processors: the answer has each key once, in ascending order, and its
// place there is its number. The lists can then be asked for their numbers, and take no more keys.
//
// It refuses more keys than numbers of 32 bits can tell apart.
func Rank(ctx context.Context, workers int, lists ...*List) ([]identifier.ID, error) {
	var all uint64
	for _, l := range lists {
		all += uint64(l.Len())
	}
	if all > math.MaxUint32 {
		return nil, fmt.Errorf("numbering: %d keys are more than the %d that can be numbered", all, uint64(math.MaxUint32))
	}
	var distinct [parts][]identifier.ID
	g, ctx := errgroup.WithContext(ctx)
	next := make(chan int, parts)
	for p := range parts {
		next <- p
	}
	close(next)
	for range max(workers, 1) {
		g.Go(func() error {
			var s sorter
			for p := range next {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				distinct[p] = s.rank(p, lists)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	n := 0
	for p := range distinct {
		for _, l := range lists {
			l.first[p] = uint32(n)
		}
		n += len(distinct[p])
	}
	keys := make([]identifier.ID, 0, n)
	for p := range distinct {
		keys = append(keys, distinct[p]...)
		distinct[p] = nil
	}
	return keys, nil
}

// sorter holds what ranking a piece needs, for the next piece.
type sorter struct{ entries, spare []entry }

// rank numbers a piece's keys from 0 and gives them, each once.
func (s *sorter) rank(p int, lists []*List) []identifier.ID {
	s.entries = s.entries[:0]
	from := make([]int, len(lists)+1)
	for i, l := range lists {
		for _, chunk := range l.take(p) {
			for k := range chunk {
				id := &chunk[k]
				s.entries = append(s.entries, entry{binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:]), uint32(len(s.entries))})
			}
		}
		from[i+1] = len(s.entries)
	}
	if len(s.entries) == 0 {
		return nil
	}
	if len(s.spare) < len(s.entries) {
		s.spare = make([]entry, len(s.entries)+len(s.entries)/8)
	}
	radix(s.entries, s.spare[:len(s.entries)], 1)

	distinct := 1
	for i := 1; i < len(s.entries); i++ {
		if !s.entries[i].equal(&s.entries[i-1]) {
			distinct++
		}
	}
	keys, numbers := make([]identifier.ID, 0, distinct), make([]uint32, len(s.entries))
	for i := range s.entries {
		e := &s.entries[i]
		if i == 0 || !e.equal(&s.entries[i-1]) {
			var id identifier.ID
			binary.BigEndian.PutUint64(id[:8], e.high)
			binary.BigEndian.PutUint64(id[8:], e.low)
			keys = append(keys, id)
		}
		numbers[e.place] = uint32(len(keys) - 1)
	}
	for i, l := range lists {
		l.numbers[p] = numbers[from[i]:from[i+1]]
	}
	return keys
}
