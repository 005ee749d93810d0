package hubspot_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crosslift/connectors/sandbox/hubspot"
	"crosslift/connectors/sandbox/world"
	"crosslift/connectors/sandbox/world/worldtest"
)

var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

// people is a world of n contacts, modified a second apart up to noon, each with a deal.
func people(n int) *world.Chunk {
	yes := true
	c := &world.Chunk{}
	for i := 1; i <= n; i++ {
		changed := noon.Add(time.Duration(i-n) * time.Second)
		c.Contacts = append(c.Contacts, world.Contact{
			ID: fmt.Sprint(i), Account: fmt.Sprintf("u%d", i), Email: fmt.Sprintf("p%d@example.org", i), Name: "Ann Lee",
			MarketingConsent: &yes, ConsentVersion: "2026-01", Created: noon.Add(-time.Hour), Changed: changed, Visible: changed,
		})
		c.Deals = append(c.Deals, world.Deal{
			ID: fmt.Sprint(9000 + i), Contact: fmt.Sprint(i), Stage: "active", Plan: "family", Amount: 29950, Currency: "RUB",
			Created: noon.Add(-time.Hour), Changed: changed, Visible: changed,
		})
	}
	return c
}

func serve(t *testing.T, c *world.Chunk, q hubspot.Quota, now func() time.Time) func(method, path, body string) (int, map[string]any, http.Header) {
	t.Helper()
	m := worldtest.NewMemory(time.UTC)
	if err := hubspot.Builder().Build(c, m); err != nil {
		t.Fatal(err)
	}
	if now == nil {
		now = func() time.Time { return noon }
	}
	s := httptest.NewServer(hubspot.Handler(m, hubspot.Options{Token: "pat-1", Now: now, Quota: q}))
	t.Cleanup(s.Close)
	return func(method, path, body string) (int, map[string]any, http.Header) {
		t.Helper()
		token := "pat-1"
		path, wrong := strings.CutPrefix(path, "!")
		if wrong {
			token = "pat-2"
		}
		r, err := http.NewRequest(method, s.URL+path, bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		content, err := io.ReadAll(a.Body)
		if err != nil {
			t.Fatal(err)
		}
		var v map[string]any
		if err := json.Unmarshal(content, &v); err != nil {
			t.Fatalf("%s: %s", path, content)
		}
		return a.StatusCode, v, a.Header
	}
}

// at finds a value by a dotted path; a number in it is the place in a list.
func at(v any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		switch inner := v.(type) {
		case map[string]any:
			v = inner[name]
		case []any:
			i := 0
			fmt.Sscan(name, &i)
			if i >= len(inner) {
				return nil
			}
			v = inner[i]
		}
	}
	return v
}

func ids(v map[string]any) string {
	var all []string
	for _, o := range v["results"].([]any) {
		all = append(all, at(o, "id").(string))
	}
	return strings.Join(all, " ")
}

// shape lists the paths of a JSON value and their types; properties that are null count as text.
func shape(v any, path string, into map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			shape(inner, path+"."+name, into)
		}
	case []any:
		for _, inner := range v {
			shape(inner, path+"[]", into)
		}
	case nil:
		into[path] = "string"
	default:
		into[path] = fmt.Sprintf("%T", v)
	}
}

// The example answers of HubSpot's own are in the shared data: every member that they have, ours have too, in the same
// type, and none that they do not have but the company's own properties.
func TestShapeOfTheExamples(t *testing.T) {
	data := filepath.Join(os.Getenv("CROSSLIFT_DATA"), "payloads", "hubspot")
	if _, err := os.Stat(data); err != nil {
		t.Skip("HubSpot's examples are not here: set CROSSLIFT_DATA to the folder of the data sets")
	}
	call := serve(t, people(3), hubspot.Quota{}, nil)
	for example, path := range map[string]string{
		"mock_contacts_data.json": "/crm/v3/objects/contacts?properties=createdate,email,firstname,hs_object_id,lastmodifieddate,lastname",
		"mock_deals_data.json":    "/crm/v3/objects/deals?properties=amount,closedate,createdate,dealname,dealstage,hs_lastmodifieddate,hs_object_id,pipeline",
	} {
		content, err := os.ReadFile(filepath.Join(data, example))
		if err != nil {
			t.Fatal(err)
		}
		var theirs any
		if err := json.Unmarshal(content, &theirs); err != nil {
			t.Fatal(err)
		}
		_, ours, _ := call("GET", path, "")
		want, got := map[string]string{}, map[string]string{}
		shape(theirs, "", want)
		shape(ours, "", got)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s:\n%v\nexpected\n%v", example, got, want)
		}
	}
}

