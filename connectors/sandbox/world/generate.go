package world

import (
	"context"
	"errors"
	"fmt"
	"time"

	"crosslift/schemas/table"
)

// What the variants are drawn by.
const (
	ByAccount = "account"
	ByDevice  = "device"
)

const day = 24 * time.Hour

// setting is what Options come to: instants instead of days.
type setting struct {
	Options
	seed       uint64
	epoch      time.Time      // before everything that is numbered
	start, end time.Time      // of the nights
	days       []table.Window // of the nights; they may have 23 or 25 hours
	entered    time.Time      // when the experiment stops to take most of its accounts
}

// EntryDays is on how many days, from the first on, most accounts enter the experiment: as many as leave the metrics'
// windows time to close, at most ten, or a third of the nights where there are too few.
func (o Options) EntryDays() int { return min(max(o.Nights-payWindow, (o.Nights+2)/3), 10) }

func (o Options) setting() (*setting, error) {
	switch {
	case o.People < 1 || o.Nights < 1 || o.Zone == nil:
		return nil, errors.New("world: expected at least one person, one night, and a zone")
	case o.AssignedBy != "" && o.AssignedBy != ByAccount && o.AssignedBy != ByDevice:
		return nil, fmt.Errorf("world: assigned by %q: expected account or device", o.AssignedBy)
	case o.Scale < 0 || o.Late < 0 || o.Late > 1 || o.Chunk < 0:
		return nil, errors.New("world: expected a scale and a chunk of at least 0, and a share of late events from 0 to 1")
	}
	o.AssignedBy = or(o.AssignedBy, ByAccount)
	o.Scale, o.Late, o.Chunk = or(o.Scale, 1), or(o.Late, lateEvents), or(o.Chunk, 256)
	s := &setting{Options: o, seed: mix(o.Seed), entered: (o.First + table.Day(o.EntryDays())).Window(o.Zone).From.UTC()}
	for i := range o.Nights {
		w := (o.First + table.Day(i)).Window(o.Zone)
		s.days = append(s.days, table.Window{From: w.From.UTC(), To: w.To.UTC()})
	}
	s.start, s.end = s.days[0].From, s.days[len(s.days)-1].To
	s.epoch = s.start.Add(-2 * oldest)
	return s, nil
}

func or[T comparable](value, otherwise T) T {
	var none T
	if value == none {
		return otherwise
	}
	return value
}

// Generate makes the people of a world, household by household, and gives each chunk to a function that may keep it.
func Generate(ctx context.Context, o Options, each func(*Chunk) error) error {
	s, err := o.setting()
	if err != nil {
		return err
	}
	c, homes := new(Chunk), 0
	for number, people := int64(0), 0; people < o.People; number++ {
		if number >= maxHouseholds {
			return fmt.Errorf("world: more than %d households: generate several worlds with a seed each", maxHouseholds)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		people += s.household(number, o.People-people, int64(people), c)
		if homes++; homes == s.Chunk || people == o.People {
			if err := each(c); err != nil {
				return err
			}
			c, homes = new(Chunk), 0
			if s.Progress != nil {
				s.Progress(people, o.People)
			}
		}
	}
	return nil
}

// hours are the weights of a day's hours: people watch in the evening.
var hours = [24]float64{4, 2, 1, 1, 1, 1, 2, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 9, 12, 15, 16, 15, 12, 8}

// someTime is an instant of a day, by the hours' weights. A clock that is set forward makes the last hour short.
func (s *setting) someTime(d dice, day int) time.Time {
	w := s.days[day]
	at := w.From.Add(time.Duration(d.pick(hours[:]...))*time.Hour + d.millis(0, time.Hour))
	if !at.Before(w.To) {
		at = at.Add(-time.Hour)
	}
	return at
}

// dayOf is the index of the night that an instant lies in; −1 before the first.
func (s *setting) dayOf(at time.Time) int {
	return int(table.DayOf(at, s.Zone) - s.First)
}
