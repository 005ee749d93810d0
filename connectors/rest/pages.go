package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strconv"

	"crosslift/connectors"
)

// Cursor is where an extract goes on: what a Sink keeps for it between two pages. The zero Cursor is the beginning.
type Cursor struct {
	Phase string `json:"phase,omitempty"` // of an extract that reads several lists, which
	Next  string `json:"next,omitempty"`  // the vendor's own cursor, "" for the first page
	Pages int64  `json:"pages,omitempty"` // finished
	Read  int64  `json:"read,omitempty"`  // elements read so far: the Position of the last one
}

// ParseCursor reads what String wrote; "" is the zero Cursor.
func ParseCursor(text string) (c Cursor, err error) {
	if text == "" {
		return Cursor{}, nil
	}
	if json.Unmarshal([]byte(text), &c) != nil {
		return Cursor{}, errors.New("the cursor of the broken extract cannot be read: start it anew")
	}
	return c, nil
}

func (c Cursor) String() string {
	text, _ := json.Marshal(c) // strings and numbers
	return string(text)
}

// Paging is how a list goes from page to page.
type Paging interface {
	// Apply makes of the request of the first page that of the page at a cursor, which is not "".
	Apply(r *Request, base *url.URL, cursor string) error
	// Next gives the cursor of the page behind this one, "" at the end.
	Next(p *Page, base *url.URL, cursor string) (string, error)
}

// Pages reads a list from a cursor on to its end, and gives each its elements with their running number. After a page
// it tells finished, unless that is nil, the cursor at which reading goes on; the last page's cursor it returns, with
// Next "". A page that says that it is followed by itself is the one before, served again: it is asked for once more, so
// that each may be given an element twice. Errors name the page, but those of each, seen and finished are returned as
// they are.
func (c *Client) Pages(
	ctx context.Context, r Request, by Paging, from Cursor,
	each func(position int64, element Value) error, seen func(p *Page) error, finished func(Cursor) error,
) (Cursor, error) {
	repeated := 0
	for at := from; ; {
		request := r
		if at.Next != "" {
			if err := by.Apply(&request, c.base, at.Next); err != nil {
				return at, fmt.Errorf("page %d: %w", at.Pages+1, err)
			}
		}
		read := at.Read
		page, err := c.Read(ctx, request, func(v Value) error {
			read++
			if err := each(read, v); err != nil {
				return stopped{err}
			}
			return nil
		})
		switch {
		case errors.As(err, new(stopped)):
			return at, errors.Unwrap(err)
		case err != nil:
			return at, fmt.Errorf("page %d: %w", at.Pages+1, err)
		}
		next, err := by.Next(page, c.base, at.Next)
		if err == nil && next != "" && next == at.Next {
			if repeated++; repeated < c.options.Retry.Tries {
				continue
			}
			err = fmt.Errorf("%w: it says that the next page is this one", connectors.ErrContract)
		}
		if err != nil {
			return at, fmt.Errorf("page %d: %w", at.Pages+1, err)
		}
		repeated = 0
		if seen != nil {
			if err := seen(page); err != nil {
				return at, err
			}
		}
		at = Cursor{Phase: at.Phase, Next: next, Pages: at.Pages + 1, Read: read}
		if next == "" {
			return at, nil
		}
		if finished != nil {
			if err := finished(at); err != nil {
				return at, err
			}
		}
	}
}

// More reports whether another page follows.
type More func(p *Page) bool

// MoreIf follows a member of the answer that is true as long as there is more, such as has_more.
func MoreIf(path string) More {
	return func(p *Page) bool {
		more, _ := p.Members.Get(path).Bool()
		return more
	}
}

// UntilEmpty ends with the first page without elements, never with a short one.
func UntilEmpty(p *Page) bool { return p.Elements > 0 }

// BodyCursor is for answers that hold the next page's cursor, at a path such as paging.next.after; it is sent as a
// parameter of the query.
func BodyCursor(path, parameter string) Paging { return &bodyCursor{path, parameter} }

type bodyCursor struct{ path, parameter string }

func (b *bodyCursor) Apply(r *Request, _ *url.URL, cursor string) error {
	r.with(b.parameter, cursor)
	return nil
}

func (b *bodyCursor) Next(p *Page, _ *url.URL, _ string) (string, error) {
	return p.Members.Get(b.path).Text(), nil
}

// PageNumber is for pages that are counted from first on.
func PageNumber(parameter string, first int64, more More) Paging {
	return &counted{parameter, first, more, func(*Page) int64 { return 1 }}
}

// Offset is for pages that are asked for by the number of elements before them.
func Offset(parameter string, more More) Paging {
	return &counted{parameter, 0, more, func(p *Page) int64 { return p.Elements }}
}

type counted struct {
	parameter string
	first     int64
	more      More
	step      func(p *Page) int64
}

func (n *counted) Apply(r *Request, _ *url.URL, cursor string) error {
	r.with(n.parameter, cursor)
	return nil
}

func (n *counted) Next(p *Page, _ *url.URL, cursor string) (string, error) {
	if !n.more(p) {
		return "", nil
	}
	at := n.first
	if cursor != "" {
		var err error
		if at, err = strconv.ParseInt(cursor, 10, 64); err != nil {
			return "", errors.New("the cursor is not a number")
		}
	}
	return strconv.FormatInt(at+n.step(p), 10), nil
}

// with sets a parameter in a copy of the query.
func (r *Request) with(parameter, value string) {
	if r.Query = maps.Clone(r.Query); r.Query == nil {
		r.Query = url.Values{}
	}
	r.Query.Set(parameter, value)
}

// NextURL is for answers that hold the next page's address, at a path such as Links.Next. It is followed only to the
// configured scheme and host.
func NextURL(path string) Paging {
	return address(func(p *Page) string { return p.Members.Get(path).Text() })
}

// LinkHeader is for answers with the next page's address in the header Link, rel="next" (RFC 8288). It is followed only
// to the configured scheme and host.
func LinkHeader() Paging {
	return address(func(p *Page) string { return nextLink(p.Header.Values("Link")) })
}

type address func(p *Page) string

func (a address) Next(p *Page, base *url.URL, _ string) (string, error) {
	text := a(p)
	if text == "" {
		return "", nil
	}
	to, err := p.URL.Parse(text)
	if err != nil {
		return "", fmt.Errorf("%w: the next page's address is none", connectors.ErrContract)
	}
	if !sameOrigin(to, base) {
		return "", fmt.Errorf("%w: the next page is said to be at %s://%s, and only %s://%s is configured",
			connectors.ErrContract, Shown(to.Scheme), Shown(to.Host), base.Scheme, base.Host)
	}
	return to.RequestURI(), nil
}

func (a address) Apply(r *Request, base *url.URL, cursor string) error {
	to, err := url.ParseRequestURI(cursor)
	if err != nil || to.IsAbs() || to.Host != "" {
		return errors.New("the cursor is not a path with its query")
	}
	to.Scheme, to.Host = base.Scheme, base.Host
	r.address = to
	return nil
}