func TestObjects(t *testing.T) {
	call := serve(t, people(2), hubspot.Quota{}, nil)
	_, v, _ := call("GET", "/crm/v3/objects/contacts?properties=user_id,analytics_consent,unknown&properties=marketing_consent", "")
	for path, want := range map[string]any{
		"results.0.id": "1", "results.0.archived": false, "results.0.updatedAt": "2026-11-03T11:59:59.000Z",
		"results.0.createdAt": "2026-11-03T11:00:00.000Z", "results.0.properties.user_id": "u1",
		"results.0.properties.marketing_consent": "true", "results.0.properties.analytics_consent": nil,
		"results.0.properties.lastmodifieddate": "2026-11-03T11:59:59.000Z", "results.0.properties.email": nil,
		"results.0.associations": nil, "results.0.archivedAt": nil,
	} {
		if got := at(v, path); got != want {
			t.Errorf("%s: %v, expected %v", path, got, want)
		}
	}
	properties := at(v, "results.0.properties").(map[string]any)
	if _, has := properties["analytics_consent"]; !has {
		t.Error("a property that is not set is null")
	}
	if _, has := properties["unknown"]; has {
		t.Error("a property that is unknown is left out")
	}
	_, v, _ = call("GET", "/crm/objects/2026-03/deals?associations=contacts&properties=amount,deal_currency_code,hs_is_closed", "")
	for path, want := range map[string]any{
		"results.1.id": "9002", "results.1.properties.amount": "299.5", "results.1.properties.deal_currency_code": "RUB",
		"results.1.properties.hs_is_closed": "false", "results.1.associations.contacts.results.0.id": "2",
		"results.1.associations.contacts.results.0.type": "deal_to_contact",
	} {
		if got := at(v, path); got != want {
			t.Errorf("%s: %v, expected %v", path, got, want)
		}
	}
}

func TestAmountsInMajorUnits(t *testing.T) {
	for minor, want := range map[int64]string{29900: "299", 29950: "299.5", 5: "0.05", -150: "-1.5", 0: "0"} {
		c := people(1)
		c.Deals[0].Amount = minor
		_, v, _ := serve(t, c, hubspot.Quota{}, nil)("GET", "/crm/v3/objects/deals?properties=amount", "")
		if got := at(v, "results.0.properties.amount"); got != want {
			t.Errorf("%d: %v, expected %s", minor, got, want)
		}
	}
	c := people(1)
	c.Deals[0].Amount, c.Deals[0].Currency = 1500, "JPY"
	_, v, _ := serve(t, c, hubspot.Quota{}, nil)("GET", "/crm/v3/objects/deals?properties=amount", "")
	if got := at(v, "results.0.properties.amount"); got != "1500" {
		t.Errorf("JPY: %v", got)
	}
}

func TestList(t *testing.T) {
	c := people(25)
	c.Contacts[4].Archived = true
	call := serve(t, c, hubspot.Quota{}, nil)
	var all []string
	for after, pages := "", 0; ; pages++ {
		status, v, _ := call("GET", "/crm/v3/objects/contacts?limit=10"+after, "")
		if status != 200 || pages > 3 {
			t.Fatal(status, v)
		}
		all = append(all, ids(v))
		next := at(v, "paging.next.after")
		if next == nil {
			break
		}
		after = "&after=" + next.(string)
	}
	if got := strings.Join(all, "|"); got != "1 2 3 4 6 7 8 9 10 11|12 13 14 15 16 17 18 19 20 21|22 23 24 25" {
		t.Error(got)
	}
	_, v, _ := call("GET", "/crm/v3/objects/contacts?archived=true", "")
	if ids(v) != "5" || at(v, "results.0.archived") != true || at(v, "results.0.archivedAt") != at(v, "results.0.updatedAt") {
		t.Error(v)
	}
}

