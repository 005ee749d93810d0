package pgread

import (
	"errors"
	"fmt"
	"time"

	"crosslift/connectors"
	"crosslift/schemas/strictyaml"
)

// Settings say how a database is read; sources have them among their own.
type Settings struct {
	Zone             string              `yaml:"zone"`              // of times in columns without one; UTC without it
	Tx               string              `yaml:"tx"`                // the xid8 column by which late commits are found
	Overlap          *Duration           `yaml:"overlap"`           // from stamp to commit at most; 1h without it, none with tx
	Restatement      *int                `yaml:"restatement"`       // nights that read a day again; 1 without it
	StatementTimeout Duration            `yaml:"statement_timeout"` // 30s without it
	LockTimeout      Duration            `yaml:"lock_timeout"`      // 5s without it
	PageSize         int                 `yaml:"page_size"`         // rows; 10,000 without it
	Quarantine       *connectors.Percent `yaml:"quarantine"`        // the share of a day's rows that may be rejected; 1 % without it
}

// shortestDay is the length of a day in which the clocks go forward.
const shortestDay = 23 * time.Hour

// Prepare fills what is not given, and checks what is. Its errors are marked with their field.
func (s *Settings) Prepare() error {
	var errs []error
	fail := func(field, format string, args ...any) {
		errs = append(errs, strictyaml.At(field, fmt.Errorf(format, args...)))
	}
	if s.Zone == "" {
		s.Zone = "UTC"
	}
	if _, err := time.LoadLocation(s.Zone); err != nil || s.Zone == "Local" {
		fail("zone", "%q is no time zone: expected a name such as Europe/Moscow or UTC", s.Zone)
	}
	if s.Restatement == nil {
		one := 1
		s.Restatement = &one
	}
	if *s.Restatement < 0 {
		fail("restatement", "expected a number of days from 0")
	}
	switch {
	case s.Tx != "" && s.Overlap != nil:
		fail("overlap", "`tx` finds late commits however late they are: give one of them")
	case s.Tx == "" && s.Overlap == nil:
		hour := Duration(time.Hour)
		s.Overlap = &hour
	}
	if s.Overlap != nil {
		overlap, last := time.Duration(*s.Overlap), time.Duration(*s.Restatement)*shortestDay
		switch {
		case overlap < 0:
			fail("overlap", "expected a duration from 0, such as 1h")
		case *s.Restatement > 0 && overlap > last:
			fail("overlap", "longer than the %s between the first reading of a day and its last: raise `restatement`", last)
		}
	}
	for field, d := range map[string]*Duration{"statement_timeout": &s.StatementTimeout, "lock_timeout": &s.LockTimeout} {
		if *d == 0 {
			*d = Duration(map[string]time.Duration{"statement_timeout": 30 * time.Second, "lock_timeout": 5 * time.Second}[field])
		}
		if time.Duration(*d) < time.Millisecond || time.Duration(*d) > 24*time.Hour {
			fail(field, "expected from 1ms to 24h")
		}
	}
	if s.PageSize == 0 {
		s.PageSize = 10_000
	}
	if s.PageSize < 1 || s.PageSize > 1_000_000 {
		fail("page_size", "expected from 1 to 1000000 rows")
	}
	return errors.Join(errs...)
}

// Duration is a length of time, written as 90s, 5m or 1h.
type Duration time.Duration

// UnmarshalText reads what time.ParseDuration does.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return errors.New("expected a duration such as 30s or 1h")
	}
	*d = Duration(parsed)
	return nil
}

// MarshalText is the inverse of UnmarshalText.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }
