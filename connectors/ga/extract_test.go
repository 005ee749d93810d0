package ga

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"crosslift/connectors"
	"crosslift/connectors/sandbox/bigquery"
	"crosslift/connectors/sandbox/world/worldtest"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// TestRealRows: every row of a real export becomes a row of the lake, on its day, as an independent reading of the JSON
// says it should.
func TestRealRows(t *testing.T) {
	t.Parallel()
	real := realRows(t)
	w := worldtest.NewMemory(time.UTC)
	byDay := map[string][]string{}
	for _, row := range real {
		add(t, w, row, time.Time{}, time.Time{})
		var e struct {
			Date string `json:"event_date"`
		}
		if err := json.Unmarshal([]byte(row), &e); err != nil {
			t.Fatal(err)
		}
		byDay[e.Date[:4]+"-"+e.Date[4:6]+"-"+e.Date[6:]] = append(byDay[e.Date[:4]+"-"+e.Date[4:6]+"-"+e.Date[6:]], row)
	}
	l := newLab(t, w, func(c *Config, _ *bigquery.Options, _ *connectors.Env) {
		c.PageSize = 4
		c.Params = append(c.Params, "ga_session_number", "session_engaged")
	})
	unknown, ids, countries := map[string]int{}, map[string]bool{}, 0
	for day, rows := range byDay {
		sink, err := l.extract(t, day)
		if err != nil {
			t.Fatal(err)
		}
		if len(sink.Rows) != len(rows) || len(sink.Rejected) > 0 {
			t.Fatalf("%s: %d rows, %d rejected, expected %d", day, len(sink.Rows), len(sink.Rejected), len(rows))
		}
		if want := (connectors.Total{Measure: connectors.Rows, Value: int64(len(rows))}); len(sink.Totals) != 1 || sink.Totals[0] != want {
			t.Errorf("%s: totals %v", day, sink.Totals)
		}
		for i, got := range sink.Rows {
			if err := matches(rows[i], got, l.env.Key); err != nil {
				t.Errorf("%s row %d: %v", day, i, err)
			}
			ids[got.SourceID] = true
			if got.Country != "" {
				countries++
			}
		}
		for field := range sink.Fields {
			unknown[field]++
		}
	}
	if len(ids) < len(real)*9/10 {
		t.Errorf("%d events have %d ids", len(real), len(ids))
	}
	if countries != 685 { // all but those that are "(not set)"
		t.Errorf("%d rows have a country", countries)
	}
	if len(unknown) != 2 || unknown["event_params.all_data"] == 0 || unknown["event_params.clean_event"] == 0 {
		t.Errorf("announced: %v", unknown)
	}
}

// matches compares a row with the export's JSON.
func matches(row string, got table.WebEventRow, key identifier.Key) error {
	var e struct {
		At       string `json:"event_timestamp"`
		Name     string `json:"event_name"`
		Pseudo   string `json:"user_pseudo_id"`
		Platform string
		Geo      struct{ Country string }
		Source   struct{ Source, Medium string } `json:"traffic_source"`
		Params   []struct {
			Key   string
			Value struct {
				Text *string `json:"string_value"`
				Int  *string `json:"int_value"`
			}
		} `json:"event_params"`
	}
	if err := json.Unmarshal([]byte(row), &e); err != nil {
		return err
	}
	device, err := key.Hash(identifier.Device, e.Pseudo)
	if err != nil {
		return err
	}
	kept, session := map[string]any{}, ""
	for _, p := range e.Params {
		switch p.Key {
		case "ga_session_id":
			session = *p.Value.Int
		case "page_location", "page_title", "ga_session_number", "session_engaged":
			if p.Value.Int != nil {
				kept[p.Key] = json.Number(*p.Value.Int)
			} else if p.Value.Text != nil {
				text, _, _ := strings.Cut(*p.Value.Text, "?")
				kept[p.Key] = identifier.Redact(text)
			}
		}
	}
	params := map[string]any{}
	d := json.NewDecoder(strings.NewReader(got.Params))
	d.UseNumber()
	if err := d.Decode(&params); err != nil {
		return err
	}
	if fmt.Sprint(params) != fmt.Sprint(kept) {
		return fmt.Errorf("params %v, expected %v", params, kept)
	}
	for what, pair := range map[string][2]any{
		"event_at":   {strconv.FormatInt(int64(got.EventAt), 10), e.At},
		"event_name": {got.EventName, e.Name},
		"device":     {got.Device, device},
		"account":    {got.Account, identifier.ID{}},
		"platform":   {got.Platform, strings.ToLower(e.Platform)},
		"session_id": {got.SessionID, sessionOf(key, e.Pseudo, session)},
		"channel":    {got.Channel, e.Source.Source + " / " + e.Source.Medium},
		"consent":    {got.Consent == nil, true},
	} {
		if pair[0] != pair[1] {
			return fmt.Errorf("%s is %v, expected %v", what, pair[0], pair[1])
		}
	}
	return nil
}

