package bankapi_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crosslift/connectors/sandbox/bankapi"
	"crosslift/connectors/sandbox/world"
	"crosslift/connectors/sandbox/world/worldtest"
	"crosslift/schemas/table"
)

var moscow = time.FixedZone("MSK", 3*60*60)

func at(text string) time.Time {
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return parsed
}

// sample is a purchase that is pending without an id and then booked, with its accrual, posted a day later.
func sample(t *testing.T) *worldtest.Memory {
	t.Helper()
	when := at("2026-11-03T12:00:00+03:00")
	card := world.Card{First6: "220012", Last4: "1234"}
	pending := world.BankTransaction{
		Client: "c1", Card: card, RRN: "612300000001", AuthCode: "A00001", Amount: 29900, Currency: "RUB", Direction: "debit",
		Status: "Pending", Booked: when, Visible: when, Withdrawn: when.Add(24 * time.Hour), Info: strings.Repeat("я", 600),
	}
	booked := pending
	booked.ID, booked.Status, booked.Visible, booked.Withdrawn = "tx1", "Booked", pending.Withdrawn, time.Time{}
	accrued := world.Accrual{
		ID: "ac1", Revision: 1, Campaign: "cinema", Client: "c1", Card: card, RRN: "612300000001", Purchased: when, Purchase: 29900,
		Currency: "RUB", Rate: "0.9900", Amount: 29601, Direction: "credit", Status: "Accrued", Accrued: when, Changed: when, Visible: when,
	}
	posted := accrued
	posted.Revision, posted.Status, posted.Posted = 2, "Posted", when.Add(24*time.Hour)
	posted.Changed, posted.Visible = posted.Posted, posted.Posted
	m := worldtest.NewMemory(moscow)
	c := &world.Chunk{Transactions: []world.BankTransaction{pending, booked}, Accruals: []world.Accrual{accrued, posted}}
	if err := bankapi.Builder(moscow).Build(c, m); err != nil {
		t.Fatal(err)
	}
	return m
}

// bank is a server, and clients of it with certificates.
type bank struct {
	t         *testing.T
	url       string
	authority *bankapi.Authority
	clock     *worldtest.Clock
}

