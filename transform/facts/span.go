package facts

import (
	"math"

	"crosslift/schemas/metric"
)

// span is Metric.Bounds for one horizon, without looking into calendars: the pass asks it for every unit that an object's rows
// come to. Windows either move with the first exposure or end at one instant for all.
type span struct {
	fixed             bool
	from, to, matured int64 // after the first exposure; of a fixed one only from is
	notBefore         int64 // of a fixed one: it begins here at the earliest
	covariate         int64 // how long before the first exposure the covariate's window begins; 0: there is none
}

func newSpan(m *metric.Metric, h metric.Horizon) span {
	s := span{covariate: m.Covariate.Duration().Microseconds()}
	if m.Days != nil || m.Window.Until == nil && !m.Window.Whole {
		s.from, s.to, s.matured = m.Bounds(0, h)
		return s
	}
	s.fixed, s.from, s.notBefore = true, m.Delay.Duration().Microseconds(), math.MinInt64
	_, s.to, s.matured = m.Bounds(math.MinInt64/2, h) // before all delays: to is the end itself
	if m.LookBack > 0 {
		s.notBefore = s.to - m.LookBack.Duration().Microseconds()
	}
	if s.matured != math.MaxInt64 {
		s.matured = m.PostingLag.Duration().Microseconds()
	}
	return s
}

// bounds is the window [from, to) of a unit.
func (s *span) bounds(first int64) (from, to int64) {
	if !s.fixed {
		return first + s.from, first + s.to
	}
	from = max(first+s.from, s.notBefore)
	return from, max(from, s.to)
}

// maturity is when a unit has matured; math.MaxInt64: never.
func (s *span) maturity(first int64) int64 {
	switch {
	case !s.fixed:
		return first + s.matured
	case s.matured == math.MaxInt64:
		return s.matured
	}
	_, to := s.bounds(first)
	return to + s.matured
}

// horizon is what windows of an experiment depend on.
func (b *builder) horizon(e *Experiment) metric.Horizon {
	h := metric.Horizon{Night: b.end, End: math.MaxInt64, Zone: b.Zone}
	if e.End != nil {
		h.End = e.End.Window(b.Zone).To.UnixMicro()
	}
	return h
}
