package schedule

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosslift/schemas/table"
)

// TestNightly begins a night at each tick, for the day that has ended in the business's zone, also over the days on
// which its clocks change, and goes on after a night that failed.
func TestNightly(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2000, 3, 24, 12, 0, 0, 0, time.UTC))) // the clocks change on the 26th
		ctx, stop := context.WithCancel(t.Context())
		var days, times []string
		ended := make(chan error)
		go func() {
			ended <- Nightly(ctx, Options{Cron: "30 3 * * *", Zone: zone, Now: time.Now, Log: slog.New(slog.DiscardHandler),
				Night: func(_ context.Context, day table.Day) error {
					days, times = append(days, day.String()), append(times, time.Now().UTC().Format(time.DateTime))
					return errors.New("the bank is down")
				}})
		}()
		time.Sleep(4 * 24 * time.Hour)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if want := []string{"2000-03-24", "2000-03-25", "2000-03-26", "2000-03-27"}; !slices.Equal(days, want) {
			t.Errorf("nights %v, expected %v", days, want)
		}
		if want := []string{"2000-03-25 02:30:00", "2000-03-26 01:30:00", "2000-03-27 01:30:00", "2000-03-28 01:30:00"}; !slices.Equal(times, want) {
			t.Errorf("begun at %v, expected %v", times, want)
		}
	})
}

// TestOneNightAtATime drops ticks that come while a night still runs.
func TestOneNightAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		running, most, begun := 0, 0, 0
		ended := make(chan error)
		go func() {
			ended <- Nightly(ctx, Options{Cron: "0 * * * *", Zone: time.UTC, Now: time.Now, Log: slog.New(slog.DiscardHandler),
				Night: func(ctx context.Context, _ table.Day) error {
					running++
					begun++
					most = max(most, running)
					select {
					case <-time.After(150 * time.Minute):
					case <-ctx.Done():
					}
					running--
					return nil
				}})
		}()
		time.Sleep(12*time.Hour + time.Minute)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if most != 1 || begun < 3 || begun > 5 {
			t.Errorf("%d nights, at most %d at once", begun, most)
		}
	})
}

// TestBadCron names the expression.
func TestBadCron(t *testing.T) {
	err := Nightly(t.Context(), Options{Cron: "at night", Zone: time.UTC, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "at night") {
		t.Errorf("%v", err)
	}
}
