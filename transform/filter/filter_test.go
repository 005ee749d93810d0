package filter_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"crosslift/schemas/metric"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
	"crosslift/transform/filter"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/columns/columnstest"
)

// filters reads a list of filters as definitions have them.
func filters(t testing.TB, text string) []metric.Filter {
	t.Helper()
	var d struct {
		Filter []metric.Filter `yaml:"filter"`
	}
	if err := strictyaml.Decode("f.yaml", []byte("filter: "+text), nil, &d); err != nil {
		t.Fatal(err)
	}
	return d.Filter
}

// met says which rows of a file meet filters, in row order.
func met(t testing.TB, of *table.Table, f *columns.File, list []metric.Filter) (answers []bool) {
	t.Helper()
	prepared, err := filter.New(of, list)
	if err != nil {
		t.Fatal(err)
	}
	for g := range f.RowGroups() {
		meets, err := prepared.Bind(func(name string) (*columns.Vector, error) {
			v := &columns.Vector{}
			return v, f.Vector(t.Context(), g, name, v)
		})
		if err != nil {
			t.Fatal(err)
		}
		for row := range int(f.RowGroupRows(g)) {
			answers = append(answers, meets(row))
		}
	}
	return answers
}

func TestFilter(t *testing.T) {
	t.Parallel()
	tariff := func(source, plan string, amount int64) *table.PaymentRow {
		return &table.PaymentRow{SourceID: source, ChangedAt: table.Micros(amount), PaidAt: 1_700_000_000_000_000, AmountMinor: amount, Currency: "RUB", Status: "succeeded", Plan: plan}
	}
	f := columnstest.File(t, table.Payment, tariff("a", "first_month", 1), tariff("b", "month", 2), tariff("c", "", 3))
	for text, want := range map[string]string{
		`[]`:                                    "yyy",
		`[{column: plan, op: =, value: month}]`: "nyn",
		`[{column: plan, op: "!=", value: month}]`:                                         "ynn",
		`[{not: {column: plan, op: =, value: month}}]`:                                     "yny",
		`[{column: plan, op: is null}]`:                                                    "nny",
		`[{column: card_hash, op: is null}]`:                                               "yyy",
		`[{column: plan, op: prefix, value: first}]`:                                       "ynn",
		`[{column: plan, op: in, value: [month, first_month]}]`:                            "yyn",
		`[{column: amount_minor, op: between, value: [2, 3]}]`:                             "nyy",
		`[{column: amount_minor, op: <, value: -9223372036854775808}]`:                     "nnn",
		`[{column: paid_at, op: ">=", value: 2023-11-14T22:13:20Z}]`:                       "yyy",
		`[{column: paid_at, op: ">", value: 2023-11-14T22:13:20Z}]`:                        "nnn",
		`[{any: [{column: plan, op: is null}, {column: amount_minor, op: <=, value: 1}]}]`: "yny",
		`[{column: amount_minor, op: ">", value: 1}, {all: [{column: plan, op: prefix, value: m}, {any: [{column: status, op: =, value: succeeded}]}]}]`: "nyn",
	} {
		got := ""
		for _, yes := range met(t, table.Payment, f, filters(t, text)) {
			got += map[bool]string{true: "y", false: "n"}[yes]
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestColumnsAreNamedOnce(t *testing.T) {
	t.Parallel()
	f, err := filter.New(table.Payment, filters(t, `[{column: plan, op: is null}, {any: [{column: status, op: =, value: x}, {not: {column: plan, op: =, value: y}}]}]`))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(f.Columns(), " "); got != "plan status" {
		t.Errorf("got %s", got)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	_, err := filter.New(table.Payment, filters(t, `[{any: [{column: plann, op: is null}]}]`))
	if want := `filter of raw/payment: 0.any.0.column: raw/payment has no column "plann": did you mean "plan"?`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	f, err := filter.New(table.Payment, filters(t, `[{column: plan, op: is null}]`))
	if err != nil {
		t.Fatal(err)
	}
	torn := errors.New("torn")
	if _, err := f.Bind(func(string) (*columns.Vector, error) { return nil, torn }); !errors.Is(err, torn) {
		t.Errorf("got %v", err)
	}
}

// BenchmarkMeets is what a row costs, once the columns are in memory.
func BenchmarkMeets(b *testing.B) {
	rows := make([]any, 1<<17)
	for i := range rows {
		rows[i] = &table.ViewingRow{SourceID: strconv.Itoa(i), Title: "t" + strconv.Itoa(i%1000), Seconds: int64(i % 5000), ViewedAt: table.Micros(i)}
	}
	f := columnstest.AnyFile(b, table.Viewing, rows...)
	for _, text := range []string{
		`[{column: title, op: prefix, value: t1}]`,
		`[{column: title, op: prefix, value: t1}, {not: {column: title, op: in, value: [t10, t11]}}]`,
		`[{column: seconds, op: ">=", value: 60}]`,
		`[{column: seconds, op: between, value: [60, 3600]}, {column: title, op: "!=", value: t1}]`,
		`[{any: [{column: seconds, op: ">", value: 60}, {column: title, op: "!=", value: t1}, {column: viewed_at, op: <, value: 1971-01-01T00:00:00Z}]}]`,
	} {
		b.Run(text, func(b *testing.B) {
			prepared, err := filter.New(table.Viewing, filters(b, text))
			if err != nil {
				b.Fatal(err)
			}
			meets, err := prepared.Bind(func(name string) (*columns.Vector, error) {
				v := &columns.Vector{}
				return v, f.Vector(b.Context(), 0, name, v)
			})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				n := 0
				for row := range rows {
					if meets(row) {
						n++
					}
				}
				if n == 0 {
					b.Fatal("no row meets it")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(rows)), "ns/row")
		})
	}
}
