// Package worldtest is for tests of what serves worlds, and of what reads that.
package worldtest

import (
	"sync"
	"time"
)

// Clock stands still until a test moves it. A test may do so while a server reads it: what answers a request may run on
// when its client has gone on, as some do without waiting for all that they have asked.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock is a clock that shows an instant.
func NewClock(at time.Time) *Clock { return &Clock{at: at} }

// Now is what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Set makes the clock show an instant, which may be earlier.
func (c *Clock) Set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}
