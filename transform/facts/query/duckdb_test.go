package query_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// engine is DuckDB in a process of its own, which runs one query after the other.
type engine struct {
	mutex sync.Mutex
	in    *json.Encoder
	out   *bufio.Reader
	dir   string
}

// duckdb starts an engine, or the test is skipped.
func duckdb(t *testing.T) *engine {
	t.Helper()
	python := os.Getenv("CROSSLIFT_PYTHON")
	if python == "" {
		python = "python3"
	}
	if exec.Command(python, "-c", "import duckdb").Run() != nil {
		t.Skip("DuckDB is not here: pip install duckdb, or set CROSSLIFT_PYTHON to a Python that has it")
	}
	command := exec.CommandContext(t.Context(), python, "testdata/run.py")
	in, err := command.StdinPipe()
	out, failed := command.StdoutPipe()
	command.Stderr = os.Stderr
	if err := errors.Join(err, failed, command.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		command.Wait()
	})
	return &engine{in: json.NewEncoder(in), out: bufio.NewReader(out), dir: t.TempDir()}
}

// run gives the rows of a query that makes facts, or what DuckDB says against it.
func (e *engine) run(t *testing.T, sql string) (rows []*table.UnitMetricRow, refused string) {
	t.Helper()
	e.mutex.Lock()
	defer e.mutex.Unlock()
	into := filepath.Join(e.dir, "result.parquet")
	if err := e.in.Encode(map[string]string{"sql": sql, "into": into}); err != nil {
		t.Fatal(err)
	}
	line, err := e.out.ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	var answer struct{ Error string }
	if err := json.Unmarshal(line, &answer); err != nil {
		t.Fatalf("DuckDB's process ended: %v %q", err, line)
	}
	if answer.Error != "" {
		return nil, answer.Error
	}
	file, err := os.Open(into)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	f, err := columns.Open(file, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	for row, err := range f.Each(t.Context(), table.UnitMetric) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row.(*table.UnitMetricRow))
	}
	return rows, ""
}
