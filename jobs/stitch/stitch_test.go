package stitch

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"

	"crosslift/jobs/sheet"
	"crosslift/schemas/identifier"
)

// save writes a file into a folder of the test's.
func save(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// csvOf writes rows with a header.
func csvOf(header string, rows [][]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(strings.Split(header, ","))
	_ = w.WriteAll(rows)
	return b.Bytes()
}

// parquetOf writes rows into small row groups, so that there are several.
func parquetOf[R any](t testing.TB, rows []R) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[R](&b, parquet.MaxRowsPerRowGroup(100))
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// stitched stitches a file and gives the map and the report.
func stitched(t testing.TB, edges string, o Options) (map[string]string, *Report) {
	t.Helper()
	o.Edges, o.Out, o.Now = edges, filepath.Join(t.TempDir(), "map.csv"), time.Now
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return readMap(t, o.Out), r
}

func readMap(t testing.TB, name string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(rows[0], []string{"node", "component"}) {
		t.Fatalf("header %q", rows[0])
	}
	m := map[string]string{}
	for _, row := range rows[1:] {
		if _, twice := m[row[0]]; twice {
			t.Fatalf("node %q twice", row[0])
		}
		m[row[0]] = row[1]
	}
	return m
}

// components is the plainest union-find; a component is named by its smallest node.
func components(rows [][]string) map[string]string {
	parent := map[string]string{}
	var find func(string) string
	find = func(x string) string {
		p, known := parent[x]
		if !known {
			parent[x] = x
			return x
		}
		if p == x {
			return x
		}
		parent[x] = find(p)
		return parent[x]
	}
	for _, row := range rows {
		a, b := find(row[0]), find(row[1])
		parent[max(a, b)] = min(a, b)
	}
	m := map[string]string{}
	for x := range parent {
		m[x] = find(x)
	}
	return m
}

// randomEdges are chains, stars, loops and whatever, of odd names too.
func randomEdges(r *rand.Rand) (rows [][]string) {
	odd := []string{`Ünïcode "quoted", comma`, "plain", "trailing space ", " leading", "a\nb", `"`, "''", ";", "é", "e\u0301", "\u200b", "#", strings.Repeat("long", 50)}
	for g := range 60 {
		n := 1 + r.IntN(40)
		name := func(i int) string { return fmt.Sprintf("g%dn%d", g, i) }
		if g%5 == 0 {
			name = func(i int) string { return odd[i%len(odd)] + strconv.Itoa(g/20) }
		}
		for i := range n {
			switch g % 4 {
			case 0:
				rows = append(rows, []string{name(i), name(i + 1)})
			case 1:
				rows = append(rows, []string{name(0), name(i)})
			default:
				rows = append(rows, []string{name(r.IntN(n)), name(r.IntN(n))})
			}
		}
	}
	r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	return rows
}

func TestComponents(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for range 5 {
		rows := randomEdges(r)
		want := components(rows)
		file := csvOf("left,right", rows)
		var gz, zst bytes.Buffer
		z := gzip.NewWriter(&gz)
		_, _ = z.Write(file)
		_ = z.Close()
		s, _ := zstd.NewWriter(&zst)
		_, _ = s.Write(file)
		_ = s.Close()
		type pair struct {
			Right string `parquet:"right,dict"`
			Left  string `parquet:"left"`
		}
		type optional struct {
			Left  *string `parquet:"left,dict"`
			Right []byte  `parquet:"right,optional,string"`
		}
		var pairs []pair
		var optionals []optional
		for _, row := range rows {
			pairs = append(pairs, pair{row[1], row[0]})
			optionals = append(optionals, optional{&row[0], []byte(row[1])})
		}
		for name, content := range map[string][]byte{
			"edges.csv": file, "edges": file, "edges.csv.gz": gz.Bytes(), "edges.csv.zst": zst.Bytes(), "edges.parquet": parquetOf(t, pairs),
			"optional.parquet": parquetOf(t, optionals), "bom.csv": append([]byte("\xef\xbb\xbf"), file...),
		} {
			got, report := stitched(t, save(t, name, content), Options{Workers: 1 + r.IntN(3)})
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: %d nodes, wanted %d, or other components", name, len(got), len(want))
			}
			names := map[string]int64{}
			for _, c := range want {
				names[c]++
			}
			largest := int64(0)
			for _, n := range names {
				largest = max(largest, n)
			}
			if report.Nodes != int64(len(want)) || report.Edges != int64(len(rows)) || report.Components != int64(len(names)) || report.Largest != largest {
				t.Errorf("%s: report %+v", name, report)
			}
		}
	}
}

