package productdb_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
	"crosslift/connectors/pgread/pgtest"
	"crosslift/connectors/productdb"
	"crosslift/connectors/sandbox/appdb"
	"crosslift/connectors/sandbox/world"
	"crosslift/connectors/sandbox/world/worldtest"
	"crosslift/schemas/identifier"
	"crosslift/schemas/secret"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

var server pgtest.Server

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, &server)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var (
	moscow = must(time.LoadLocation("Europe/Moscow"))
	key    = must(identifier.NewKey("test", []byte("a secret of the tests")))
	first  = must(table.ParseDay("2026-11-03"))
)

// population is some days of many people, of whose writes every seventh is committed half an hour after its stamp.
func population(days int) *world.Chunk {
	c := &world.Chunk{}
	start := first.Window(moscow).From
	visible := func(n int, at time.Time) time.Time {
		if n%7 == 0 {
			return at.Add(30 * time.Minute)
		}
		return at
	}
	for n := range days * 24 * 4 {
		at := start.Add(time.Duration(n) * 15 * time.Minute).Add(123456 * time.Microsecond)
		account, device := fmt.Sprintf("user-%d", n%40), fmt.Sprintf("device-%d", n%60)
		c.Accounts = append(c.Accounts, world.Account{
			ID: account, Registered: start, Email: fmt.Sprintf("ann.%d+x@gmail.com", n%40), Phone: fmt.Sprintf("8 (916) 123-%02d-67", n%40),
			Name: "Ann Smith", Country: "RU", Changed: at, Visible: visible(n, at),
		})
		c.Devices = append(c.Devices, world.Device{
			ID: device, Type: "tv", Platform: "tvos", FirstSeen: start, Account: account, Changed: at, Visible: visible(n, at),
		})
		for i := range 3 {
			id := int64(3*n + i)
			c.Logins = append(c.Logins, world.Login{ID: id, At: at, Visible: visible(n, at), Account: account, Device: device, Session: "s", Kind: "login"})
			c.Views = append(c.Views, world.View{ID: id, At: at, Visible: visible(n, at), Account: account, Device: device, Title: "t", Seconds: 60 + id})
		}
	}
	return c
}

// project is a source over a database of its own.
type project struct {
	*pgtest.Database
	source connectors.Source
	log    bytes.Buffer
}

