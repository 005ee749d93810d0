package facts

import (
	"encoding/json"
	"os"
	"syscall"
	"time"
)

// workers is how many processors each way may use.
const workers = 2

// Took is what a way says of itself.
type Took struct {
	Seconds float64 `json:"seconds"` // from the first file that is opened to the last row
	CPU     float64 `json:"cpu"`     // seconds of all processors
	Rows    int64   `json:"rows"`    // events read
	Facts   int64   `json:"facts"`   // rows made
	Sum     int64   `json:"sum"`     // of what they say
}

// stopwatch measures from its start to what say is told.
type stopwatch struct {
	wall time.Time
	cpu  time.Duration
}

func start() stopwatch { return stopwatch{time.Now(), processors()} }

func (s stopwatch) say(t Took) error {
	t.Seconds, t.CPU = time.Since(s.wall).Seconds(), (processors() - s.cpu).Seconds()
	return json.NewEncoder(os.Stdout).Encode(t)
}

func processors() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
