package crm_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
	"crosslift/connectors/crm"
	"crosslift/schemas/secret"
)

// BenchmarkContacts is what a contact of 300 bytes costs from HTTP to row, with and without a phone number, whose
// normalising costs more than all the rest. The server shares the processor and sends pages that it has prepared.
func BenchmarkContacts(b *testing.B) {
	b.Run("without phones", func(b *testing.B) { benchmarkContacts(b, "") })
	b.Run("with phones", func(b *testing.B) { benchmarkContacts(b, "+7916%07d") })
}

func benchmarkContacts(b *testing.B, phones string) {
	const pages, size = 50, 200
	at := func(n int) time.Time { return start.Add(time.Hour + time.Duration(n)*time.Second) }
	prepared := map[string][]byte{}
	for p := range pages {
		var body bytes.Buffer
		first := p * (size - 1) // the last of a page is the first of the next
		fmt.Fprintf(&body, `{"total":%d,"results":[`, pages*(size-1)+1-first)
		for i := range size {
			n := first + i
			phone := ""
			if phones != "" {
				phone = fmt.Sprintf(phones, n)
			}
			moment := at(n).UTC().Format("2006-01-02T15:04:05.000Z")
			fmt.Fprintf(&body, `{"id":"%d","properties":{"createdate":"2026-11-01T00:00:00.000Z","email":"person%d@cinema.tv","hs_object_id":"%d",`+
				`"lastmodifieddate":%q,"phone":%q,"user_id":"u%08x","marketing_consent":"true"},`+
				`"createdAt":"2026-11-01T00:00:00.000Z","updatedAt":%q,"archived":false},`, n, n, n, moment, phone, n, moment)
		}
		body.Truncate(body.Len() - 1)
		if body.WriteByte(']'); p < pages-1 {
			body.WriteString(`,"paging":{"next":{"after":"200"}}`)
		}
		body.WriteByte('}')
		since := at(first).UnixMilli()
		if p == 0 {
			since = start.UnixMilli()
		}
		prepared[fmt.Sprint(since)] = body.Bytes()
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, rest, found := bytes.Cut(body, []byte(`"GTE","value":"`))
		since, _, _ := bytes.Cut(rest, []byte(`"`))
		switch {
		case bytes.Contains(body, []byte(`"limit":1}`)):
			fmt.Fprintf(w, `{"total":%d,"results":[]}`, pages*(size-1)+1)
		case found:
			w.Write(prepared[string(since)])
		default:
			io.WriteString(w, `{"results":[]}`)
		}
	}))
	defer s.Close()
	source, err := crm.New(crm.Config{
		Base: s.URL, Token: secret.New("pat-1"), RequestsPerSecond: 1e9,
		Contacts: crm.Contacts{Account: "user_id", MarketingConsent: "marketing_consent"},
	}, connectors.Env{Key: key, Zone: zone, Now: func() time.Time { return after }})
	if err != nil {
		b.Fatal(err)
	}
	defer source.Close()
	before := cpu()
	for b.Loop() {
		rows := &counting{}
		if err := source.Streams()[0].Extract(context.Background(), day, nil, rows); err != nil || rows.n != pages*(size-1)+1 {
			b.Fatal(err, rows.n)
		}
	}
	b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(b.N)/(pages*size), "cpu-ns/row")
}

type counting struct {
	connectorstest.Discard
	n int
}

func (c *counting) Row(any, connectors.Origin) error { c.n++; return nil }

// cpu is the processor time that the process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
