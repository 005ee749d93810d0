package s3test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// program is the server: among those at hand, versitygw alone passes every test of conditions.
const program = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"

// binary gives the path of the server, which is built when it is not there yet.
func binary() (string, error) {
	module, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	build := exec.Command(filepath.Join(filepath.Dir(strings.TrimSpace(string(module))), ".ci", "tool"), program)
	build.Stderr = os.Stderr
	path, err := build.Output()
	if err != nil {
		return "", fmt.Errorf("building the S3 server for tests: %w", err)
	}
	return strings.TrimSpace(string(path)), nil
}
