// Package schedule is the ticker: it says when a night begins. What there is to do then, and that only one host does
// it, is decided by the run and its ledger: a tick that comes twice, late or not at all costs nothing but time.
package schedule

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-co-op/gocron/v2"

	"crosslift/schemas/table"
)

// Options say when and what.
type Options struct {
	Cron  string         // five fields, in Zone
	Zone  *time.Location // the business's time zone
	Now   func() time.Time
	Log   *slog.Logger
	Night func(ctx context.Context, day table.Day) error // brings a business day and its night up to date
}

// windDown is how long a night that has been told to end may take for it.
const windDown = 10 * time.Minute

// Nightly runs Night for the last finished business day at every tick, one at a time, until ctx ends. A tick that
// comes while a night still runs is dropped: the run that follows covers what it would have done. Errors of a night
// are logged; the schedule goes on.
func Nightly(ctx context.Context, o Options) error {
	s, err := gocron.NewScheduler(gocron.WithLocation(o.Zone), gocron.WithStopTimeout(windDown),
		gocron.WithGlobalJobOptions(gocron.WithSingletonMode(gocron.LimitModeReschedule)))
	if err != nil {
		return fmt.Errorf("schedule: %w", err)
	}
	job, err := s.NewJob(gocron.CronJob(o.Cron, false), gocron.NewTask(func() {
		day := Last(o.Now(), o.Zone)
		o.Log.Info("the night begins", "day", day)
		if err := o.Night(ctx, day); err != nil {
			o.Log.Error("the night failed", "day", day, "error", err)
			return
		}
		o.Log.Info("the night is done", "day", day)
	}))
	if err != nil {
		return fmt.Errorf("schedule: cron expression %q: %w", o.Cron, err)
	}
	s.Start()
	if next, err := job.NextRun(); err == nil {
		o.Log.Info("waiting", "next", next.In(o.Zone).Format(time.RFC3339))
	}
	<-ctx.Done()
	if err := s.Shutdown(); err != nil {
		return fmt.Errorf("schedule: %w", err)
	}
	return nil
}

// Last is the last business day that has ended at an instant.
func Last(now time.Time, zone *time.Location) table.Day { return table.DayOf(now, zone) - 1 }
