package files

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"crosslift/schemas/table"
)

// ErrMissing is what Inputs and Extract return, wrapped, when the source has not delivered a file for the day. An empty
// file is not missing: it says that nothing happened.
var ErrMissing = errors.New("the source has not delivered it")

// dated reports whether a path names its files for days.
func dated(path string) bool {
	return strings.Contains(path, "{day}") || strings.Contains(path, "{yyyymmdd}")
}

// named gives a path as it is for a day.
func named(path string, day table.Day) string {
	text := day.String()
	return strings.NewReplacer("{day}", text, "{yyyymmdd}", strings.ReplaceAll(text, "-", "")).Replace(path)
}

// pattern matches names against a path with * and ?, which stand for any characters but slashes.
func pattern(path string) (prefix string, match *regexp.Regexp) {
	prefix = path
	if i := strings.IndexAny(path, "*?"); i >= 0 {
		prefix = path[:i]
	}
	expression := strings.NewReplacer(`\*`, `[^/]*`, `\?`, `[^/]`).Replace(regexp.QuoteMeta(path))
	return prefix, regexp.MustCompile("^" + expression + "$")
}

// delivery is a file and what its name says about the time of its rows.
type delivery struct {
	Object
	window *table.Window // of the day that the file is named for; nil when it is named for none
	home   table.Day     // the business day that takes its broken rows, where window is set
}

// deliveries lists the files that may hold rows of a business day, by name.
func (s *Stream) deliveries(ctx context.Context, day table.Day) ([]delivery, error) {
	if !dated(s.mapping.Path) {
		if s.constant != nil && table.DayOf(s.constant.Time(), s.zone) != day {
			return nil, nil // all rows belong to one other day
		}
		return s.list(ctx, s.mapping.Path, delivery{})
	}
	var all []delivery
	window := day.Window(s.zone)
	for named := day - 2; named <= day+2; named++ { // zones are up to 26 hours apart
		w := named.Window(s.cut)
		if !w.From.Before(window.To) || !window.From.Before(w.To) {
			continue
		}
		found, err := s.list(ctx, s.nameFor(named), delivery{window: &w, home: table.DayOf(w.From, s.zone)})
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b delivery) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(all); i++ {
		if all[i].Name == all[i-1].Name {
			return nil, fmt.Errorf("%s is named for two days", all[i].Name)
		}
	}
	return all, nil
}

func (s *Stream) nameFor(day table.Day) string { return named(s.mapping.Path, day) }

// list finds the files that match a path.
func (s *Stream) list(ctx context.Context, path string, as delivery) ([]delivery, error) {
	prefix, match := pattern(path)
	objects, err := s.store.List(ctx, prefix)
	if err != nil {
		return nil, err
	}
	var found []delivery
	for _, o := range objects {
		if match.MatchString(o.Name) {
			as.Object = o
			found = append(found, as)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no file %s in %s: %w", path, s.store, ErrMissing)
	}
	slices.SortFunc(found, func(a, b delivery) int { return strings.Compare(a.Name, b.Name) })
	return found, nil
}

// filing decides which rows of a file are written, and which broken ones are rejected, on a business day.
type filing struct {
	delivery
	day    table.Window // of the business day
	isHome bool         // this day takes the rows whose day is unknown
	known  bool         // of a file named for no day: isHome is settled by a dated row
}

type fate int

const (
	skip   fate = iota // another day takes the row
	keep               //
	refuse             // its time contradicts the file's name
)

// dated decides about a row by its time.
func (f *filing) dated(at time.Time) fate {
	in := f.day.Contains(at)
	if f.window == nil {
		f.isHome, f.known = in, true // for the broken rows that follow
	} else if !f.window.Contains(at) {
		if f.isHome {
			return refuse
		}
		return skip
	}
	if in {
		return keep
	}
	return skip
}
