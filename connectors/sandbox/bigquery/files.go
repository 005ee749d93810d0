package bigquery

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/table"
)

// Scanner is what a world.Reader may be besides, so that nights too large to be held can be served.
type Scanner interface {
	// Scan gives the records of a file one after another, each with the offset of the one behind it. It begins at the
	// offset 0, or at one that it gave before. A record is valid until give returns; give's error ends the scan and is
	// returned.
	Scan(source, stream, night string, offset int64, give func(r *world.Record, next int64) error) error
}

// scannerOf finds how to read a world's files: as it offers, or from the folder that it says it lies in, or night by
// night.
func scannerOf(r world.Reader) Scanner {
	if s, ok := r.(Scanner); ok {
		return s
	}
	if d, ok := r.(interface{ Dir() string }); ok {
		return folder(d.Dir())
	}
	return whole{r}
}

// whole scans nights that are held.
type whole struct{ world.Reader }

func (w whole) Scan(source, stream, night string, offset int64, give func(r *world.Record, next int64) error) error {
	records, err := w.Night(source, stream, night)
	for i := offset; err == nil && i < int64(len(records)); i++ {
		r := records[i]
		err = give(&r, i+1)
	}
	return err
}

// files reads the events' files, and remembers of each what it has of which day.
type files struct {
	reader  world.Reader
	scanner Scanner
	zone    *time.Location
	columns []Field

	mu     sync.Mutex
	nights map[string]*nightFile
}

type nightFile struct {
	mu   sync.Mutex
	read bool
	days map[table.Day]*part
}

// part is what a file has of a day, in the order of the file.
type part struct {
	night       string
	rows, bytes int64
	places      []int64 // the offsets of its rows 0, blockRows, 2×blockRows …
	end         int64   // the offset behind its last row
	happened    period  // the first and the last At
	visible     period  // the first and the last Visible
	gone        bool    // one of them is taken back
	more        []Field // columns that the schema lacks
}

const blockRows = 1000

// period is from the earliest to the latest of some instants.
type period struct{ from, to time.Time }

func (s *period) add(t time.Time) {
	if s.from.IsZero() || t.Before(s.from) {
		s.from = t
	}
	if t.After(s.to) {
		s.to = t
	}
}

// lateNights is how long after its day an event may become visible.
const lateNights = 5

// parts finds what the files have of a day.
func (f *files) parts(day table.Day) ([]*part, error) {
	all, err := f.reader.Nights(Source, Stream)
	if err != nil {
		return nil, err
	}
	var found []*part
	for _, night := range all {
		n, err := table.ParseDay(night)
		if err != nil {
			return nil, err
		}
		if n < day-1 || n > day+lateNights {
			continue
		}
		days, err := f.summary(night)
		if err != nil {
			return nil, fmt.Errorf("night %s: %w", night, err)
		}
		if p := days[day]; p != nil {
			found = append(found, p)
		}
	}
	return found, nil
}

// summary reads a file through, once.
func (f *files) summary(night string) (map[table.Day]*part, error) {
	f.mu.Lock()
	n := f.nights[night]
	if n == nil {
		n = &nightFile{}
		f.nights[night] = n
	}
	f.mu.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.read {
		return n.days, nil
	}
	days := map[table.Day]*part{}
	var window table.Window
	var here *part
	var w rowWriter
	var out []byte
	offset := int64(0)
	err := f.scanner.Scan(Source, Stream, night, 0, func(r *world.Record, next int64) error {
		if here == nil || !window.Contains(r.At) {
			day := table.DayOf(r.At, f.zone)
			window, here = day.Window(f.zone), days[day]
			if here == nil {
				here = &part{night: night}
				days[day] = here
			}
		}
		if here.rows%blockRows == 0 {
			here.places = append(here.places, offset)
		}
		here.rows++
		here.bytes += int64(len(r.Object))
		here.happened.add(r.At)
		here.visible.add(r.Visible)
		here.gone = here.gone || r.Gone != nil
		offset, here.end = next, next
		var err error
		if out, err = w.append(out[:0], r.Object, merged(f.columns, here.more)); errors.Is(err, errUnknown) {
			here.more = merged(here.more, lacking(r.Object, f.columns))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	n.days, n.read = days, true
	return days, nil
}

// days is the span of days that there may be events of; ok is false without any.
func (f *files) days() (first, last table.Day, ok bool, err error) {
	nights, err := f.reader.Nights(Source, Stream)
	if err != nil || len(nights) == 0 {
		return 0, 0, false, err
	}
	if first, err = table.ParseDay(nights[0]); err == nil {
		last, err = table.ParseDay(nights[len(nights)-1])
	}
	return first - lateNights, last + 1, true, err
}

var (
	errEnough = errors.New("enough") // ends a scan
	errPast   = errors.New("past the part's end")
)

// each gives the rows of a part from a place on.
func (f *files) each(p *part, from int64, give func(r *world.Record, at int64) error) error {
	at := from
	err := f.scanner.Scan(Source, Stream, p.night, from, func(r *world.Record, next int64) error {
		here := at
		if at = next; here >= p.end {
			return errPast
		}
		return give(r, here)
	})
	if errors.Is(err, errPast) {
		return nil
	}
	return err
}
