package pgread

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"crosslift/schemas/secret"
	"crosslift/schemas/table"
)

// cutter stands between us and the server, and cuts each connection after so many bytes of answers, as long as it is told
// to.
func cutter(t *testing.T, socket string, after *atomic.Int64) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() { // ends with the listener, the copies with their connections
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("unix", socket)
			if err != nil {
				near.Close()
				return
			}
			go func() {
				io.Copy(far, near)
				far.Close()
			}()
			go func() {
				if n := after.Load(); n > 0 {
					io.CopyN(near, far, n)
				} else {
					io.Copy(near, far)
				}
				near.Close()
				far.Close()
			}()
		}
	}()
	return l.Addr().String()
}

func TestTheConnectionIsCutAnywhere(t *testing.T) {
	b := newBench(t)
	b.Do(t, `INSERT INTO watched SELECT n, '2026-11-03 00:00+00'::timestamptz + make_interval(secs => n), 'u' || n, n FROM generate_series(1, 100) n`)
	at, err := url.Parse(b.URL(role))
	if err != nil {
		t.Fatal(err)
	}
	var after atomic.Int64
	socket := fmt.Sprintf("%s/.s.PGSQL.%s", at.Query().Get("host"), at.Query().Get("port"))
	through := "postgres://reader@" + cutter(t, socket, &after) + at.Path + "?sslmode=disable"
	b.read.PageSize = 20
	if err := b.read.Prepare(); err != nil {
		t.Fatal(err)
	}
	for cut := int64(100); cut < 6000; cut += 590 {
		after.Store(cut)
		db, err := Open(secret.New(through), b.read, b.env)
		if err != nil {
			t.Fatal(err)
		}
		db.wait = 2 * time.Millisecond
		s, err := db.New(viewing)
		if err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(20*time.Millisecond, func() { after.Store(0) }) // then the network is mended
		sink := sinkOf[table.ViewingRow](table.Viewing, b)
		if err := extract(b, s, sink); err != nil {
			t.Fatalf("cut after %d bytes: %v", cut, err)
		}
		timer.Stop()
		seen := map[string]bool{}
		for _, r := range sink.Rows {
			seen[r.SourceID] = true
		}
		equal(t, fmt.Sprintf("cut after %d bytes: rows", cut), fmt.Sprint(len(sink.Rows), len(seen)), "100 100")
		equal(t, fmt.Sprintf("cut after %d bytes: totals", cut), totals(sink), "rows=100 seconds=5050")
		db.Close()
	}
}
