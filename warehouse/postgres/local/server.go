package local

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lib/pq"
)

// server is where a running server is reached.
type server struct {
	pid    int
	port   int
	socket string // the folder of its Unix socket
	tcp    bool
}

func (s server) url(role, database string) string {
	query := url.Values{"host": {s.socket}, "port": {strconv.Itoa(s.port)}, "sslmode": {"disable"}}
	u := url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database, RawQuery: query.Encode()}
	return u.String()
}

// exec runs statements as the superuser, in one session.
func (s server) exec(ctx context.Context, statements ...string) error {
	db, err := sql.Open("postgres", s.url("postgres", "postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	session, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer session.Close()
	for _, statement := range statements {
		if _, err := session.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// find reads where the server on data says that it is, in its postmaster.pid (PostgreSQL, miscadmin.h: a line each for
// pid, data folder, start, port, socket folder, TCP address, shared memory and status). False when there is no server,
// or it has not written all of them yet: it writes line by line, not in their order.
func find(data *os.File) (server, bool, error) {
	text, err := os.ReadFile(filepath.Join(data.Name(), "postmaster.pid"))
	if errors.Is(err, os.ErrNotExist) {
		return server{}, false, nil
	} else if err != nil {
		return server{}, false, err
	}
	lines := strings.Split(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || len(lines) < 8 || lines[4] == "" || lines[7] == "" {
		return server{}, false, nil
	}
	if at, err := home(pid, data); err != nil || !at {
		return server{}, false, err
	}
	port, err := strconv.Atoi(lines[3])
	if err != nil {
		return server{}, false, nil
	}
	return server{pid: pid, port: port, socket: lines[4], tcp: lines[5] != ""}, true, nil
}

// home says whether a process lives in the data folder, as PostgreSQL's do. It tells a server from a process that has
// got its number since, and from the server of a folder of which this one is a copy.
func home(pid int, data *os.File) (bool, error) {
	cwd, err := os.Stat(fmt.Sprintf("/proc/%d/cwd", pid))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.ESRCH) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	folder, err := data.Stat()
	return err == nil && os.SameFile(cwd, folder), err
}

// patience is how long a server that is alive may be out of reach before we give up on it. One that answers that it
// is starting up, however long, is in reach.
const patience = 15 * time.Second

// up sees to it that the server runs and answers. The caller has entered.
func (c *Cluster) up(ctx context.Context, tcp bool) error {
	data, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer data.Close()
	lost := time.NewTimer(patience)
	defer lost.Stop()
	return poll(ctx, func() (bool, error) {
		if free, err := hold(data, syscall.LOCK_EX); err != nil {
			return false, err
		} else if free {
			return true, c.start(ctx, data, tcp)
		}
		ready, err := c.answers(ctx, data)
		if ready || err == nil {
			lost.Reset(patience)
			return ready, nil
		}
		if !errors.Is(err, errUnreachable) {
			return false, err
		}
		select {
		case <-lost.C:
			return false, err
		default:
			return false, nil
		}
	})
}

var errUnreachable = errors.New("a server has its files open but cannot be reached from here")

// answers says whether the server that holds data takes connections, and remembers where it is. No and no error: it is
// starting up or shutting down.
func (c *Cluster) answers(ctx context.Context, data *os.File) (bool, error) {
	at, ok, err := find(data)
	if err != nil {
		return false, err
	}
	if !ok {
		return false, fmt.Errorf("%w: it may be in another container: stop it there", errUnreachable)
	}
	err = at.exec(ctx, "SELECT 1")
	var refused *pq.Error
	switch {
	case err == nil:
		c.at = at
		return true, nil
	case errors.As(err, &refused) && refused.Code == "57P03": // cannot_connect_now
		return false, nil
	case errors.As(err, &refused):
		return false, err
	}
	return false, fmt.Errorf("%w: process %d, socket in %s (to a service with a private /tmp that is another one): "+
		"use it there, or stop that process and try again: %w", errUnreachable, at.pid, at.socket, err)
}

// start starts the server on data, which we have locked, and waits until it takes connections.
func (c *Cluster) start(ctx context.Context, data *os.File, tcp bool) error {
	install, err := c.fitting(ctx, data.Name())
	if err != nil {
		return err
	}
	as, err := accountOf(data)
	if err != nil {
		return err
	}
	if err := removeStale(data); err != nil {
		return err
	}
	port, err := c.port()
	if err != nil {
		return err
	}
	socket, err := c.socketFolder(c.dir, as)
	if err != nil {
		return err
	}
	log, err := c.newLog()
	if err != nil {
		return err
	}
	defer log.Close()
	address := ""
	if tcp {
		address = loopback
	}
	cmd := install.command(data, as, "postgres", "-c", "port="+strconv.Itoa(port), "-c", "listen_addresses="+address,
		"-c", "unix_socket_directories="+socket, "-c", "unix_socket_permissions=0700",
		"-c", "logging_collector=off", "-c", "log_destination=stderr")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }() // lives as long as the server, or this program
	err = poll(ctx, func() (bool, error) {
		select {
		case err := <-exited:
			text, _ := os.ReadFile(log.Name())
			_ = os.Remove(socket) // nobody else would; it holds something if a server is there
			return false, fmt.Errorf("its server did not start (%v): %w (%s)", err, complaint(text), log.Name())
		default:
		}
		ready, err := c.answers(ctx, data)
		if errors.Is(err, errUnreachable) {
			err = nil // not yet
		}
		return ready, err
	})
	if err != nil {
		_ = cmd.Process.Signal(syscall.SIGINT) // has no one to stop it otherwise; it may be gone
		return err
	}
	c.log.Debug("started the private Postgres", "folder", c.dir, "pid", cmd.Process.Pid)
	return nil
}

// removeStale removes the postmaster.pid of a server that a crash of the machine ended, if another process has its
// number by now, since PostgreSQL would take that for the server. Otherwise PostgreSQL does it, with checks of its own.
func removeStale(data *os.File) error {
	name := filepath.Join(data.Name(), "postmaster.pid")
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		return os.Remove(name) // cut short by the crash
	}
	pid = max(pid, -pid) // negative: single-user mode
	at, err := home(pid, data)
	if err != nil {
		return err
	}
	if at {
		return fmt.Errorf("a server that was started by hand (process %d) uses %s: stop it", pid, data.Name())
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); err != nil {
		return nil
	}
	return os.Remove(name)
}

// newLog opens a new log, keeping the one before.
func (c *Cluster) newLog() (*os.File, error) {
	name := c.path("server.log")
	if err := os.Rename(name, name+".old"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
}

// down stops the server, if it runs, and waits for its end. The caller has entered.
func (c *Cluster) down(ctx context.Context) error {
	data, err := os.Open(c.path("data"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer release(data)
	var told server
	err = poll(ctx, func() (bool, error) {
		if free, err := hold(data, syscall.LOCK_EX); free || err != nil {
			return free, err
		}
		at, ok, err := find(data)
		if err != nil || !ok || at.pid == told.pid {
			return false, err
		}
		told = at
		return false, syscall.Kill(at.pid, syscall.SIGINT) // fast shutdown
	})
	if err != nil {
		return fmt.Errorf("stopping its server: %w", err)
	}
	if told.socket != "" {
		_ = os.Remove(told.socket) // empty, unless somebody put something there
	}
	return nil
}
