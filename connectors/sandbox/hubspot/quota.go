package hubspot

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Quota is how many requests are answered; 0: as many as come.
type Quota struct {
	Search     int // searches a second
	TenSeconds int // other requests in ten seconds
	Daily      int // requests a day of the world's clock, in UTC
}

// counter counts requests. Seconds are real ones, so that a world whose clock stands still can be read.
type counter struct {
	quota Quota

	mu        sync.Mutex
	day       string
	today     int
	second    int64
	searches  int
	interval  int64
	others    int
	requested int64
}

// count takes a request, writes the headers that tell what is left, and gives the policy that it breaks, or "".
func (c *counter) count(h http.Header, now time.Time, search bool) (policy string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if day := now.UTC().Format(time.DateOnly); day != c.day {
		c.day, c.today = day, 0
	}
	if second := time.Now().Unix(); second != c.second {
		c.second, c.searches = second, 0
	}
	if interval := time.Now().Unix() / 10; interval != c.interval {
		c.interval, c.others = interval, 0
	}
	c.today++
	switch {
	case c.quota.Daily > 0 && c.today > c.quota.Daily:
		policy = "DAILY"
	case search:
		if c.searches++; c.quota.Search > 0 && c.searches > c.quota.Search {
			policy = "SECONDLY"
		}
	default:
		if c.others++; c.quota.TenSeconds > 0 && c.others > c.quota.TenSeconds {
			policy = "TEN_SECONDLY_ROLLING"
		}
	}
	if !search { // whose answers have none of these
		set := func(name string, value int) { h.Set("X-HubSpot-RateLimit-"+name, strconv.Itoa(max(value, 0))) }
		if c.quota.Daily > 0 {
			set("Daily", c.quota.Daily)
			set("Daily-Remaining", c.quota.Daily-c.today)
		}
		if c.quota.TenSeconds > 0 {
			set("Interval-Milliseconds", 10_000)
			set("Max", c.quota.TenSeconds)
			set("Remaining", c.quota.TenSeconds-c.others)
		}
	}
	return policy
}

// correlation is the id of an answer, by which HubSpot's support would find it.
func (c *counter) correlation() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requested++
	return fmt.Sprintf("00000000-0000-4000-8000-%012x", c.requested)
}