func open(t *testing.T, w world.Reader, o bankapi.Options) *bank {
	t.Helper()
	authority, err := bankapi.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	b := &bank{t: t, authority: authority, clock: worldtest.NewClock(at("2026-11-04T03:00:00+03:00"))}
	o.Client, o.Zone, o.Now = "crosslift", moscow, b.clock.Now
	server := httptest.NewUnstartedServer(bankapi.Handler(w, o))
	if server.TLS, err = authority.Server(); err != nil {
		t.Fatal(err)
	}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

// client speaks with a certificate for a name.
func (b *bank) client(name string) *http.Client {
	b.t.Helper()
	certificate, key, err := b.authority.Client(name)
	if err != nil {
		b.t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		b.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(b.authority.PEM)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}}
	b.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func (b *bank) token(c *http.Client, form url.Values) (status int, answer map[string]any) {
	b.t.Helper()
	a, err := c.PostForm(b.url+"/token", form)
	if err != nil {
		b.t.Fatal(err)
	}
	defer a.Body.Close()
	if err := json.NewDecoder(a.Body).Decode(&answer); err != nil {
		b.t.Fatal(err)
	}
	return a.StatusCode, answer
}

var grant = url.Values{"grant_type": {"client_credentials"}, "client_id": {"crosslift"}, "scope": {"accounts"}}

// ask sends a request and gives status, body and headers.
func (b *bank) ask(c *http.Client, method, path, token string) (int, string, http.Header) {
	b.t.Helper()
	r, err := http.NewRequest(method, b.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("x-fapi-interaction-id", "93bac548-d2de-4546-b106-880a5018460d")
	a, err := c.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return a.StatusCode, string(body), a.Header
}

// TestTokens: a token goes to the registered client, is good over its certificate only, and expires.
func TestTokens(t *testing.T) {
	t.Parallel()
	b := open(t, sample(t), bankapi.Options{})
	c := b.client("crosslift")
	for name, change := range map[string]string{"grant_type": "password", "client_id": "other", "scope": "payments"} {
		form := url.Values{}
		for n, v := range grant {
			form[n] = v
		}
		form.Set(name, change)
		if status, answer := b.token(c, form); status < 400 || answer["error"] == "" {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
	if status, answer := b.token(b.client("other"), grant); status != 401 || answer["error"] != "invalid_client" {
		t.Errorf("another client's certificate: %d %v", status, answer)
	}
	status, answer := b.token(c, grant)
	token, _ := answer["access_token"].(string)
	if status != 200 || answer["token_type"] != "Bearer" || answer["expires_in"] != 300.0 {
		t.Fatalf("%d %v", status, answer)
	}
	const path = "/open-banking/v3.1/aisp/accounts"
	status, body, header := b.ask(c, "GET", path, token)
	if status != 200 || !strings.Contains(body, `"AccountId":"cashback-rub"`) ||
		header.Get("x-fapi-interaction-id") != "93bac548-d2de-4546-b106-880a5018460d" {
		t.Errorf("%d %s %v", status, body, header)
	}
	for name, ask := range map[string]func() (int, string, http.Header){
		"another certificate of the client": func() (int, string, http.Header) { return b.ask(b.client("crosslift"), "GET", path, token) },
		"no token":                          func() (int, string, http.Header) { return b.ask(c, "GET", path, "") },
		"an altered one":                    func() (int, string, http.Header) { return b.ask(c, "GET", path, "B"+token[1:]) },
	} {
		if status, body, _ := ask(); status != 401 || body != "" {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	b.clock.Advance(5 * time.Minute)
	if status, body, _ := b.ask(c, "GET", path, token); status != 401 || body != "" {
		t.Errorf("expired: %d %s", status, body)
	}
	if _, err := (&http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}).Get(b.url + path); err == nil {
		t.Error("without a certificate it answered")
	}
}

// TestErrors answers as the standard says: what has a body and what has none.
func TestErrors(t *testing.T) {
	t.Parallel()
	b := open(t, sample(t), bankapi.Options{Campaigns: []string{"cinema"}, PerMinute: 20})
	c := b.client("crosslift")
	_, answer := b.token(c, grant)
	token := answer["access_token"].(string)
	const accruals = "/partner/v1/campaigns/cinema/accruals?fromUpdatedDateTime=2026-11-03T00:00:00Z&toUpdatedDateTime=2026-11-04T00:00:00Z"
	for path, want := range map[string]string{
		"/": "404 ", "/partner/v1/campaigns/theatre/totals?bookingDate=2026-11-03": "404 ",
		"/open-banking/v3.1/aisp/accounts/cashback-rub/transactions?fromBookingDateTime=today": "400 UK.OBIE.Field.InvalidDate fromBookingDateTime",
		"/open-banking/v3.1/aisp/accounts/x/transactions":                                      "400 UK.OBIE.Resource.NotFound AccountId",
		"/open-banking/v3.1/aisp/accounts/cashback-rub/transactions?page=x":                    "400 UK.OBIE.Field.Invalid page",
		"/partner/v1/campaigns/cinema/accruals":                                                "400 UK.OBIE.Field.InvalidDate fromUpdatedDateTime",
		"/partner/v1/campaigns/cinema/totals":                                                  "400 UK.OBIE.Field.InvalidDate bookingDate",
		accruals + "&limit=1001":                                                               "400 UK.OBIE.Field.Invalid limit",
		accruals + "&status=Paid":                                                              "400 UK.OBIE.Field.Invalid status",
	} {
		status, body, _ := b.ask(c, "GET", path, token)
		var told struct {
			Errors []struct{ ErrorCode, Path string }
		}
		got := fmt.Sprint(status, " ", body)
		if json.Unmarshal([]byte(body), &told) == nil {
			got = fmt.Sprint(status, " ", told.Errors[0].ErrorCode, " ", told.Errors[0].Path)
		}
		if got != want {
			t.Errorf("%s: %s, expected %s", path, got, want)
		}
	}
	if status, body, _ := b.ask(c, "DELETE", accruals, token); status != 405 || body != "" {
		t.Errorf("405: %d %s", status, body)
	}
	for range 20 {
		b.ask(c, "GET", accruals, token)
	}
	if status, body, header := b.ask(c, "GET", accruals, token); status != 429 || body != "" || header.Get("Retry-After") != "60" {
		t.Errorf("429: %d %s %v", status, body, header)
	}
}

// TestShown: what is shown depends on the clock, and a list that is being read does not change.
func TestShown(t *testing.T) {
	t.Parallel()
	w := sample(t)
	b := open(t, w, bankapi.Options{Page: 1})
	c := b.client("crosslift")
	_, answer := b.token(c, grant)
	token := answer["access_token"].(string)
	const transactions = "/open-banking/v3.1/aisp/accounts/cashback-rub/transactions"
	_, body, _ := b.ask(c, "GET", transactions+"?fromBookingDateTime=2026-11-03T12:00:00Z&toBookingDateTime=2026-11-03T12:00:00Z", token)
	if !strings.Contains(body, `"Status":"Pending"`) || strings.Contains(body, "TransactionId") || strings.Count(body, "я") != 500 {
		t.Errorf("the offset is ignored, both ends belong to it: %s", body)
	}
	for _, span := range []string{
		"?fromBookingDateTime=2026-11-03T12:00:00&toBookingDateTime=2026-11-03T12:00:00", // what the standard asks of callers
		"?fromBookingDateTime=2026-11-03&toBookingDateTime=2026-11-04",
	} {
		if _, body, _ := b.ask(c, "GET", transactions+span, token); !strings.Contains(body, `"Status":"Pending"`) {
			t.Errorf("%s: %s", span, body)
		}
	}
	_, body, _ = b.ask(c, "GET", transactions+"?fromBookingDateTime=2026-11-03T12:00:01Z", token)
	if !strings.Contains(body, `"Transaction":[]`) || strings.Contains(body, "Next") {
		t.Errorf("nothing after it: %s", body)
	}
	totals := func(day string) string {
		_, body, _ := b.ask(c, "GET", "/partner/v1/campaigns/cinema/totals?bookingDate="+day, token)
		var told struct {
			Data struct{ Total json.RawMessage }
		}
		if err := json.Unmarshal([]byte(body), &told); err != nil {
			t.Fatal(err)
		}
		return string(told.Data.Total)
	}
	const one = `[{"Status":"%s","CreditDebitIndicator":"Credit","Count":1,"Amount":{"Amount":"296.01","Currency":"RUB"}}]`
	if got := totals("2026-11-03"); got != fmt.Sprintf(one, "Accrued") {
		t.Error(got)
	}
	b.clock.Set(at("2026-11-04T12:00:00+03:00"))
	_, answer = b.token(c, grant)
	token = answer["access_token"].(string)
	if _, body, _ = b.ask(c, "GET", transactions, token); !strings.Contains(body, `"TransactionId":"tx1"`) || strings.Contains(body, "Pending") {
		t.Errorf("the pending one is withdrawn: %s", body)
	}
	if got := totals("2026-11-03") + totals("2026-11-04"); got != "[]"+fmt.Sprintf(one, "Posted") {
		t.Error(got)
	}
	if _, body, _ = b.ask(c, "GET", "/partner/v1/campaigns/cinema/accruals?fromUpdatedDateTime=2026-11-04T09:00:00Z&toUpdatedDateTime=2026-11-04T10:00:00Z&status=Posted", token); !strings.Contains(body, `"Revision":2`) {
		t.Error(body)
	}
}

// TestRegistry: the files of two nights, to the byte.
func TestRegistry(t *testing.T) {
	t.Parallel()
	w := sample(t)
	versions, err := w.Versions(bankapi.Source, bankapi.Accruals, at("2026-11-03T12:00:00+03:00"))
	if err != nil || len(versions) != 1 {
		t.Fatal(versions, err)
	}
	late := versions[0]
	late.ID, late.Visible = "ac2", late.Visible.Add(24*time.Hour)
	late.Object = bytes.ReplaceAll(late.Object, []byte("ac1"), []byte("ac2"))
	if err := w.Write(bankapi.Source, bankapi.Accruals, late); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "in")
	first, err := table.ParseDay("2026-11-03")
	if err != nil {
		t.Fatal(err)
	}
	for night := first; night < first+3; night++ {
		if err := bankapi.WriteRegistry(dir, night, w, bankapi.RegistryOptions{Bank: "b1", Campaign: "cinema", Zone: moscow}); err != nil {
			t.Fatal(err)
		}
	}
	const row = ";c1;220012******1234;612300000001;;2026-11-03T12:00:00+03:00;299.00;RUB;296.01;C;"
	want := map[string]string{
		"cashback_cinema_20261103_1.csv": "HD;1;b1;cinema;2026-11-03;1;2026-11-04T02:00:00+03:00;\nD;1;ac1;1" + row +
			"Accrued;;2026-11-03T12:00:00+03:00\nTD;1;296.01;0.00;RUB;2300000001\n",
		"cashback_cinema_20261103_2.csv": "HD;1;b1;cinema;2026-11-03;2;2026-11-05T02:00:00+03:00;1\nD;1;ac1;1" + row +
			"Accrued;;2026-11-03T12:00:00+03:00\nD;2;ac2;1" + row + "Accrued;;2026-11-03T12:00:00+03:00\nTD;2;592.02;0.00;RUB;4600000002\n",
		"cashback_cinema_20261104_3.csv": "HD;1;b1;cinema;2026-11-04;3;2026-11-05T02:00:00+03:00;2\nD;1;ac1;2" + row +
			"Posted;;2026-11-04T12:00:00+03:00\nTD;1;296.01;0.00;RUB;2300000001\n",
		"cashback_cinema_20261105_4.csv": "HD;1;b1;cinema;2026-11-05;4;2026-11-06T02:00:00+03:00;3\nTD;0;0.00;0.00;RUB;0\n",
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2*len(want) {
		t.Errorf("%v, %d files", err, len(entries))
	}
	for name, content := range want {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(got) != content {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
		sum := sha256.Sum256([]byte(content))
		announced, err := os.ReadFile(filepath.Join(dir, name+".sha256"))
		if err != nil || string(announced) != hex.EncodeToString(sum[:])+"  "+name+"\n" {
			t.Errorf("%s.sha256: %v %s", name, err, announced)
		}
	}
}

// TestAuthorityFiles: what is written lets a client in.
func TestAuthorityFiles(t *testing.T) {
	t.Parallel()
	authority, err := bankapi.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := authority.Write(dir, "crosslift"); err != nil {
		t.Fatal(err)
	}
	if _, err := tls.LoadX509KeyPair(filepath.Join(dir, bankapi.CertificateFile), filepath.Join(dir, bankapi.KeyFile)); err != nil {
		t.Error(err)
	}
	if ca, err := os.ReadFile(filepath.Join(dir, bankapi.CAFile)); err != nil || !bytes.Equal(ca, authority.PEM) {
		t.Error(err)
	}
}

// TestWorldBroken: an amount that the bank cannot have stops the building.
func TestWorldBroken(t *testing.T) {
	t.Parallel()
	for _, c := range []*world.Chunk{
		{Transactions: []world.BankTransaction{{Amount: -1, Currency: "RUB"}}},
		{Transactions: []world.BankTransaction{{Amount: 1, Currency: "ZZZ"}}},
		{Accruals: []world.Accrual{{Amount: 1, Purchase: -1, Currency: "RUB"}}},
	} {
		if err := bankapi.Builder(moscow).Build(c, worldtest.NewMemory(moscow)); err == nil {
			t.Error("built")
		}
	}
}
