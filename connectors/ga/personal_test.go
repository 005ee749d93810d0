package ga

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/sandbox/bigquery"
	"crosslift/connectors/sandbox/world/worldtest"
)

// TestPersonal: what is planted is in no row, reason, cursor, announcement, error or log line.
func TestPersonal(t *testing.T) {
	t.Parallel()
	planted := []string{"ann.smith", "mail.ru", "9161234567", "916 123-45-67", "916%20123", "4242424242424242", "4242 4242", "Ivanova"}
	texts := []string{
		`https://shop.ru/me?email=ann.smith@mail.ru&name=Ivanova`,
		`https://ann.smith@mail.ru:pw@shop.ru/a/ann.smith%40mail.ru/b#Ivanova`,
		`https://shop.ru/ann.smith%2540mail.ru/+7%20916%20123-45-67`,
		`/cart/79161234567?name=Ivanova`,
		`shop.ru/x?name=Ivanova`,
		`write to ann.smith@mail.ru or +7 (916) 123-45-67, card 4242 4242 4242 4242`,
		`see https://shop.ru/x?name=Ivanova and ann.smith%40mail.ru`,
		`4242424242424242`,
	}
	w := worldtest.NewMemory(time.UTC)
	at := utc("2026-11-03T08:00")
	plant := func(row string) {
		at = at.Add(time.Minute)
		add(t, w, fmt.Sprintf(`{"event_timestamp":"%d",%s}`, at.UnixMicro(), row), at, at)
	}
	for _, text := range texts {
		for _, key := range []string{"page_location", "page_title", "value", "currency", "ga_session_id", "note"} {
			plant(fmt.Sprintf(`"event_name":"view","user_pseudo_id":"p","event_params":[{"key":%q,"value":{"string_value":%q}}]`, key, text))
		}
		plant(fmt.Sprintf(`"event_name":%q,"user_pseudo_id":%[1]q,"user_id":%[1]q,"platform":%[1]q,"geo":{"country":%[1]q},`+
			`"traffic_source":{"source":%[1]q,"medium":%[1]q},"privacy_info":{"analytics_storage":%[1]q},"mood":%[1]q,`+
			`"event_params":[{"key":%[1]q,"value":{"string_value":"x"}}]`, text))
	}
	for _, id := range []string{"+7 (916) 123-45-67", "+79161234567", "ann.smith@mail.ru", "79161234567"} {
		plant(fmt.Sprintf(`"event_name":"view","user_pseudo_id":"p","user_id":%q`, id))
	}
	add(t, w, `{"event_timestamp":"ann.smith@mail.ru","event_name":"x"}`, at, at)

	l := newLab(t, w, func(c *Config, o *bigquery.Options, _ *connectors.Env) {
		c.PageSize = 7
		o.Columns = append(bigquery.Columns(), bigquery.Field{Name: "mood", Type: "STRING", Mode: "NULLABLE"})
	})
	sink, err := l.extract(t, day)
	if err != nil {
		t.Fatal(err)
	}
	if len(sink.Rows) < 3*len(texts) || len(sink.Rejected) == 0 {
		t.Errorf("%d rows, %d rejected", len(sink.Rows), len(sink.Rejected))
	}
	var written strings.Builder
	for _, r := range sink.Rows {
		fmt.Fprintf(&written, "%+v\n", r)
	}
	for _, r := range sink.Rejected {
		fmt.Fprintf(&written, "%s %d %s %v\n", r.Where.File, r.Where.Position, r.Reason, r.Where.Fields)
	}
	fmt.Fprintln(&written, sink.Cursors, sink.Fields, sink.Totals)
	for _, status := range []int{400, 401, 403, 404, 500} {
		for _, body := range []string{strings.Join(texts, " "), ""} {
			l.intercept(func(_ int, w http.ResponseWriter, r *http.Request) bool {
				if isRows(r) == (body == "") {
					refuse(w, status, "invalid", "of "+texts[5]+" and ann.smith@mail.ru 79161234567")
					return true
				}
				return false
			})
			_, err := l.extract(t, day)
			if err == nil {
				t.Errorf("%d was no error", status)
			}
			fmt.Fprintln(&written, err)
		}
	}
	for _, f := range l.Check(t.Context()) {
		fmt.Fprintln(&written, f)
	}
	all := written.String() + l.log.String()
	for _, person := range planted {
		if i := strings.Index(strings.ToLower(all), strings.ToLower(person)); i >= 0 {
			t.Errorf("%q was written: …%s…", person, all[max(0, i-200):min(len(all), i+100)])
		}
	}
	if l.log.Len() == 0 {
		t.Error("nothing was logged")
	}
}

// TestClean keeps of a text what is nobody's.
func TestClean(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                   "",
		"Drinkware | Lifestyle":              "Drinkware | Lifestyle",
		"100% off":                           "100% off",
		"Why? Because; really":               "Why? Because; really",
		"https://x.ru":                       "https://x.ru",
		"https://x.ru?a=1":                   "https://x.ru",
		"https://x.ru/a/b?c=d#e":             "https://x.ru/a/b",
		"HTTPS://u:p@x.ru:8443/a;s=1":        "HTTPS://x.ru:8443/a",
		"android-app://com.x.y/z?q=1":        "android-app://com.x.y/z",
		"https://x.ru/%D0%BF":                "https://x.ru/%D0%BF",
		"https://x.ru/order/12345678":        "https://x.ru/order/[redacted]",
		"mailto:ann@mail.ru?subject=x":       "mailto:[redacted]",
		"see https://x.ru/a?b=c, or http://": "see https://x.ru/a or http://",
		"/a?b":                               "/a",
		"ann%40mail.ru":                      "[redacted]",
		"a%2540b.de":                         "[redacted]",
		"a\xffb":                             "a\uFFFDb",
	} {
		if got := clean(text); got != want {
			t.Errorf("%q became %q, expected %q", text, got, want)
		}
	}
}
