package local

import (
	"bufio"
	"context"
	"database/sql"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const helperDir = "CROSSLIFT_TEST_JOIN" // makes the test binary a program that joins the cluster in this folder

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperDir); dir != "" {
		os.Exit(helper(dir))
	}
	code := m.Run()
	if template != "" {
		os.RemoveAll(template)
	}
	os.Exit(code)
}

var (
	once     sync.Once
	template string // a folder with a cluster that was never started, to copy: initdb takes long
)

// created gives a cluster's folder in which the cluster has been created already.
func created(t *testing.T, m machine) string {
	t.Helper()
	once.Do(func() {
		dir, err := os.MkdirTemp("", "crosslift-template-")
		check(t, err)
		c := &Cluster{machine: m, dir: dir}
		check(t, c.create(t.Context()))
		template = dir
	})
	dir := folder(t)
	check(t, os.MkdirAll(dir, 0o700))
	if out, err := exec.Command("cp", "-a", filepath.Join(template, "data"), dir).CombinedOutput(); err != nil {
		t.Fatalf("copying the template: %v: %s", err, out)
	}
	return dir
}

// helper joins, prints the URL, and leaves when its input ends.
func helper(dir string) int {
	c, err := Join(context.Background(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		os.Stdout.WriteString("error: " + err.Error() + "\n")
		return 1
	}
	os.Stdout.WriteString(c.URL("owner") + "\n")
	io.Copy(io.Discard, os.Stdin)
	if err := c.Leave(context.Background()); err != nil {
		os.Stdout.WriteString("error: " + err.Error() + "\n")
		return 1
	}
	return 0
}

// program is another process that has joined.
type program struct {
	cmd   *exec.Cmd
	stdin io.Closer
	out   *bufio.Reader
}

func spawn(t *testing.T, dir string) *program {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperDir+"="+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	check(t, err)
	stdout, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return &program{cmd, stdin, bufio.NewReader(stdout)}
}

func (p *program) url(t *testing.T) string {
	t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "postgres://") {
		t.Fatalf("the other program said %q, %v", line, err)
	}
	return strings.TrimSpace(line)
}

func (p *program) leave(t *testing.T) {
	t.Helper()
	check(t, p.stdin.Close())
	if rest, _ := io.ReadAll(p.out); p.cmd.Wait() != nil {
		t.Fatalf("the other program left with: %s", rest)
	}
}

func (p *program) kill(t *testing.T) {
	t.Helper()
	check(t, p.cmd.Process.Kill())
	p.cmd.Wait()
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func quiet(t *testing.T) machine {
	t.Helper()
	m := thisMachine(slog.New(slog.DiscardHandler))
	if len(m.installations(t.Context())) == 0 {
		t.Skip("no PostgreSQL on this machine")
	}
	return m
}

// folder is a cluster's folder whose server is stopped after the test, whatever happened.
func folder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state", "postgres")
	t.Cleanup(func() {
		if err := Stop(context.Background(), dir); err != nil {
			t.Error("cleaning up:", err)
		}
	})
	return dir
}

func join(t *testing.T, m machine, dir string) *Cluster {
	t.Helper()
	c, err := m.join(t.Context(), dir)
	check(t, err)
	t.Cleanup(func() { c.Leave(context.Background()) })
	return c
}

func query(url, statement string) (string, error) {
	db, err := sql.Open("postgres", url)
	if err != nil {
		return "", err
	}
	defer db.Close()
	var answer string
	err = db.QueryRow(statement).Scan(&answer)
	return answer, err
}

func ask(t *testing.T, url, statement string) string {
	t.Helper()
	answer, err := query(url, statement)
	check(t, err)
	return answer
}

const started = "SELECT pg_postmaster_start_time()::text"

func wantRunning(t *testing.T, dir string, want bool) {
	t.Helper()
	if got, err := Running(dir); err != nil || got != want {
		t.Fatalf("Running = %v, %v; want %v", got, err, want)
	}
}
