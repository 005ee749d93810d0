package object_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"crosslift/warehouse/lake/object"
	"crosslift/warehouse/lake/object/objecttest"
)

// TestFolderFull fills a file system of 1 MiB, mounted in a namespace of the child's own.
func TestFolderFull(t *testing.T) {
	t.Parallel()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "OBJECT_TEST_CHILD=full", "OBJECT_TEST_STORE="+t.TempDir())
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	output, err := c.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || c.ProcessState != nil && c.ProcessState.ExitCode() == mountRefused {
		t.Skipf("this machine allows no private mounts: %v %s", err, output)
	}
	if err != nil {
		t.Errorf("%v: %s", err, output)
	}
}

const mountRefused = 77

// fill is TestFolderFull in its child.
func fill() error {
	dir := os.Getenv("OBJECT_TEST_STORE")
	if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		fmt.Println(err)
		os.Exit(mountRefused)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		fmt.Println(err)
		os.Exit(mountRefused)
	}
	ctx, store := newContext(), object.NewFolder(dir)
	if _, err := objecttest.Put(ctx, store, "kept", []byte("x"), ""); err != nil {
		return err
	}
	_, err := objecttest.Put(ctx, store, "large", make([]byte, 4<<20), "")
	want := "no space left on device: make room where " + dir + " lies"
	if err == nil || err.Error() != want {
		return fmt.Errorf("error %v, expected: %s", err, want)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(left) != 1 || left[0].Name() != "kept" {
		return fmt.Errorf("left: %v", left)
	}
	_, err = objecttest.Put(ctx, store, "small", []byte("y"), "")
	return err
}
