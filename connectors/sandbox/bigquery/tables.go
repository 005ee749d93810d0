package bigquery

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"crosslift/schemas/table"
)

// exportTable is a table of the export: a day's, or one that a day's events are streamed into.
type exportTable struct {
	id       string
	day      table.Day
	intraday bool
}

// named reads a table's id.
func named(id string) (exportTable, bool) {
	digits, isDaily := strings.CutPrefix(id, "events_")
	t := exportTable{id: id}
	if intraday, found := strings.CutPrefix(digits, "intraday_"); found {
		digits, t.intraday = intraday, true
	}
	at, err := time.Parse("20060102", digits)
	t.day = table.DayOf(at, time.UTC)
	return t, isDaily && err == nil
}

// tableOf is the table of a day.
func tableOf(day table.Day, intraday bool) exportTable {
	prefix := map[bool]string{false: "events_", true: "events_intraday_"}[intraday]
	return exportTable{prefix + strings.ReplaceAll(day.String(), "-", ""), day, intraday}
}

// list answers tables.list.
func (s *server) list(w http.ResponseWriter, r *http.Request) {
	first, last, ok, err := s.files.days()
	limit, limitErr := count(r, "maxResults", 1000)
	if err := errors.Join(err, limitErr); err != nil {
		invalid(err.Error()).write(w)
		return
	}
	now, after := s.options.Now(), r.URL.Query().Get("pageToken")
	var ids []any
	more := ""
	for _, isIntraday := range []bool{false, true} { // digits sort before letters
		for day := first; ok && day <= last; day++ {
			t := tableOf(day, isIntraday)
			if t.id <= after {
				continue
			}
			st, err := s.find(t, now)
			if err != nil {
				broken(err).write(w)
				return
			}
			if st == nil {
				continue
			}
			if int64(len(ids)) == limit {
				more = ids[len(ids)-1].(map[string]any)["tableReference"].(map[string]string)["tableId"]
				break
			}
			ids = append(ids, map[string]any{
				"kind": "bigquery#table", "type": "TABLE", "id": s.full(t.id), "tableReference": s.reference(t.id),
			})
		}
		if more != "" {
			break
		}
	}
	body := map[string]any{"kind": "bigquery#tableList", "tables": ids, "totalItems": len(ids)}
	if more != "" {
		body["nextPageToken"] = more
	}
	answer(w, r, body)
}

func (s *server) full(id string) string {
	return s.options.Project + ":" + s.options.Dataset + "." + id
}

func (s *server) reference(id string) map[string]string {
	return map[string]string{"projectId": s.options.Project, "datasetId": s.options.Dataset, "tableId": id}
}

// table finds the table that a request is about, and answers when it is not there.
func (s *server) table(w http.ResponseWriter, r *http.Request) (exportTable, *state, bool) {
	id := r.PathValue("table")
	t, ok := named(id)
	if !ok {
		notFound("Table " + s.full(id)).write(w)
		return t, nil, false
	}
	st, err := s.find(t, s.options.Now())
	if err != nil {
		broken(err).write(w)
		return t, nil, false
	}
	if st == nil {
		notFound("Table " + s.full(id)).write(w)
		return t, nil, false
	}
	return t, st, true
}

// get answers tables.get.
func (s *server) get(w http.ResponseWriter, r *http.Request) {
	t, st, ok := s.table(w, r)
	if !ok {
		return
	}
	answer(w, r, map[string]any{
		"kind": "bigquery#table", "etag": st.etag(t.id), "id": s.full(t.id), "tableReference": s.reference(t.id),
		"type": "TABLE", "location": "EU", "schema": map[string]any{"fields": visible(st.columns)},
		"numRows": strconv.FormatInt(st.rows, 10), "numBytes": strconv.FormatInt(st.bytes, 10),
		"creationTime":     strconv.FormatInt(t.day.Window(s.options.Zone).From.UnixMilli(), 10),
		"lastModifiedTime": strconv.FormatInt(st.since.UnixMilli(), 10),
	})
}

func (s *server) columns(t exportTable) []Field {
	if t.intraday {
		return s.intraday
	}
	return s.daily
}
