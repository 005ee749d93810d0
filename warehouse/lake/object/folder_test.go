package object_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crosslift/warehouse/lake/object"
	"crosslift/warehouse/lake/object/objecttest"
)

// entries names what lies in a folder, hidden files included.
func entries(t *testing.T, dir string) []string {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range found {
		names = append(names, e.Name())
	}
	return names
}

// TestFolderGlobs: while an object is being written, no engine that reads the lake with a glob sees it.
func TestFolderGlobs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	up, err := object.NewFolder(dir).Create(t.Context(), "t/dt=1/data.parquet")
	if err != nil {
		t.Fatal(err)
	}
	if len(entries(t, filepath.Join(dir, "t/dt=1"))) != 1 {
		t.Fatal("expected the upload's file beside its destination")
	}
	for _, pattern := range []string{"*/*/data.parquet", "*/*/*.parquet", "*/*/*data.parquet"} {
		if found, err := filepath.Glob(filepath.Join(dir, pattern)); err != nil || len(found) > 0 {
			t.Errorf("%s: %v, %v", pattern, found, err)
		}
	}
	if _, err := up.Commit(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if got := entries(t, filepath.Join(dir, "t/dt=1")); len(got) != 1 || got[0] != "data.parquet" {
		t.Errorf("after the commit: %v", got)
	}
}

// TestFolderSweeps: what a dead writer left goes with the next look at its folder; a living writer's file and files of
// others stay.
func TestFolderSweeps(t *testing.T) {
	t.Parallel()
	for how, look := range map[string]func(object.Store) error{
		"listing": func(s object.Store) error {
			for _, err := range s.List(t.Context(), "") {
				return err
			}
			return nil
		},
		"writing": func(s object.Store) error {
			up, err := s.Create(t.Context(), "t/[1]/other")
			if err != nil {
				return err
			}
			return up.Abort(t.Context())
		},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			store := object.NewFolder(dir)
			up, err := store.Create(t.Context(), "t/[1]/data.parquet")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(up, "alive"); err != nil {
				t.Fatal(err)
			}
			in := filepath.Join(dir, "t/[1]")
			for _, name := range []string{".data.parquet.1.crosslift.tmp", ".somebody.tmp"} {
				if err := os.WriteFile(filepath.Join(in, name), []byte("x"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := look(store); err != nil {
				t.Fatal(err)
			}
			got := entries(t, in)
			if len(got) != 2 || got[1] != ".somebody.tmp" {
				t.Errorf("left: %v", got)
			}
			if _, err := up.Commit(t.Context(), ""); err != nil {
				t.Errorf("the living writer: %v", err)
			}
		})
	}
}

// TestFolderErrors: each error is one line that says what is wrong.
func TestFolderErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := object.NewFolder(filepath.Join(dir, "made/when/written/to"))
	if store.String() != filepath.Join(dir, "made/when/written/to") {
		t.Errorf("its name is %s", store)
	}
	for info, err := range store.List(t.Context(), "") {
		t.Errorf("a folder that does not exist holds %v, %v", info, err)
	}
	if _, err := objecttest.Put(t.Context(), store, "a", []byte("x"), ""); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a/b", "a/b/c"} {
		_, err := store.Create(t.Context(), key)
		if text := errorText(err); !strings.Contains(text, "under another key") || strings.Contains(text, "\n") {
			t.Errorf("%s: %q", key, text)
		}
		_, err = store.Stat(t.Context(), key)
		isOneOf(t, err, []error{object.ErrNotFound})
	}
	if _, err := objecttest.Put(t.Context(), store, "d/e", []byte("x"), ""); err != nil {
		t.Fatal(err)
	}
	_, err := store.Open(t.Context(), "d", "")
	isOneOf(t, err, []error{object.ErrNotFound})
	_, err = objecttest.Put(t.Context(), store, "d", []byte("x"), "")
	if err == nil {
		t.Error("an object took the place of a folder")
	}
	if os.Getuid() == 0 {
		return // whom no permission stops
	}
	locked := filepath.Join(dir, "locked")
	if err := os.Mkdir(locked, 0o500); err != nil {
		t.Fatal(err)
	}
	_, err = objecttest.Put(t.Context(), object.NewFolder(locked), "a", []byte("x"), "")
	isOneOf(t, err, []error{object.ErrAccess})
}
