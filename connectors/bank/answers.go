package bank

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"crosslift/connectors"
	"crosslift/connectors/rest"
)

// list is a list of pages: Links.Next leads from one to the next, and each request has an interaction id of its own.
//
// A page whose next one was read already is an older one, served again: it is asked for once more, up to the number of
// tries, since its rows are no more than seen twice. A list that has fewer pages than it says has lost one.
type list struct {
	rest.Paging
	client *client
	ctx    context.Context // of the one call that the list is made for
	path   string
	header http.Header // of the request that was made last
	told   int64       // how many pages the last one says that there are; 0 where it says nothing
	seed   maphash.Seed
	asked  map[uint64]bool // addresses of pages
}

func (c *client) list(ctx context.Context, path string) *list {
	return &list{
		Paging: rest.NextURL("Links.Next"), client: c, ctx: ctx, path: path, header: c.header(ctx, path),
		seed: maphash.MakeSeed(), asked: map[uint64]bool{},
	}
}

// Apply implements rest.Paging.
func (l *list) Apply(r *rest.Request, base *url.URL, cursor string) error {
	l.header = l.client.header(l.ctx, l.path)
	r.Header = l.header
	l.asked[maphash.String(l.seed, cursor)] = true
	return l.Paging.Apply(r, base, cursor)
}

// Next implements rest.Paging. The page's own cursor makes Pages ask for it again.
func (l *list) Next(p *rest.Page, base *url.URL, cursor string) (string, error) {
	next, err := l.Paging.Next(p, base, cursor)
	if err == nil && next != "" && l.asked[maphash.String(l.seed, next)] {
		return cursor, nil
	}
	l.told, _ = p.Members.Get("Meta.TotalPages").Int()
	return next, err
}

// pages reads a list from a cursor on.
func (l *list) pages(query url.Values, array string, from rest.Cursor, each func(int64, rest.Value) error,
	finished func(rest.Cursor) error,
) error {
	request := rest.Request{
		Path: l.path, Query: query, Header: l.header, Array: array,
		MayLack: array != accrualList, // the standard requires no list where there is nothing to list
	}
	end, err := l.client.rest.Pages(l.ctx, request, l, from, each, nil, finished)
	if err != nil {
		return traced(err, l.header)
	}
	if end.Pages < l.told {
		return fmt.Errorf("the list ended after %d pages, and the bank says that there are %d: run again: %w",
			end.Pages, l.told, connectors.ErrDown)
	}
	return nil
}

// errorCode matches the codes of errors, of both versions of the standard: UK.OBIE.Field.Invalid, U001.
var errorCode = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.]{2,63}$`)

// explain gives the codes of an error, but not its messages, in which names may be.
func explain(_ int, _ http.Header, body []byte) (message string, final bool) {
	if len(body) == 0 {
		return "", false
	}
	var answer struct {
		Code   string
		Errors []struct{ ErrorCode, Path string }
	}
	if json.Unmarshal(body, &answer) != nil {
		return "its body is no error of Open Banking", false
	}
	var codes []string
	add := func(code string) {
		if errorCode.MatchString(code) && !slices.Contains(codes, code) && len(codes) < 4 {
			codes = append(codes, code)
		}
	}
	for _, e := range answer.Errors {
		add(e.ErrorCode)
	}
	if len(codes) == 0 {
		return "it names no error code", false
	}
	return strings.Join(codes, ", "), false
}
