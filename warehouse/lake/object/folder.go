package object

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// folder keeps objects as files.
type folder struct{ dir string }

// NewFolder is a store in a folder of a local file system, made when it is first written to. A file's ETag is its
// inode, size and time of modification in nanoseconds, set at its commit: a replacement is another inode as long as the
// replaced one lives, and a later time when the inode's number is used again.
func NewFolder(dir string) Store { return &folder{dir: filepath.Clean(dir)} }

func (f *folder) String() string { return f.dir }

func (f *folder) path(key string) string { return filepath.Join(f.dir, filepath.FromSlash(key)) }

func (f *folder) Stat(ctx context.Context, key string) (Info, error) {
	if err := cmp.Or(ctx.Err(), valid(key)); err != nil {
		return Info{}, err
	}
	st, err := os.Stat(f.path(key))
	if err != nil {
		return Info{}, f.explain(err)
	}
	return describe(key, st)
}

// describe gives a file's Info; a folder is no object.
func describe(key string, st fs.FileInfo) (Info, error) {
	if !st.Mode().IsRegular() {
		return Info{}, ErrNotFound
	}
	etag := fmt.Sprintf("%x-%x-%x", st.Sys().(*syscall.Stat_t).Ino, st.Size(), st.ModTime().UnixNano())
	return Info{Key: key, ETag: etag, Size: st.Size(), Modified: st.ModTime()}, nil
}

// file is an opened file. Its descriptor holds on to the inode, so replacing the object does not touch it.
type file struct {
	*os.File
	ctx  context.Context
	info Info
}

func (o *file) Info() Info { return o.info }

func (o *file) ReadAt(p []byte, off int64) (int, error) {
	if err := o.ctx.Err(); err != nil {
		return 0, err
	}
	return o.File.ReadAt(p, off)
}

func (f *folder) Open(ctx context.Context, key, etag string) (Object, error) {
	if err := cmp.Or(ctx.Err(), valid(key)); err != nil {
		return nil, err
	}
	opened, err := os.Open(f.path(key))
	if err != nil {
		if err = f.explain(err); errors.Is(err, ErrNotFound) && etag != "" {
			return nil, ErrChanged
		}
		return nil, err
	}
	st, err := opened.Stat()
	if err != nil {
		return nil, errors.Join(f.explain(err), opened.Close())
	}
	info, err := describe(key, st)
	if err == nil && etag != "" && info.ETag != etag {
		err = ErrChanged
	}
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return &file{File: opened, ctx: ctx, info: info}, nil
}

func (f *folder) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		parent := prefix[:strings.LastIndexByte(prefix, '/')+1]
		if parent != "" && valid(strings.TrimSuffix(parent, "/")) != nil {
			return // no key begins so
		}
		f.list(ctx, parent, prefix, yield)
	}
}

// list walks a folder, named by the beginning of its keys, and reports whether to go on. Folders are ordered with their
// final "/", which makes the walk's order the byte order of whole keys.
func (f *folder) list(ctx context.Context, parent, prefix string, yield func(Info, error) bool) bool {
	entries, err := os.ReadDir(f.path(parent))
	if err = cmp.Or(ctx.Err(), f.explain(err)); errors.Is(err, ErrNotFound) {
		return true
	} else if err != nil {
		yield(Info{}, err)
		return false
	}
	name := func(e fs.DirEntry) string {
		if e.IsDir() {
			return parent + e.Name() + "/"
		}
		return parent + e.Name()
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(name(a), name(b)) })
	for _, e := range entries {
		key := name(e)
		switch {
		case temporary(e.Name()):
			sweep(f.path(key))
		case hidden(key):
		case e.IsDir() && (strings.HasPrefix(key, prefix) || strings.HasPrefix(prefix, key)):
			if !f.list(ctx, key, prefix, yield) {
				return false
			}
		case !e.IsDir() && strings.HasPrefix(key, prefix):
			info, err := f.Stat(ctx, key)
			if errors.Is(err, ErrNotFound) {
				continue // deleted meanwhile, or no regular file
			}
			if !yield(info, err) || err != nil {
				return false
			}
		}
	}
	return true
}

func (f *folder) Delete(ctx context.Context, key string) error {
	if err := cmp.Or(ctx.Err(), valid(key)); err != nil {
		return err
	}
	path := f.path(key)
	unlock, err := lock(filepath.Dir(path))
	if err == nil {
		defer unlock()
		if err = os.Remove(path); err == nil {
			err = syncFolder(filepath.Dir(path))
		}
	}
	if err = f.explain(err); errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// lock takes the folder's advisory lock, under which its objects are replaced and deleted. The kernel frees it when its
// holder dies.
func lock(dir string) (unlock func(), err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for {
		if err = syscall.Flock(int(d.Fd()), syscall.LOCK_EX); err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(&fs.PathError{Op: "lock", Path: dir, Err: err}, d.Close())
	}
	return func() { d.Close() }, nil // closing gives the lock up; nothing was written that an error could lose
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// explain says what an error of the file system means, without the path, which callers name better.
func (f *folder) explain(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	reason := err
	switch {
	case err == nil || err == io.EOF:
		return err
	case errors.As(err, &path):
		reason = path.Err
	case errors.As(err, &link):
		reason = link.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return ErrNotFound
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: %w: check who may read and write %s", ErrAccess, reason, f.dir)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: make room where %s lies", reason, f.dir)
	}
	return fmt.Errorf("%s: %w", f.dir, reason)
}
