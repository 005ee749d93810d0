package bigquery

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"crosslift/connectors/sandbox/world"
)

// maxRows is the most that a page has.
const maxRows = 100_000

// data answers tabledata.list.
func (s *server) data(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	limit, err := count(r, "maxResults", maxRows)
	if err != nil {
		invalid(err.Error()).write(w)
		return
	}
	start, err := count(r, "startIndex", 0)
	if err != nil {
		invalid(err.Error()).write(w)
		return
	}
	if token := query.Get("pageToken"); token != "" {
		if start, err = fromToken(token); err != nil {
			invalid("Invalid value for pageToken.").write(w)
			return
		}
	}
	t, st, ok := s.table(w, r)
	if !ok {
		return
	}
	columns, unknown := selected(st.columns, query.Get("selectedFields"))
	if unknown != "" {
		invalid("Unrecognized field " + unknown + " in selectedFields.").write(w)
		return
	}
	p := page{columns: columns, limit: min(limit, maxRows), bytes: s.options.PageBytes}
	p.out = append(p.out, `{"kind":"bigquery#tableDataList","etag":`...)
	p.out = append(p.out, marshal(st.etag(t.id))...)
	p.out = append(p.out, `,"totalRows":"`+strconv.FormatInt(st.rows, 10)+`"`...)
	if start < st.rows && limit > 0 {
		p.out = append(p.out, `,"rows":[`...)
		if err := s.fill(&p, t, st, start); err != nil {
			invalid(err.Error()).write(w)
			return
		}
		p.out = append(p.out, ']')
		if next := start + p.rows; next < st.rows {
			p.out = append(p.out, `,"pageToken":"`+toToken(next)+`"`...)
		}
	}
	p.out = append(p.out, '}')
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(p.out)))
	w.Write(p.out)
}

// fill adds the rows of a table from one on, until the page is full.
func (s *server) fill(p *page, t exportTable, st *state, start int64) error {
	now := s.options.Now()
	for _, some := range st.pieces {
		if start >= some.rows {
			start -= some.rows
			continue
		}
		p.skip = start % blockRows
		err := s.rows(t, now, some.part, some.places[start/blockRows], p.add)
		if errors.Is(err, errEnough) {
			return nil
		}
		if err != nil {
			return err
		}
		start = 0
	}
	return nil
}

// page is an answer in the making.
type page struct {
	columns           []Field
	skip, limit, rows int64
	bytes             int // at which it is full
	writer            rowWriter
	out               []byte
}

func (p *page) add(r *world.Record, _ int64) error {
	if p.skip > 0 {
		p.skip--
		return nil
	}
	if p.rows > 0 {
		p.out = append(p.out, ',')
	}
	var err error
	if p.out, err = p.writer.append(p.out, r.Object, p.columns); err != nil {
		return err
	}
	if p.rows++; p.rows == p.limit || len(p.out) >= p.bytes {
		return errEnough
	}
	return nil
}

func toToken(row int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte("row:" + strconv.FormatInt(row, 10)))
}

func fromToken(token string) (int64, error) {
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return 0, err
	}
	row, err := strconv.ParseUint(strings.TrimPrefix(string(text), "row:"), 10, 62)
	return int64(row), err
}
