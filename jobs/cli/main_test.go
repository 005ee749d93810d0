package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"crosslift/jobs/cli"
)

// asCommand makes the test binary behave as the crosslift command: then it has the race detector when the tests have it.
const asCommand = "CROSSLIFT_TEST_AS_COMMAND"

// binary is the command as it is shipped, built once: the tests look at it from outside, as processes that can be
// killed.
var binary string

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(cli.Main(os.Args[1:]))
	}
	os.Exit(built(m))
}

func built(m *testing.M) int {
	dir, err := os.MkdirTemp("", "crosslift-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "crosslift")
	build := exec.Command("go", "build", "-o", binary, "crosslift")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("building the command: %v\n%s", err, out))
	}
	return m.Run()
}

// answer is what a command gave.
type answer struct {
	stdout, stderr string
	code           int
}

// command prepares a crosslift process in a folder.
func command(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command(binary, args...)
	c.Dir = dir
	return c
}

// crosslift runs a command to its end.
func crosslift(t *testing.T, dir string, args ...string) answer {
	t.Helper()
	c := command(t, dir, args...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	a := answer{stdout.String(), stderr.String(), 0}
	if exit, ok := err.(*exec.ExitError); ok {
		a.code = exit.ExitCode()
	} else if err != nil {
		t.Fatalf("crosslift %s: %v", strings.Join(args, " "), err)
	}
	return a
}

// must runs a command that is expected to succeed.
func must(t *testing.T, dir string, args ...string) answer {
	t.Helper()
	a := crosslift(t, dir, args...)
	if a.code != 0 {
		t.Fatalf("crosslift %s: exit code %d\n%s%s", strings.Join(args, " "), a.code, a.stdout, a.stderr)
	}
	return a
}

// fails runs a command that is expected to end with a code and one line that says so.
func fails(t *testing.T, code int, says string, dir string, args ...string) answer {
	t.Helper()
	a := crosslift(t, dir, args...)
	if a.code != code || !strings.Contains(a.stderr, says) {
		t.Fatalf("crosslift %s: exit code %d, expected %d and %q\n%s%s", strings.Join(args, " "), a.code, code, says, a.stdout, a.stderr)
	}
	return a
}

// decode reads what a command printed as JSON.
func decode[T any](t *testing.T, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.stdout), &v); err != nil {
		t.Fatalf("%v in\n%s", err, a.stdout)
	}
	return v
}

// write makes the files of a folder.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o644)
		if strings.HasPrefix(name, "secrets/") {
			mode = 0o600
		}
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
}

// stopped makes sure that a project's private Postgres does not outlive the test.
func stopped(t *testing.T, dir string) {
	t.Cleanup(func() { crosslift(t, dir, "warehouse", "stop") })
}

// data is the folder of the real data sets, or the test is skipped.
func data(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("CROSSLIFT_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "expected.json")); err != nil {
		t.Skip("the data sets are not here: set CROSSLIFT_DATA to their folder")
	}
	return dir
}

const testKey = "test:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"

// project writes a project around a configuration of streams.
func project(t *testing.T, root, streams string, more map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, more)
	write(t, dir, map[string]string{
		"secrets/identifier.key": testKey,
		"crosslift.yaml": fmt.Sprintf(`
time_zone: UTC
lake: file:lake
warehouse: local
memory: 64MB
identifiers: {key: "file:secrets/identifier.key"}
sources:
  files:
    root: %s
    streams:
%s`, root, indent(streams, "      ")),
	})
	stopped(t, dir)
	return dir
}

func indent(text, by string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	for i := range lines {
		lines[i] = by + lines[i]
	}
	return strings.Join(lines, "\n") + "\n"
}

// result is a line of `results --output json`, as far as the tests look at it.
type result struct {
	Metric, Variant string
	N, Matured      int64
	Mean, Stddev    *float64
	DiffAbs         *float64 `json:"diff_abs"`
	DiffAbsLow      *float64 `json:"diff_abs_low"`
	DiffAbsHigh     *float64 `json:"diff_abs_high"`
	DiffRel         *float64 `json:"diff_rel"`
	DiffRelLow      *float64 `json:"diff_rel_low"`
	DiffRelHigh     *float64 `json:"diff_rel_high"`
	PValue          *float64 `json:"p_value"`
	SRMP            *float64 `json:"srm_p"`
	Revision        int
	AsOf            string `json:"as_of"`
}

func find(t *testing.T, rows []result, metric, variant string) result {
	t.Helper()
	for _, r := range rows {
		if r.Metric == metric && r.Variant == variant {
			return r
		}
	}
	t.Fatalf("no result for %s, %s in %d rows", metric, variant, len(rows))
	return result{}
}
