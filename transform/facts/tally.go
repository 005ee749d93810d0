package facts

import (
	"cmp"
	"fmt"
	"slices"

	"crosslift/schemas/table"
	"crosslift/transform/stats/exact"
)

// tally is what is counted of an experiment as a whole, under the stitching that decides, by one worker.
type tally struct {
	days             []days // by measure
	future, negative [][2]int64
	lacking          map[lack]bool
}

// days are what units did by variant and business day, see calendar.
type days struct {
	events         []int64
	value, divisor exact.Vector
}

// lack is a currency that amounts of a metric are in without a rate.
type lack struct{ metric, currency, target string }

func newTally(e *trial) tally {
	t := tally{days: make([]days, len(e.measures)), future: make([][2]int64, len(e.measures)),
		negative: make([][2]int64, len(e.measures)), lacking: map[lack]bool{}}
	for i := range t.days {
		t.days[i].events = make([]int64, e.calendar.cells())
	}
	return t
}

func (t *tally) merge(o *tally) {
	for i := range o.days {
		for day, n := range o.days[i].events {
			t.days[i].events[day] += n
		}
		t.days[i].value.Merge(&o.days[i].value)
		t.days[i].divisor.Merge(&o.days[i].divisor)
		for side := range 2 {
			t.future[i][side] += o.future[i][side]
			t.negative[i][side] += o.negative[i][side]
		}
	}
	for l := range o.lacking {
		t.lacking[l] = true
	}
}

// side is 0 for the numerator and 1 for the denominator.
func (u *use) side() int {
	if u.denominator {
		return 1
	}
	return 0
}

// lack notes an amount without a rate.
func (t *tally) lack(u *use, currency string) { t.lacking[lack{u.Name, currency, u.Currency}] = true }

// unrated is an error where amounts had no rate.
func (t *tally) unrated() error {
	if len(t.lacking) == 0 {
		return nil
	}
	all := make([]lack, 0, len(t.lacking))
	for l := range t.lacking {
		all = append(all, l)
	}
	slices.SortFunc(all, func(x, y lack) int {
		return cmp.Or(cmp.Compare(x.metric, y.metric), cmp.Compare(x.currency, y.currency))
	})
	return &UnratedError{Metric: all[0].metric, Currency: all[0].currency, Quote: all[0].target}
}

// UnratedError says that amounts of a metric cannot be converted.
type UnratedError struct{ Metric, Currency, Quote string }

func (e *UnratedError) Error() string {
	return fmt.Sprintf("metric %s: amounts in %q have no rate to %s that is valid at their time: add it to %s, or leave them out by a filter",
		e.Metric, e.Currency, e.Quote, table.Rate)
}

// emitExclusions emits what did not enter, and why.
func (b *builder) emitExclusions(e *trial) error {
	emit := func(m *measure, t *table.Table, reason string, n int64) error {
		if n == 0 {
			return nil
		}
		return e.Exclusion(&table.ExclusionRow{Metric: m.Name, Table: t.Path(), Reason: reason, Rows: n})
	}
	for i, m := range e.measures {
		for side, s := range []*source{m.numerator, m.denominator} {
			if s == nil || side == 1 && s.table == m.numerator.table {
				continue
			}
			covariate, window := b.beforeData(e, m, s)
			for _, x := range []struct {
				reason string
				n      int64
			}{{table.InFuture, e.tally.future[i][side]}, {table.NegativeMoney, e.tally.negative[i][side]}, {table.CovariateBeforeData, covariate}, {table.WindowBeforeData, window}} {
				if err := emit(m, s.table, x.reason, x.n); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// begins is when the first day begins that is read of a table for an experiment; never where there is none.
func (b *builder) begins(e *trial, path string) int64 {
	begins := never
	if day, ok := e.First[path]; ok {
		begins = day.Window(b.Zone).From.UnixMicro()
	}
	if e.First == nil {
		for _, day := range b.Events[path] {
			begins = min(begins, day.Day.Window(b.Zone).From.UnixMicro())
		}
	}
	return begins
}

// beforeData counts the units whose covariate or whose window begins before the first day that was read of a source's table.
func (b *builder) beforeData(e *trial, m *measure, s *source) (covariate, window int64) {
	begins := b.begins(e, s.table.Path())
	for _, v := range e.views {
		if !v.decides {
			continue
		}
		for _, p := range v.people {
			if m.span.covariate > 0 && p.first-m.span.covariate < begins {
				covariate++
			}
			if from, _ := m.span.bounds(p.first); from < begins {
				window++
			}
		}
	}
	return covariate, window
}