func TestSearch(t *testing.T) {
	call := serve(t, people(250), hubspot.Quota{}, nil)
	ms := func(n int) string { return fmt.Sprint(noon.Add(time.Duration(n-250) * time.Second).UnixMilli()) }
	filter := func(property, operator, value string) string {
		return fmt.Sprintf(`{"propertyName":%q,"operator":%q,"value":%q}`, property, operator, value)
	}
	for _, test := range []struct {
		filters, more, want string
		total               float64
	}{
		{filter("lastmodifieddate", "GTE", ms(248)), ``, "248 249 250", 3},
		{filter("lastmodifieddate", "GTE", ms(240)) + "," + filter("lastmodifieddate", "LT", ms(243)), ``, "240 241 242", 3},
		{filter("lastmodifieddate", "EQ", ms(7)), ``, "7", 1},
		{filter("lastmodifieddate", "LTE", "2026-11-03T11:55:52Z"), ``, "1 2", 2},
		{filter("hs_object_id", "GT", "247"), ``, "248 249 250", 3},
		{`{"propertyName":"hs_object_id","operator":"BETWEEN","value":"9","highValue":"11"}`, ``, "9 10 11", 3},
		{`{"propertyName":"user_id","operator":"IN","values":["u3","U5"]}`, ``, "3 5", 2},
		{filter("user_id", "EQ", "u3") + "," + filter("email", "EQ", "p4@example.org"), ``, "", 0},
		{filter("hs_object_id", "LTE", "3"), `,"sorts":[{"propertyName":"lastmodifieddate","direction":"DESCENDING"}]`, "3 2 1", 3},
		{filter("hs_object_id", "GT", "0"), `,"limit":2,"after":"248"`, "249 250", 250},
		{filter("hs_object_id", "GT", "0"), `,"limit":2`, "1 2", 250},
	} {
		status, v, _ := call("POST", "/crm/v3/objects/contacts/search", `{"filterGroups":[{"filters":[`+test.filters+`]}]`+test.more+`}`)
		if status != 200 || ids(v) != test.want || v["total"] != test.total {
			t.Errorf("%s%s: %d %v", test.filters, test.more, status, v)
		}
		if more := at(v, "paging.next.after"); strings.Contains(test.more, `"limit":2`) != (more != nil) && !strings.Contains(test.more, "after") {
			t.Errorf("%s: next %v", test.more, more)
		}
	}
	for body, status := range map[string]int{
		`{"limit":201}`: 400, `{"limit":200,"after":9800}`: 200, `{"limit":200,"after":9801}`: 400, `{"limit":200,"after":"x"}`: 400,
		`{"sorts":[{"propertyName":"a"},{"propertyName":"b"}]}`: 400, `{"filterGroups":[{"filters":[{"propertyName":"a","operator":"NEAR","value":"1"}]}]}`: 400,
		`{"filterGroups":[{},{},{},{},{},{}]}`: 400, `{`: 400, `{}`: 200,
	} {
		if got, v, _ := call("POST", "/crm/v3/objects/contacts/search", body); got != status || status == 400 && v["category"] != "VALIDATION_ERROR" {
			t.Errorf("%s: %d %v", body, got, v)
		}
	}
}

func TestBatches(t *testing.T) {
	call := serve(t, people(3), hubspot.Quota{}, nil)
	status, v, _ := call("POST", "/crm/v3/objects/contacts/batch/read", `{"inputs":[{"id":"3"},{"id":"1"}],"properties":["email"]}`)
	if status != 200 || ids(v) != "3 1" || at(v, "results.0.properties.email") != "p3@example.org" || v["status"] != "COMPLETE" {
		t.Error(status, v)
	}
	status, v, _ = call("POST", "/crm/v4/associations/deals/contacts/batch/read", `{"inputs":[{"id":"9003"},{"id":"77"}]}`)
	if status != 207 || at(v, "results.0.from.id") != "9003" || at(v, "results.0.to.0.toObjectId") != 3.0 || v["numErrors"] != 1.0 {
		t.Error(status, v)
	}
	if status, _, _ = call("POST", "/crm/associations/2026-03/deals/contacts/batch/read", `{"inputs":[{"id":"9003"}]}`); status != 200 {
		t.Error(status)
	}
}

// What is shown is what is visible; a version that becomes visible later is shown then.
func TestClock(t *testing.T) {
	clock := worldtest.NewClock(noon)
	c := people(1)
	later := c.Contacts[0]
	later.Email, later.Changed, later.Visible = "new@example.org", noon.Add(time.Hour), noon.Add(time.Hour)
	c.Contacts = append(c.Contacts, later)
	call := serve(t, c, hubspot.Quota{}, clock.Now)
	for _, want := range []string{"p1@example.org", "new@example.org", "p1@example.org"} {
		_, v, _ := call("GET", "/crm/v3/objects/contacts?properties=email", "")
		if got := at(v, "results.0.properties.email"); got != want {
			t.Errorf("%s: %v", clock.Now(), got)
		}
		if clock.Advance(time.Hour); want == "new@example.org" {
			clock.Set(noon)
		}
	}
}

