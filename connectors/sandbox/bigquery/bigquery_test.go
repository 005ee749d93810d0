package bigquery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"

	"crosslift/connectors/sandbox/world"
	"crosslift/connectors/sandbox/world/worldtest"
)

// client is Google's own, unmodified, with its own way to get tokens.
func client(t *testing.T, s *service) *bigquery.Client {
	t.Helper()
	c, err := bigquery.NewClient(t.Context(), project, option.WithEndpoint(s.URL+"/bigquery/v2/"),
		option.WithAuthCredentialsJSON(option.ServiceAccount, s.key))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func readAll(ctx context.Context, c *bigquery.Client, id string, page int) (rows []map[string]bigquery.Value, schema bigquery.Schema, err error) {
	it := c.Dataset(dataset).Table(id).Read(ctx)
	it.PageInfo().MaxSize = page
	for {
		var row map[string]bigquery.Value
		err := it.Next(&row)
		if errors.Is(err, iterator.Done) {
			return rows, it.Schema, nil
		}
		if err != nil {
			return nil, nil, err
		}
		rows = append(rows, row)
	}
}

// same reports where a value that Google's client gave differs from the export's JSON.
func same(path string, exported any, got bigquery.Value, f *bigquery.FieldSchema, repeated bool) error {
	differs := fmt.Errorf("%s: %v became %v (%T)", path, exported, got, got)
	if repeated {
		want, _ := exported.([]any)
		list, ok := got.([]bigquery.Value)
		if !ok || len(list) != len(want) {
			return differs
		}
		for i := range want {
			if err := same(path+"["+strconv.Itoa(i)+"]", want[i], list[i], f, false); err != nil {
				return err
			}
		}
		return nil
	}
	if exported == nil || got == nil {
		if exported != nil || got != nil {
			return differs
		}
		return nil
	}
	ok := false
	switch f.Type {
	case bigquery.RecordFieldType:
		return sameFields(path+".", exported.(map[string]any), got.(map[string]bigquery.Value), f.Schema)
	case bigquery.StringFieldType:
		ok = exported == got
	case bigquery.IntegerFieldType: // text in the export
		ok = exported == strconv.FormatInt(got.(int64), 10)
	case bigquery.FloatFieldType:
		x, err := exported.(json.Number).Float64()
		ok = err == nil && x == got.(float64)
	case bigquery.BooleanFieldType:
		ok = exported == got
	}
	if !ok {
		return differs
	}
	return nil
}

func sameFields(path string, exported map[string]any, got map[string]bigquery.Value, schema bigquery.Schema) error {
	for name := range exported {
		if _, ok := got[name]; !ok {
			return fmt.Errorf("%s%s: it is lost", path, name)
		}
	}
	for _, f := range schema {
		if err := same(path+f.Name, exported[f.Name], got[f.Name], f, f.Repeated); err != nil {
			return err
		}
	}
	return nil
}

// TestRealRows: the rows of a real export come through Google's client as they were, 64-bit integers, nested and
// repeated fields, and NULLs included, whatever the size of the pages.
func TestRealRows(t *testing.T) {
	t.Parallel()
	real := realRows(t)
	w := worldtest.NewMemory(time.UTC)
	byDay := map[string][]string{}
	for _, row := range real {
		r := recordOf(t, row)
		if err := w.Write(Source, Stream, r); err != nil {
			t.Fatal(err)
		}
		id := "events_" + r.At.Format("20060102")
		byDay[id] = append(byDay[id], string(row))
	}
	c := client(t, serve(t, w, nil))
	compared := 0
	for id, exported := range byDay {
		for _, page := range []int{0, 3} {
			rows, schema, err := readAll(t.Context(), c, id, page)
			if err != nil {
				t.Fatal(id, err)
			}
			if len(rows) != len(exported) {
				t.Fatalf("%s: %d rows, expected %d", id, len(rows), len(exported))
			}
			for i, row := range rows {
				var want map[string]any
				d := json.NewDecoder(strings.NewReader(exported[i]))
				d.UseNumber()
				if err := d.Decode(&want); err != nil {
					t.Fatal(err)
				}
				if err := sameFields("", want, row, schema); err != nil {
					t.Fatalf("%s row %d: %v", id, i, err)
				}
				compared++
			}
		}
	}
	if compared != 2*len(real) || compared == 0 {
		t.Errorf("%d rows were compared, expected %d", compared, 2*len(real))
	}
}

func at(hours float64) time.Time {
	return time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC).Add(time.Duration(hours * float64(time.Hour)))
}