// Whatever the nodes are, the map in Parquet has them in the same type and groups them as the map in CSV does.
func TestForms(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 1))
	ids := make([]identifier.ID, 300)
	for i := range ids {
		binary.BigEndian.PutUint64(ids[i][:], r.Uint64())
		binary.BigEndian.PutUint64(ids[i][8:], r.Uint64N(3))
	}
	ids[0] = identifier.ID{}
	pairs := make([][2]int, 400)
	for i := range pairs {
		pairs[i] = [2]int{r.IntN(len(ids)), r.IntN(len(ids))}
	}
	hexOf := func(i int) string { return strings.ReplaceAll(ids[i].String(), "-", "") }
	upperOnce := func(i int) string { // which is another node than in lower case: so these are texts
		if i == 7 {
			return strings.ToUpper(ids[i].String())
		}
		return ids[i].String()
	}
	t.Run("uuid", func(t *testing.T) { sameForm(t, pairs, func(i int) uuidRow { return uuidRow{Node: ids[i]} }, uuidText) })
	t.Run("16 bytes", func(t *testing.T) {
		sameForm(t, pairs, func(i int) row[identifier.ID] { return row[identifier.ID]{Node: ids[i]} },
			func(r row[identifier.ID]) (string, string) { return r.Node.String(), r.Component.String() })
	})
	t.Run("binary of 16", func(t *testing.T) {
		sameForm(t, pairs, func(i int) row[[]byte] { return row[[]byte]{Node: ids[i][:]} },
			func(r row[[]byte]) (string, string) { return identifier.ID(r.Node).String(), identifier.ID(r.Component).String() })
	})
	t.Run("binary", func(t *testing.T) {
		sameForm(t, pairs, func(i int) row[[]byte] { return row[[]byte]{Node: append([]byte{0xff}, ids[i][:i%16]...)} },
			func(r row[[]byte]) (string, string) { return string(r.Node), string(r.Component) })
	})
	for name, text := range map[string]func(int) string{"uuid as text": func(i int) string { return ids[i].String() }, "hex": hexOf, "one in upper case": upperOnce} {
		t.Run(name, func(t *testing.T) {
			sameForm(t, pairs, func(i int) row[string] { return row[string]{Node: text(i)} },
				func(r row[string]) (string, string) { return r.Node, r.Component })
		})
	}
	t.Run("int64", func(t *testing.T) {
		sameForm(t, pairs, func(i int) row[int64] { return row[int64]{Node: int64(i-150) << (i % 40)} },
			func(r row[int64]) (string, string) {
				return strconv.FormatInt(r.Node, 10), strconv.FormatInt(r.Component, 10)
			})
	})
	t.Run("uint64", func(t *testing.T) {
		sameForm(t, pairs, func(i int) row[uint64] { return row[uint64]{Node: uint64(i-150) << (i % 40)} },
			func(r row[uint64]) (string, string) {
				return strconv.FormatUint(r.Node, 10), strconv.FormatUint(r.Component, 10)
			})
	})
}

func uuidText(r uuidRow) (string, string) { return r.Node.String(), r.Component.String() }

