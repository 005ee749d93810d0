package facts

import (
	"bytes"
	"cmp"
	"slices"
	"sync"

	"crosslift/schemas/identifier"
)

// task is a row group to be read.
type task struct {
	*reading
	day   Day
	group int
	first int64 // its first row's place in the file
	least identifier.ID
}

// tasks are the row groups that may hold an event inside a window, ordered by the smallest account in them: so those of several
// days that come to the same units follow each other, and neighbouring workers' units differ.
func (b *builder) tasks() []task {
	var list []task
	for _, r := range b.readings {
		for _, day := range r.days {
			first := int64(0)
			for g := range day.File.RowGroups() {
				t := task{reading: r, day: day, group: g, first: first}
				first += day.File.RowGroupRows(g)
				if low, high, ok := day.File.IntBounds(g, r.table.Occurred); ok && (high < r.from || low >= r.to) {
					continue
				}
				if r.account && day.File.Absent(g, "account") == 0 {
					t.least, _, _ = day.File.IDBounds(g, "account")
				}
				list = append(list, t)
			}
		}
	}
	slices.SortStableFunc(list, func(x, y task) int {
		return cmp.Or(cmp.Compare(x.table.Path(), y.table.Path()), bytes.Compare(x.least[:], y.least[:]), cmp.Compare(x.day.Day, y.day.Day))
	})
	return list
}

// within are the tasks that may hold an event of a unit of one part: those of other accounts can be told where neither devices nor
// whoever used them are asked for.
func (b *builder) within(tasks []task, p part) []task {
	if p.of == 1 {
		return tasks
	}
	var low, high identifier.ID // of the accounts of the part's units
	for number, id := range b.accounts.ids {
		if slices.ContainsFunc(b.ofAccounts.of(int32(number)), func(o owner) bool {
			from, to := p.units(b.views[o.view])
			return o.unit >= from && o.unit < to
		}) {
			if high = id; low.IsZero() {
				low = id
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(tasks), func(t task) bool {
		if !t.account || t.device && (t.byDevice || t.day.File.Absent(t.group, "account") > 0) {
			return false
		}
		least, most, ok := t.day.File.IDBounds(t.group, "account")
		return ok && (less(&most, &low) || less(&high, &least))
	})
}

// share is tasks between workers, each of whom begins with a stretch of its own.
type share struct {
	mu        sync.Mutex
	stretches [][]task
	most      int // that a worker has at a time
}

func newShare(tasks []task, workers, most int) *share {
	s := &share{most: most}
	for w := range workers {
		s.stretches = append(s.stretches, tasks[w*len(tasks)/workers:(w+1)*len(tasks)/workers])
	}
	return s
}

// next gives a worker its next tasks, so many of one table as it may have at a time: of its own stretch, then from the end of the
// longest that is left.
func (s *share) next(worker int) []task {
	s.mu.Lock()
	defer s.mu.Unlock()
	if own := s.stretches[worker]; len(own) > 0 {
		n := 1
		for n < min(len(own), s.most) && own[n].reading == own[0].reading {
			n++
		}
		s.stretches[worker] = own[n:]
		return own[:n]
	}
	longest := 0
	for i := range s.stretches {
		if len(s.stretches[i]) > len(s.stretches[longest]) {
			longest = i
		}
	}
	rest := s.stretches[longest]
	n := len(rest)
	for n > max(0, len(rest)-s.most) && rest[n-1].reading == rest[len(rest)-1].reading {
		n--
	}
	s.stretches[longest] = rest[:n]
	return rest[n:]
}
