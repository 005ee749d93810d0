package metric

import (
	"fmt"
	"math"
	"strings"
	"time"

	"crosslift/schemas/table"
)

// Window is the span of time after a unit's first exposure in which events count: For so long, Until the end of a fixed day
// in the business's zone, or the Whole experiment, until the end of its last day. In YAML: 30d or 12h; until 2026-11-30;
// experiment.
type Window struct {
	For   Duration   `yaml:"-"`
	Until *table.Day `yaml:"-"`
	Whole bool       `yaml:"-"`
}

// UnmarshalText reads a window as it is written.
func (w *Window) UnmarshalText(text []byte) error {
	*w = Window{}
	if w.Whole = string(text) == "experiment"; w.Whole {
		return nil
	}
	if day, ok := strings.CutPrefix(string(text), "until "); ok {
		w.Until = new(table.Day)
		return w.Until.UnmarshalText([]byte(day))
	}
	if !duration.Match(text) {
		return fmt.Errorf("expected days or hours, as 30d or 12h, until 2026-11-30, or experiment, found %q", text)
	}
	return w.For.UnmarshalText(text)
}

// MarshalText is the inverse of UnmarshalText; a window that is not given has no text.
func (w Window) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

func (w Window) String() string {
	switch {
	case w.Whole:
		return "experiment"
	case w.Until != nil:
		return "until " + w.Until.String()
	case w.For == 0:
		return ""
	}
	return w.For.String()
}

// Horizon is what windows depend on besides the unit.
type Horizon struct {
	Night int64          // the end of the night, exclusive, in microseconds: what comes later is not known
	End   int64          // of the experiment's last day, likewise; math.MaxInt64 while it is open
	Zone  *time.Location // the business's
}

// Bounds is the half-open window [from, to) of a unit whose first exposure was at an instant, in microseconds, and when it
// has matured: the end of the night must have reached that. Neither is cut to the night. An open experiment's whole window
// has no end: to is then the end of the night for LookBack to count from, and the unit never matures.
func (m *Metric) Bounds(first int64, h Horizon) (from, to, matured int64) {
	const micros = int64(time.Microsecond)
	from = first + int64(m.Delay)/micros
	open := false
	switch {
	case m.Days != nil:
		const day = int64(Day) / micros
		from, to = first+int64(m.Days.From)*day, first+int64(m.Days.To+1)*day
	case m.Window.Until != nil:
		to = m.Window.Until.Window(h.Zone).To.UnixMicro()
	case m.Window.Whole:
		to, open = h.End, h.End == math.MaxInt64
		if open {
			to = h.Night
		}
	default:
		to = from + int64(m.Window.For)/micros
	}
	if m.LookBack > 0 {
		from = max(from, to-int64(m.LookBack)/micros)
	}
	to = max(from, to)
	if open {
		return from, to, math.MaxInt64
	}
	return from, to, to + int64(m.PostingLag)/micros
}
