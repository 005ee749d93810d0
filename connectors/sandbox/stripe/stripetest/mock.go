package stripetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
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

// binary gives the path of stripe-mock, built into the module's .bin when it is not there yet. Test binaries of several
// packages that start together build it once.
func binary() (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, ".bin")
	path := filepath.Join(dir, "stripe-mock-"+mockVersion)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("locking %s: %w", lock.Name(), err)
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil // another test has built it meanwhile
	}
	return path, build(dir, path)
}

func build(dir, path string) (err error) {
	temp, err := os.MkdirTemp(dir, "stripe-mock-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	c := exec.Command("go", "install", "github.com/stripe/stripe-mock@"+mockVersion)
	c.Dir = temp
	c.Env = append(os.Environ(), "GOBIN="+temp, "CGO_ENABLED=0", "GOFLAGS=", "GOOS=", "GOARCH=")
	if output, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("building: %w: %s", err, output)
	}
	return os.Rename(filepath.Join(temp, "stripe-mock"), path)
}

// moduleRoot is the folder of go.mod above the folder in which a package's tests run.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if filepath.Dir(dir) == dir {
			return "", errors.New("no go.mod above the folder of the test")
		}
		dir = filepath.Dir(dir)
	}
}
