package ga

import (
	"errors"
	"fmt"
	"testing"
	"time"

	google "cloud.google.com/go/bigquery"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"

	"crosslift/connectors/sandbox/bigquery"
	"crosslift/connectors/sandbox/world/worldtest"
)

// TestLikeGoogle: what is read of a real row below Google's client is what the client itself makes of it.
func TestLikeGoogle(t *testing.T) {
	t.Parallel()
	w := worldtest.NewMemory(time.UTC)
	for _, row := range realRows(t) {
		add(t, w, row, time.Time{}, time.Time{})
	}
	add(t, w, exported(utc("2026-11-03T12:00"), `"user_id":"\u00e9\"\\ \ud83d\ude00","event_params":[{"key":"a\tb","value":null}]`), time.Time{}, time.Time{})
	nights, err := w.Nights(bigquery.Source, bigquery.Stream)
	if err != nil {
		t.Fatal(err)
	}
	l := newLab(t, w, nil)
	client, err := google.NewClient(t.Context(), project, option.WithEndpoint(l.config.Endpoint),
		option.WithAuthCredentialsJSON(option.ServiceAccount, []byte(l.config.Credentials.Reveal())))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	compared := 0
	for _, night := range nights {
		tables, err := l.tables(t.Context(), dayOf(t, night))
		if err != nil {
			t.Fatal(err)
		}
		layout, err := layoutOf(tables[0].schema)
		if err != nil {
			t.Fatal(err)
		}
		p := page{columns: layout.columns}
		if _, _, err := l.service.read(t.Context(), tables[0].id, 0, "", &p); err != nil {
			t.Fatal(err)
		}
		it := client.Dataset(dataset).Table(tables[0].id).Read(t.Context())
		var d decoder
		for i := 0; ; i++ {
			var row map[string]google.Value
			if err := it.Next(&row); errors.Is(err, iterator.Done) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if err := d.row(p.row(i), layout.some); err != nil {
				t.Fatal(err)
			}
			compare(t, &d.event, row)
			compared++
		}
	}
	if compared != 701 {
		t.Errorf("%d rows were compared", compared)
	}
}

func compare(t *testing.T, e *event, row map[string]google.Value) {
	t.Helper()
	field := func(record google.Value, names ...string) google.Value {
		for _, name := range names {
			fields, ok := record.(map[string]google.Value)
			if !ok {
				return nil
			}
			record = fields[name]
		}
		return record
	}
	same := func(what string, got []byte, want google.Value) {
		if (got == nil) != (want == nil) || got != nil && string(got) != fmt.Sprint(want) {
			t.Errorf("%s is %q, expected %v", what, got, want)
		}
	}
	for path, use := range map[string]int{
		"event_name": eventName, "event_timestamp": eventTimestamp, "event_bundle_sequence_id": bundleSequence,
		"user_pseudo_id": pseudoID, "platform": platformName, "user_id": userID,
	} {
		same(path, e.texts[use], row[path])
	}
	same("country", e.texts[countryName], field(row["geo"], "country"))
	same("source", e.texts[firstSource], field(row["traffic_source"], "source"))
	same("storage", e.texts[analyticsStorage], field(row["privacy_info"], "analytics_storage"))
	params := row["event_params"].([]google.Value)
	if len(params) != len(e.params) {
		t.Fatalf("%d parameters, expected %d", len(e.params), len(params))
	}
	for i, want := range params {
		same("key", e.params[i].key(), field(want, "key"))
		same("string_value", e.params[i].field(paramString), field(want, "value", "string_value"))
		same("int_value", e.params[i].field(paramInt), field(want, "value", "int_value"))
	}
}
