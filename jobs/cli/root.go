// Package cli is the command line: a file a verb. It reads flags, calls the packages that do the work, and prints.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"crosslift/jobs"
	"crosslift/jobs/config"
	"crosslift/schemas/strictyaml"
	"crosslift/warehouse/postgres/local"
)

// app is what all verbs share: the global flags and the world outside.
type app struct {
	config    string
	output    string
	logFormat string
	verbose   bool

	stdout, stderr io.Writer
	env            func(string) (string, bool)
	now            func() time.Time
	log            *slog.Logger
}

// Main runs the command until it ends or is told to, and gives the exit code. After the first signal nothing new is
// begun and what runs is waited for; the second ends it at once.
func Main(args []string) int {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ended := make(chan int, 1)
	go func() { ended <- execute(ctx, args) }()
	for told := 0; ; {
		select {
		case code := <-ended:
			if told != 0 && code != jobs.ExitDone {
				return told
			}
			return code
		case s := <-signals:
			if told != 0 {
				return told
			}
			told = 128 + int(s.(syscall.Signal))
			stop()
		}
	}
}

// execute runs the command with its arguments and gives the exit code.
func execute(ctx context.Context, args []string) int {
	a := &app{stdout: os.Stdout, stderr: os.Stderr, env: os.LookupEnv, now: time.Now}
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var silent *silentError
	if err != nil && !errors.As(err, &silent) {
		fmt.Fprintln(a.stderr, "crosslift: "+oneLine(err))
	}
	return exitCode(err)
}

// silentError ends the command with an exit code when everything has been said already.
type silentError struct{ code int }

func (e *silentError) Error() string { return fmt.Sprintf("exit code %d", e.code) }
func (e *silentError) ExitCode() int { return e.code }

// usageError is a mistake in how the command was called.
type usageError struct{ error }

func (e usageError) ExitCode() int { return jobs.ExitUsage }
func (e usageError) Unwrap() error { return e.error }

func exitCode(err error) int {
	if errors.Is(err, config.ErrConfig) || errors.Is(err, local.ErrNoPostgres) {
		return jobs.ExitUsage
	}
	return jobs.ExitCode(err)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "crosslift",
		Short: "The nightly pipeline behind a cross-device A/B test",
		Long: `Crosslift reads what a product's sources say, night by night, into Parquet partitions, works out who saw which
variant of an experiment and what they did then, and publishes the statistics to Postgres.

Exit codes: 0 done or nothing to do, 1 failed, 2 usage or configuration, 3 several jobs failed in different ways,
11 another run owns the job, 12 an audit blocked the publication, 13 write conflict, 14 a source or the store is
down, 15 a source broke its contract, 130 and 143 interrupted.`,
		Example: `  crosslift init shop && cd shop            # a commented starter project
  crosslift run --day 2026-11-03            # one night
  crosslift status                          # what is stale, and why
  crosslift analyze users.csv --unit user --variant arm --control A --metric paid=proportion:paid`,
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if a.output != "table" && a.output != "json" {
				return usageError{fmt.Errorf("--output %q: expected table or json", a.output)}
			}
			return a.openLog()
		},
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w: see `%s --help`", err, cmd.CommandPath())}
	})
	flags := root.PersistentFlags()
	flags.StringVar(&a.config, "config", "crosslift.yaml", "the project's configuration")
	flags.StringVarP(&a.output, "output", "o", "table", "table or json")
	flags.StringVar(&a.logFormat, "log-format", "text", "text or json")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "say more")
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(a.initCommand(), a.runCommand(), a.backfillCommand(), a.extractCommand(), a.scheduleCommand(),
		a.statusCommand(), a.jobsCommand(), a.resultsCommand(), a.metricsCommand(), a.factsCommand(), a.checkCommand(), a.analyzeCommand(), a.identityCommand(), a.lakeCommand(),
		a.warehouseCommand(), a.sandboxCommand(), a.demoCommand(), a.versionCommand())
	for _, c := range root.Commands() {
		usageOnArgs(c)
		if c.HasSubCommands() {
			group(c)
		}
	}
	group(root)
	return root
}

// openLog makes the log that the global flags ask for.
func (a *app) openLog() error {
	level := slog.LevelInfo
	if a.verbose {
		level = slog.LevelDebug
	}
	options := &slog.HandlerOptions{Level: level}
	switch a.logFormat {
	case "text":
		a.log = slog.New(slog.NewTextHandler(a.stderr, options))
	case "json":
		a.log = slog.New(slog.NewJSONHandler(a.stderr, options))
	default:
		return usageError{fmt.Errorf("--log-format %q: expected text or json", a.logFormat)}
	}
	return nil
}

// group makes a command that only holds others show its help, and a word that names none of them a usage error.
func group(c *cobra.Command) {
	c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	c.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		var names []string
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				names = append(names, sub.Name())
			}
		}
		return usageError{fmt.Errorf("unknown command %q: %s", args[0], strictyaml.Suggest(args[0], names))}
	}
}

// usageOnArgs makes a wrong number of arguments a usage error, like a wrong flag.
func usageOnArgs(c *cobra.Command) {
	check := c.Args
	c.Args = func(cmd *cobra.Command, args []string) error {
		if check == nil {
			return nil
		}
		if err := check(cmd, args); err != nil {
			return usageError{fmt.Errorf("%w: see `%s --help`", err, cmd.CommandPath())}
		}
		return nil
	}
	for _, sub := range c.Commands() {
		usageOnArgs(sub)
	}
}
