package export_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"crosslift/jobs/export"
	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/columns/columnstest"
)

var (
	offer   = &experiment.Experiment{Name: "offer", Primary: "paid", Secondary: []string{"per_view"}}
	metrics = []*metric.Metric{{Name: "paid", Type: metric.Mean}, {Name: "per_view", Type: metric.Ratio}}
)

// facts are some units, and a row each a metric, as the tables hold them.
type facts struct {
	units  []*table.UnitExposureRow
	values []*table.UnitMetricRow
}

func made(n int) facts {
	r := rand.New(rand.NewPCG(5, uint64(n)))
	var f facts
	some := func() *float64 {
		if r.IntN(3) == 0 {
			return nil
		}
		x := r.Float64()
		return &x
	}
	for i := range n {
		id := identifier.Mint(identifier.Profile, identifier.ID{byte(i), byte(i >> 8), byte(i >> 16)}, 0)
		for _, stitching := range []string{"as_of_exposure", "device", "strict"} {
			u := &table.UnitExposureRow{
				Stitching: stitching, Unit: id, UnitType: "profile", Variant: []string{"a", "b"}[r.IntN(2)], FirstExposedAt: table.Micros(1_700_000_000_000_000 + int64(i)),
				Exposures: 1, Crossover: r.IntN(9) == 0, Devices: int64(r.IntN(4)), Platform: []string{"", "ios", "tv, web"}[r.IntN(3)], Newness: "new",
			}
			if r.IntN(2) == 0 {
				at := u.FirstExposedAt + 5
				u.ActivatedAt = &at
			}
			f.units = append(f.units, u)
			for _, m := range metrics {
				if stitching == "strict" && m.Name != "paid" {
					continue
				}
				row := &table.UnitMetricRow{Metric: m.Name, Stitching: stitching, Unit: id, Sum: float64(r.IntN(1000)) / 8, Covariate: some(),
					Received: r.IntN(2) == 0, Matured: r.IntN(2) == 0}
				if m.Type == metric.Ratio {
					x := float64(r.IntN(5))
					row.Divisor = &x
				}
				f.values = append(f.values, row)
			}
		}
	}
	return f
}

func (f facts) input(t *testing.T, stitchings ...string) export.Input {
	return export.Input{Experiment: offer, Metrics: metrics, Stitchings: stitchings,
		Exposures: columnstest.File(t, table.UnitExposure, f.units...), Facts: columnstest.File(t, table.UnitMetric, f.values...)}
}

