package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"crosslift/schemas/table"
)

// firstDay is the day on which the rows of resource 0 were changed; those of the others were a day later each.
var firstDay = table.DayOf(time.Date(2024, 3, 4, 0, 0, 0, 0, time.UTC), time.UTC)

// serveREST serves rows of about 300 bytes in pages of JSON: /contacts_0, /contacts_1 … with a cursor in the body. Its
// arguments are how many rows a resource has, and a page.
func serveREST(_ context.Context, args []string) error {
	rows, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	size, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resource, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/contacts_"))
		from, _ := strconv.Atoi(r.URL.Query().Get("after")) // none: the first page
		if err != nil || resource < 0 || from < 0 || from > rows {
			http.NotFound(w, r)
			return
		}
		body := page(resource, from, min(from+size, rows), rows)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body)
	}), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			fmt.Println(err)
		}
	}()
	defer s.Close()
	return untilClosed("http://" + listener.Addr().String())
}

// page has some of the rows of a resource.
func page(resource, from, to, rows int) []byte {
	b := make([]byte, 0, (to-from)*330+100)
	b = append(b, `{"results":[`...)
	at := firstDay.Window(time.UTC).From.AddDate(0, 0, resource)
	for n := from; n < to; n++ {
		if n > from {
			b = append(b, ',')
		}
		b = contact(b, resource*rows+n, at.Add(time.Duration(n%86_400_000)*time.Millisecond))
	}
	b = append(b, ']')
	if to < rows {
		b = fmt.Appendf(b, `,"paging":{"next":{"after":"%d"}}`, to)
	}
	return append(b, '}')
}

func contact(b []byte, n int, changed time.Time) []byte {
	const form = "2006-01-02T15:04:05.000Z"
	b = fmt.Appendf(b, `{"id":"%d","properties":{"email":"person.%d@cinema.tv","phone":"+7916%07d","user_id":"u%08x","plan":"family",`+
		`"marketing_consent":"true","lastmodifieddate":"`, 1_000_000_000+n, n, n, n)
	b = changed.AppendFormat(b, form)
	b = append(b, `"},"createdAt":"2024-02-01T10:15:30.123Z","updatedAt":"`...)
	b = changed.AppendFormat(b, form)
	return append(b, `","archived":false}`...)
}
