package local

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// socketFolder makes the folder for the socket of the cluster in dir: short, since a socket's path ends at about 107
// bytes, and for its account only. What is there already is not trusted: anybody may write to /tmp.
func (m machine) socketFolder(dir string, as *syscall.Credential) (string, error) {
	name := filepath.Join(m.sockets, fmt.Sprintf("crosslift-%x", sha256.Sum256([]byte(dir)))[:len("crosslift-")+16])
	if err := os.Mkdir(name, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("folder for its socket: %w", err)
	}
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return "", fmt.Errorf("folder for its socket: expected one of our own, have what is there removed: %v", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("folder for its socket: %w", err)
	}
	owner, account := info.Sys().(*syscall.Stat_t).Uid, uint32(os.Geteuid())
	if as != nil {
		account = as.Uid
	}
	if owner != account && owner != uint32(os.Geteuid()) {
		return "", fmt.Errorf("folder for its socket: %s belongs to user %d, not %d: have it removed",
			name, owner, account)
	}
	if as != nil {
		if err := f.Chown(int(as.Uid), int(as.Gid)); err != nil {
			return "", fmt.Errorf("folder for its socket: %w", err)
		}
	}
	if err := f.Chmod(0o700); err != nil {
		return "", fmt.Errorf("folder for its socket: %w", err)
	}
	return name, nil
}