// sameForm stitches pairs of nodes, which make turns into rows whose Node is the node, and compares with what the map in
// the same type says. The schema of R with other names is that of the edges.
func sameForm[R any](t *testing.T, pairs [][2]int, node func(i int) R, texts func(R) (node, component string)) {
	t.Parallel()
	rows := make([]R, len(pairs))
	var want [][]string
	for i, p := range pairs {
		rows[i] = node(p[0])
		right := reflect.ValueOf(node(p[1])).Field(0)
		reflect.ValueOf(&rows[i]).Elem().Field(1).Set(right)
		a, b := texts(rows[i])
		want = append(want, []string{a, b})
	}
	file := parquetOf(t, rows)
	edges := save(t, "edges.parquet", rename(t, file))
	out := filepath.Join(t.TempDir(), "map.parquet")
	if _, err := Run(t.Context(), Options{Edges: edges, Out: out, Workers: 2, Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	mapped, err := parquet.ReadFile[R](out)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range mapped {
		n, c := texts(r)
		got[n] = c
	}
	csv, _ := stitched(t, edges, Options{Workers: 2})
	if !reflect.DeepEqual(got, csv) || len(mapped) != len(got) {
		t.Errorf("the maps in Parquet and in CSV differ: %d and %d nodes", len(got), len(csv))
	}
	groups := map[string]map[string]bool{}
	for n, c := range components(want) {
		if groups[c] == nil {
			groups[c] = map[string]bool{}
		}
		groups[c][got[n]] = true
	}
	seen := map[string]bool{}
	for _, g := range groups {
		for c := range g {
			if len(g) != 1 || seen[c] {
				t.Fatalf("not the components that there are")
			}
			seen[c] = true
		}
	}
}

// rename makes a file with the columns node and component one with left and right, of the same types.
func rename(t *testing.T, file []byte) []byte {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	group := parquet.Group{}
	for _, field := range f.Schema().Fields() {
		group[map[string]string{"node": "left", "component": "right"}[field.Name()]] = field
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[any](&b, parquet.NewSchema("edges", group), parquet.MaxRowsPerRowGroup(100))
	for _, g := range f.RowGroups() {
		rows := g.Rows()
		buffer := make([]parquet.Row, g.NumRows())
		n, _ := rows.ReadRows(buffer)
		for _, row := range buffer[:n] { // Group sorts its fields: left, right, which is node, component
			_, _ = w.WriteRows([]parquet.Row{row})
		}
		rows.Close()
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The order of the edges, and how they are split among goroutines, plays no part: the map has the same bytes.
func TestOrderOfEdges(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(6, 1))
	rows := randomEdges(r)
	var first []byte
	for range 4 {
		out := filepath.Join(t.TempDir(), "map.parquet")
		o := Options{Edges: save(t, "e.csv", csvOf("left,right", rows)), Out: out, Workers: 1 + r.IntN(3), Now: time.Now}
		if _, err := Run(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = data
		}
		if !bytes.Equal(first, data) {
			t.Fatal("another order gives another map")
		}
		r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	}
}

const typedHeader = "left,left_type,right,right_type,rule,source,first_ts,last_ts"

// Each is one clear line, and nothing is written.
func TestBadInput(t *testing.T) {
	t.Parallel()
	good := typedHeader + "\na,account,e,email,0,s,1,2\n"
	for name, c := range map[string]struct{ file, says string }{
		"nothing":          {"", "it is empty: expected a header"},
		"no column":        {"left,rigth\na,b\n", `it has no column "right": its columns are left, rigth`},
		"a ragged row":     {"left,right\na,b\na,b,c\n", "e.csv line 3: expected 2 fields"},
		"an open quote":    {"left,right\na,\"b\n", "line 2: a quoted field is never closed"},
		"an empty node":    {"left,right\na,b\n\n,b\n", "e.csv line 4: left: empty: expected an identifier"},
		"a quoted nothing": {"left,right\na,\"\"\n", "e.csv line 2: right: empty: expected an identifier"},
		"half typed":       {"left,right,left_type\na,b,account\n", `it has no column "right_type", which profiles need beside "left_type": add it, or pass --plain`},
		"a rule":           {good + "a,account,f,email,7,s,1,2\n", "e.csv line 3: rule: expected a class from 0, the strongest, to 6"},
		"no rule":          {good + "a,account,f,email,,s,1,2\n", "e.csv line 3: rule: expected"},
		"a type":           {good + "a,acount,f,email,0,s,1,2\n", `e.csv line 3: left_type: type "acount" is unknown: expected one of account, email,`},
		"no type":          {good + "a,account,f,,0,s,1,2\n", "e.csv line 3: right_type: empty: expected one of"},
		"a time":           {good + "a,account,f,email,0,s,soon,2\n", "e.csv line 3: first_ts: expected a time like"},
		"an end first":     {good + "a,account,f,email,0,s,2,1\n", "e.csv line 3: last_ts: it is before first_ts"},
		"two types":        {good + "b,account,f,email,0,s,1,2\nb,account,e,phone,0,s,1,2\n", "e.csv line 4: right: type phone, but the identifier is of another in line 2: email"},
		"the first of two": {good + "a,account,f,email,9,s,1,2\na,account,f,mail,0,s,1,2\n", "e.csv line 3: rule"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			edges := save(t, "e.csv", []byte(c.file))
			out := filepath.Join(filepath.Dir(edges), "map.csv")
			_, err := Run(t.Context(), Options{Edges: edges, Out: out, Workers: 2, Now: time.Now})
			var content *sheet.ContentError
			if !errors.As(err, &content) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v\ninstead of %s", err, c.says)
			}
			if left, _ := os.ReadDir(filepath.Dir(edges)); len(left) != 1 {
				t.Errorf("it left %v", left)
			}
		})
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	edges := save(t, "e.csv", []byte("left,right\na,b\n"))
	for _, out := range []string{"map.txt", edges, filepath.Dir(edges) + "/.parquet/"} {
		_, err := Run(t.Context(), Options{Edges: edges, Out: out, Now: time.Now})
		var usage *UsageError
		if !errors.As(err, &usage) {
			t.Errorf("%s: %v", out, err)
		}
	}
}

// A map that is there already is replaced, and stays as it was when something fails.
func TestReplaced(t *testing.T) {
	t.Parallel()
	edges := save(t, "e.csv", []byte("left,right\na,b\n"))
	out := save(t, "map.csv", []byte("old"))
	broken := save(t, "e.csv", []byte("left,right\na,b\nc\n"))
	if _, err := Run(t.Context(), Options{Edges: broken, Out: out, Now: time.Now}); err == nil {
		t.Fatal("a ragged row was taken")
	}
	if data, _ := os.ReadFile(out); string(data) != "old" {
		t.Errorf("the map is %q", data)
	}
	if _, err := Run(t.Context(), Options{Edges: edges, Out: out, Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(out); string(data) != "node,component\na,a\nb,a\n" {
		t.Errorf("the map is %q", data)
	}
}
