package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"crosslift/connectors/files"
)

// Sums remembers the SHA-256 of source files by name, size and version, so that a look at the state of things does not
// read every file again. It is a cache: deleting its file loses nothing.
type Sums struct {
	path string
	now  func() time.Time

	mu    sync.Mutex
	known map[string]string
	dirty bool
}

// OpenSums reads the cache; a missing or damaged file is an empty one.
func OpenSums(path string, now func() time.Time) (*Sums, error) {
	s := &Sums{path: path, now: now, known: map[string]string{}}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("checksums of source files: %w", err)
	}
	if json.Unmarshal(content, &s.known) != nil {
		s.known = map[string]string{}
	}
	return s, nil
}

// SHA256 gives the sum of an object, computing it when it is not known.
func (s *Sums) SHA256(ctx context.Context, store string, o files.Object, compute func() (string, error)) (string, error) {
	key := sumKey(store, o)
	s.mu.Lock()
	sum, ok := s.known[key]
	s.mu.Unlock()
	if ok && o.Version != "" {
		return sum, nil
	}
	sum, err := compute()
	if err != nil || o.Version == "" || s.fresh(o) {
		return sum, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[key], s.dirty = sum, true
	return sum, nil
}

// Forget drops the sum of an object whose content turned out to be another: its size and times had not told.
func (s *Sums) Forget(store string, o files.Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, sumKey(store, o))
	s.dirty = true
}

func sumKey(store string, o files.Object) string {
	return fmt.Sprintf("%s %s %d %s", store, o.Name, o.Size, o.Version)
}

// fresh reports a file so young that it may be written again within the resolution of its modification time.
func (s *Sums) fresh(o files.Object) bool {
	return !o.Modified.IsZero() && s.now().Sub(o.Modified) < 2*time.Second
}

// Save writes the cache, when there is something new in it.
func (s *Sums) Save() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.dirty {
		return nil
	}
	content, err := json.MarshalIndent(s.known, "", " ")
	if err != nil {
		return fmt.Errorf("checksums of source files: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return fmt.Errorf("checksums of source files: %w", err)
	}
	temp, err := os.CreateTemp(filepath.Dir(s.path), ".sums-*")
	if err != nil {
		return fmt.Errorf("checksums of source files: %w", err)
	}
	_, err = temp.Write(content)
	err = errors.Join(err, temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), s.path)
	}
	if err != nil {
		os.Remove(temp.Name())
		return fmt.Errorf("checksums of source files: %w", err)
	}
	s.dirty = false
	return nil
}
