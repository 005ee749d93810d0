// Crosslift is the nightly pipeline behind a cross-device A/B test: see README.md.
package main

import (
	"os"

	"crosslift/jobs/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:])) }
