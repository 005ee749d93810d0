package analyze

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"crosslift/connectors/files"
	"crosslift/transform/stats"
)

var update = flag.Bool("update", false, "write the golden files")

// run analyses a file's text.
func run(t testing.TB, name, text string, o Options) (*Report, error) {
	t.Helper()
	r, err := files.NewReader(t.Context(), strings.NewReader(text), int64(len(text)), name, files.Format{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return Run(t.Context(), name, r, o)
}

// options are those of most tests, with metrics as on the command line.
func options(t testing.TB, metrics ...string) Options {
	t.Helper()
	o := Options{Unit: "unit", Variant: "variant", Control: "a"}
	for _, s := range metrics {
		m, err := ParseMetric(s)
		if err != nil {
			t.Fatal(err)
		}
		o.Metrics = append(o.Metrics, m)
	}
	return o
}

func marshal(t testing.TB, r *Report) string {
	t.Helper()
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data) + "\n"
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s", path, got)
	}
}

// Units 1 and 2 have two rows each; unit 6 was seen in both variants.
const small = `unit,variant,at,paid,amount
1,a,2026-11-01,0,1.5
2,a,2026-11-01,FALSE,2
1,a,2026-11-02,1,0.25
3,a,2026-11-01,false,0
4,b,2026-11-01,True,4
5,b,2026-11-01,0,1
2,a,2026-11-03,0,0.5
7,b,2026-11-03,1,3
6,b,2026-11-03,1,2
6,a,2026-11-02,0,1
8,c,2026-11-02,0,-1
9,c,2026-11-02,1,0
`

func TestReport(t *testing.T) {
	t.Parallel()
	o := options(t, "paid=proportion:paid", "amount=mean:amount")
	o.Time = "at"
	r, err := run(t, "small.csv", small, o)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "small.json", marshal(t, r))
	header, rows := r.Table()
	var table strings.Builder
	for _, row := range append([][]string{header}, rows...) {
		fmt.Fprintln(&table, strings.Join(row, " | "))
	}
	fmt.Fprintln(&table, strings.Join(r.Notes, "\n"))
	golden(t, "small.txt", table.String())
}

func TestCrossovers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		time, crossover string
		counts          map[string]int64
		amountOfA       float64 // of the units in a
		note            string
	}{
		"first by time":         {"at", "", map[string]int64{"a": 4, "b": 3, "c": 2}, (1.75 + 2.5 + 0 + 3) / 4, ""},
		"first in file order":   {"", First, map[string]int64{"a": 3, "b": 4, "c": 2}, (1.75 + 2.5 + 0) / 3, "units seen in several variants: 1"},
		"excluded":              {"at", Exclude, map[string]int64{"a": 3, "b": 3, "c": 2}, (1.75 + 2.5 + 0) / 3, ""},
		"excluded without time": {"", Exclude, map[string]int64{"a": 3, "b": 3, "c": 2}, (1.75 + 2.5 + 0) / 3, ""},
	} {
		o := options(t, "amount=mean:amount")
		o.Time, o.Crossover = c.time, c.crossover
		r, err := run(t, "small.csv", small, o)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(r.SRM.Counts, c.counts) || r.Exclusions.Crossover != 1 || *r.Results[0].Mean != c.amountOfA {
			t.Errorf("%s: %v, %d crossed, mean %v", name, r.SRM.Counts, r.Exclusions.Crossover, *r.Results[0].Mean)
		}
		if notes := strings.Join(r.Notes, "\n"); !strings.Contains(notes, c.note) || c.note == "" && strings.Contains(notes, "units seen") {
			t.Errorf("%s: notes %q", name, notes)
		}
	}
	tie := "unit,variant,at,x\n1,a,5,1\n1,b,5.0,1\n2,b,1,1\n2,a,0.5,2\n3,a,7,1\n3,b,8,1\n3,b,6,1\n"
	o := options(t, "x=mean:x")
	o.Time = "at"
	r, err := run(t, "tie.csv", tie, o)
	if r == nil {
		t.Fatal(err)
	}
	if want := map[string]int64{"a": 2, "b": 1}; !reflect.DeepEqual(r.SRM.Counts, want) || r.Exclusions.Crossover != 3 {
		t.Errorf("ties go to the first row: %v, %d crossed", r.SRM.Counts, r.Exclusions.Crossover)
	}
}

