package cli

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"crosslift/jobs/run"
)

// progress shows how far a run is: a bar on a terminal, a plain line a finished task elsewhere.
type progress struct {
	mu  sync.Mutex
	out io.Writer
	bar *progressbar.ProgressBar
	app *app
}

func newProgress(a *app) *progress { return &progress{out: a.stderr, app: a} }

// terminal reports whether a writer is a screen that somebody watches.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// bar makes a progress bar for so many steps.
func bar(w io.Writer, total int, what string) *progressbar.ProgressBar {
	return progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetPredictTime(true))
}

func (p *progress) event(e run.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if terminal(p.out) {
		if p.bar == nil {
			p.bar = bar(p.out, e.Total, "")
		}
		if e.Started != nil {
			p.bar.Describe(e.Started.String())
		}
		_ = p.bar.Set(e.Done) // a screen that cannot be written to is no reason to stop
		return
	}
	if f := e.Finished; f != nil && (f.Outcome != run.Left && f.Outcome != run.Idled || p.app.verbose) {
		fmt.Fprintf(p.out, "[%d/%d] %s: %s", e.Done, e.Total, f.Verdict.Task, label(f.Outcome))
		if f.Counts.Written > 0 {
			fmt.Fprintf(p.out, ", %s rows", count(f.Counts.Written))
		}
		if f.Verdict.Reason != "" {
			fmt.Fprintf(p.out, " (%s)", f.Verdict.Reason)
		}
		fmt.Fprintln(p.out)
	}
}

func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Finish()
		_ = p.bar.Clear()
	}
}
