package bigquery

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"crosslift/connectors/sandbox/world"
	"crosslift/connectors/sandbox/world/worldtest"
)

// service is a running sandbox with the key file of an account that may read it.
type service struct {
	*httptest.Server
	options Options
	key     []byte
	clock   *worldtest.Clock
}

const project, dataset = "cinema", "analytics_1"

func serve(t *testing.T, w world.Reader, tune func(*Options)) *service {
	t.Helper()
	s := &service{clock: worldtest.NewClock(time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC))}
	handler := http.Handler(nil)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(s.Close)
	key, err := NewServiceAccount(project, s.URL+"/token")
	if err != nil {
		t.Fatal(err)
	}
	account, err := ReadAccount(key)
	if err != nil {
		t.Fatal(err)
	}
	s.key = key
	s.options = Options{Project: project, Dataset: dataset, Account: account, Zone: time.UTC, Now: s.clock.Now}
	if tune != nil {
		tune(&s.options)
	}
	handler = Handler(w, s.options)
	return s
}

// realRows are the rows of Google's public sample of a GA4 export.
func realRows(t *testing.T) []json.RawMessage {
	t.Helper()
	root := os.Getenv("CROSSLIFT_DATA")
	if root == "" {
		root = "../../../../shared/data"
	}
	f, err := os.Open(filepath.Join(root, "ga4", "ga4_obfuscated_sample_ecommerce.sample.ndjson.gz"))
	if err != nil {
		t.Skip("the GA4 sample is not here: set CROSSLIFT_DATA to the folder of the data sets")
	}
	defer f.Close()
	plain, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var rows []json.RawMessage
	for lines := bufio.NewReader(plain); ; {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			rows = append(rows, line)
		}
		if err != nil {
			return rows
		}
	}
}

// recordOf files a row of an export under its own time, visible a day later.
func recordOf(t *testing.T, row json.RawMessage) world.Record {
	t.Helper()
	var e struct {
		At string `json:"event_timestamp"`
	}
	if err := json.Unmarshal(row, &e); err != nil {
		t.Fatal(err)
	}
	micros, err := strconv.ParseInt(e.At, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	at := time.UnixMicro(micros).UTC()
	return world.Record{ID: e.At, At: at, Visible: at, Object: row}
}