// exported is a row of an export at an instant, with more members.
func exported(at time.Time, more string) string {
	if more != "" {
		more = "," + more
	}
	return fmt.Sprintf(`{"event_timestamp":"%d","event_name":"page_view","user_pseudo_id":"p1"%s}`, at.UnixMicro(), more)
}

func utc(text string) time.Time {
	at, err := time.Parse("2006-01-02T15:04", text)
	if err != nil {
		panic(err)
	}
	return at
}

// TestZones: over all business days every event is taken once, whatever the zones of the property and the business are,
// on days of 23 and 25 hours too; totals say what each day has of its tables.
func TestZones(t *testing.T) {
	t.Parallel()
	for _, zones := range [][2]string{
		{"UTC", "UTC"}, {"Europe/Moscow", "America/Los_Angeles"}, {"Europe/Berlin", "Europe/Berlin"}, {"Europe/Berlin", "Asia/Tokyo"},
		{"America/Los_Angeles", "Europe/Berlin"},
	} {
		t.Run(zones[0]+" of "+zones[1], func(t *testing.T) {
			t.Parallel()
			business, err := loadZone(zones[0])
			if err != nil {
				t.Fatal(err)
			}
			property, err := loadZone(zones[1])
			if err != nil {
				t.Fatal(err)
			}
			w := worldtest.NewMemory(time.UTC)
			first, last := utc("2026-10-23T00:30"), utc("2026-11-04T00:00") // both zones set their clocks back in between
			want := map[string]int{}
			for at := first; at.Before(last); at = at.Add(time.Hour) {
				add(t, w, exported(at, ""), time.Time{}, time.Time{})
				want[table.DayOf(at, business).String()]++
			}
			l := newLab(t, w, func(c *Config, o *bigquery.Options, e *connectors.Env) {
				c.PropertyZone, c.PageSize = zones[1], 7
				o.Zone, e.Zone = property, business
			})
			for day := dayOf(t, "2026-10-25"); day <= dayOf(t, "2026-11-02"); day++ {
				sink, err := l.extract(t, day.String())
				if err != nil {
					t.Fatal(err)
				}
				if n := want[day.String()]; len(sink.Rows) != n || sink.Totals[0].Value != int64(n) || n < 23 || n > 25 {
					t.Errorf("%s: %d rows, totals %v, expected %d", day, len(sink.Rows), sink.Totals, n)
				}
			}
		})
	}
}