// someEvents are three of 3 November: one that is seen at once, one in the night, one that comes late.
func someEvents(t *testing.T) *worldtest.Memory {
	t.Helper()
	w := worldtest.NewMemory(time.UTC)
	chunk := world.Chunk{Events: []world.WebEvent{
		{At: at(1), Visible: at(1.5), Name: "page_view", PseudoID: "p1", SessionID: 1, Sequence: 1, Platform: "WEB", Country: "RU", Consent: true},
		{At: at(9), Visible: at(26), Name: "purchase", PseudoID: "p1", SessionID: 1, Sequence: 2, Platform: "WEB", Country: "TR",
			Value: 9.99, Currency: "EUR", Account: "u1", Source: "google", Medium: "cpc", Page: "https://x.ru/?a=\"b\"", Consent: true},
		{At: at(10), Visible: at(70), Name: "page_view", SessionID: 2, Sequence: 3, Platform: "IOS"},
	}}
	if err := Builder(time.UTC).Build(&chunk, w); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestTables: a day's table is there when the day is over, the intraday one before; the daily one is rewritten as late
// events come in.
func TestTables(t *testing.T) {
	t.Parallel()
	s := serve(t, someEvents(t), func(o *Options) { o.Delay = 2 * time.Hour })
	c := client(t, s)
	etags := map[string]bool{}
	for _, step := range []struct {
		hours   float64
		tables  string
		rows    uint64
		renewed bool
	}{
		{0.5, "", 0, false},
		{1.2, "events_intraday_20261103", 1, true},
		{9.5, "events_intraday_20261103", 2, true},
		{25, "events_intraday_20261103", 2, false},
		{26, "events_20261103", 2, true},
		{60, "events_20261103", 2, false},
		{70, "events_20261103", 3, true},
		{200, "events_20261103", 3, false},
	} {
		s.clock.Set(at(step.hours))
		var ids []string
		for it := c.Dataset(dataset).Tables(t.Context()); ; {
			table, err := it.Next()
			if errors.Is(err, iterator.Done) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, table.TableID)
		}
		if got := strings.Join(ids, " "); got != step.tables {
			t.Fatalf("after %v h: tables %q, expected %q", step.hours, got, step.tables)
		}
		if len(ids) == 0 {
			continue
		}
		meta, err := c.Dataset(dataset).Table(ids[0]).Metadata(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if meta.NumRows != step.rows || etags[meta.ETag] == step.renewed {
			t.Errorf("after %v h: %d rows, expected %d; a new ETag: %v", step.hours, meta.NumRows, step.rows, !etags[meta.ETag])
		}
		etags[meta.ETag] = true
		rows, schema, err := readAll(t.Context(), c, ids[0], 1)
		if err != nil || len(rows) != int(step.rows) {
			t.Errorf("after %v h: %d rows were read: %v", step.hours, len(rows), err)
		}
		isDaily := slices.ContainsFunc(schema, func(f *bigquery.FieldSchema) bool { return f.Name == "traffic_source" })
		if isDaily == strings.Contains(ids[0], "intraday") {
			t.Errorf("%s has traffic_source: %v", ids[0], isDaily)
		}
	}
}

// TestEvent: what the builder writes is what Google's client reads.
func TestEvent(t *testing.T) {
	t.Parallel()
	s := serve(t, someEvents(t), nil)
	rows, _, err := readAll(t.Context(), client(t, s), "events_20261103", 0)
	if err != nil || len(rows) != 3 {
		t.Fatal(len(rows), err)
	}
	purchase := rows[1]
	params := map[string]bigquery.Value{}
	for _, p := range purchase["event_params"].([]bigquery.Value) {
		p := p.(map[string]bigquery.Value)
		for _, v := range p["value"].(map[string]bigquery.Value) {
			if v != nil {
				params[p["key"].(string)] = v
			}
		}
	}
	for key, want := range map[string]bigquery.Value{
		"ga_session_id": int64(1), "page_location": `https://x.ru/?a="b"`, "value": 9.99, "currency": "EUR",
	} {
		if params[key] != want {
			t.Errorf("%s is %v, expected %v", key, params[key], want)
		}
	}
	for column, want := range map[string]bigquery.Value{
		"event_name": "purchase", "event_timestamp": at(9).UnixMicro(), "user_id": "u1", "user_pseudo_id": "p1", "event_date": "20261103",
	} {
		if purchase[column] != want {
			t.Errorf("%s is %v, expected %v", column, purchase[column], want)
		}
	}
	if country := purchase["geo"].(map[string]bigquery.Value)["country"]; country != "Türkiye" {
		t.Errorf("the country is %v", country)
	}
	refused := rows[2]
	if refused["user_pseudo_id"] != nil || refused["privacy_info"].(map[string]bigquery.Value)["analytics_storage"] != "No" {
		t.Errorf("without consent: %v", refused)
	}
}

// TestRefusals: errors have Google's form, and each its own reason.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := serve(t, someEvents(t), nil)
	c := client(t, s)
	other, err := NewServiceAccount(project, s.URL+"/token")
	if err != nil {
		t.Fatal(err)
	}
	stranger := client(t, &service{Server: s.Server, key: other})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for name, step := range map[string]struct {
		ask    func() error
		code   int
		reason string
	}{
		"no such table": {func() error {
			_, err := c.Dataset(dataset).Table("events_20261104").Metadata(ctx)
			return err
		}, 404, "notFound"},
		"no such dataset": {func() error {
			_, err := c.Dataset("analytics_2").Table("events_20261103").Metadata(ctx)
			return err
		}, 404, "notFound"},
		"another project": {func() error {
			_, err := c.DatasetInProject("bank", dataset).Table("events_20261103").Metadata(ctx)
			return err
		}, 403, "accessDenied"},
	} {
		var e *googleapi.Error
		if err := step.ask(); !errors.As(err, &e) || e.Code != step.code || len(e.Errors) == 0 || e.Errors[0].Reason != step.reason {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := stranger.Dataset(dataset).Table("events_20261103").Metadata(ctx); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("a stranger: %v", err)
	}
	answer, err := http.Get(s.URL + "/bigquery/v2/projects/cinema/datasets/analytics_1/tables")
	if err != nil || answer.StatusCode != 401 || answer.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("without a token: %v, %v", answer.Status, err)
	}
	answer.Body.Close()
}