// A report is a function of the set of rows.
func TestShuffledRowsGiveTheSameBits(t *testing.T) {
	t.Parallel()
	const seed = 5
	r := rand.New(rand.NewPCG(seed, 0))
	var rows []string
	for i := range 4000 {
		unit := r.IntN(1500)
		x := math.Exp(8*r.NormFloat64()) + float64(r.IntN(1000))/100
		variant := []string{"a", "b", "c"}[unit%3]
		if r.IntN(50) == 0 {
			variant = "b"
		}
		rows = append(rows, fmt.Sprintf("u%d,%s,%d,%d,%v", unit, variant, 1_700_000_000+i, r.IntN(2), x))
	}
	for _, crossover := range []string{First, Exclude} {
		o := options(t, "did=proportion:did", "x=mean:x")
		o.Time, o.Crossover = "at", crossover
		want := ""
		for round := range 6 {
			report, err := run(t, "rows.csv", "unit,variant,at,did,x\n"+strings.Join(rows, "\n")+"\n", o)
			if err != nil {
				t.Fatal(err)
			}
			got := marshal(t, report)
			if want == "" {
				want = got
			}
			if got != want {
				t.Fatalf("seed %d, %s, round %d: another report:\n%s\ninstead of:\n%s", seed, crossover, round, got, want)
			}
			r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		}
	}
}

// The mean of a unit-level file against exact arithmetic over the rows.
func TestMeansAreThoseOfExactUnitSums(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(6, 0))
	var text strings.Builder
	text.WriteString("unit,variant,x\n")
	sums := map[string]map[int]*big.Rat{"a": {}, "b": {}}
	for range 3000 {
		unit := r.IntN(400)
		variant := []string{"a", "b"}[unit%2]
		x := math.Ldexp(r.Float64(), r.IntN(80))
		fmt.Fprintf(&text, "%d,%s,%v\n", unit, variant, x)
		if sums[variant][unit] == nil {
			sums[variant][unit] = new(big.Rat)
		}
		sums[variant][unit].Add(sums[variant][unit], new(big.Rat).SetFloat64(x))
	}
	report, err := run(t, "x.csv", text.String(), options(t, "x=mean:x"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range report.Results {
		total := new(big.Rat)
		for _, sum := range sums[row.Variant] {
			rounded, _ := sum.Float64()
			total.Add(total, new(big.Rat).SetFloat64(rounded))
		}
		want, _ := total.Quo(total, new(big.Rat).SetInt64(int64(len(sums[row.Variant])))).Float64()
		if *row.Mean != want || row.N != int64(len(sums[row.Variant])) {
			t.Errorf("%s: %d units with mean %v instead of %d with %v", row.Variant, row.N, *row.Mean, len(sums[row.Variant]), want)
		}
	}
}

func TestOtherFormats(t *testing.T) {
	t.Parallel()
	o := options(t, "x=mean:x")
	want, err := run(t, "x.csv", "unit,variant,x\n1,a,1.5\n2,a,2\n3,b,4\n4,b,3e0\n", o)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"x.tsv":   "x\tvariant\tunit\n1.5\ta\t1\n2\ta\t2\n4\tb\t3\n3\tb\t4\n",
		"x.jsonl": `{"unit":1,"variant":"a","x":1.5}` + "\n" + `{"unit":2,"variant":"a","x":2}` + "\n" + `{"x":4,"unit":3,"variant":"b"}` + "\n" + `{"unit":4,"variant":"b","x":3}` + "\n",
		"bom.csv": "\ufeffunit,variant,x\r\n1,a,1.5\r\n2,a,2\r\n3,b,4\r\n4,b,3\r\n",
	} {
		got, err := run(t, name, text, o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if marshal(t, got) != marshal(t, want) {
			t.Errorf("%s: another report than from x.csv:\n%s", name, marshal(t, got))
		}
	}
}

func TestParquet(t *testing.T) {
	t.Parallel()
	type row struct {
		Unit    int64     `parquet:"unit"`
		Variant string    `parquet:"variant"`
		At      time.Time `parquet:"at,timestamp(microsecond)"`
		Paid    bool      `parquet:"paid"`
		Amount  *float64  `parquet:"amount,optional"`
	}
	var rows []row
	for i, line := range strings.Split(strings.TrimSpace(small), "\n")[1:] {
		f := strings.Split(line, ",")
		unit, err1 := strconv.ParseInt(f[0], 10, 64)
		at, err2 := time.Parse(time.DateOnly, f[2])
		paid, err3 := strconv.ParseBool(strings.ToLower(f[3]))
		amount, err4 := strconv.ParseFloat(f[4], 64)
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			t.Fatalf("row %d: %v", i, err)
		}
		rows = append(rows, row{unit, f[1], at, paid, &amount})
	}
	write := func() string {
		var file bytes.Buffer
		if err := parquet.Write(&file, rows); err != nil {
			t.Fatal(err)
		}
		return file.String()
	}
	o := options(t, "paid=proportion:paid", "amount=mean:amount")
	o.Time = "at"
	r, err := run(t, "small.parquet", write(), o)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "small.json", marshal(t, r))
	rows[4].Amount = nil
	if _, err := run(t, "small.parquet", write(), o); err == nil || !strings.Contains(err.Error(), "small.parquet row 5: amount: empty") {
		t.Errorf("a null: %v", err)
	}
}

