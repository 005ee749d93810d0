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
