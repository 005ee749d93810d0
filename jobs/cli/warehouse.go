package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"crosslift/jobs/config"
	"crosslift/warehouse/postgres"
	"crosslift/warehouse/postgres/local"
)

func (a *app) warehouseCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "warehouse", Short: "Start, stop and find the private Postgres of a project",
		Example: "  crosslift warehouse start\n  psql \"$(crosslift warehouse url --role bi)\"\n  crosslift warehouse stop",
	}
	c.AddCommand(a.warehouseStartCommand(), a.warehouseStopCommand(), a.warehouseURLCommand())
	return c
}

// private gives the project's configuration when its warehouse is a private cluster.
func (a *app) private() (*config.Project, error) {
	p, err := a.load()
	if err != nil {
		return nil, err
	}
	if !p.Warehouse.Local {
		return nil, usageError{errors.New("this project's warehouse is a server of its own: only `warehouse: local` is started and stopped here")}
	}
	return p, nil
}

func (a *app) warehouseStartCommand() *cobra.Command {
	var tcp bool
	c := &cobra.Command{
		Use: "start", Short: "Start the private Postgres and leave it running for analysts", Args: cobra.NoArgs,
		Example: "  crosslift warehouse start\n  psql \"$(crosslift warehouse url --role bi)\" -c 'SELECT * FROM bi.experiment_results_latest'",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			ctx := cmd.Context()
			p, err := a.private()
			if err != nil {
				return err
			}
			cluster, err := a.join(ctx, p)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, cluster.Leave(context.WithoutCancel(ctx))) }()
			db, err := postgres.Open(ctx, cluster.URL("owner"), a.log) // so that the views are there
			if err != nil {
				return err
			}
			if err := db.Close(); err != nil {
				return err
			}
			if err := cluster.Pin(ctx); err != nil {
				return err
			}
			return a.printURL(ctx, cluster, "bi", tcp)
		},
	}
	c.Flags().BoolVar(&tcp, "tcp", false, "listen on a loopback port too, for JDBC and ODBC")
	return c
}

func (a *app) warehouseStopCommand() *cobra.Command {
	return &cobra.Command{
		Use: "stop", Short: "Stop the private Postgres", Args: cobra.NoArgs, Example: "  crosslift warehouse stop",
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.private()
			if err != nil {
				return err
			}
			return local.Stop(cmd.Context(), clusterFolder(p))
		},
	}
}

func (a *app) warehouseURLCommand() *cobra.Command {
	var role string
	var tcp bool
	c := &cobra.Command{
		Use: "url", Short: "Print the connection URL of the private Postgres, which must be running", Args: cobra.NoArgs,
		Example: "  psql \"$(crosslift warehouse url --role bi)\"\n  crosslift warehouse url --role bi --tcp",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			ctx := cmd.Context()
			if role != "bi" && role != "owner" {
				return usageError{fmt.Errorf("--role %q: expected bi or owner", role)}
			}
			p, err := a.private()
			if err != nil {
				return err
			}
			running, err := local.Running(clusterFolder(p))
			if err != nil {
				return err
			}
			if !running {
				return errors.New("the private Postgres is not running: `crosslift warehouse start` starts it and leaves it running")
			}
			cluster, err := a.join(ctx, p)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, cluster.Leave(context.WithoutCancel(ctx))) }()
			return a.printURL(ctx, cluster, role, tcp)
		},
	}
	c.Flags().StringVar(&role, "role", "bi", "bi reads the views; owner may do everything")
	c.Flags().BoolVar(&tcp, "tcp", false, "a URL over loopback TCP, with its password")
	return c
}

// printURL prints a URL alone on its line, so that it can be used in a command.
func (a *app) printURL(ctx context.Context, cluster *local.Cluster, role string, tcp bool) error {
	url := cluster.URL(role)
	if tcp {
		var err error
		if url, err = cluster.TCPURL(ctx, role); err != nil {
			return err
		}
	}
	if a.output == "json" {
		return a.print(nil, nil, map[string]string{"role": role, "url": url})
	}
	_, err := fmt.Fprintln(a.stdout, url)
	return err
}