func TestBadInputNamesThePlace(t *testing.T) {
	t.Parallel()
	o := options(t, "did=proportion:did", "x=mean:x")
	o.Time = "at"
	head := "unit,variant,at,did,x\n1,a,2026-11-01,0,1\n"
	for name, c := range map[string]struct{ text, says string }{
		"ragged row":      {head + "2,b,2026-11-01,0\n", "bad.csv line 3: expected 5 fields"},
		"empty unit":      {head + ",b,2026-11-01,0,1\n", "bad.csv line 3: unit: empty: expected the unit"},
		"empty variant":   {head + "2,,2026-11-01,0,1\n", "bad.csv line 3: variant: empty: expected the variant"},
		"no bool":         {head + "2,b,2026-11-01,secret,1\n", "bad.csv line 3: did: expected 0, 1, true or false"},
		"empty bool":      {head + "2,b,2026-11-01,,1\n", "bad.csv line 3: did: empty"},
		"no number":       {head + "2,b,2026-11-01,0,secret\n", "bad.csv line 3: x: expected a number with a decimal point"},
		"decimal comma":   {head + "2,b,2026-11-01,0,\"1,5\"\n", "bad.csv line 3: x: expected a number with a decimal point"},
		"not finite":      {head + "2,b,2026-11-01,0,NaN\n", "bad.csv line 3: x: expected a number"},
		"infinite":        {head + "2,b,2026-11-01,0,-Inf\n", "bad.csv line 3: x: expected a number"},
		"too large":       {head + "2,b,2026-11-01,0,1e999\n", "bad.csv line 3: x: expected a number"},
		"no time":         {head + "2,b,secret,0,1\n", "bad.csv line 3: at: expected a time like"},
		"empty time":      {head + "2,b,,0,1\n", "bad.csv line 3: at: expected a time like"},
		"missing column":  {"unit,versoin,at,did,x\n1,a,2026-11-01,0,1\n", "bad.csv: it has no column \"variant\""},
		"names columns":   {"unit,versoin,at,did,x\n1,a,2026-11-01,0,1\n", "unit, versoin, at, did, x"},
		"no rows":         {"unit,variant,at,did,x\n", "bad.csv: no rows to analyse"},
		"control unknown": {"unit,variant,at,did,x\n1,z,2026-11-01,0,1\n2,b,2026-11-01,0,1\n", `bad.csv: control "a" is not among the variants of column variant: b, z`},
		"sums overflow":   {head + "1,a,2026-11-01,0,1.7e308\n1,a,2026-11-01,0,1.7e308\n", "bad.csv: x: the rows of a unit add up to more"},
	} {
		r, err := run(t, "bad.csv", c.text, o)
		if err == nil || r != nil {
			t.Errorf("%s: %v, %v", name, r, err)
			continue
		}
		if !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %q does not say %q in one line", name, err, c.says)
		}
	}
	many := new(strings.Builder)
	many.WriteString("unit,variant,at,did,x\n")
	for i := range mostVariants + 1 {
		fmt.Fprintf(many, "%d,v%d,2026-11-01,0,1\n", i, i)
	}
	if _, err := run(t, "bad.csv", many.String(), o); err == nil || !strings.Contains(err.Error(), "is it the right column?") {
		t.Errorf("a column of ids as variants: %v", err)
	}
}

