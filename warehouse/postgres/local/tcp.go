package local

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/lib/pq"
)

const loopback = "127.0.0.1"

// TCPURL is a connection URL for role owner or bi over loopback TCP, with the role's password. The server listens on
// TCP from the first such request until it stops; since PostgreSQL opens ports only when it starts, that request
// restarts it, ending all connections to it: ErrInUse when another program has joined. Port and passwords stay.
func (c *Cluster) TCPURL(ctx context.Context, role string) (_ string, err error) {
	defer func() { err = c.explain(err) }()
	gate, err := c.enter(ctx)
	if err != nil {
		return "", err
	}
	defer release(gate)
	if !c.at.tcp {
		if err := c.restart(ctx); err != nil {
			return "", err
		}
	}
	passwords, err := c.passwords()
	if err != nil {
		return "", err
	}
	password, ok := passwords[role]
	if !ok {
		return "", fmt.Errorf("role %q: expected owner or bi", role)
	}
	set := fmt.Sprintf("ALTER ROLE %s PASSWORD %s", pq.QuoteIdentifier(role), pq.QuoteLiteral(password))
	if err := c.at.exec(ctx, "SET log_statement = none", "SET log_min_error_statement = panic", set); err != nil {
		return "", fmt.Errorf("setting the password of %s: %w", role, err)
	}
	return (&url.URL{
		Scheme: "postgres", User: url.UserPassword(role, password), Path: "/" + Database,
		Host: net.JoinHostPort(loopback, strconv.Itoa(c.at.port)), RawQuery: "sslmode=disable",
	}).String(), nil
}

// restart restarts the server with TCP, unless another program has joined, or has restarted it already.
func (c *Cluster) restart(ctx context.Context) (err error) {
	data, err := os.Open(c.path("data"))
	if err != nil {
		return err
	}
	defer data.Close()
	if at, ok, err := find(data); err != nil {
		return err
	} else if ok && at.tcp {
		c.at = at
		return nil
	}
	alone, err := hold(c.users, syscall.LOCK_EX)
	defer func() { err = errors.Join(err, await(context.WithoutCancel(ctx), c.users, syscall.LOCK_SH)) }()
	if err != nil {
		return err
	}
	if !alone {
		return fmt.Errorf("listening on TCP takes a restart, but %w", ErrInUse)
	}
	port, err := c.port()
	if err != nil {
		return err
	}
	if !free(port) {
		return fmt.Errorf("port %d on %s is taken by another program: end that, or remove %s to have another chosen",
			port, loopback, c.path("port"))
	}
	if err := c.down(ctx); err != nil {
		return err
	}
	return c.up(ctx, true)
}

// port gives the cluster's port, choosing a free one the first time. It begins where the folder's name leads, so that
// clusters do not meet, below the ports that the system gives to outgoing connections.
func (c *Cluster) port() (int, error) {
	name := c.path("port")
	text, err := os.ReadFile(name)
	if err == nil {
		port, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 16)
		if err != nil || port == 0 {
			return 0, fmt.Errorf("%s: expected a port: remove it to have one chosen", name)
		}
		return int(port), nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return 0, err
	}
	const first, span, tries = 15432, 16000, 200
	h := fnv.New32a()
	h.Write([]byte(c.dir))
	for i := range tries {
		if port := first + (int(h.Sum32()%span)+i)%span; free(port) {
			return port, writeFile(name, []byte(strconv.Itoa(port)+"\n"))
		}
	}
	return 0, fmt.Errorf("found no free port on %s: write one into %s", loopback, name)
}

// free says whether a loopback port is free.
func free(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
	return err == nil && l.Close() == nil
}

// passwords gives the roles' passwords, making them the first time.
func (c *Cluster) passwords() (map[string]string, error) {
	name := c.path("passwords")
	passwords := map[string]string{}
	text, err := os.ReadFile(name)
	if err == nil {
		if err := json.Unmarshal(text, &passwords); err != nil {
			return nil, fmt.Errorf("%s: expected JSON: remove it to have new passwords made", name)
		}
		return passwords, nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, role := range []string{"owner", "bi"} {
		secret := make([]byte, 16)
		if _, err := io.ReadFull(c.random, secret); err != nil {
			return nil, fmt.Errorf("making a password: %w", err)
		}
		passwords[role] = hex.EncodeToString(secret)
	}
	if text, err = json.Marshal(passwords); err != nil {
		return nil, err
	}
	return passwords, writeFile(name, append(text, '\n'))
}

// writeFile writes a file that only its owner reads, whole or not at all.
func writeFile(name string, content []byte) error {
	if err := os.WriteFile(name+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}
