package stripetest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// readyWithin is far more than stripe-mock needs, on a busy machine too.
const readyWithin = 30 * time.Second

// Mock starts stripe-mock, Stripe's own stand-in, which refuses requests that its specification does not know and
// answers with one fixture an object. It gives the address. The first one on a machine builds it, which takes a few
// seconds; it ends with the test, or with the process that runs the tests.
func Mock(t testing.TB) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatalf("stripetest: stripe-mock: %v", err)
	}
	for range 5 { // somebody else may take a port that we found free
		var address string
		if address, err = start(t, path); err == nil {
			return address
		}
	}
	t.Fatalf("stripetest: stripe-mock: %v", err)
	return ""
}

// guard runs a server and kills it when its standard input ends: when the test closes it, or dies.
const guard = `exec 3<&0
"$@" 3<&- & server=$!
{ read -r _ <&3; kill -9 $server; } & guard=$!
exec 3<&-
wait $server; status=$?
kill $guard
exit $status`

func start(t testing.TB, path string) (address string, err error) {
	plain, err := freePort()
	if err != nil {
		return "", err
	}
	secure, err := freePort()
	if err != nil {
		return "", err
	}
	// Both are given: without the second it would listen with TLS on every address of the machine.
	c := exec.Command("sh", "-c", guard, "sh", path, "-http-addr", plain, "-https-addr", secure)
	life, err := c.StdinPipe()
	if err != nil {
		return "", err
	}
	if err := c.Start(); err != nil {
		return "", err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	stop := func() {
		_ = life.Close() // closed already when the server has ended by itself
		ended <- <-ended
	}
	address = "http://" + plain
	ctx, cancel := context.WithTimeout(t.Context(), readyWithin)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			stop()
			return "", err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			t.Cleanup(stop)
			return address, response.Body.Close()
		}
		select {
		case err := <-ended:
			ended <- err
			return "", fmt.Errorf("it ended: %w", err)
		case <-ctx.Done():
			stop()
			return "", errors.New("it does not answer")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func freePort() (string, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return free.Addr().String(), free.Close()
}

// binary gives the path of stripe-mock, which is built when it is not there yet.
func binary() (string, error) {
	module, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	build := exec.Command(filepath.Join(filepath.Dir(strings.TrimSpace(string(module))), ".ci", "tool"), "github.com/stripe/stripe-mock@"+mockVersion)
	build.Stderr = os.Stderr
	path, err := build.Output()
	if err != nil {
		return "", fmt.Errorf("building: %w", err)
	}
	return strings.TrimSpace(string(path)), nil
}
