package metric_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"crosslift/schemas/metric"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

const revenue = `name: revenue
type: mean
table: raw/payment
filter:
  - {column: status, op: in, value: [succeeded, settled]}
  - {column: currency, op: =, value: RUB}
  - {column: amount_minor, op: between, value: [1, 1000000]}
value: amount_minor
unit: RUB minor
window: 48h
`

func decode(t testing.TB, text string) *metric.Metric {
	t.Helper()
	m := &metric.Metric{}
	if err := strictyaml.Decode("m.yaml", []byte(text), nil, m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMetric(t *testing.T) {
	t.Parallel()
	m := decode(t, revenue)
	if m.Type != metric.Mean || m.Window.For.Duration() != 48*time.Hour || m.Window.String() != "2d" || m.Direction != metric.Up ||
		m.Filter[2].Value[1] != "1000000" || m.Filter[0].Value[1] != "settled" || m.Value.Column != "amount_minor" {
		t.Errorf("got %+v", m)
	}
	r := decode(t, `name: price
type: ratio
table: raw/payment
value: amount_minor
currency: EUR
unit: EUR minor per payment
denominator: {table: raw/payment, filter: [{column: status, op: =, value: succeeded}], value: 1}
window: until 2026-11-30
delay: 1d
look_back: 12h
posting_lag: 3d
covariate: 28d
winsorise: {low: 0, high: 99.9%, ignore_zeros: true}
direction: down
`)
	if r.Denominator.Value.Constant != 1 || r.Denominator.Filter[0].Value[0] != "succeeded" || r.Window.Until.String() != "2026-11-30" || r.Winsorise.High.Percent != 99.9 ||
		r.Winsorise.Low.Percent != 0 || !r.Winsorise.IgnoreZeros || r.Covariate.String() != "28d" || r.Direction != metric.Down || r.LookBack.String() != "12h" {
		t.Errorf("got %+v", r)
	}
}

// What is left out has a default where there is a natural one.
func TestDefaults(t *testing.T) {
	t.Parallel()
	for text, unit := range map[string]string{
		"type: proportion\ntable: raw/payment\nwindow: 12h":                                                                                               "share",
		"type: retention\ntable: raw/viewing\ndays: {from: 7, to: 13}":                                                                                    "share",
		"type: count\ntable: raw/viewing\nwindow: experiment":                                                                                             "events",
		"type: count_distinct\ntable: raw/viewing\nvalue: title\nwindow: 1d":                                                                              "title",
		"type: mean\ntable: raw/payment\nvalue: amount_minor\ncurrency: KZT\nwindow: 1d":                                                                  "KZT minor",
		"type: quantile\nquantile: 0.9\ntable: raw/payment\nvalue: amount_minor\nfilter: [{all: [{column: currency, op: in, value: [KZT]}]}]\nwindow: 1d": "KZT minor",
		"type: ratio\ntable: raw/invoice\nvalue: paid_minor\ncurrency: RUB\ndenominator: {table: raw/invoice, value: due_minor}\nwindow: 1d":              "share",
		"type: ratio\ntable: raw/invoice\nvalue: paid_minor\ncurrency: RUB\ndenominator: {table: raw/viewing, value: 1}\nwindow: 1d":                      "RUB minor",
	} {
		if m := decode(t, "name: m\n"+text); m.Unit != unit || m.Direction != metric.Up {
			t.Errorf("%s: unit %s, %s", text, m.Unit, m.Direction)
		}
	}
}

func TestDurationsReadWhatTheyWrite(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range 1000 {
		d := metric.Duration(time.Duration(1+r.IntN(100_000)) * time.Hour)
		text, err := d.MarshalText()
		var back metric.Duration
		if err == nil {
			err = back.UnmarshalText(text)
		}
		if err != nil || back != d {
			t.Fatalf("seed %d: %d hours are written %s and read %d: %v", seed, d.Duration()/time.Hour, text, back.Duration()/time.Hour, err)
		}
	}
}

func FuzzMetric(f *testing.F) {
	f.Add([]byte(revenue))
	f.Add([]byte("name: x\nfilter: [{column: value, op: in, value: [1]}, {}]\ntable: raw/web_event\ntype: mean\nvalue: value\nunit: x\nwindow: 1d"))
	f.Add([]byte("name: x\nfilter: [{not: {any: [{column: registered_at, op: <, value: 2026-01-01T00:00:00+03:00}]}}]\ntable: raw/product_user\ntype: retention\ndays: {from: 1, to: 2}"))
	f.Add([]byte("name: x\ntable: raw/viewing\ntype: ratio\nvalue: -1e-3\ndenominator: {table: raw/viewing, value: seconds}\nunit: x\nwindow: until 2026-01-01\nwinsorise: {low: 0.000001%}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m metric.Metric
		if err := strictyaml.Decode("m.yaml", data, nil, &m); err == nil {
			hash := m.Hash()
			if err := m.Validate(); err != nil || len(hash) != 64 || m.Hash() != hash {
				t.Errorf("valid once, then not: %v", err)
			}
		}
	})
}

// An operand is written again in one way, which means the same.
func FuzzOperand(f *testing.F) {
	for _, text := range []string{"1", "-0", "+7.0", "1e-3", "true", "2026-11-03", "2026-11-03T12:00:00.000001+03:00", "9999-12-31T23:59:59-23:59", "RUB", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for column, of := range map[string]*table.Table{"plan": table.Payment, "amount_minor": table.Payment, "currency": table.Payment,
			"value": table.WebEvent, "event_at": table.WebEvent, "analytics_consent": table.WebEvent} {
			filters := []metric.Filter{{Column: column, Op: metric.Equal, Value: metric.Operands{text}}}
			if _, err := metric.CheckEvents(of.Path(), filters); err != nil {
				continue
			}
			c, _ := of.Column(column)
			first, err := metric.ParseOperand(c.Type, text)
			written := filters[0].Value[0]
			second, again := metric.ParseOperand(c.Type, written)
			if err != nil || again != nil || first != second {
				t.Errorf("%s: %q is %+v, written again %q, %+v: %v, %v", column, text, first, written, second, err, again)
			}
			if _, err := metric.CheckEvents(of.Path(), filters); err != nil || filters[0].Value[0] != written {
				t.Errorf("%s: %q is written %q, then %q: %v", column, text, written, filters[0].Value[0], err)
			}
		}
	})
}
