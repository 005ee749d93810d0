// Package local runs a project's private PostgreSQL cluster: one that the program creates in the project's folder,
// from the PostgreSQL on the machine, starts when somebody needs it and stops when nobody does.
//
// The cluster's folder holds
//
//	data/        PostgreSQL's data folder; data.new/ while it is being created
//	server.log   the server's log since it was started last; server.log.old is the one before
//	port         the port: part of the socket's name, and of TCP when that is asked for
//	passwords    of the roles, for TCP; absent until TCP was asked for
//	users        locked (shared) by every program that has joined
//	pinned       present while the server is to be left running
//
// Who may do what is settled by advisory locks (flock), which end with their holder however it dies:
//
//   - The folder is locked for as long as somebody starts or stops the server, so these never overlap.
//   - data/ is opened and locked by the program that starts the server, which inherits it: the lock lives exactly as
//     long as the server or any process that it forked. So there is no process id that could be stale or reused.
//   - The server's data folder is that open folder (/proc/self/fd/3). It needs no right to enter the folders above,
//     which is how it runs as an unprivileged user where only root may enter, and its path may be of any length. (The
//     other ways, a capability to read everything or a bind mount, give it more than it needs.)
//
// The server listens on a Unix socket in a folder that only its user may enter, so everybody who gets there is trusted:
// whoever can, owns the data files too. Linux only, for /proc.
package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
)

// Database is the name of the cluster's one database. Its owner is the role owner.
const Database = "crosslift"

// ErrInUse says that another program has joined the cluster, so it cannot be stopped or restarted.
var ErrInUse = errors.New("another crosslift program is using it: try again when that has ended")

// Cluster is a membership in a running private cluster. It is for one goroutine at a time.
type Cluster struct {
	machine
	dir   string
	users *os.File // holds the shared lock; nil when not joined
	at    server
}

// machine is what a cluster takes from the computer under it.
type machine struct {
	programs []string // patterns of folders that may hold PostgreSQL's programs
	account  string   // the OS account that runs the server for root
	sockets  string   // where the socket's folder is made
	random   io.Reader
	log      *slog.Logger
}

// thisMachine looks where distributions put PostgreSQL, then on the PATH. Sockets go to /tmp, since it alone of the
// usual places is short, reachable for the server's account, the same for a terminal and a cron job, and outlives a
// login (as XDG_RUNTIME_DIR does not).
func thisMachine(log *slog.Logger) machine {
	programs := []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin"}
	return machine{
		programs: append(programs, filepath.SplitList(os.Getenv("PATH"))...),
		account:  "postgres", sockets: "/tmp", random: rand.Reader, log: log,
	}
}

// Join gives the cluster in folder dir, running: it creates it and starts its server where needed. The server keeps
// running until the last that joined leaves, unless it is pinned; that a program is killed counts as leaving, but only
// the next one that leaves stops the server. Cancelling ctx gives up waiting, also for a long crash recovery.
//
// ErrNoPostgres when the machine has no PostgreSQL.
func Join(ctx context.Context, dir string, log *slog.Logger) (*Cluster, error) {
	return thisMachine(log).join(ctx, dir)
}

func (m machine) join(ctx context.Context, dir string) (_ *Cluster, err error) {
	c := &Cluster{machine: m, dir: dir}
	defer func() { err = c.explain(err) }()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	gate, err := c.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer release(gate)
	users, err := os.OpenFile(c.path("users"), os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := await(ctx, users, syscall.LOCK_SH); err != nil {
		return nil, errors.Join(err, users.Close())
	}
	if err := c.up(ctx, false); err != nil {
		return nil, errors.Join(err, users.Close())
	}
	c.users = users
	return c, nil
}

// URL is a connection URL for role owner or bi over the Unix socket, for lib/pq and libpq. It holds no secret.
func (c *Cluster) URL(role string) string { return c.at.url(role, Database) }

// Pin leaves the server running after the last one has left, until Stop. A pinned server that a reboot ended is
// started, and left running, by the next Join.
func (c *Cluster) Pin(ctx context.Context) (err error) {
	defer func() { err = c.explain(err) }()
	gate, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer release(gate)
	return os.WriteFile(c.path("pinned"), nil, 0o600)
}

// Leave ends the membership and, if it was the last one and the server is not pinned, stops the server, which ends
// every connection to it. Leaving again does nothing. A program that was interrupted passes a context that is not.
func (c *Cluster) Leave(ctx context.Context) (err error) {
	if c.users == nil {
		return nil
	}
	defer func() { err = c.explain(err) }()
	defer func() { err = errors.Join(err, release(c.users)); c.users = nil }()
	gate, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer release(gate)
	alone, err := hold(c.users, syscall.LOCK_EX)
	if err != nil || !alone {
		return err
	}
	switch _, err := os.Stat(c.path("pinned")); {
	case err == nil:
		return nil
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	return c.down(ctx)
}

// Stop unpins the cluster in dir and stops its server; it does nothing where there is none. ErrInUse while a program
// has joined: then nothing is changed. Connections of others, such as psql, are ended.
func Stop(ctx context.Context, dir string) (err error) {
	c := &Cluster{dir: dir}
	defer func() { err = c.explain(err) }()
	gate, err := c.enter(ctx)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer release(gate)
	users, err := os.Open(c.path("users"))
	if errors.Is(err, os.ErrNotExist) {
		return nil // nobody ever joined
	} else if err != nil {
		return err
	}
	defer release(users)
	if alone, err := hold(users, syscall.LOCK_EX); err != nil {
		return err
	} else if !alone {
		return ErrInUse
	}
	if err := os.Remove(c.path("pinned")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return c.down(ctx)
}

// Running says whether the server of the cluster in dir runs, if only to start up or to shut down.
func Running(dir string) (bool, error) {
	c := &Cluster{dir: dir}
	data, err := os.Open(c.path("data"))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, c.explain(err)
	}
	defer release(data)
	free, err := hold(data, syscall.LOCK_SH)
	return !free && err == nil, c.explain(err)
}

// enter makes the caller the only one that starts or stops the server, until it closes the file.
func (c *Cluster) enter(ctx context.Context) (*os.File, error) {
	dir, err := filepath.Abs(c.dir)
	if err != nil {
		return nil, err
	}
	if c.dir, err = filepath.EvalSymlinks(dir); err != nil {
		c.dir = dir
		return nil, err
	}
	gate, err := os.Open(c.dir)
	if err != nil {
		return nil, err
	}
	if err := await(ctx, gate, syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, gate.Close())
	}
	return gate, nil
}

func (c *Cluster) path(name string) string { return filepath.Join(c.dir, name) }

// explain says of which cluster an error is.
func (c *Cluster) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNoPostgres):
		return err // the folder has nothing to do with it
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("private Postgres in %s: %w: run as the user that owns the folder", c.dir, err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("private Postgres in %s: %w: free some space", c.dir, err)
	}
	return fmt.Errorf("private Postgres in %s: %w", c.dir, err)
}
