package local

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// hold tries to lock an open file or folder, and says whether it could. The lock belongs to the open file: closing it,
// or the death of all processes that inherited it, ends the lock. A failed attempt to widen a lock loses it (flock(2)).
func hold(f *os.File, how int) (bool, error) {
	for {
		switch err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); {
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, syscall.EINTR):
			return false, &os.PathError{Op: "lock", Path: f.Name(), Err: err}
		}
	}
}

// await locks an open file, waiting for those that hold it.
func await(ctx context.Context, f *os.File, how int) error {
	return poll(ctx, func() (bool, error) { return hold(f, how) })
}

// release gives up a lock that is shared with no server, and closes the file. Closing alone is not enough: a program that
// another goroutine is just starting has a copy of the open file, and with it the lock, until it executes.
func release(f *os.File) error {
	for {
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_UN); err != syscall.EINTR {
			return errors.Join(err, f.Close())
		}
	}
}

// poll asks until the answer is yes. (A flock or a connection that blocks cannot be cancelled.)
func poll(ctx context.Context, done func() (bool, error)) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}