// Whoever reads a world's past on a clock of their own is told the time by it.
func TestWall(t *testing.T) {
	wall := noon.AddDate(0, 0, 20)
	s := httptest.NewServer(hubspot.Handler(worldtest.NewMemory(time.UTC), hubspot.Options{
		Token: "pat-1", Now: func() time.Time { return noon }, Wall: func() time.Time { return wall },
	}))
	defer s.Close()
	a, err := http.Get(s.URL + "/crm/v3/objects/contacts")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if got := a.Header.Get("Date"); got != wall.Format(http.TimeFormat) {
		t.Errorf("dated %s", got)
	}
}

// What an edited or damaged world holds is served as it stands.
func TestEditedWorlds(t *testing.T) {
	m := worldtest.NewMemory(time.UTC)
	for id, object := range map[string]string{
		"1": `{"id":"1","properties":{"lastmodifieddate":"2026-11-03T11:00:00Z","user_id":7},"loyalty_note":"call ann","archived":false}`,
		"2": `{"properties":{"lastmodifieddate":"2026-11-03T11:00:01Z"},"archived":false}`, "3": `{"id":"3","properties":5}`,
	} {
		if err := m.Write(hubspot.Source, hubspot.Contacts, world.Record{ID: id, At: noon, Visible: noon, Object: []byte(object)}); err != nil {
			t.Fatal(err)
		}
	}
	s := httptest.NewServer(hubspot.Handler(m, hubspot.Options{Token: "t", Now: func() time.Time { return noon }}))
	defer s.Close()
	r, err := http.NewRequest("POST", s.URL+"/crm/v3/objects/contacts/search", strings.NewReader(
		`{"sorts":[{"propertyName":"lastmodifieddate"}],"properties":["user_id"]}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer t")
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	content, err := io.ReadAll(a.Body)
	const want = `{"total":3,"results":[` +
		`{"archived":false,"id":"1","loyalty_note":"call ann","properties":{"lastmodifieddate":"2026-11-03T11:00:00Z","user_id":7}},` +
		`{"archived":false,"properties":{"lastmodifieddate":"2026-11-03T11:00:01Z","user_id":null}},` +
		`{"id":"3","properties":{"lastmodifieddate":null,"user_id":null}}]}`
	if err != nil || string(content) != want {
		t.Errorf("%s\nexpected\n%s", content, want)
	}
}

func TestErrors(t *testing.T) {
	call := serve(t, people(1), hubspot.Quota{}, nil)
	for _, test := range []struct {
		method, path string
		status       int
		category     string
	}{
		{"GET", "!/crm/v3/objects/contacts", 401, "INVALID_AUTHENTICATION"},
		{"GET", "/crm/v3/objects/tickets", 404, "OBJECT_NOT_FOUND"},
		{"GET", "/crm/v3/objects/contacts/search", 405, "VALIDATION_ERROR"},
		{"GET", "/crm/v3/objects/contacts?limit=101", 400, "VALIDATION_ERROR"},
	} {
		status, v, _ := call(test.method, test.path, "")
		if status != test.status || v["category"] != test.category || v["status"] != "error" || v["message"] == "" || v["correlationId"] == nil {
			t.Errorf("%s: %d %v", test.path, status, v)
		}
	}
}

func TestQuota(t *testing.T) {
	clock := worldtest.NewClock(noon)
	call := serve(t, people(1), hubspot.Quota{Daily: 3, TenSeconds: 100}, clock.Now)
	var policies []any
	var h http.Header
	for range 5 {
		var v map[string]any
		var status int
		status, v, h = call("GET", "/crm/v3/objects/contacts", "")
		policies = append(policies, v["policyName"])
		if (status == 429) != (v["category"] == "RATE_LIMITS") {
			t.Error(status, v)
		}
	}
	if got := fmt.Sprint(policies); got != "[<nil> <nil> <nil> DAILY DAILY]" {
		t.Error(got)
	}
	if h.Get("X-HubSpot-RateLimit-Daily") != "3" || h.Get("X-HubSpot-RateLimit-Daily-Remaining") != "0" || h.Get("X-HubSpot-RateLimit-Max") != "100" {
		t.Error(h)
	}
	clock.Advance(12 * time.Hour)
	if status, _, _ := call("POST", "/crm/v3/objects/contacts/search", `{}`); status != 200 {
		t.Error("the next day:", status)
	}
	call = serve(t, people(1), hubspot.Quota{Search: 1}, nil)
	refused := 0
	for range 10 {
		if status, v, _ := call("POST", "/crm/v3/objects/contacts/search", `{}`); status == 429 && v["policyName"] == "SECONDLY" {
			refused++
		}
	}
	if refused < 5 {
		t.Errorf("%d of 10 searches within a second were refused", refused)
	}
}
