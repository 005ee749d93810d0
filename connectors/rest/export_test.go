package rest

import (
	"context"
	"net"
	"net/http"
	"time"
)

// Over makes a client speak over connections that a test gives, such as pipes, which do not disturb a fake clock.
func (c *Client) Over(dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	c.wire.DialContext = dial
}

// What is tested by itself.
var (
	NextLink   = nextLink
	RetryAfter = func(h http.Header, now time.Time) (time.Duration, bool) { return retryAfter(h, now) }
)
