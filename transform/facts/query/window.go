package query

import (
	"fmt"
	"time"

	"crosslift/schemas/metric"
)

// window writes when a unit's window opens and closes and whether it has matured, as expressions over its first exposure, and
// says it in words.
func (w *writer) window() (opens, closes, matured, says string) {
	m := w.Metric
	due := w.end.Add(-m.PostingLag.Duration())
	matured = "closes <= " + instant(due)
	switch {
	case m.Days != nil:
		return after(metric.Duration(m.Days.From) * metric.Duration(metric.Day)), after(metric.Duration(m.Days.To+1) * metric.Duration(metric.Day)),
			matured, fmt.Sprintf("days %d to %d after the first exposure", m.Days.From, m.Days.To) + w.lag()
	case m.Window.Until != nil:
		opens, closes = w.until(m.Window.Until.Window(w.Zone).To)
		return opens, closes, matured, "until the end of " + m.Window.Until.String() + w.within()
	case m.Window.Whole && w.Experiment.End != nil:
		opens, closes = w.until(w.Experiment.End.Window(w.Zone).To)
		return opens, closes, matured, "until the end of the experiment, " + w.Experiment.End.String() + w.within()
	case m.Window.Whole:
		opens, closes = w.until(w.end)
		return opens, closes, "false", "until now, as the experiment has no end yet" + w.within()
	}
	from := m.Delay
	to := from + m.Window.For
	if m.LookBack > 0 {
		from = to - m.LookBack // it is no longer than the window
	}
	return after(from), after(to), matured, m.Window.For.String() + " from the first exposure on" + w.within()
}

// after writes the instant so long after the first exposure.
func after(d metric.Duration) string {
	if d == 0 {
		return "first_exposed_at"
	}
	return "first_exposed_at + " + interval(d)
}

// until writes a window that closes at a fixed time: for a unit that is exposed later it is empty.
func (w *writer) until(end time.Time) (opens, closes string) {
	opens = after(w.Metric.Delay)
	if back := w.Metric.LookBack; back > 0 {
		opens = "greatest(" + opens + ", " + instant(end.Add(-back.Duration())) + ")"
	}
	return opens, "greatest(opens, " + instant(end) + ")"
}

// within says what else cuts the window.
func (w *writer) within() (says string) {
	if d := w.Metric.Delay; d > 0 {
		says += ", after a delay of " + d.String()
	}
	if d := w.Metric.LookBack; d > 0 {
		says += ", the last " + d.String() + " of it"
	}
	return says + w.lag()
}

func (w *writer) lag() string {
	if d := w.Metric.PostingLag; d > 0 {
		return "; matured " + d.String() + " later"
	}
	return ""
}
