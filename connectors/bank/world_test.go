package bank

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
	"crosslift/connectors/rest"
	"crosslift/connectors/sandbox/bankapi"
	"crosslift/connectors/sandbox/world"
	"crosslift/connectors/sandbox/world/worldtest"
	"crosslift/schemas/identifier"
	"crosslift/schemas/secret"
	"crosslift/schemas/table"
)

var moscow = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Moscow")
	if err != nil {
		panic(err)
	}
	return zone
}()

func day(t testing.TB, text string) table.Day {
	t.Helper()
	d, err := table.ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// build puts a chunk into a world.
func build(t testing.TB, c *world.Chunk) *worldtest.Memory {
	t.Helper()
	m := worldtest.NewMemory(moscow)
	if err := bankapi.Builder(moscow).Build(c, m); err != nil {
		t.Fatal(err)
	}
	return m
}

// The personal data that is planted wherever a bank has room for it. None of it may be found anywhere again.
var planted = []string{
	"Ivan Petrov", "Иван Петров", "ivan.petrov@mail.ru", "4276 3800 1234 5679", "4276380012345679",
	"40817810099910004312", "+7 (916) 123-45-67", "client-00000001", "220012******1234", "427638******5679",
}

const personalText = "Gift for Ivan Petrov / Иван Петров, ivan.petrov@mail.ru, card 4276 3800 1234 5679, " +
	"acc 40817810099910004312, tel +7 (916) 123-45-67"

// chunk is some days of a campaign: transactions and accruals every few minutes, in two currencies, with all statuses.
func chunk(t testing.TB, first string, days, perDay int) *world.Chunk {
	t.Helper()
	c := &world.Chunk{}
	from := day(t, first)
	for d := range days {
		window := (from + table.Day(d)).Window(moscow)
		step := window.To.Sub(window.From) / time.Duration(perDay)
		for i := range perDay {
			n := d*perDay + i
			when := window.From.Add(time.Duration(i) * step)
			card := []world.Card{{First6: "220012", Last4: "1234"}, {First6: "427638", Last4: "5679"}}[n%2]
			currency, minor := "RUB", int64(29900+n)
			if n%5 == 0 {
				currency, minor = "KWD", int64(12345+n)
			}
			common := world.BankTransaction{
				ID: fmt.Sprintf("tx%06d", n), Client: fmt.Sprintf("client-%08d", n%7), Card: card, RRN: fmt.Sprintf("%012d", 612300000000+n),
				AuthCode: fmt.Sprintf("A%05d", n), Amount: minor, Currency: currency, Direction: "debit", Status: "Booked",
				Booked: when, Value: when.Add(time.Hour), Info: personalText, Merchant: "4899", Visible: when.Add(time.Minute),
			}
			if n%4 == 3 {
				common.ID, common.Status = "", "Pending"
			}
			c.Transactions = append(c.Transactions, common)
			accrual := world.Accrual{
				ID: fmt.Sprintf("ac%06d", n), Revision: 1, Campaign: "cinema", Client: common.Client, Card: card, RRN: common.RRN,
				AuthCode: common.AuthCode, Transaction: common.ID, Purchased: when, Purchase: minor, Currency: currency,
				Rate: "0.9900", Amount: minor * 99 / 100, Direction: "credit", Status: "Accrued", Accrued: when,
				Changed: when, Visible: when.Add(time.Minute),
			}
			c.Accruals = append(c.Accruals, accrual)
			switch n % 3 {
			case 0: // posted a day later
				accrual.Revision, accrual.Status, accrual.Posted = 2, "Posted", when.Add(24*time.Hour)
				accrual.Changed, accrual.Visible = accrual.Posted, accrual.Posted.Add(time.Minute)
				c.Accruals = append(c.Accruals, accrual)
			case 1: // taken back in part, at once
				accrual.ID, accrual.ReversalOf = accrual.ID+"r", accrual.ID
				accrual.Direction, accrual.Amount, accrual.Reason = "debit", 100, "REFUNDED"
				accrual.Changed = when.Add(time.Second)
				c.Accruals = append(c.Accruals, accrual)
			}
		}
	}
	return c
}

// bench is a bank with a client of it.
type bench struct {
	t      testing.TB
	server *httptest.Server
	config API
	log    *locked
	judge  *judge
	clock  *worldtest.Clock
}

// locked is a log that several goroutines write.
type locked struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(p)
}

func (l *locked) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.String()
}

const client1 = "crosslift-cinema"

// open starts a bank over a world. around, unless nil, stands before it. All that is asked is judged, and all that the
// bank answers; what around makes of the answers is not.
func open(t testing.TB, w world.Reader, now string, o bankapi.Options, around func(http.Handler) http.Handler) *bench {
	t.Helper()
	b := &bench{t: t, clock: worldtest.NewClock(at(t, now)), log: &locked{}, judge: newJudge(t)}
	o.Client, o.Zone, o.Now = client1, moscow, b.clock.Now
	authority, err := bankapi.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	config, err := authority.Server()
	if err != nil {
		t.Fatal(err)
	}
	handler := b.judge.around(bankapi.Handler(w, o))
	if around != nil {
		handler = b.judge.asked(around(handler))
	}
	b.serve(handler, config)
	certificate, key, err := authority.Client(client1)
	if err != nil {
		t.Fatal(err)
	}
	b.config = API{
		Base: b.server.URL, ClientID: client1, Campaign: "cinema", PerSecond: 10000,
		Certificate: secret.New(string(certificate)), Key: secret.New(string(key)), CA: secret.New(string(authority.PEM)),
		timing: rest.Retry{First: time.Millisecond, Most: 2 * time.Millisecond},
	}
	return b
}

func (b *bench) serve(handler http.Handler, config *tls.Config) {
	b.server = httptest.NewUnstartedServer(handler)
	b.server.TLS = config
	b.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	b.server.StartTLS()
	b.t.Cleanup(b.server.Close)
}

func key(t testing.TB) identifier.Key {
	t.Helper()
	k, err := identifier.NewKey("test", []byte("a secret of the test, long enough"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// source makes the client.
func (b *bench) source() connectors.Source {
	b.t.Helper()
	return b.with(Config{API: &b.config}, moscow)
}

func (b *bench) with(c Config, zone *time.Location) connectors.Source {
	b.t.Helper()
	s, err := New(c, connectors.Env{
		Key: key(b.t), Zone: zone, Log: slog.New(slog.NewTextHandler(io.Writer(b.log), &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now: time.Now,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { s.Close() })
	return s
}

func stream(t testing.TB, s connectors.Source, name string) connectors.Stream {
	t.Helper()
	for _, found := range s.Streams() {
		if found.Name() == name {
			return found
		}
	}
	t.Fatalf("no stream %s", name)
	return nil
}

// read extracts a day and gives the sink.
func read[Row any](t testing.TB, s connectors.Stream, d table.Day) (*connectorstest.Sink[Row], error) {
	t.Helper()
	sink := &connectorstest.Sink[Row]{Table: s.Table(), Window: d.Window(moscow)}
	inputs, err := s.Inputs(context.Background(), d)
	if err != nil {
		return sink, err
	}
	return sink, s.Extract(context.Background(), d, inputs, sink)
}
