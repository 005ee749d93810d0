package object

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// tempSuffix ends the name of an upload's file: .<name>.<random>.crosslift.tmp, which globs for <name> and for *.parquet
// don't match, and which is nobody else's file.
const tempSuffix = ".crosslift.tmp"

func temporary(name string) bool {
	return strings.HasPrefix(name, ".") && strings.HasSuffix(name, tempSuffix)
}

// fileUpload writes a temporary file beside its destination, so that both are of one file system. It holds the file's
// lock while it lives, which tells others that the file is not left behind.
type fileUpload struct {
	folder *folder
	ctx    context.Context
	key    string
	file   *os.File // nil when the upload has ended
}

func (f *folder) Create(ctx context.Context, key string) (Upload, error) {
	if err := cmp.Or(ctx.Err(), valid(key)); err != nil {
		return nil, err
	}
	dir, name := filepath.Split(f.path(key))
	if err := makeFolder(filepath.Clean(dir)); err != nil {
		return nil, f.explain(err)
	}
	left, err := filepath.Glob(filepath.Join(escape(dir), ".*"+tempSuffix))
	if err != nil {
		return nil, err
	}
	for _, path := range left {
		sweep(path)
	}
	for {
		file, err := os.CreateTemp(dir, "."+name+".*"+tempSuffix)
		if err != nil {
			return nil, f.explain(err)
		}
		if alive, err := claim(file); err != nil {
			return nil, errors.Join(f.explain(err), os.Remove(file.Name()), file.Close())
		} else if alive {
			// CreateTemp's 0600 would hide the lake from the analysts of the machine.
			if err := file.Chmod(0o644); err != nil {
				return nil, errors.Join(f.explain(err), os.Remove(file.Name()), file.Close())
			}
			return &fileUpload{folder: f, ctx: ctx, key: key, file: file}, nil
		}
		if err := file.Close(); err != nil {
			return nil, f.explain(err)
		}
	}
}

// escape makes a path a pattern that matches only itself.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// claim locks a new temporary file; it is not alive when a sweep was faster, and has removed it.
func claim(file *os.File) (alive bool, err error) {
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil // it is being swept
	} else if err != nil {
		return false, &fs.PathError{Op: "lock", Path: file.Name(), Err: err}
	}
	st, err := file.Stat()
	if err != nil {
		return false, err
	}
	return st.Sys().(*syscall.Stat_t).Nlink > 0, nil
}

// sweep removes a temporary file whose writer is dead. That it cannot is no error: it may be another user's.
func sweep(path string) {
	file, err := os.Open(path)
	if err != nil {
		return
	}
	defer file.Close()
	if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		_ = os.Remove(path)
	}
}

// makeFolder makes a folder and its parents, each safe on disk before anything is put into it.
func makeFolder(dir string) error {
	err := os.Mkdir(dir, 0o755)
	switch {
	case err == nil:
		return syncFolder(filepath.Dir(dir))
	case errors.Is(err, fs.ErrExist), errors.Is(err, syscall.ENOTDIR):
		if st, again := os.Stat(dir); again == nil && st.IsDir() {
			return nil
		}
		return errors.New("a key cannot lie under another key, which is a file")
	case !errors.Is(err, fs.ErrNotExist) || filepath.Dir(dir) == dir:
		return err
	}
	if err := makeFolder(filepath.Dir(dir)); err != nil {
		return err
	}
	return makeFolder(dir)
}

func (u *fileUpload) Write(p []byte) (int, error) {
	if u.file == nil {
		return 0, errors.New("write to an upload that has ended")
	}
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := u.file.Write(p)
	return n, u.folder.explain(err)
}

func (u *fileUpload) Commit(ctx context.Context, replaces string) (Info, error) {
	if u.file == nil {
		return Info{}, errors.New("commit of an upload that has ended")
	}
	info, err := u.commit(ctx, replaces)
	return info, errors.Join(err, u.Abort(ctx)) // removes the name that is left, if any
}

func (u *fileUpload) commit(ctx context.Context, replaces string) (Info, error) {
	path, temp := u.folder.path(u.key), u.file.Name()
	dir := filepath.Dir(path)
	if err := cmp.Or(u.ctx.Err(), ctx.Err()); err != nil {
		return Info{}, err
	}
	if err := u.file.Sync(); err != nil {
		return Info{}, u.folder.explain(err)
	}
	unlock, err := lock(dir)
	if err != nil {
		return Info{}, u.folder.explain(err)
	}
	defer unlock()
	if err := ctx.Err(); err != nil {
		return Info{}, err
	}
	now := time.Now() // finer than the time that the file system keeps by itself, and later than the file replaced
	if err := os.Chtimes(temp, now, now); err != nil {
		return Info{}, u.folder.explain(err)
	}
	st, err := u.file.Stat()
	if err != nil {
		return Info{}, u.folder.explain(err)
	}
	info, err := describe(u.key, st)
	if err != nil {
		return Info{}, err
	}
	if replaces == "" {
		err = os.Link(temp, path) // unlike a rename, it fails when there is something
		if errors.Is(err, fs.ErrExist) {
			return Info{}, ErrPrecondition
		}
	} else {
		switch was, again := u.folder.Stat(ctx, u.key); {
		case errors.Is(again, ErrNotFound), again == nil && was.ETag != replaces:
			return Info{}, ErrPrecondition
		case again != nil:
			return Info{}, again
		}
		err = os.Rename(temp, path)
	}
	if err != nil {
		return Info{}, u.folder.explain(err)
	}
	if err := syncFolder(dir); err != nil {
		return Info{}, fmt.Errorf("%w: %w", ErrUnknown, u.folder.explain(err))
	}
	return info, nil
}

func (u *fileUpload) Abort(context.Context) error {
	if u.file == nil {
		return nil
	}
	file := u.file
	u.file = nil
	err := os.Remove(file.Name())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // renamed
	}
	return u.folder.explain(errors.Join(err, file.Close()))
}
