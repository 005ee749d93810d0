package appdb

import (
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"crosslift/connectors/pgread/pgtest"
	"crosslift/connectors/sandbox/world"
	"crosslift/connectors/sandbox/world/worldtest"
)

var server pgtest.Server

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, &server)) }

func at(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05.999999", text)
	if err != nil {
		panic(err)
	}
	return t
}

// two nights: a login that is committed after midnight, an account that changes.
func someWorld(t testing.TB) *worldtest.Memory {
	first, late, changed := at("2026-11-03 10:00:00.123456"), at("2026-11-04 00:20:00"), at("2026-11-04 09:00:00")
	yes := true
	account := world.Account{ID: "u1", Human: 1, Registered: first, Email: "ann@cinema.dev", EmailVerified: true, Phone: "8 (916) 123-45-67",
		Name: "Ann <i>&", Country: "RU", MarketingConsent: &yes, Changed: first, Visible: first}
	gone := account
	gone.Deleted, gone.Email, gone.Changed, gone.Visible = true, "", changed, changed
	m := worldtest.NewMemory(time.UTC)
	err := Builder().Build(&world.Chunk{
		Accounts: []world.Account{account, gone},
		Devices:  []world.Device{{ID: "d1", Type: "tv", Platform: "tvos", Model: "X", FirstSeen: first, Changed: first, Visible: first}},
		Logins: []world.Login{
			{ID: 1, At: first, Visible: first, Account: "u1", Device: "d1", Session: "s", Kind: "login"},
			{ID: 2, At: at("2026-11-03 23:55:00"), Visible: late, Account: "u1", Device: "d1", Session: "s", Kind: "refresh"},
		},
		Views:       []world.View{{ID: 7, At: first, Visible: first, Device: "d1", Title: "Tab\there", Seconds: 90}},
		Assignments: []world.Assignment{{ID: 1, At: first, Visible: first, Experiment: "e", UnitType: "account", Unit: "u1", Variant: "B"}},
		Exposures: []world.Exposure{{ID: 1, At: changed, Visible: changed, Experiment: "e", UnitType: "account", Unit: "u1", Account: "u1",
			Device: "d1", Variant: "B", Platform: "tv", Country: "RU"}},
	}, m)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestRecordsAreRowsOfTheTables(t *testing.T) {
	m := someWorld(t)
	var lines []string
	for _, stream := range []string{"product/users", "product/devices", "product/logins", "product/viewing", "assignment/rows"} {
		source, name, _ := strings.Cut(stream, "/")
		all, _ := m.Versions(source, name, at("2027-01-01 00:00:00"))
		for _, r := range all {
			lines = append(lines, fmt.Sprintf("%s %s %s", stream, r.ID, r.Object))
		}
	}
	want := `product/users u1 {"id":"u1","registered_at":"2026-11-03T10:00:00.123456Z","email":"ann@cinema.dev","email_verified":true,"phone":"8 (916) 123-45-67","name":"Ann <i>&","country":"RU","marketing_consent":true,"analytics_consent":null,"deleted":false,"updated_at":"2026-11-03T10:00:00.123456Z"}
product/users u1 {"id":"u1","registered_at":"2026-11-03T10:00:00.123456Z","email":null,"email_verified":true,"phone":"8 (916) 123-45-67","name":"Ann <i>&","country":"RU","marketing_consent":true,"analytics_consent":null,"deleted":true,"updated_at":"2026-11-04T09:00:00Z"}
product/devices d1 {"id":"d1","type":"tv","platform":"tvos","model":"X","first_seen_at":"2026-11-03T10:00:00.123456Z","registered_by":null,"updated_at":"2026-11-03T10:00:00.123456Z"}
product/logins 1 {"id":1,"at":"2026-11-03T10:00:00.123456Z","user_id":"u1","device_id":"d1","session":"s","kind":"login"}
product/logins 2 {"id":2,"at":"2026-11-03T23:55:00Z","user_id":"u1","device_id":"d1","session":"s","kind":"refresh"}
product/viewing 7 {"id":7,"started_at":"2026-11-03T10:00:00.123456Z","user_id":null,"device_id":"d1","title":"Tab\there","seconds":90}
assignment/rows 2 {"id":2,"experiment":"e","unit_type":"account","unit_id":"u1","variant":"B","kind":"assigned","assigned_at":"2026-11-03T10:00:00.123456Z","platform":null,"country":null,"device_id":null}
assignment/rows 3 {"id":3,"experiment":"e","unit_type":"account","unit_id":"u1","variant":"B","kind":"exposed","assigned_at":"2026-11-04T09:00:00Z","platform":"tv","country":"RU","device_id":"d1"}`
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got\n%s\nexpected\n%s", got, want)
	}
}

