package analyze

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"crosslift/connectors/files"
)

// dataset reads a file of the public data sets, or skips the test.
func dataset(t testing.TB, name string) []byte {
	t.Helper()
	folder := os.Getenv("CROSSLIFT_DATA")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "shared", "data")
	}
	data, err := os.ReadFile(filepath.Join(folder, name))
	if os.IsNotExist(err) {
		t.Skipf("the data sets are not here: %v; set CROSSLIFT_DATA to their folder", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// expected is what expected.json says, of the parts that Run answers.
type expected struct {
	Cats struct {
		SRM     ratio `json:"srm_50_50"`
		Metrics struct {
			Retention1 proportion `json:"retention_1"`
			Retention7 proportion `json:"retention_7"`
			Rounds     mean       `json:"sum_gamerounds"`
		}
	} `json:"cookie_cats"`
	Udacity struct {
		InBoth   int64 `json:"users_in_both_groups"`
		Policies map[string]struct {
			SRM       ratio      `json:"srm_50_50"`
			Converted proportion `json:"metric_converted"`
		}
	} `json:"udacity_ab_data"`
	Orders struct {
		InBoth  int64 `json:"visitors_in_both_groups"`
		Exclude struct {
			Buyers struct{ A, B int64 }
		} `json:"exclude_visitors_in_both_groups"`
	} `json:"practicum_orders"`
}

type ratio struct {
	P float64 `json:"p_value"`
}

type proportion struct {
	N    struct{ A, B int64 }
	Rate struct{ A, B float64 }
	Diff float64    `json:"difference_B_minus_A"`
	P    float64    `json:"p_value_z_pooled_two_sided"`
	CI   [2]float64 `json:"ci95_wald_unpooled"`
}

type mean struct {
	N        struct{ A, B int64 }
	Mean     struct{ A, B float64 }
	Variance struct{ A, B float64 } `json:"variance_ddof1"`
	Diff     float64                `json:"difference_B_minus_A"`
	P        float64                `json:"p_value_t"`
	CI       [2]float64             `json:"ci95_t"`
	Relative float64                `json:"relative_lift"`
}

func load(t *testing.T) (e expected) {
	t.Helper()
	var file struct{ AB *expected }
	file.AB = &e
	if err := json.Unmarshal(dataset(t, "expected.json"), &file); err != nil {
		t.Fatal(err)
	}
	return e
}

func near(t *testing.T, what string, got *float64, want float64) {
	t.Helper()
	if got == nil || want == 0 || math.Abs(*got-want) > 2e-11*math.Abs(want) {
		t.Errorf("%s: %v instead of %v", what, figureOf(got), want)
	}
}

func figureOf(x *float64) any {
	if x == nil {
		return nil
	}
	return *x
}

func (e proportion) check(t *testing.T, control, treatment Result) {
	t.Helper()
	if control.N != e.N.A || treatment.N != e.N.B || control.Method != "z" {
		t.Errorf("%s: %d and %d units by %s", treatment.Metric, control.N, treatment.N, control.Method)
	}
	near(t, "control", control.Mean, e.Rate.A)
	near(t, "treatment", treatment.Mean, e.Rate.B)
	near(t, "difference", treatment.DiffAbs, e.Diff)
	near(t, "low", treatment.DiffAbsLow, e.CI[0])
	near(t, "high", treatment.DiffAbsHigh, e.CI[1])
	near(t, "p-value", treatment.PValue, e.P)
	near(t, "relative", treatment.DiffRel, e.Diff/e.Rate.A)
}

func TestCookieCats(t *testing.T) {
	t.Parallel()
	e := load(t).Cats
	o := Options{Unit: "userid", Variant: "version", Control: "gate_30"}
	o.Metrics = options(t, "retention_1=proportion:retention_1", "retention_7=proportion:retention_7", "rounds=mean:sum_gamerounds").Metrics
	r, err := run(t, "cookie_cats.csv.gz", string(dataset(t, "ab/cookie_cats.csv.gz")), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Results) != 6 || r.Exclusions.Crossover != 0 {
		t.Fatalf("%d rows, %d crossed", len(r.Results), r.Exclusions.Crossover)
	}
	near(t, "srm", r.SRM.PValue, e.SRM.P)
	e.Metrics.Retention1.check(t, r.Results[0], r.Results[1])
	e.Metrics.Retention7.check(t, r.Results[2], r.Results[3])
	control, treatment, rounds := r.Results[4], r.Results[5], e.Metrics.Rounds
	near(t, "control", control.Mean, rounds.Mean.A)
	near(t, "control's deviation", control.StdDev, math.Sqrt(rounds.Variance.A))
	near(t, "deviation", treatment.StdDev, math.Sqrt(rounds.Variance.B))
	near(t, "difference", treatment.DiffAbs, rounds.Diff)
	near(t, "low", treatment.DiffAbsLow, rounds.CI[0])
	near(t, "high", treatment.DiffAbsHigh, rounds.CI[1])
	near(t, "p-value", treatment.PValue, rounds.P)
	near(t, "relative", treatment.DiffRel, rounds.Relative)
}

func TestUdacity(t *testing.T) {
	t.Parallel()
	e := load(t).Udacity
	data := dataset(t, "ab/udacity_ab_data.csv.gz")
	zipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(zipped)
	if err != nil {
		t.Fatal(err)
	}
	rows := bytes.Split(bytes.TrimSpace(plain), []byte("\n"))
	const seed = 9
	r := rand.New(rand.NewPCG(seed, 0))
	r.Shuffle(len(rows)-1, func(i, j int) { rows[i+1], rows[j+1] = rows[j+1], rows[i+1] })
	shuffled := string(bytes.Join(rows, []byte("\n")))
	o := Options{Unit: "user_id", Variant: "group", Control: "control", Time: "timestamp"}
	o.Metrics = options(t, "converted=proportion:converted", "count=mean:converted").Metrics
	for policy, key := range map[string]string{
		First:   "P3_first_group_by_timestamp_conv_any_row",
		Exclude: "P2_exclude_users_seen_in_more_than_one_group_conv_any_row",
	} {
		o.Crossover = policy
		r, err := run(t, "udacity_ab_data.csv.gz", string(data), o)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "srm", r.SRM.PValue, e.Policies[key].SRM.P)
		e.Policies[key].Converted.check(t, r.Results[0], r.Results[1])
		if r.Exclusions.Crossover != e.InBoth {
			t.Errorf("%s: %d crossed instead of %d", policy, r.Exclusions.Crossover, e.InBoth)
		}
		again, err := run(t, "shuffled.csv", shuffled, o)
		if err != nil {
			t.Fatal(err)
		}
		if marshal(t, again) != marshal(t, r) {
			t.Errorf("%s: shuffled rows (seed %d) give another report", policy, seed)
		}
	}
}

// Orders with revenue: several rows a unit, fractions, and the visitors seen in both groups.
func TestPracticumOrders(t *testing.T) {
	t.Parallel()
	e := load(t).Orders
	o := Options{Unit: "visitorId", Variant: "group", Control: "A", Time: "date", Crossover: Exclude}
	o.Metrics = options(t, "revenue=mean:revenue").Metrics
	r, err := run(t, "practicum_orders_us.csv", string(dataset(t, "ab/practicum_orders_us.csv")), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.SRM.Counts["A"] != e.Exclude.Buyers.A || r.SRM.Counts["B"] != e.Exclude.Buyers.B || r.Exclusions.Crossover != e.InBoth {
		t.Errorf("%v, %d crossed", r.SRM.Counts, r.Exclusions.Crossover)
	}
	near(t, "revenue of A", r.Results[0].Mean, 53212./445)
	near(t, "revenue of B", r.Results[1].Mean, 79651.2/528)
}

func BenchmarkRunUdacity(b *testing.B) {
	data := dataset(b, "ab/udacity_ab_data.csv.gz")
	o := Options{Unit: "user_id", Variant: "group", Control: "control", Time: "timestamp"}
	o.Metrics = options(b, "converted=proportion:converted", "count=mean:converted").Metrics
	b.ReportAllocs()
	for b.Loop() {
		r, err := files.NewReader(b.Context(), bytes.NewReader(data), int64(len(data)), "u.csv.gz", files.Format{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Run(b.Context(), "u.csv.gz", r, o); err != nil {
			b.Fatal(err)
		}
	}
}