// What can be answered is answered; the rest is null, and the error says why.
func TestAnswersInPart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text, crossover, says string
		answered              int // rows with a p-value
	}{
		"control without units": {"unit,variant,did,x\n1,a,0,1\n1,b,0,1\n2,b,0,2\n3,c,0,2\n", Exclude,
			"part.csv: metric did, variant b: control arm: no units (and 3 more without an answer)", 0},
		"a metric without variance": {"unit,variant,did,x\n1,a,0,1\n2,a,0,1\n3,b,0,2\n4,b,1,2\n", First,
			"part.csv: metric x, variant b: no arm has units of different values", 1},
		"one variant": {"unit,variant,did,x\n1,a,0,1\n2,a,1,2\n", First,
			"part.csv: column variant holds one variant only, a: nothing to compare", 0},
		"a single unit": {"unit,variant,did,x\n1,a,0,1\n2,b,1,2\n3,b,0,2\n", First,
			"part.csv: metric x, variant b: control arm: a single unit has no variance", 1},
	} {
		o := options(t, "did=proportion:did", "x=mean:x")
		o.Crossover = c.crossover
		r, err := run(t, "part.csv", c.text, o)
		if err == nil || r == nil {
			t.Errorf("%s: %v, %v", name, r, err)
			continue
		}
		if !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q does not say %q", name, err, c.says)
		}
		answered := 0
		for _, row := range r.Results {
			if row.PValue != nil {
				answered++
			}
		}
		if answered != c.answered {
			t.Errorf("%s: %d rows with a p-value instead of %d", name, answered, c.answered)
		}
		marshal(t, r)
	}
}

// A relative difference that does not exist is a remark: the test that decides is there.
func TestNoRelativeDifferenceIsNoFailure(t *testing.T) {
	t.Parallel()
	r, err := run(t, "loss.csv", "unit,variant,x\n1,a,-1\n2,a,-2\n3,b,-3\n4,b,1\n", options(t, "x=mean:x"))
	if err != nil {
		t.Fatal(err)
	}
	if row := r.Results[1]; row.DiffRel != nil || row.PValue == nil || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "no mean above 0") {
		t.Errorf("%+v, notes %q", row, r.Notes)
	}
}

func TestNotesABadSplit(t *testing.T) {
	t.Parallel()
	text := strings.Builder{}
	text.WriteString("unit,variant,x\n")
	for i := range 300 {
		fmt.Fprintf(&text, "%d,%c,%d\n", i, "aab"[i%3], i)
	}
	r, err := run(t, "split.csv", text.String(), options(t, "x=mean:x"))
	if err != nil {
		t.Fatal(err)
	}
	if want := math.Erfc(math.Sqrt(100. * 100 / 300 / 2)); math.Abs(*r.SRM.PValue/want-1) > 1e-12 || len(r.Notes) != 1 {
		t.Errorf("p %v instead of %v, notes %q", *r.SRM.PValue, want, r.Notes)
	}
}

