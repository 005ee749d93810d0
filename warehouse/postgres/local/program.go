package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// ErrNoPostgres says that the machine has no PostgreSQL server, and what to do about it.
var ErrNoPostgres = errors.New("no PostgreSQL server on this machine: install it (Debian: apt install postgresql), " +
	"or set `warehouse:` in crosslift.yaml to the URL of a Postgres")

// installation is a folder with PostgreSQL's programs, of one major version.
type installation struct {
	folder string
	major  int
}

var majorVersion = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// installations lists what the machine has, newest first.
func (m machine) installations(ctx context.Context) []installation {
	var found []installation
	for _, pattern := range m.programs {
		folders, _ := filepath.Glob(pattern) // the only error is a pattern (in the PATH) that is none
		for _, folder := range folders {
			if _, err := os.Stat(filepath.Join(folder, "initdb")); err != nil {
				continue
			}
			out, err := exec.CommandContext(ctx, filepath.Join(folder, "postgres"), "--version").Output()
			if err != nil {
				continue // a client's package, or not for us to run
			}
			if v := majorVersion.FindSubmatch(out); v != nil {
				major, _ := strconv.Atoi(string(v[1]))
				found = append(found, installation{folder, major})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b installation) int { return b.major - a.major })
	return found
}

// newest gives the installation for a new cluster.
func (m machine) newest(ctx context.Context) (installation, error) {
	found := m.installations(ctx)
	if len(found) == 0 {
		return installation{}, because(ctx, ErrNoPostgres)
	}
	return found[0], nil
}

// fitting gives an installation that can run the cluster in data: only one of the major version that created it can.
func (m machine) fitting(ctx context.Context, data string) (installation, error) {
	text, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if err != nil {
		return installation{}, err
	}
	version := strings.TrimSpace(string(text))
	found := m.installations(ctx)
	if len(found) == 0 {
		return installation{}, because(ctx, ErrNoPostgres)
	}
	for _, i := range found {
		if strconv.Itoa(i.major) == version {
			return i, nil
		}
	}
	return installation{}, fmt.Errorf("PostgreSQL %s created it and this machine has %d: install PostgreSQL %[1]s, "+
		"or move %[3]s away and run again, which fills a new one from the lake", version, found[0].major, data)
}

// because gives err, or the reason why ctx ended if it has, which is then the cause.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// dataArgument is the data folder to a process made by command.
const dataArgument = "/proc/self/fd/3"

// command prepares one of PostgreSQL's programs on an open data folder. It runs in a session of its own, so that Ctrl-C
// in the program's terminal does not reach it, and without the program's environment, which holds secrets.
func (i installation) command(data *os.File, as *syscall.Credential, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(i.folder, name), append([]string{"-D", dataArgument}, args...)...)
	cmd.Dir = "/" // initdb returns to where it was, which its user might not enter
	cmd.Env = []string{"PATH=" + i.folder + ":/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}
	cmd.ExtraFiles = []*os.File{data}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: as}
	return cmd
}

// run runs a command to its end. Its error is the last that it printed. When ctx ends, it and its children are killed.
func run(ctx context.Context, cmd *exec.Cmd, stdin string) error {
	var output bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &output, &output
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer stop()
	if err := cmd.Wait(); err != nil {
		return because(ctx, fmt.Errorf("%s: %w: %w", filepath.Base(cmd.Path), err, complaint(output.Bytes())))
	}
	return nil
}

var logPrefix = regexp.MustCompile(`^[-\d]+ [:.\d]+ \S+ \[\d+\] `)

// complaint gives the last lines of a program's output, which tell why it failed, as one line; or ENOSPC, since after a
// full disk PostgreSQL fails in other ways too.
func complaint(output []byte) error {
	if bytes.Contains(output, []byte("No space left on device")) {
		return syscall.ENOSPC
	}
	const most = 4
	var lines []string
	for line := range strings.Lines(string(output)) {
		line = strings.TrimSpace(logPrefix.ReplaceAllString(line, ""))
		if line != "" && !strings.Contains(line, "database system is shut down") {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
	}
	return errors.New(strings.Join(lines[max(0, len(lines)-most):], "; "))
}