// TestRows reads one event after another as the package's comment says.
func TestRows(t *testing.T) {
	t.Parallel()
	key, err := identifier.ParseKey("k1:" + digits)
	if err != nil {
		t.Fatal(err)
	}
	hash := func(kind identifier.Kind, value string) identifier.ID {
		id, err := key.Hash(kind, value)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	yes, no, number := true, false, 12.5
	five := 5.0
	none := identifier.ID{}
	p1 := hash(identifier.Device, "p1")
	params := func(list ...string) string { return `"event_params":[` + strings.Join(list, ",") + `]` }
	param := func(key, field, value string) string {
		return fmt.Sprintf(`{"key":%q,"value":{%q:%s}}`, key, field, value)
	}
	for name, c := range map[string]struct {
		more   string
		want   table.WebEventRow
		reason string
	}{
		"nothing":        {"", table.WebEventRow{}, ""},
		"account":        {`"user_id":"u1"`, table.WebEventRow{Account: hash(identifier.Account, "u1")}, ""},
		"null":           {`"user_id":"null"`, table.WebEventRow{}, ""},
		"undef":          {`"user_id":"undefined"`, table.WebEventRow{}, ""},
		"zero":           {`"user_id":"0"`, table.WebEventRow{}, ""},
		"e-mail":         {`"user_id":" Ann@Mail.RU"`, table.WebEventRow{Email: hash(identifier.Email, "ann@mail.ru")}, ""},
		"encoded":        {`"user_id":"ann%40mail.ru"`, table.WebEventRow{Email: hash(identifier.Email, "ann@mail.ru")}, ""},
		"phone":          {`"user_id":"+7 (916) 123-45-67"`, table.WebEventRow{Phone: hash(identifier.Phone, "+79161234567")}, ""},
		"digits":         {`"user_id":"79161234567"`, table.WebEventRow{Account: hash(identifier.Account, "79161234567")}, ""},
		"not an address": {`"user_id":"@ann"`, table.WebEventRow{Account: hash(identifier.Account, "@ann")}, ""},
		"refused": {`"user_pseudo_id":null,"privacy_info":{"analytics_storage":"No"},` + params(param("ga_session_id", "int_value", `"7"`)),
			table.WebEventRow{Device: none, Consent: &no}, ""},
		"consent":        {`"privacy_info":{"analytics_storage":"Yes"}`, table.WebEventRow{Consent: &yes}, ""},
		"session":        {params(param("ga_session_id", "int_value", `"7"`)), table.WebEventRow{SessionID: sessionOf(key, "p1", "7")}, ""},
		"no session":     {params(param("ga_session_id", "string_value", `"ann@mail.ru"`)), table.WebEventRow{}, ""},
		"value":          {params(param("value", "double_value", `12.5`), param("currency", "string_value", `"eur"`)), table.WebEventRow{Value: &number, Currency: "EUR"}, ""},
		"whole value":    {params(param("value", "int_value", `"5"`)), table.WebEventRow{Value: &five}, ""},
		"value as text":  {params(param("value", "string_value", `"12.5"`)), table.WebEventRow{Value: &number}, ""},
		"no number":      {params(param("value", "string_value", `"free"`)), table.WebEventRow{}, "event_params.value: expected a finite number"},
		"not finite":     {params(param("value", "double_value", `"NaN"`)), table.WebEventRow{}, "event_params.value: expected a finite number"},
		"no currency":    {params(param("currency", "string_value", `"XXQ"`)), table.WebEventRow{}, "event_params.currency: expected an ISO 4217 currency code, such as EUR"},
		"no name":        {`"event_name":null`, table.WebEventRow{}, "event_name: required, but empty"},
		"platform":       {`"platform":"ANDROID"`, table.WebEventRow{Platform: "android"}, ""},
		"country":        {`"geo":{"country":"Türkiye"}`, table.WebEventRow{Country: "TR"}, ""},
		"another name":   {`"geo":{"country":"Bosnia and Herzegovina"}`, table.WebEventRow{Country: "BA"}, ""},
		"a code":         {`"geo":{"country":"DE"}`, table.WebEventRow{Country: "DE"}, ""},
		"nowhere":        {`"geo":{"country":"(not set)"}`, table.WebEventRow{}, ""},
		"first visit":    {`"traffic_source":{"source":"google","medium":"organic"}`, table.WebEventRow{Channel: "google / organic"}, ""},
		"the event's":    {`"traffic_source":{"source":"a","medium":"b"},"collected_traffic_source":{"manual_source":"mail"}`, table.WebEventRow{Channel: "mail / (none)"}, ""},
		"the session's":  {`"collected_traffic_source":{"manual_source":"x"},"session_traffic_source_last_click":{"manual_campaign":{"source":"tv","medium":"qr"},"cross_channel_campaign":null}`, table.WebEventRow{Channel: "tv / qr"}, ""},
		"kept":           {params(param("page_title", "string_value", `"A \"b\" \u043f"`), param("page_location", "string_value", `"https://ann@x.ru/a?email=ann@mail.ru#b"`)), table.WebEventRow{Params: `{"page_location":"https://x.ru/a","page_title":"A \"b\" п"}`}, ""},
		"kept as number": {params(param("page_title", "int_value", `"7"`)), table.WebEventRow{Params: `{"page_title":7}`}, ""},
		"NULL":           {params(`{"key":"page_title","value":null}`, `{"key":"page_location","value":{}}`), table.WebEventRow{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := worldtest.NewMemory(time.UTC)
			at := utc("2026-11-03T12:00")
			row := exported(at, c.more)
			if strings.Contains(c.more, `"event_name"`) {
				row = strings.Replace(row, `"event_name":"page_view",`, "", 1)
			}
			if strings.Contains(c.more, `"user_pseudo_id"`) {
				row = strings.Replace(row, `"user_pseudo_id":"p1",`, "", 1)
			}
			add(t, w, row, time.Time{}, time.Time{})
			sink, err := newLab(t, w, nil).extract(t, "2026-11-03")
			if err != nil {
				t.Fatal(err)
			}
			if c.reason != "" {
				if len(sink.Rejected) != 1 || sink.Rejected[0].Reason != c.reason {
					t.Errorf("rejected %v, expected %q", sink.Rejected, c.reason)
				}
				return
			}
			if len(sink.Rows) != 1 {
				t.Fatalf("%d rows, rejected %v", len(sink.Rows), sink.Rejected)
			}
			got, want := sink.Rows[0], c.want
			want.SourceID, want.EventAt, want.EventName = got.SourceID, table.MicrosOf(at), "page_view"
			if !strings.Contains(c.more, `"user_pseudo_id"`) {
				want.Device = p1
			}
			a, _ := json.Marshal(got)
			b, _ := json.Marshal(want)
			if string(a) != string(b) {
				t.Errorf("%s\nexpected\n%s", a, b)
			}
		})
	}
}

// TestParallel: days are read at the same time by one source.
func TestParallel(t *testing.T) {
	t.Parallel()
	w := worldtest.NewMemory(time.UTC)
	for at := utc("2026-11-01T00:30"); at.Before(utc("2026-11-07T00:00")); at = at.Add(time.Hour) {
		add(t, w, exported(at, ""), time.Time{}, at.Add(30*time.Hour))
	}
	l := newLab(t, w, func(c *Config, _ *bigquery.Options, _ *connectors.Env) { c.PageSize = 5 })
	var group errgroup.Group
	for d := dayOf(t, "2026-11-01"); d <= dayOf(t, "2026-11-06"); d++ {
		group.Go(func() error {
			sink, err := l.extract(t, d.String())
			if err == nil && (len(sink.Rows) != 24 || sink.Totals[0].Value != 24) {
				err = fmt.Errorf("%s: %d rows, totals %v", d, len(sink.Rows), sink.Totals)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

// TestPhoneRegion: with a region, digits that are a phone number there are one.
func TestPhoneRegion(t *testing.T) {
	t.Parallel()
	w := worldtest.NewMemory(time.UTC)
	for i, id := range []string{"8 916 123-45-67", "89161234567", "42"} {
		add(t, w, exported(utc("2026-11-03T12:00").Add(time.Duration(i)), fmt.Sprintf(`"user_id":%q`, id)), time.Time{}, time.Time{})
	}
	sink, err := newLab(t, w, func(c *Config, _ *bigquery.Options, _ *connectors.Env) { c.PhoneRegion = "RU" }).extract(t, "2026-11-03")
	if err != nil {
		t.Fatal(err)
	}
	if r := sink.Rows; r[0].Phone.IsZero() || r[0].Phone != r[1].Phone || !r[0].Account.IsZero() || r[2].Account.IsZero() || !r[2].Phone.IsZero() {
		t.Errorf("%+v", r)
	}
}

// TestIdentity: an event sent twice has one id, in whatever order its parameters come; what differs in one of the parts
// has another.
func TestIdentity(t *testing.T) {
	t.Parallel()
	w := worldtest.NewMemory(time.UTC)
	at := utc("2026-11-03T12:00")
	a, b := `{"key":"a","value":{"int_value":"1"}}`, `{"key":"b","value":{"string_value":"x"}}`
	rows := []string{
		exported(at, `"event_params":[`+a+`,`+b+`]`),
		exported(at, `"event_params":[`+b+`,`+a+`],"platform":"WEB"`),
		exported(at, `"event_params":[`+a+`]`),
		exported(at, `"event_params":[{"key":"a","value":{"string_value":"1"}},`+b+`]`),
		exported(at, `"event_params":[`+a+`,`+b+`],"batch_page_id":"1"`),
		exported(at, `"event_params":[`+a+`,`+b+`],"batch_ordering_id":"1"`),
		exported(at, `"event_params":[`+a+`,`+b+`],"event_bundle_sequence_id":"1"`),
		exported(at.Add(time.Microsecond), `"event_params":[`+a+`,`+b+`]`),
	}
	for _, row := range rows {
		add(t, w, row, time.Time{}, time.Time{})
	}
	sink, err := newLab(t, w, nil).extract(t, "2026-11-03")
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]int{}
	for _, r := range sink.Rows {
		ids[r.SourceID]++
	}
	if len(sink.Rows) != len(rows) || len(ids) != len(rows)-1 || ids[sink.Rows[0].SourceID] != 2 || sink.Rows[0].SourceID != sink.Rows[1].SourceID {
		t.Errorf("%v", ids)
	}
}

// TestRejected: an event that belongs to no day is rejected on the one in which its table's day begins, and counted once.
func TestRejected(t *testing.T) {
	t.Parallel()
	w := worldtest.NewMemory(time.UTC)
	noon := utc("2026-11-03T12:00")
	for _, day := range []string{"2026-11-02", "2026-11-03", "2026-11-04"} {
		add(t, w, exported(utc(day+"T12:00"), ""), time.Time{}, time.Time{})
	}
	add(t, w, `{"event_timestamp":null,"event_name":"x"}`, noon, noon)
	add(t, w, `{"event_timestamp":"soon","event_name":"x"}`, noon, noon)
	add(t, w, exported(utc("2026-10-01T12:00"), ""), noon, noon)
	add(t, w, exported(utc("2026-11-03T18:00"), `"event_params":[{"key":"value","value":{"double_value":"Infinity"}}]`), time.Time{}, time.Time{})
	moscow, err := loadZone("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	l := newLab(t, w, func(_ *Config, _ *bigquery.Options, e *connectors.Env) { e.Zone = moscow })
	for day, want := range map[string]struct {
		rows    int
		reasons string
	}{
		"2026-11-03": {1, "event_timestamp: expected microseconds since 1970|event_timestamp: expected microseconds since 1970|" +
			"event_timestamp: outside the day of its table: check property_zone|event_params.value: expected a finite number"},
		"2026-11-04": {1, ""},
	} {
		sink, err := l.extract(t, day)
		if err != nil {
			t.Fatal(err)
		}
		var reasons []string
		for _, r := range sink.Rejected {
			reasons = append(reasons, r.Reason)
			if r.Where.File != "projects/cinema/datasets/analytics_1/tables/events_20261103/data" || r.Where.Position < 2 || len(r.Where.Raw) == 0 {
				t.Errorf("%s: %s %d", day, r.Where.File, r.Where.Position)
			}
		}
		if got := strings.Join(reasons, "|"); got != want.reasons || len(sink.Rows) != want.rows {
			t.Errorf("%s: %d rows, rejected %s\nexpected %d, %s", day, len(sink.Rows), got, want.rows, want.reasons)
		}
		if sink.Totals[0].Value != int64(len(sink.Rows)+len(sink.Rejected)) {
			t.Errorf("%s: totals %v", day, sink.Totals)
		}
	}
}

// sessionOf is what the package says of session_id, in other words.
func sessionOf(key identifier.Key, pseudo, session string) string {
	return key.Row(fmt.Appendf(nil, "session%c%s%c%s", len(pseudo)+1, pseudo, len(session)+1, session)).String()
}