func TestParseMetric(t *testing.T) {
	t.Parallel()
	if m, err := ParseMetric("rounds=mean:sum:of=rounds"); err != nil || m != (Metric{"rounds", stats.Mean, "sum:of=rounds"}) {
		t.Errorf("%v, %v", m, err)
	}
	for _, s := range []string{"", "rounds", "rounds=mean", "=mean:x", "rounds=mean:", "rounds=median:x", "mean:x"} {
		if m, err := ParseMetric(s); err == nil {
			t.Errorf("%q was read as %v", s, m)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for says, change := range map[string]func(*Options){
		"--unit":      func(o *Options) { o.Unit = "" },
		"--variant":   func(o *Options) { o.Variant = "" },
		"--control":   func(o *Options) { o.Control = "" },
		"--metric":    func(o *Options) { o.Metrics = nil },
		"two metrics": func(o *Options) { o.Metrics = slices.Repeat(o.Metrics, 2) },
		"type":        func(o *Options) { o.Metrics[0].Type = "median" },
		"--crossover": func(o *Options) { o.Crossover = "last" },
		"--alpha":     func(o *Options) { o.Alpha = 1 },
	} {
		o := options(t, "x=mean:x")
		change(&o)
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	o := options(t, "x=mean:x")
	if err := o.Validate(); err != nil || o.Crossover != First || o.Alpha != 0.05 {
		t.Errorf("defaults: %+v, %v", o, err)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	text := "unit,variant,x\n" + strings.Repeat("1,a,1\n", 9000)
	r, err := files.NewReader(t.Context(), strings.NewReader(text), int64(len(text)), "x.csv", files.Format{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if report, err := Run(ctx, "x.csv", r, options(t, "x=mean:x")); report != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", report, err)
	}
}

func TestUnitsAreNumberedAsSeen(t *testing.T) {
	t.Parallel()
	u := newUnits()
	want := map[string]int{}
	r := rand.New(rand.NewPCG(8, 0))
	for range 50_000 {
		key := fmt.Sprint(r.IntN(20_000))
		i, isNew := u.index([]byte(key))
		n, known := want[key]
		if !known {
			n = len(want)
			want[key] = n
		}
		if i != n || isNew == known || !bytes.Equal(u.key(i), []byte(key)) {
			t.Fatalf("%s is %d instead of %d", key, i, n)
		}
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	const second = 1_483_364_525
	for text, want := range map[string]int64{
		"2017-01-02 13:42:05":              second * 1e9,
		"2017-01-02 13:42:05.378582":       second*1e9 + 378582000,
		"2017-01-02T13:42:05Z":             second * 1e9,
		"2017-01-02T13:42:05.378582":       second*1e9 + 378582000,
		"2017-01-02T16:42:05.123456+03:00": second*1e9 + 123456000,
		"2017-01-02 16:42:05+03:00":        second * 1e9,
		"2017-01-02":                       (second - 13*3600 - 42*60 - 5) * 1e9,
		"1483364525":                       second * 1e9,
		"1483364525.378582":                second*1e9 + 378582000,
		"-1.5":                             -1.5e9,
		"-0.5":                             -0.5e9,
		"0":                                0,
	} {
		if got, err := ParseTime([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %d, %v instead of %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-", ".", "x", "1.x", "1.-5", "2017-13-01", "02.01.2017", "1483364525378582", "1600-01-01", "3000-01-01", "1e9", "12:30"} {
		if got, err := ParseTime([]byte(text)); err == nil {
			t.Errorf("%q was read as %d", text, got)
		}
	}
	for text, want := range map[string]bool{"0": false, "1": true, "TRUE": true, "true": true, "False": false, "fALSE": false} {
		if got, err := parseBool([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "2", "yes", "t", "1.0", " 1", "01"} {
		if _, err := parseBool([]byte(text)); err == nil {
			t.Errorf("%q was read as a bool", text)
		}
	}
	for _, text := range []string{"", "0x10", "1_000", "inf", "nan", "1,5", " 1", "e", "1e400", "--1"} {
		if got, err := parseNumber([]byte(text)); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

func FuzzRun(f *testing.F) {
	f.Add(small)
	f.Add("unit,variant,at,paid,amount\n1,a,1,1,1e308\n1,a,1,1,1e308\n2,b,2,0,-5e-324\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := files.NewReader(t.Context(), strings.NewReader(text), int64(len(text)), "f.csv", files.Format{})
		if err != nil {
			return
		}
		defer r.Close()
		o := Options{Unit: "unit", Variant: "variant", Control: "a", Time: "at", Metrics: []Metric{
			{"paid", stats.Proportion, "paid"}, {"amount", stats.Mean, "amount"},
		}}
		report, err := Run(t.Context(), "f.csv", r, o)
		if report == nil && err == nil {
			t.Error("neither a report nor an error")
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("an error of several lines: %v", err)
		}
		if report != nil {
			marshal(t, report) // fails for what is not finite
			report.Table()
		}
	})
}
