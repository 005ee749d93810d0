// Package bigquery stands in for BigQuery's REST API, version 2, as far as a reader of a GA4 export needs it: the
// list of a dataset's tables, what a table is, and its rows, behind a service account. It serves Google's own clients
// as they are.
//
// The events lie in the world's files ga/events/<night>.ndjson, each record's object being a row of the export in the
// newline-JSON form in which BigQuery exports tables: 64-bit integers are text. An event has one version; one that is
// taken back is gone.
//
// # Tables
//
// events_YYYYMMDD holds the events of a day in the property's zone, from Options.Delay after the day's end on, and only
// if there are any. As late events become visible it is rewritten: it has another ETag and more rows. They are looked
// for in the files of the nights from the day before it to five after it. A column that the schema lacks is added to it. Until the daily table is there,
// events_intraday_YYYYMMDD has what has happened, save what reaches Google when the day is over for a day or more.
//
// The API: https://cloud.google.com/bigquery/docs/reference/rest/v2.
package bigquery

import (
	"crypto/rand"
	"net/http"
	"strconv"
	"sync"
	"time"

	"crosslift/connectors/sandbox/world"
)

// Options say what is served.
type Options struct {
	Project, Dataset string
	Account          Account        // who may read
	Zone             *time.Location // the property's
	Columns          []Field        // of daily tables; nil: Columns()
	Delay            time.Duration  // from the end of a day to its daily table
	PageBytes        int            // a page ends when it has so many; 0: 10 MB
	Quota            int            // requests in a second beyond which rateLimitExceeded is answered; 0: none

	Now  func() time.Time // the world's clock
	Wall func() time.Time // the clock that clients sign by; nil: time.Now
}

// Handler serves the events of a world: the API below /bigquery/v2/ and the token endpoint /token. A reader that is a
// Scanner, or says by a method Dir in which folder the world lies, is read in pieces and never held; a file is read
// through once, when it is first needed.
func Handler(w world.Reader, o Options) http.Handler {
	s := &server{
		options: o, daily: o.Columns, wall: o.Wall, secret: make([]byte, 32), tables: map[string]*stored{},
	}
	if s.daily == nil {
		s.daily = Columns()
	}
	s.intraday = intraday(s.daily)
	s.files = files{reader: w, scanner: scannerOf(w), zone: o.Zone, columns: s.daily, nights: map[string]*nightFile{}}
	if s.wall == nil {
		s.wall = time.Now
	}
	if s.options.PageBytes == 0 {
		s.options.PageBytes = 10 << 20
	}
	rand.Read(s.secret)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", s.token)
	const dataset = "GET /bigquery/v2/projects/{project}/datasets/{dataset}/tables"
	mux.HandleFunc(dataset, s.guarded(s.list))
	mux.HandleFunc(dataset+"/{table}", s.guarded(s.get))
	mux.HandleFunc(dataset+"/{table}/data", s.guarded(s.data))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		problem{http.StatusNotFound, "notFound", "NOT_FOUND", "Not found: " + r.Method + " of this path"}.write(w)
	})
	return mux
}

type server struct {
	options         Options
	daily, intraday []Field
	wall            func() time.Time
	files           files
	secret          []byte // seals access tokens

	mu     sync.Mutex
	tables map[string]*stored
	second int64 // of the wall clock, in which
	asked  int   // so many requests came
}

// problem is an error in the service's form.
type problem struct {
	code                    int
	reason, status, message string
}

func (p problem) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	if p.code == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="https://accounts.google.com/"`)
	}
	w.WriteHeader(p.code)
	w.Write(marshal(map[string]any{"error": map[string]any{
		"code": p.code, "message": p.message, "status": p.status,
		"errors": []any{map[string]string{"message": p.message, "domain": "global", "reason": p.reason}},
	}}))
}

func invalid(message string) problem {
	return problem{http.StatusBadRequest, "invalid", "INVALID_ARGUMENT", message}
}

func broken(err error) problem {
	return problem{http.StatusInternalServerError, "internalError", "INTERNAL", "The world cannot be read: " + err.Error()}
}

func notFound(what string) problem {
	return problem{http.StatusNotFound, "notFound", "NOT_FOUND", "Not found: " + what}
}

// guarded answers for whom is known, asks no more than the quota, and knows the dataset.
func (s *server) guarded(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		project, dataset := r.PathValue("project"), r.PathValue("dataset")
		if err := s.authorised(r); err != nil {
			problem{http.StatusUnauthorized, "authError", "UNAUTHENTICATED", err.Error()}.write(w)
			return
		}
		switch {
		case s.exhausted():
			problem{http.StatusForbidden, "rateLimitExceeded", "PERMISSION_DENIED",
				"Exceeded rate limits: too many api requests per user per method for this user_method"}.write(w)
		case project != s.options.Project:
			problem{http.StatusForbidden, "accessDenied", "PERMISSION_DENIED",
				"Access Denied: Project " + project + ": User does not have permission in it, or it may not exist."}.write(w)
		case dataset != s.options.Dataset:
			notFound("Dataset " + project + ":" + dataset).write(w)
		default:
			serve(w, r)
		}
	}
}

func (s *server) exhausted() bool {
	if s.options.Quota == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.wall().Unix(); now != s.second {
		s.second, s.asked = now, 0
	}
	s.asked++
	return s.asked > s.options.Quota
}

func answer(w http.ResponseWriter, r *http.Request, body map[string]any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Write(marshal(projected(body, r.URL.Query().Get("fields"))))
}

// count reads a parameter that is a number from 0; fallback where it is not given.
func count(r *http.Request, name string, fallback int64) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, said("Invalid value for " + name + ": expected a number from 0.")
	}
	return n, nil
}