// TestQuota: beyond the quota the client is told to slow down, and does. Four requests or more, one a second, take two
// seconds at least.
func TestQuota(t *testing.T) {
	t.Parallel()
	s := serve(t, someEvents(t), func(o *Options) { o.Quota = 1 })
	start := time.Now()
	rows, _, err := readAll(t.Context(), client(t, s), "events_20261103", 1)
	if err != nil || len(rows) != 3 || time.Since(start) < 2*time.Second {
		t.Errorf("%d rows after %s: %v", len(rows), time.Since(start), err)
	}
}

// get asks without Google's client, for what it does not offer.
func get(t *testing.T, s *service, path string) (int, string) {
	t.Helper()
	token := fetchToken(t, s)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/bigquery/v2/projects/cinema/datasets/analytics_1/tables"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(body)
}

func fetchToken(t *testing.T, s *service) string {
	t.Helper()
	a, err := http.PostForm(s.URL+"/token", url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion(t, s.key, s.URL+"/token")},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(a.Body).Decode(&token); err != nil {
		t.Fatal(err)
	}
	return token.AccessToken
}

// TestParameters: the rows of a page are cut by selectedFields, and answers by fields.
func TestParameters(t *testing.T) {
	t.Parallel()
	s := serve(t, someEvents(t), nil)
	for path, want := range map[string]string{
		"/events_20261103/data?startIndex=1&maxResults=1&selectedFields=event_name,geo.country,privacy_info": `"rows":[{"f":[{"v":"purchase"},` +
			`{"v":{"f":[{"v":"Yes"},{"v":"Yes"},{"v":"No"}]}},{"v":{"f":[{"v":"Türkiye"}]}}]}],"pageToken":`,
		"/events_20261103/data?startIndex=3":                     `"totalRows":"3"}`,
		"/events_20261103/data?maxResults=0&selectedFields=nope": `Unrecognized field nope`,
		"/events_20261103/data?pageToken=%21":                    `Invalid value for pageToken`,
		"/events_20261103/data?startIndex=-1":                    `Invalid value for startIndex`,
		"/events_20261103?fields=numRows,schema(fields)":         `{"numRows":"3","schema":{"fields":[`,
		"?maxResults=1": `"tableId":"events_20261103"`,
	} {
		if _, body := get(t, s, path); !strings.Contains(body, want) {
			t.Errorf("%s: %s\nexpected %s", path, body, want)
		}
	}
}
