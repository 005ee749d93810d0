package world

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

// stream is a stream's records, and the last answers it gave: servers ask the same again for every page.
type stream struct {
	sync.Mutex
	inMemory int64 // see World
	loaded   bool
	entries  []entry // ascending by id, Visible, At
	files    []string
	size     int64
	bounds   []time.Time // when what is shown changes, ascending

	current, versions answer
}

// entry is a record, its object in memory or in a file.
type entry struct {
	Record
	file   int32
	length int32
	offset int64
}

// answer is what was given, and from when to before when it is right.
type answer struct {
	records  []Record
	from, to time.Time // a zero to: for ever
	valid    bool
}

// load reads a file's records.
func (s *stream) load(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	number := int32(len(s.files))
	s.files = append(s.files, path)
	s.size += int64(len(content))
	err = lines(content, func(offset int, line []byte) error {
		r, err := parseLine(line)
		if err != nil {
			return err
		}
		e := entry{Record: r, file: number, length: int32(len(r.Object)), offset: -1}
		// The object of a line written by hand may be a copy: that one stays in memory.
		if at := len(line) - 1 - len(r.Object); at > 0 && &line[at] == &r.Object[0] {
			e.offset = int64(offset + at)
		}
		s.entries = append(s.entries, e)
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if s.size > s.inMemory {
		for i := range s.entries {
			if e := &s.entries[i]; e.offset >= 0 {
				e.Object = nil
			}
		}
	}
	return nil
}

// index orders the records, and finds the instants at which what is shown changes.
func (s *stream) index() {
	slices.SortStableFunc(s.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), a.Visible.Compare(b.Visible), a.At.Compare(b.At))
	})
	for _, e := range s.entries {
		s.bounds = append(s.bounds, e.Visible)
		if e.Gone != nil {
			s.bounds = append(s.bounds, *e.Gone)
		}
	}
	slices.SortFunc(s.bounds, time.Time.Compare)
	s.bounds = slices.Clip(slices.CompactFunc(s.bounds, time.Time.Equal))
}

// answer gives what a question's answer is at an instant, from the last one if nothing has changed since.
func (s *stream) answer(last *answer, at time.Time, ask func(time.Time) []entry) ([]Record, error) {
	s.Lock()
	defer s.Unlock()
	if last.valid && !at.Before(last.from) && (last.to.IsZero() || at.Before(last.to)) {
		return last.records, nil
	}
	records, err := s.read(ask(at))
	if err != nil {
		return nil, err
	}
	*last = answer{records: records, valid: true}
	i, exact := slices.BinarySearchFunc(s.bounds, at, time.Time.Compare)
	if exact {
		i++
	}
	if i > 0 {
		last.from = s.bounds[i-1]
	}
	if i < len(s.bounds) {
		last.to = s.bounds[i]
	}
	return records, nil
}

// newest gives the newest visible version of each id, where that is not gone.
func (s *stream) newest(at time.Time) (shown []entry) {
	for i := 0; i < len(s.entries); {
		id, newest := s.entries[i].ID, -1
		for ; i < len(s.entries) && s.entries[i].ID == id; i++ {
			if !s.entries[i].Visible.After(at) {
				newest = i
			}
		}
		if newest >= 0 && (s.entries[newest].Gone == nil || s.entries[newest].Gone.After(at)) {
			shown = append(shown, s.entries[newest])
		}
	}
	return shown
}

// history gives every visible version.
func (s *stream) history(at time.Time) (shown []entry) {
	for _, e := range s.entries {
		if !e.Visible.After(at) {
			shown = append(shown, e)
		}
	}
	slices.SortStableFunc(shown, func(a, b entry) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return shown
}

// read gives entries with their objects, reading those that are not in memory file by file.
func (s *stream) read(entries []entry) ([]Record, error) {
	records := make([]Record, len(entries))
	absent := map[int32][]int{}
	for i, e := range entries {
		if records[i] = e.Record; e.Object == nil {
			absent[e.file] = append(absent[e.file], i)
		}
	}
	for file, list := range absent {
		content, err := os.ReadFile(s.files[file])
		if err != nil {
			return nil, err
		}
		for _, i := range list {
			e := entries[i]
			if e.offset+int64(e.length) > int64(len(content)) {
				return nil, fmt.Errorf("%s: %w", s.files[file], errChanged)
			}
			records[i].Object = bytes.Clone(content[e.offset : e.offset+int64(e.length)])
		}
	}
	return records, nil
}

var errChanged = errors.New("the file has changed since the world was opened: open it again")
