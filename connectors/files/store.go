package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// Object is a file of a store as a listing shows it.
type Object struct {
	Name     string // relative to the store's root, with slashes
	Size     int64
	Version  string    // changes when the content does: mtime or ETag; "" when unknown
	Modified time.Time // zero when unknown
}

// Store is where files lie: a folder, or a prefix of a bucket.
type Store interface {
	// String names the store in messages and in the cache of sums; it holds no secret.
	String() string
	// List gives the objects whose names start with prefix, in any order. A prefix that holds nothing is no error.
	List(ctx context.Context, prefix string) ([]Object, error)
	// Open opens the version of an object that the listing showed, where the store can tell versions apart.
	Open(ctx context.Context, o Object) (Content, error)
}

// Content is an open file.
type Content interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// Sums remembers the SHA-256 of files by store, name, size and version.
type Sums interface {
	// SHA256 gives the remembered sum of an object, or computes it.
	SHA256(ctx context.Context, store string, o Object, compute func() (string, error)) (string, error)
	// Forget drops the sum of an object whose content turned out to be another.
	Forget(store string, o Object)
}

// Folder is a folder of this machine as a Store. Nothing outside of it can be read: a path or a symbolic link that
// leaves it is an error. Links to folders within it are followed only where the path spells them out, not by globs.
func Folder(dir string) Store { return folder(dir) }

type folder string

func (f folder) String() string { return string(f) }

func (f folder) List(ctx context.Context, prefix string) ([]Object, error) {
	root, err := os.OpenRoot(string(f))
	if err != nil {
		return nil, fmt.Errorf("folder %s: %w: it is the source's root, see `sources.files.root`", f, cause(err))
	}
	defer root.Close()
	var objects []Object
	err = fs.WalkDir(root.FS(), path.Dir(prefix), func(name string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrNotExist):
			return nil // also a file that went away since its folder was read
		case err != nil:
			return fmt.Errorf("folder %s: %s: %w", f, name, cause(err))
		case entry.IsDir():
			if !strings.HasPrefix(name, prefix) && !strings.HasPrefix(prefix, name+"/") && name != path.Dir(prefix) {
				return fs.SkipDir
			}
			return nil
		case !strings.HasPrefix(name, prefix):
			return nil
		}
		info, err := root.Stat(name) // follows links
		switch {
		case err != nil:
			objects = append(objects, Object{Name: name}) // opening it says what is wrong with it
		case info.Mode().IsRegular():
			objects = append(objects, Object{
				Name: name, Size: info.Size(), Modified: info.ModTime(),
				Version: info.ModTime().UTC().Format(time.RFC3339Nano),
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(objects, func(a, b Object) int { return strings.Compare(a.Name, b.Name) })
	return objects, nil
}

func (f folder) Open(_ context.Context, o Object) (Content, error) {
	root, err := os.OpenRoot(string(f))
	if err != nil {
		return nil, fmt.Errorf("folder %s: %w", f, cause(err))
	}
	defer root.Close()
	file, err := root.Open(o.Name)
	if err != nil {
		return nil, fmt.Errorf("cannot be opened in folder %s: %w", f, cause(err))
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("cannot be opened in folder %s: %w", f, cause(err))
	}
	return opened{file, info.Size()}, nil
}

type opened struct {
	*os.File
	size int64
}

func (o opened) Size() int64 { return o.size }

// cause drops the operation and the path that our own messages already give.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
