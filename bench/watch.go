package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// watched is what a process took, with how much memory it had when.
type watched struct {
	used
	resident []int64 // bytes, every tick
}

const tick = 20 * time.Millisecond

func (u watched) last() string {
	lines := strings.Split(strings.TrimSpace(u.output), "\n")
	return lines[len(lines)-1]
}

// note is what follows the two numbers of step.
func (u watched) note() string {
	_, rest, _ := strings.Cut(u.last(), " ")
	_, rest, _ = strings.Cut(rest, " ")
	return rest
}

// parts lays out the JSON of seconds that a peer ends with.
func (u watched) parts() string {
	return strings.NewReplacer(`"`, "", "{", "", "}", "", ":", "", ", ", " s, ").Replace(u.last()) + " s"
}

// peakBetween is the most memory between two times in seconds.
func (u watched) peakBetween(from, to float64) (most int64) {
	for i, n := range u.resident {
		if at := float64(i) * tick.Seconds(); at >= from && at <= to {
			most = max(most, n)
		}
	}
	return most
}

// watch runs a process to its end and samples its memory.
func watch(ctx context.Context, name string, args ...string) (u watched, err error) {
	c := exec.CommandContext(ctx, name, args...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	begun := time.Now()
	if err := c.Start(); err != nil {
		return u, err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	statm := fmt.Sprintf("/proc/%d/statm", c.Process.Pid)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case err = <-ended:
			u.wall, u.output = time.Since(begun), stdout.String()
			u.cpu = c.ProcessState.UserTime() + c.ProcessState.SystemTime()
			u.peak = peakOf(c.ProcessState)
			if err != nil {
				err = fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, stderr.String())
			}
			return u, err
		case <-ticker.C:
			u.resident = append(u.resident, residentIn(statm))
		}
	}
}

// residentIn reads the resident memory from a statm file of Linux; 0 where there is none.
func residentIn(statm string) int64 {
	content, err := os.ReadFile(statm)
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(content))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
