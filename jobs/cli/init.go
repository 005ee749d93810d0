package cli

import (
	"crypto/rand"
	"fmt"

	"github.com/spf13/cobra"

	"crosslift/jobs/config"
)

func (a *app) initCommand() *cobra.Command {
	return &cobra.Command{
		Use: "init [FOLDER]", Short: "Write a commented starter project", Args: cobra.MaximumNArgs(1),
		Long: `Write a commented starter project: crosslift.yaml, an experiment, its metrics, and a new secret key for identifiers.
Nothing that exists is overwritten.`,
		Example: "  crosslift init cinema",
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			written, err := config.Init(dir, rand.Reader)
			if err != nil {
				return err
			}
			rows := make([][]string, len(written))
			for i, file := range written {
				rows[i] = []string{file}
			}
			if err := a.print([]string{"written"}, rows, written); err != nil {
				return err
			}
			fmt.Fprintf(a.stderr, "\nNext: cd %s, look at crosslift.yaml, then `crosslift run --day D`.\n", dir)
			return nil
		},
	}
}
