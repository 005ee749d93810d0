package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// bootstrap makes the roles and the database, a statement a line, for a server in single-user mode. The roles have no
// password, so that they cannot log in over TCP until that is asked for. Owner administers bi, which PostgreSQL 16 does
// not grant by CREATEROLE alone.
const bootstrap = `CREATE ROLE owner LOGIN CREATEROLE
CREATE ROLE bi LOGIN
GRANT bi TO owner WITH ADMIN OPTION
CREATE DATABASE ` + Database + ` OWNER owner
`

// open opens the data folder, after creating it if there is none.
func (c *Cluster) open(ctx context.Context) (*os.File, error) {
	data, err := os.Open(c.path("data"))
	if !errors.Is(err, os.ErrNotExist) {
		return data, err
	}
	if err := c.create(ctx); err != nil {
		return nil, err
	}
	return os.Open(c.path("data"))
}

// create makes the data folder under another name and renames it when it is complete and on disk, so that a crash
// leaves nothing half made under the name that counts.
func (c *Cluster) create(ctx context.Context) error {
	install, err := c.newest(ctx)
	if err != nil {
		return err
	}
	as, err := c.newAccount()
	if err != nil {
		return err
	}
	if err := c.clear(ctx, c.path("data.new")); err != nil {
		return err
	}
	if err := os.Mkdir(c.path("data.new"), 0o700); err != nil {
		return err
	}
	if as != nil {
		if err := os.Chown(c.path("data.new"), int(as.Uid), int(as.Gid)); err != nil {
			return err
		}
	}
	data, err := os.Open(c.path("data.new"))
	if err != nil {
		return err
	}
	defer data.Close()
	if err := await(ctx, data, syscall.LOCK_EX); err != nil {
		return err
	}
	initdb := install.command(data, as, "initdb", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8",
		"--data-checksums", "--auth-local=trust", "--auth-host=scram-sha-256")
	if err := run(ctx, initdb, ""); err != nil {
		return err
	}
	single := install.command(data, as, "postgres", "-c", "exit_on_error=on")
	single.Args = append([]string{single.Args[0], "--single"}, append(single.Args[1:], "postgres")...)
	if err := run(ctx, single, bootstrap); err != nil {
		return err
	}
	if err := os.Rename(c.path("data.new"), c.path("data")); err != nil {
		return err
	}
	c.log.Info("created the private Postgres", "folder", c.dir, "version", install.major)
	dir, err := os.Open(c.dir)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// clear removes what a killed program left, once the initdb that it may have started has ended.
func (c *Cluster) clear(ctx context.Context, folder string) error {
	left, err := os.Open(folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer left.Close()
	if err := await(ctx, left, syscall.LOCK_EX); err != nil {
		return err
	}
	return os.RemoveAll(folder)
}

// newAccount is the account for a new cluster: ourselves (nil), or the unprivileged one if we are root, whom PostgreSQL
// refuses.
func (m machine) newAccount() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup(m.account)
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root and there is no user %q to run it as: "+
			"run as an ordinary user, or make that one (useradd --system %[1]s)", m.account)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", m.account, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", m.account, err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// accountOf is the account for an existing data folder: its owner's.
func accountOf(data *os.File) (*syscall.Credential, error) {
	info, err := data.Stat()
	if err != nil {
		return nil, err
	}
	owner := info.Sys().(*syscall.Stat_t)
	switch {
	case os.Geteuid() == int(owner.Uid) && owner.Uid != 0:
		return nil, nil
	case os.Geteuid() != 0:
		return nil, fmt.Errorf("%s belongs to user %d: run as that user or as root", data.Name(), owner.Uid)
	case owner.Uid == 0:
		return nil, fmt.Errorf("%s belongs to root, as whom PostgreSQL does not run: chown -R postgres: %[1]s",
			data.Name())
	}
	return &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}, nil
}
