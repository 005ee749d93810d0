package facts

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// World is a cinema's viewing and who saw what of three experiments, the same for the same numbers.
//
// A household has one to three accounts, and in a third of the cases a television that all of them watch on. An account has up
// to three devices of its own. Beside them there are devices that nobody ever logs in on. How much an account watches is
// log-normal; of its events a tenth come without it, as nobody was logged in. Evenings and weekends have more of them.
type World struct {
	Views   int // about so many, over all days
	Days    int
	Devices int

	accounts  []identifier.ID
	activity  []float32 // by account, 1 in the mean
	rate      float64   // events a day of an account of activity 1
	links     []link    // of an account together
	first     []uint32  // an account's place in links; one more at the end
	devices   []identifier.ID
	anonymous []uint32 // devices that nobody logs in on
	stranger  float64  // events a day of each of these
}

// link is a device of an account.
type link struct {
	device uint32
	since  table.Micros // first seen
	shared bool
}

const (
	firstDay = table.Day(20731) // 2026-10-05, a Monday
	seed     = 14

	strangers = 0.05 // of all events: on devices that nobody logs in on
	loggedOut = 0.1  // of an account's events
	spread    = 1.6  // of the logarithm of accounts' activity: a fifth of them watch four fifths
	tvShare   = 0.45 // of the events of an account with a television
)

// zone is the business's.
func zone() *time.Location { return time.FixedZone("Europe/Moscow", 3*60*60) }

// night is the last day, and its end what is known.
func (w *World) night() table.Day { return Night(w.Days) }

func (w *World) end() table.Micros { return table.MicrosOf(w.night().Window(zone()).To) }

func (w *World) random(purpose uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, purpose)) }

// The purposes of randomness; days and experiments come after them, a number each.
const (
	forPeople = iota
	forTimeline
	forExperiments
	forDays = 100
)

// populate invents the people.
func (w *World) populate() {
	r := w.random(forPeople)
	begin := firstDay.Window(zone()).From
	since := func() table.Micros {
		if r.Float64() < 0.8 {
			return table.MicrosOf(begin.Add(-time.Duration(r.Int64N(int64(200 * 24 * time.Hour)))))
		}
		return table.MicrosOf(begin.Add(time.Duration(r.Int64N(int64(time.Duration(w.Days) * 24 * time.Hour)))))
	}
	device := func() uint32 {
		w.devices = append(w.devices, minted(identifier.Device, len(w.devices)))
		return uint32(len(w.devices) - 1)
	}
	total := 0.0
	for len(w.devices) < w.Devices {
		people := 1
		for people < 3 && r.Float64() < 0.36 {
			people++
		}
		tv, has := uint32(0), r.Float64() < 0.32
		if has {
			tv = device()
		}
		for range people {
			w.first = append(w.first, uint32(len(w.links)))
			own := 0
			for own < 3 && (own == 0 && !has || r.Float64() < []float64{0.9, 0.2, 0.15}[own]) {
				w.links = append(w.links, link{device: device(), since: since()})
				own++
			}
			if has {
				w.links = append(w.links, link{device: tv, since: since(), shared: people > 1})
			}
			activity := math.Exp(min(spread*r.NormFloat64(), 5)) // nobody watches day and night
			w.accounts, w.activity = append(w.accounts, minted(identifier.Account, len(w.accounts))), append(w.activity, float32(activity))
			total += activity
		}
		if r.Float64() < 0.15 {
			w.anonymous = append(w.anonymous, device())
		}
	}
	w.first = append(w.first, uint32(len(w.links)))
	mean := total / float64(len(w.accounts))
	for i := range w.activity {
		w.activity[i] /= float32(mean)
	}
	daily := float64(w.Views) / float64(w.Days)
	w.rate, w.stranger = (1-strangers)*daily/float64(len(w.accounts)), strangers*daily/float64(len(w.anonymous))
}

// minted is the n-th identifier of a kind.
func minted(kind identifier.Kind, n int) identifier.ID {
	var anchor identifier.ID
	binary.BigEndian.PutUint64(anchor[:], uint64(n)+1)
	return identifier.Mint(kind, anchor, 0)
}

// of are the devices of an account; a television comes last.
func (w *World) of(account int) []link { return w.links[w.first[account]:w.first[account+1]] }

// used is the device that an account takes for something.
func (w *World) used(r *rand.Rand, account int) link {
	links := w.of(account)
	last := links[len(links)-1]
	if len(links) == 1 || last.shared && r.Float64() < tvShare {
		return last
	}
	return links[r.IntN(len(links))]
}

// busy is how much of a usual day's viewing a day has: weekends more. A week has seven usual days.
func busy(day table.Day) float64 {
	if (day-firstDay)%7 >= 5 {
		return 1.25
	}
	return 0.9
}

// hours is the chance of an event by the hour of the day, in the business's zone.
var hours = func() (up [24]float64) {
	total := 0.0
	for hour, weight := range [24]float64{3, 2, 1, 0.6, 0.5, 0.6, 1, 1.6, 2, 2.2, 2.4, 2.6, 2.8, 2.8, 2.9, 3.1, 3.5, 4.2, 5.5, 7.5, 9, 9.5, 8, 5} {
		total += weight
		up[hour] = total
	}
	for hour := range up {
		up[hour] /= total
	}
	return up
}()

// clock is an instant of a day that begins at an instant.
func clock(r *rand.Rand, begin table.Micros) table.Micros {
	x, hour := r.Float64(), 0
	for hour < 23 && hours[hour] < x {
		hour++
	}
	const micros = int64(time.Hour / time.Microsecond)
	return begin + table.Micros(int64(hour)*micros+r.Int64N(micros))
}

// poisson draws a number of events.
func poisson(r *rand.Rand, mean float64) int {
	if mean > 30 { // the normal distribution is near enough
		return max(0, int(math.Round(mean+math.Sqrt(mean)*r.NormFloat64())))
	}
	n := 0
	for limit, product := math.Exp(-mean), r.Float64(); product > limit; product *= r.Float64() {
		n++
	}
	return n
}
