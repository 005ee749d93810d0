package world

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// World is a world on disk, served as it stands: what world.json says about its records is not compared with them, and
// lines may be in any order. A file that changes while the world is open is read anew or not, as it happens.
type World struct {
	dir   string
	about About

	inMemory int64 // size of a stream up to which its objects are held; those of a larger one stay where they stand

	mu      sync.Mutex
	streams map[string]*stream
	nights  nightCache
}

// Open reads what a world is. Its records are read when they are asked for.
func Open(dir string) (*World, error) {
	content, err := os.ReadFile(filepath.Join(dir, "world.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("world %s: no world.json: it is not a world, or not a whole one", dir)
	} else if err != nil {
		return nil, err
	}
	w := &World{dir: dir, inMemory: 64 << 20, streams: map[string]*stream{}, nights: nightCache{budget: 128 << 20}}
	if err := json.Unmarshal(content, &w.about); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, "world.json"), err)
	}
	if w.about.Format != Format {
		return nil, fmt.Errorf("world %s: format %d, expected %d: another version of the program made it: remove it, or choose another folder", dir, w.about.Format, Format)
	}
	return w, nil
}

// About is what world.json says.
func (w *World) About() About { return w.about }

// Dir is the folder.
func (w *World) Dir() string { return w.dir }

// Nights lists the nights that a stream has files for, ascending. A stream without files has none.
func (w *World) Nights(source, stream string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(w.dir, source, stream))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var nights []string
	for _, e := range entries {
		if night, ok := strings.CutSuffix(e.Name(), ".ndjson"); ok && !strings.HasPrefix(night, ".") && !e.IsDir() {
			nights = append(nights, night)
		}
	}
	return nights, nil
}

// Night gives the lines of a file; none if there is no such file. What it gives must not be changed.
func (w *World) Night(source, stream, night string) ([]Record, error) {
	path := file{source, stream, night}.path(w.dir)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	key := fmt.Sprint(path, info.Size(), info.ModTime().UnixNano())
	w.mu.Lock()
	records, held := w.nights.get(key)
	w.mu.Unlock()
	if held {
		return records, nil
	}
	records, size, err := readNight(path)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nights.put(key, records, size)
	return records, nil
}

// readNight reads a file. The objects are parts of one piece of memory.
func readNight(path string) ([]Record, int, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, err
	}
	records := make([]Record, 0, bytes.Count(content, []byte("\n"))+1)
	err = lines(content, func(_ int, line []byte) error {
		r, err := parseLine(line)
		records = append(records, r)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	return records, len(content) + len(records)*128, nil
}

// nightCache keeps the nights asked for last, up to a number of bytes.
type nightCache struct {
	budget, held int
	nights       []cachedNight // the one used last at the end
}

type cachedNight struct {
	key     string
	records []Record
	size    int
}

func (c *nightCache) get(key string) ([]Record, bool) {
	i := slices.IndexFunc(c.nights, func(n cachedNight) bool { return n.key == key })
	if i < 0 {
		return nil, false
	}
	n := c.nights[i]
	c.nights = append(slices.Delete(c.nights, i, i+1), n)
	return n.records, true
}

func (c *nightCache) put(key string, records []Record, size int) {
	if _, held := c.get(key); held { // two asked at the same time
		return
	}
	c.nights, c.held = append(c.nights, cachedNight{key, records, size}), c.held+size
	for c.held > c.budget && len(c.nights) > 1 {
		c.held -= c.nights[0].size
		c.nights = slices.Delete(c.nights, 0, 1)
	}
}

// Current gives, of each id of a stream, the newest version that is visible and not gone, ascending by id. What it gives
// must not be changed.
func (w *World) Current(source, stream string, at time.Time) ([]Record, error) {
	s, err := w.stream(source, stream)
	if err != nil {
		return nil, err
	}
	return s.answer(&s.current, at, s.newest)
}

// Versions gives every version that is visible, gone or not, ascending by At, then id. What it gives must not be changed.
func (w *World) Versions(source, stream string, at time.Time) ([]Record, error) {
	s, err := w.stream(source, stream)
	if err != nil {
		return nil, err
	}
	return s.answer(&s.versions, at, s.history)
}

var _ Reader = (*World)(nil)

func (w *World) stream(source, name string) (*stream, error) {
	w.mu.Lock()
	s := w.streams[source+"/"+name]
	if s == nil {
		s = &stream{}
		w.streams[source+"/"+name] = s
	}
	w.mu.Unlock()
	s.Lock()
	defer s.Unlock()
	if s.loaded {
		return s, nil
	}
	nights, err := w.Nights(source, name)
	if err != nil {
		return nil, err
	}
	fresh := stream{inMemory: w.inMemory}
	for _, night := range nights {
		if err := fresh.load(file{source, name, night}.path(w.dir)); err != nil {
			return nil, err
		}
	}
	fresh.index()
	s.entries, s.files, s.bounds, s.loaded = fresh.entries, fresh.files, fresh.bounds, true
	return s, nil
}
