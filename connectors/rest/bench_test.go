package rest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"crosslift/connectors/rest"
)

// row has about 300 bytes, as a contact or a charge has with a handful of properties.
func row(n int) string {
	return fmt.Sprintf(`{"id":"%09d","properties":{"createdate":"2026-11-03T10:15:%02d.123Z","email":"person%d@example.org","hs_object_id":"%09d",`+
		`"lastmodifieddate":"2026-11-03T10:15:30.456Z","phone":"+7916%07d","plan":"family","marketing_consent":"true"},`+
		`"createdAt":"2026-11-03T10:15:30.123Z","archived":false}`, n, n%60, n, n, n%10_000_000)
}

func page(rows int) string {
	var b strings.Builder
	b.WriteString(`{"results":[`)
	for n := range rows {
		if n > 0 {
			b.WriteByte(',')
		}
		b.WriteString(row(n))
	}
	b.WriteString(`],"paging":{"next":{"after":"12345"}}}`)
	return b.String()
}

// BenchmarkElements is what decoding costs a row, and looking at each of its fields.
func BenchmarkElements(b *testing.B) {
	const rows = 10_000
	text := page(rows)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		fields := 0
		_, err := rest.Elements(strings.NewReader(text), "results", func(v rest.Value) error {
			for _, m := range v.Get("properties").Members() {
				if !m.Absent() {
					fields++
				}
			}
			return nil
		})
		if err != nil || fields != 7*rows {
			b.Fatal(err, fields)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}

// BenchmarkRead is the same over HTTP, pages of 200 rows, with and without gzip; client and server share the CPU, the
// server sending what it has prepared.
func BenchmarkRead(b *testing.B) {
	const rows = 200
	text := []byte(page(rows))
	zipped := zip(string(text))
	for _, encoding := range []string{"identity", "gzip"} {
		b.Run(encoding, func(b *testing.B) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				content := text
				if encoding == "gzip" {
					w.Header().Set("Content-Encoding", "gzip")
					content = zipped
				}
				w.Header().Set("Content-Length", fmt.Sprint(len(content)))
				w.Write(content)
			}))
			defer s.Close()
			c, err := rest.New(rest.Options{Name: "shop", Base: s.URL})
			if err != nil {
				b.Fatal(err)
			}
			before := cpu()
			for b.Loop() {
				fields := 0
				_, err := c.Read(context.Background(), rest.Request{Array: "results"}, func(v rest.Value) error {
					for range v.Get("properties").Members() {
						fields++
					}
					return nil
				})
				if err != nil || fields != 7*rows {
					b.Fatal(err, fields)
				}
			}
			b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(b.N)/rows, "cpu-ns/row")
		})
	}
}

// cpu is the processor time that the process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
