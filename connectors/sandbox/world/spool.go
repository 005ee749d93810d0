package world

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"crosslift/schemas/table"

	"golang.org/x/sync/errgroup"
)

// spool takes records in any order and writes a sorted file for each stream and night. It holds no more than a budget in
// memory: what is beyond waits in the files, unsorted.
type spool struct {
	dir    string
	s      *setting
	weak   *faulty
	budget int

	sync.Mutex // builders may write at the same time
	files      map[file]*bytes.Buffer
	held       int // bytes in the buffers
	counts     map[string]int64
	line       []byte
}

type file struct{ source, stream, night string }

func (f file) path(dir string) string {
	return filepath.Join(dir, f.source, f.stream, f.night+".ndjson")
}

func newSpool(dir string, s *setting, budget int) *spool {
	return &spool{
		dir: dir, s: s, weak: newFaulty(s), budget: budget, files: map[file]*bytes.Buffer{}, counts: map[string]int64{},
	}
}

// night is the business day in which a version becomes visible; what was visible before the first night is in the file of
// the day before it.
func (s *setting) night(r *Record) string {
	return max(table.DayOf(r.Visible, s.Zone), s.First-1).String()
}

// Write adds a record.
func (p *spool) Write(source, stream string, r Record) error {
	p.Lock()
	defer p.Unlock()
	if !plain(source) || !plain(stream) {
		return fmt.Errorf("stream %s/%s: expected names of letters, digits, points, dashes and underscores", source, stream)
	}
	f := file{source, stream, p.s.night(&r)}
	var err error
	if r.Object, err = p.weak.damage(f, &r); err == nil {
		p.line, err = appendLine(p.line[:0], &r)
	}
	if err != nil {
		return fmt.Errorf("%s/%s: record %q: %w", source, stream, r.ID, err)
	}
	b := p.files[f]
	if b == nil {
		b = new(bytes.Buffer)
		p.files[f] = b
	}
	b.Write(p.line)
	p.counts[source+"/"+stream]++
	if p.held += len(p.line); p.held > p.budget {
		return p.flush()
	}
	return nil
}

// plain reports whether a name is one of a folder, and nothing else.
func plain(name string) bool {
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && (c != '.' || i == 0) {
			return false
		}
	}
	return name != ""
}

// flush moves everything that is held to the files.
func (p *spool) flush() error {
	for f, b := range p.files {
		if b.Len() == 0 {
			continue
		}
		path := f.path(p.dir)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		to, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		_, err = to.Write(b.Bytes())
		if closed := to.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return err
		}
		b.Reset()
	}
	p.held = 0
	return nil
}

// finish sorts every file, two at a time.
func (p *spool) finish() error {
	if err := p.flush(); err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(2)
	for f := range p.files {
		group.Go(func() error { return sortLines(f.path(p.dir)) })
	}
	return group.Wait()
}

// sortLines puts the lines of a file in ascending order of their bytes.
func sortLines(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	all := bytes.SplitAfter(content, []byte("\n"))
	slices.SortFunc(all, bytes.Compare)
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	for _, line := range all {
		if _, err = w.Write(line); err != nil {
			break
		}
	}
	return errors.Join(err, w.Flush(), f.Close())
}
