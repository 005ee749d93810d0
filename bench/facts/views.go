package facts

import (
	"context"
	"math"
	"math/rand/v2"
	"strconv"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

const (
	titles  = 20_000
	another = 2.0 / 3     // chance that a sitting goes on with another view
	longest = 6 * 60 * 60 // seconds of a view
)

// viewer writes the views of a day.
type viewer struct {
	r      *rand.Rand
	zipf   *rand.Zipf
	titles []string
	scale  float64 // of rates, by the day
	window [2]table.Micros
	row    table.ViewingRow
	number int64
	emit   func(*table.ViewingRow) error
}

// views gives the views of a day, in no order.
func (w *World) views(ctx context.Context, day table.Day, emit func(*table.ViewingRow) error) error {
	r, window := w.random(forDays+uint64(day)), day.Window(zone())
	v := &viewer{r: r, zipf: rand.NewZipf(r, 1.1, 20, titles-1), titles: make([]string, titles), scale: busy(day) * (1 - another),
		window: [2]table.Micros{table.MicrosOf(window.From), table.MicrosOf(window.To)}, number: int64(day-firstDay) * 20_000_000, emit: emit}
	for i := range v.titles {
		v.titles[i] = "title-" + strconv.Itoa(i+1)
	}
	for account, activity := range w.activity {
		if account%(1<<16) == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for range poisson(r, w.rate*float64(activity)*v.scale) {
			who := w.accounts[account]
			if r.Float64() < loggedOut {
				who = identifier.ID{}
			}
			if err := v.sitting(who, w.devices[w.used(r, account).device]); err != nil {
				return err
			}
		}
	}
	for _, device := range w.anonymous {
		for range poisson(r, w.stranger*v.scale) {
			if err := v.sitting(identifier.ID{}, w.devices[device]); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// sitting is one view after another, one at least, 1/(1−another) in the mean.
func (v *viewer) sitting(account, device identifier.ID) error {
	for at, more := clock(v.r, v.window[0]), true; more; more = v.r.Float64() < another {
		seconds := int64(min(longest, 1+math.Exp(math.Log(900)+1.5*v.r.NormFloat64()))) // a median of a quarter of an hour
		v.number++
		v.row = table.ViewingRow{SourceID: strconv.FormatInt(v.number, 10), ViewedAt: at, Account: account, Device: device,
			Title: v.titles[v.zipf.Uint64()], Seconds: seconds}
		if err := v.emit(&v.row); err != nil {
			return err
		}
		at = min(v.window[1]-1, at+table.Micros(seconds*1_000_000+v.r.Int64N(60_000_000)))
	}
	return nil
}
