// Crosslift is the nightly pipeline behind a cross-device A/B test: see README.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"crosslift/jobs/cli"
)

func main() {
	ctx, stop := context.WithCancel(context.Background())
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, os.Interrupt, syscall.SIGTERM)
	code := make(chan int, 1)
	go func() { code <- cli.Execute(ctx, os.Args[1:]) }()
	for signalled := 0; ; {
		select {
		case c := <-code:
			if signalled != 0 && c != 0 {
				c = signalled
			}
			os.Exit(c)
		case s := <-caught:
			if signalled != 0 { // asked twice: do not wait for what runs
				os.Exit(signalled)
			}
			signalled = 128 + int(s.(syscall.Signal))
			stop()
		}
	}
}