// expected is the table as text, made by looking every row up.
func (f facts) expected(stitchings ...string) [][]string {
	rows := [][]string{strings.Split("unit_id,stitching,arm,first_exposure_at,devices,platform,country,channel,plan,newness,crossover,activated_at,"+
		"paid_numerator,paid_denominator,paid_covariate,paid_received,paid_matured,"+
		"per_view_numerator,per_view_denominator,per_view_covariate,per_view_received,per_view_matured", ",")}
	number := func(x *float64, absent string) string {
		if x == nil {
			return absent
		}
		return strconv.FormatFloat(*x, 'g', -1, 64)
	}
	values := map[string]*table.UnitMetricRow{}
	key := func(metric, stitching string, unit identifier.ID) string {
		return metric + " " + stitching + " " + unit.String()
	}
	for _, v := range f.values {
		values[key(v.Metric, v.Stitching, v.Unit)] = v
	}
	units := slices.Clone(f.units)
	slices.SortFunc(units, func(a, b *table.UnitExposureRow) int { return bytes.Compare(a.Unit[:], b.Unit[:]) })
	for _, stitching := range stitchings {
		for _, u := range units {
			if u.Stitching != stitching {
				continue
			}
			const layout = "2006-01-02T15:04:05.999999Z07:00"
			activated := ""
			if u.ActivatedAt != nil {
				activated = u.ActivatedAt.Time().Format(layout)
			}
			row := []string{u.Unit.String(), stitching, u.Variant, u.FirstExposedAt.Time().Format(layout), fmt.Sprint(u.Devices),
				u.Platform, "", "", "", u.Newness, fmt.Sprint(u.Crossover), activated}
			for _, m := range metrics {
				if v := values[key(m.Name, stitching, u.Unit)]; v != nil {
					row = append(row, number(&v.Sum, ""), number(v.Divisor, "1"), number(v.Covariate, ""), fmt.Sprint(v.Received), fmt.Sprint(v.Matured))
				} else {
					row = append(row, "", "", "", "", "")
				}
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func same(t *testing.T, what string, got, want [][]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d rows instead of %d", what, len(got), len(want))
	}
	for i := range want {
		if !slices.Equal(got[i], want[i]) {
			t.Fatalf("%s: row %d:\n got %q\nwant %q", what, i, got[i], want[i])
		}
	}
}

// TestExport gives the same table as CSV, JSON Lines and Parquet.
func TestExport(t *testing.T) {
	t.Parallel()
	for _, stitchings := range [][]string{{"as_of_exposure"}, {"device", "as_of_exposure"}, {"strict"}, {"latest"}} {
		f := made(300)
		in, want := f.input(t, stitchings...), f.expected(stitchings...)
		var out bytes.Buffer
		n, err := in.CSV(t.Context(), &out)
		if err != nil || n != int64(len(want)-1) {
			t.Fatalf("%v, %d rows", err, n)
		}
		got, err := csv.NewReader(&out).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		same(t, "CSV", got, want)

		out.Reset()
		if _, err := in.JSON(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		got = want[:1:1]
		for line := range strings.Lines(out.String()) {
			var cells map[string]any
			decoder := json.NewDecoder(strings.NewReader(line))
			decoder.UseNumber()
			if err := decoder.Decode(&cells); err != nil {
				t.Fatal(err)
			}
			got = append(got, asText(want[0], cells))
		}
		same(t, "JSON", got, want)

		out.Reset()
		if _, err := in.Parquet(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		file, err := columns.Open(bytes.NewReader(out.Bytes()), int64(out.Len()))
		if err != nil {
			t.Fatal(err)
		}
		got = [][]string{file.Columns()}
		for batch, err := range file.Batches(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			for i := range int(batch.NumRows()) {
				cells := map[string]any{}
				for c, name := range want[0] {
					if cells[name], err = columns.Cell(batch.Column(c), i); err != nil {
						t.Fatal(err)
					}
				}
				got = append(got, asText(want[0], cells))
			}
		}
		same(t, "Parquet", got, want)
	}
}

// asText are cells by name, in an order, as CSV writes them.
func asText(names []string, cells map[string]any) []string {
	var row []string
	for _, name := range names {
		switch cell := cells[name].(type) {
		case nil:
			row = append(row, "")
		case float64:
			row = append(row, strconv.FormatFloat(cell, 'g', -1, 64))
		default:
			row = append(row, fmt.Sprint(cell))
		}
	}
	return row
}

// TestManyRowGroups walks metrics beside each other whose rows begin in the middle of a row group.
func TestManyRowGroups(t *testing.T) {
	t.Parallel()
	f := made(30_000) // 150,000 rows of facts, of 131,072 to a row group
	in, want := f.input(t, "device"), f.expected("device")
	var out bytes.Buffer
	if _, err := in.CSV(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	got, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	same(t, "CSV", got, want)
}

// TestTorn refuses facts of other units than the exposures'.
func TestTorn(t *testing.T) {
	t.Parallel()
	for name, tear := range map[string]func(*facts){
		"a unit without facts": func(f *facts) { f.values = f.values[5:] },
		"facts of a stranger":  func(f *facts) { f.units = f.units[3:] },
		"a metric is missing": func(f *facts) {
			f.values = slices.DeleteFunc(f.values, func(v *table.UnitMetricRow) bool { return v.Metric == "per_view" })
		},
	} {
		f := made(10)
		tear(&f)
		if _, err := f.input(t, "as_of_exposure").CSV(t.Context(), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "run the night again") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
