package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// used is what a process has taken.
type used struct {
	wall, cpu time.Duration // cpu: user and system time, of the children it has waited for too
	peak      int64         // bytes resident, of the largest of them
	output    string        // the last line that it wrote
}

// measured runs a process to its end.
func measured(ctx context.Context, env []string, name string, args ...string) (used, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Env = append(os.Environ(), env...)
	begun := time.Now()
	output, err := c.CombinedOutput()
	if err != nil {
		return used{}, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, output)
	}
	u := used{wall: time.Since(begun), cpu: c.ProcessState.UserTime() + c.ProcessState.SystemTime()}
	u.peak = peakOf(c.ProcessState)
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	u.output = lines[len(lines)-1]
	return u, nil
}

// crosslift is the program as it is, built into a folder unless CROSSLIFT names one.
func crosslift(ctx context.Context, dir string) (string, error) {
	if program := os.Getenv("CROSSLIFT"); program != "" {
		return program, nil
	}
	program := filepath.Join(dir, "crosslift")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return program, nil
}

// peakOf is the most memory that a process had resident, in bytes.
func peakOf(p *os.ProcessState) int64 {
	if usage, ok := p.SysUsage().(*syscall.Rusage); ok {
		return usage.Maxrss * 1024 // Linux counts in KiB
	}
	return 0
}

// server is a part of this program that serves in a process of its own.
type server struct {
	process *exec.Cmd
	in      io.Closer
	said    string // its first line
}

// serving starts a part, and waits until it says its first line.
func serving(ctx context.Context, args ...string) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, self, args...)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe() // it ends when this is closed, however we end
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	s := &server{process: c, in: in}
	if s.said, err = bufio.NewReader(out).ReadString('\n'); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: it ended before it served", args[0]), s.stop())
	}
	s.said = strings.TrimSpace(s.said)
	return s, nil
}

func (s *server) stop() error { return errors.Join(s.in.Close(), s.process.Wait()) }

// untilClosed tells the parent that all is ready, and waits until it closes its end.
func untilClosed(ready string) error {
	fmt.Println(ready)
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

func mb(bytes int64) string { return fmt.Sprintf("%d MB", (bytes+500_000)/1_000_000) }