func newProject(t *testing.T, yaml string) *project {
	t.Helper()
	p := &project{Database: server.Database(t)}
	if err := appdb.Load(t.Context(), p.DB, worldtest.NewMemory(moscow), time.Time{}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := appdb.CreateReader(t.Context(), p.DB, "product_reader", ""); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PRODUCT_URL", p.URL("product_reader"))
	var c productdb.Config
	if err := strictyaml.Decode("crosslift.yaml", []byte("url: ${PRODUCT_URL}\n"+yaml), os.LookupEnv, &c); err != nil {
		t.Fatal(err)
	}
	source, err := productdb.New(c, connectors.Env{
		Key: key, Zone: moscow, Log: slog.New(slog.NewTextHandler(&p.log, nil)), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	p.source = source
	t.Cleanup(func() { source.Close() })
	return p
}

func (p *project) stream(name string) connectors.Stream {
	for _, s := range p.source.Streams() {
		if s.Name() == "productdb/"+name {
			return s
		}
	}
	return nil
}

// read extracts a day as the pipeline does.
func read[Row any](t *testing.T, p *project, name string, day table.Day) *connectorstest.Sink[Row] {
	t.Helper()
	s := p.stream(name)
	inputs, err := s.Inputs(t.Context(), day)
	if err != nil {
		t.Fatal(err)
	}
	sink := &connectorstest.Sink[Row]{Table: s.Table(), Window: day.Window(moscow)}
	if err := s.Extract(t.Context(), day, inputs, sink); err != nil {
		t.Fatal(err)
	}
	for _, total := range sink.Totals {
		landed := int64(len(sink.Rows) + len(sink.Rejected))
		if total.Measure == "seconds" {
			landed = 0
			for _, r := range sink.Rows {
				landed += reflect.ValueOf(r).FieldByName("Seconds").Int()
			}
		}
		if total.Value != landed {
			t.Errorf("%s %s: the source says %d %s, %d have landed", name, day, total.Value, total.Measure, landed)
		}
	}
	return sink
}

// Night after night is read as soon as it is over, each day again the night after. At the end everything that ever was
// visible at the end of a night is there once.
func TestNightsReadEverythingOnce(t *testing.T) {
	for _, late := range []string{"overlap: 1h", "tx: tx"} {
		t.Run(late, func(t *testing.T) {
			const days = 4
			c := population(days)
			w := worldtest.NewMemory(moscow)
			if err := appdb.Builder().Build(c, w); err != nil {
				t.Fatal(err)
			}
			p := newProject(t, late+"\nregion: RU\npage_size: 50\n")
			logins, views := map[table.Day]map[string]table.ProductLoginRow{}, map[table.Day]map[string]table.ViewingRow{}
			users := map[string]table.ProductUserRow{}
			var loaded time.Time
			shown := map[string]bool{} // the versions of users that a night could see
			for night := first; night <= first+days; night++ {
				now := night.Window(moscow).To.Add(time.Minute)
				if err := appdb.Load(t.Context(), p.DB, w, loaded, now); err != nil {
					t.Fatal(err)
				}
				loaded = now
				for day := max(first, night-1); day <= night; day++ {
					logins[day], views[day] = map[string]table.ProductLoginRow{}, map[string]table.ViewingRow{} // a partition is replaced
					for _, r := range read[table.ProductLoginRow](t, p, "logins", day).Rows {
						logins[day][r.SourceID] = r
					}
					for _, r := range read[table.ViewingRow](t, p, "viewing", day).Rows {
						views[day][r.SourceID] = r
					}
					for _, r := range read[table.ProductUserRow](t, p, "users", day).Rows { // a table of changes keeps what it has
						users[r.SourceID+r.ChangedAt.Time().String()] = r
					}
					if rejected := read[table.ProductDeviceRow](t, p, "devices", day).Rejected; len(rejected) > 0 {
						t.Errorf("devices: %v", rejected)
					}
				}
				newest := map[string]world.Account{}
				for _, a := range c.Accounts {
					if !a.Visible.After(now) && !a.Visible.Before(newest[a.ID].Visible) {
						newest[a.ID] = a
					}
				}
				for _, a := range newest {
					if a.Changed.Before(night.Window(moscow).To) { // else it is for the next night, if it is still so then
						shown[must(key.Hash("source_id", a.ID)).String()+table.MicrosOf(a.Changed).Time().String()] = true
					}
				}
			}
			seen := 0
			for day, of := range logins {
				seen += len(of)
				if len(of) != len(views[day]) {
					t.Errorf("%s: %d logins, %d views", day, len(of), len(views[day]))
				}
			}
			if seen != len(c.Logins) {
				t.Errorf("%d logins landed, of %d", seen, len(c.Logins))
			}
			for version := range shown {
				if _, ok := users[version]; !ok {
					t.Errorf("a version of a user that a night could see is missing: %s", version)
				}
			}
			if len(users) != len(shown) {
				t.Errorf("%d versions of users, expected %d", len(users), len(shown))
			}
		})
	}
}

func TestRows(t *testing.T) {
	at := first.Window(moscow).From
	yes := true
	w := worldtest.NewMemory(moscow)
	err := appdb.Builder().Build(&world.Chunk{
		Accounts: []world.Account{{ID: "u1", Registered: at, Email: "Ann.Smith@GMail.com", EmailVerified: true, Phone: "8 (916) 123-45-67",
			Country: "RU", AnalyticsConsent: &yes, Changed: at, Visible: at}},
		Devices: []world.Device{{ID: "d1", Type: "tv", Platform: "tvos", Model: "X", FirstSeen: at, Account: "u1", Changed: at, Visible: at}},
		Logins:  []world.Login{{ID: 5, At: at, Visible: at, Account: "u1", Device: "d1", Session: "s1", Kind: "login"}},
		Views:   []world.View{{ID: 6, At: at, Visible: at, Device: "d1", Title: "t", Seconds: 60}},
	}, w)
	if err != nil {
		t.Fatal(err)
	}
	p := newProject(t, "region: RU")
	if err := appdb.Load(t.Context(), p.DB, w, time.Time{}, at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	hash := func(kind identifier.Kind, value string) identifier.ID { return must(key.Hash(kind, value)) }
	then := table.MicrosOf(at)
	account, device := hash(identifier.Account, "u1"), hash(identifier.Device, "d1")
	for name, c := range map[string]struct{ got, want any }{
		"users": {read[table.ProductUserRow](t, p, "users", first).Rows, []table.ProductUserRow{{
			SourceID: hash("source_id", "u1").String(), ChangedAt: then, Account: account, RegisteredAt: then,
			Email: hash(identifier.Email, "ann.smith@gmail.com"), EmailFolded: hash(identifier.EmailFolded, "annsmith@gmail.com"),
			EmailVerified: &yes, Phone: hash(identifier.Phone, "+79161234567"), Country: "RU", AnalyticsConsent: &yes,
		}}},
		"devices": {read[table.ProductDeviceRow](t, p, "devices", first).Rows, []table.ProductDeviceRow{{
			SourceID: hash("source_id", "d1").String(), ChangedAt: then, Device: device, Type: "tv", FirstSeenAt: &then, Platform: "tvos",
			Model: "X", RegisteredBy: account,
		}}},
		"logins": {read[table.ProductLoginRow](t, p, "logins", first).Rows, []table.ProductLoginRow{{
			SourceID: "5", EventAt: then, Account: account, Device: device, Kind: "login", Session: hash("session", "s1").String(),
		}}},
		"viewing": {read[table.ViewingRow](t, p, "viewing", first).Rows, []table.ViewingRow{{
			SourceID: "6", ViewedAt: then, Device: device, Title: "t", Seconds: 60,
		}}},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: got\n%+v\nexpected\n%+v", name, c.got, c.want)
		}
	}
	for _, f := range p.source.Check(t.Context()) {
		if f.Problem != nil {
			t.Errorf("check: %s: %v", f.What, f.Problem)
		}
	}
}

// What is personal reaches nothing that is written: not rows, reasons, cursors, names of fields, errors, logs.
func TestNothingPersonalComesThrough(t *testing.T) {
	planted := []string{"ann.smith@cinema.dev", "+79161234567", "9161234567", "4111111111111111", "u-planted-1"}
	p := newProject(t, "region: RU\npage_size: 1")
	stamp := first.Window(moscow).From.Add(time.Hour).Format(time.RFC3339)
	p.Do(t, `ALTER TABLE users ADD "ann.smith@cinema.dev" text, ADD note text`, `ALTER TABLE viewing_actions ALTER seconds TYPE text`,
		`INSERT INTO users (id, registered_at, email, phone, name, country, deleted, updated_at, note, "ann.smith@cinema.dev") VALUES
			('u-planted-1', '`+stamp+`', 'ann.smith@cinema.dev', '+79161234567', 'ann.smith@cinema.dev', 'RU', false, '`+stamp+`', '4111111111111111', 'x'),
			('u-planted-1b', 'infinity', 'ann.smith@cinema.dev', '+79161234567', '4111111111111111', 'RU', false, '`+stamp+`', '', '')`,
		`INSERT INTO logins (id, at, user_id, device_id, session, kind) VALUES (1, '`+stamp+`', 'u-planted-1', 'd', 'ann.smith@cinema.dev', 'login'),
			(2, '`+stamp+`', NULL, 'd', '4111111111111111', 'login')`,
		`INSERT INTO viewing_actions (id, started_at, user_id, device_id, seconds) VALUES (1, '`+stamp+`', 'u-planted-1', 'd', 'ann.smith@cinema.dev'),
			(2, '`+stamp+`', 'u-planted-1', 'd', 'phone +79161234567')`)
	var written bytes.Buffer
	note := func(rows any, rejected []connectorstest.Rejection, cursors []string, fields map[string]int) {
		fmt.Fprintf(&written, "%+v %v %v\n", rows, cursors, fields)
		for _, r := range rejected {
			fmt.Fprintf(&written, "%s %d %v %s\n", r.Where.File, r.Where.Position, r.Where.Fields, r.Reason)
		}
	}
	users := read[table.ProductUserRow](t, p, "users", first)
	note(users.Rows, users.Rejected, users.Cursors, users.Fields)
	logins := read[table.ProductLoginRow](t, p, "logins", first)
	note(logins.Rows, logins.Rejected, logins.Cursors, logins.Fields)
	views := read[table.ViewingRow](t, p, "viewing", first)
	note(views.Rows, views.Rejected, views.Cursors, views.Fields)
	if n := len(users.Rejected) + len(logins.Rejected) + len(views.Rejected); n != 4 {
		t.Errorf("%d rows were rejected, expected 4", n)
	}
	p.Do(t, `CREATE FUNCTION leak() RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''of ann.smith@cinema.dev, +79161234567''; END'`,
		`DROP TABLE viewing_actions`, `CREATE VIEW viewing_actions AS SELECT id, at AS started_at, user_id, device_id, '' AS title, leak() AS seconds FROM logins`,
		`GRANT SELECT ON viewing_actions TO product_reader`)
	err := p.stream("viewing").Extract(t.Context(), first, nil, connectorstest.Discard{})
	if err == nil || !strings.Contains(err.Error(), "of [redacted]") {
		t.Errorf("%v: expected the server's message without what is personal", err)
	}
	fmt.Fprintln(&written, err, &p.log)
	for _, f := range p.source.Check(t.Context()) {
		fmt.Fprintln(&written, f.What, f.Problem, f.Remedy)
	}
	for _, value := range planted {
		if i := strings.Index(written.String(), value); i >= 0 {
			t.Errorf("%s came through: …%s…", value, written.String()[max(0, i-80):i+len(value)])
		}
	}
	if got := fmt.Sprint(users.Fields); got != "map[users.(unprintable):1 users.note:1]" {
		t.Errorf("fields: %s", got)
	}
}

func TestSettings(t *testing.T) {
	for yaml, want := range map[string]string{
		"url: ${PRODUCT_URL}": "users devices logins viewing",
		"url: ${PRODUCT_URL}\nviewing: {table: video.views, columns: {seconds: duration}}\nlogins: {}": "logins viewing",
		"url: ${PRODUCT_URL}\nlogins: {columns: {device: ''}}":                                         "crosslift.yaml:2:28: logins.columns.device: required",
		"url: ${PRODUCT_URL}\nregion: Russia":                                                          "region: expected the ISO 3166-1 code of a country",
		"url: postgres://u:p@localhost/x":                                                              "a secret is not written here",
		"restatement: 0":                                                                               "url: required: postgres://",
		"url: ${PRODUCT_URL}\noverlap: 30h":                                                            "overlap: longer than",
		"url: ${PRODUCT_URL}\nuser: {}":                                                                `unknown key "user"`,
	} {
		t.Setenv("PRODUCT_URL", "postgres://u:geheim@localhost/x")
		var c productdb.Config
		err := strictyaml.Decode("crosslift.yaml", []byte(yaml), os.LookupEnv, &c)
		if err != nil {
			if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "geheim") {
				t.Errorf("%s: %v: expected %q", yaml, err, want)
			}
			continue
		}
		source, err := productdb.New(c, connectors.Env{Key: key, Zone: moscow})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range source.Streams() {
			names = append(names, strings.TrimPrefix(s.Name(), "productdb/"))
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: streams %s, expected %s", yaml, got, want)
		}
		source.Close()
	}
	_, err := productdb.New(productdb.Config{URL: secret.New("postgres://u:geheim@db.cinema.dev/x?sslmode=disable")}, connectors.Env{Key: key, Zone: moscow})
	if err == nil || !strings.HasPrefix(err.Error(), "productdb: url: sslmode=disable") || strings.Contains(err.Error(), "geheim") {
		t.Errorf("%v", err)
	}
}
