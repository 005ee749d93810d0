package s3test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// version of versitygw, which among the servers at hand alone passes every test of conditions.
const version = "1.8.0"

// binary gives the path of the server, built into the module's .bin when it is not there yet. Test binaries of several
// packages that start together build it once.
func binary() (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, ".bin")
	path := filepath.Join(dir, "versitygw-"+version)
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
	temp, err := os.MkdirTemp(dir, "versitygw-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	c := exec.Command("go", "install", "github.com/versity/versitygw/cmd/versitygw@v"+version)
	c.Dir = temp
	c.Env = append(os.Environ(), "GOBIN="+temp, "CGO_ENABLED=0", "GOFLAGS=", "GOOS=", "GOARCH=")
	if output, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("building the S3 server for tests: %w: %s", err, output)
	}
	return os.Rename(filepath.Join(temp, "versitygw"), path)
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
