package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"crosslift/jobs"
	"crosslift/jobs/config"
	"crosslift/jobs/run"
	"crosslift/jobs/schedule"
	"crosslift/schemas/table"
)

func (a *app) scheduleCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schedule", Short: "Stay and run each night by the configuration's cron expression", Args: cobra.NoArgs,
		Long: `Wait, and bring the last finished business day up to date whenever schedule.night says so, in the project's time zone.
A night that fails is logged, and the next tick tries again what is missing. Ends on an interrupt, after the tasks
that run have ended.`,
		Example: "  crosslift schedule --log-format json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.load()
			if err != nil {
				return err
			}
			if p.Schedule.Night == "" {
				return fmt.Errorf("%w: %s: schedule.night is not set: a cron expression such as \"30 3 * * *\"", config.ErrConfig, a.config)
			}
			return schedule.Nightly(cmd.Context(), schedule.Options{
				Cron: p.Schedule.Night, Zone: p.Zone, Now: a.now, Log: a.log,
				Night: func(ctx context.Context, day table.Day) error { return a.night(ctx, day) },
			})
		},
	}
}

// night runs a business day, with everything opened anew: nothing is held from night to night.
func (a *app) night(ctx context.Context, day table.Day) error {
	err := a.execute(ctx, selection{request: run.Request{From: day, To: day, Heal: true}}, "crosslift schedule --day "+day.String())
	var silent *silentError
	if errors.As(err, &silent) {
		return fmt.Errorf("exit code %d", jobs.ExitCode(err))
	}
	return err
}