// dump gives a database's tables as text, without tx.
func dump(t testing.TB, db *sql.DB) string {
	t.Helper()
	var all []string
	for _, target := range targets {
		rows, err := db.Query("SELECT (to_jsonb(t) - 'tx')::text FROM " + target.table + " t ORDER BY id")
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			all = append(all, target.table+" "+line)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return strings.Join(all, "\n")
}

func load(t testing.TB, db *pgtest.Database, m world.Reader, from, to time.Time) {
	t.Helper()
	if err := Load(t.Context(), db.DB, m, from, to); err != nil {
		t.Fatal(err)
	}
}

func TestTheTablesAreAsTheProductHasThemAtAnInstant(t *testing.T) {
	m := someWorld(t)
	nightly := server.Database(t)
	var from time.Time
	for _, to := range []string{"2026-11-03 09:00:00", "2026-11-03 23:59:59", "2026-11-04 00:10:00", "2026-11-04 00:20:00", "2026-11-05 00:00:00"} {
		load(t, nightly, m, from, at(to))
		from = at(to)
		atOnce := server.Database(t)
		load(t, atOnce, m, time.Time{}, at(to))
		if got, want := dump(t, nightly.DB), dump(t, atOnce.DB); got != want {
			t.Errorf("at %s: night by night\n%s\nat once\n%s", to, got, want)
		}
		current, _ := m.Current(Product, "logins", at(to))
		if got := strings.Count(dump(t, nightly.DB), "logins {"); got != len(current) {
			t.Errorf("at %s: %d logins, expected %d", to, got, len(current))
		}
	}
	if got := dump(t, nightly.DB); !strings.Contains(got, `"deleted": true`) || !strings.Contains(got, `"title": "Tab\there"`) {
		t.Errorf("at the end:\n%s", got)
	}
}

func TestAnUpdateHasATxOfItsOwn(t *testing.T) {
	m := someWorld(t)
	db := server.Database(t)
	load(t, db, m, time.Time{}, at("2026-11-04 00:00:00"))
	tx := func() (id string) {
		if err := db.QueryRow("SELECT tx FROM users WHERE id = 'u1'").Scan(&id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	before := tx()
	load(t, db, m, at("2026-11-04 00:00:00"), at("2026-11-05 00:00:00"))
	if tx() == before {
		t.Error("the update left tx as it was")
	}
}

func TestAnEditedWorld(t *testing.T) {
	m := someWorld(t)
	noon := at("2026-11-04 12:00:00")
	m.Write(Product, "users", world.Record{ID: "u2", At: noon, Visible: noon,
		Object: []byte(`{"id":"u2","registered_at":"2026-11-04T12:00:00Z","deleted":false,"updated_at":"2026-11-04T12:00:00Z","backup mail":"bob@cinema.dev","tags":["a"]}`)})
	db := server.Database(t)
	load(t, db, m, time.Time{}, at("2026-11-05 00:00:00"))
	if got := dump(t, db.DB); !strings.Contains(got, `"backup mail": "bob@cinema.dev"`) || !strings.Contains(got, `"tags": "[\"a\"]"`) {
		t.Errorf("a column that the product added is missing:\n%s", got)
	}
	m = worldtest.NewMemory(time.UTC)
	for _, o := range []string{ // both visible at once: the later change counts, whatever the order of lines
		`{"id":"u3","updated_at":"2026-11-04T12:00:00Z","country":"DE"}`, `{"id":"u3","updated_at":"2026-11-04T11:00:00Z","country":"FR"}`,
	} {
		changed := noon
		if strings.Contains(o, "FR") {
			changed = noon.Add(-time.Hour)
		}
		m.Write(Product, "users", world.Record{ID: "u3", At: changed, Visible: noon, Object: []byte(o)})
	}
	load(t, db, m, at("2026-11-04 00:00:00"), at("2026-11-05 00:00:00"))
	if got := dump(t, db.DB); !strings.Contains(got, `"country": "DE"`) {
		t.Errorf("the later change is missing:\n%s", got)
	}
	gone := at("2026-11-05 00:00:00")
	for _, broken := range []world.Record{
		{ID: "1", At: noon, Visible: noon, Gone: &gone, Object: []byte(`{}`)},
		{ID: "1", At: noon, Visible: noon, Object: []byte(`[]`)},
		{ID: "1", At: noon, Visible: noon, Object: []byte(`{"id":1,"at":"noon","kind":"login"}`)},
	} {
		m := worldtest.NewMemory(time.UTC)
		m.Write(Product, "logins", broken)
		if err := Load(t.Context(), db.DB, m, time.Time{}, at("2026-11-06 00:00:00")); err == nil || !strings.Contains(err.Error(), "logins: 2026-11-04: ") {
			t.Errorf("%s: %v", broken.Object, err)
		}
	}
}

func TestTheReaderMayReadAndNothingElse(t *testing.T) {
	db := server.Database(t)
	load(t, db, someWorld(t), time.Time{}, at("2026-11-05 00:00:00"))
	for range 2 { // an existing role is given the same
		if err := CreateReader(t.Context(), db.DB, "product_reader", "pass'word"); err != nil {
			t.Fatal(err)
		}
	}
	reader, err := sql.Open("postgres", db.URL("product_reader"))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var n int
	if err := reader.QueryRow("SELECT count(*) FROM users").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d users, %v", n, err)
	}
	for _, statement := range []string{"DELETE FROM users", "SET default_transaction_read_only = off; DELETE FROM users", "CREATE TABLE x ()"} {
		if _, err := reader.Exec(statement); err == nil {
			t.Errorf("%s: it may", statement)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	m := worldtest.NewMemory(time.UTC)
	var c world.Chunk
	for i := range 200_000 {
		when := at("2026-11-03 00:00:00").Add(time.Duration(i) * 400 * time.Millisecond)
		c.Views = append(c.Views, world.View{ID: int64(i), At: when, Visible: when, Account: fmt.Sprint("u", i%999), Device: fmt.Sprint("d", i%1999), Title: "title", Seconds: 60})
	}
	if err := Builder().Build(&c, m); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		b.StopTimer()
		db := server.Database(b)
		b.StartTimer()
		load(b, db, m, time.Time{}, at("2026-11-05 00:00:00"))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/200_000, "ns/row")
}
