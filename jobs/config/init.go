package config

import (
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed starter
var starter embed.FS

// keyFile is where a new project keeps the secret of its identifiers.
const keyFile = "secrets/identifier.key"

// Init writes the starter project into a folder, which is made if it is missing, and lists the files. It overwrites
// nothing: when any of its files exists, or writing fails, nothing is left behind. The key of identifiers is drawn
// from random.
func Init(dir string, random io.Reader) (written []string, err error) {
	contents, err := starterFiles(random)
	if err != nil {
		return nil, fmt.Errorf("init: %w", err)
	}
	var names []string
	for name := range contents {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			if err == nil {
				err = fmt.Errorf("%s exists: nothing is overwritten, choose another folder", filepath.Join(dir, name))
			}
			return nil, invalid{fmt.Errorf("init: %w", err)}
		}
		names = append(names, name)
	}
	slices.Sort(names)
	var made []string // files and folders, in the order of their making
	defer func() {
		if err != nil {
			written, err = nil, fmt.Errorf("init: %w", err)
			for _, path := range slices.Backward(made) {
				os.Remove(path) // a folder that somebody else has filled meanwhile stays
			}
		}
	}()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := makeFolders(filepath.Dir(path), &made); err != nil {
			return nil, err
		}
		if err := create(path, contents[name], &made); err != nil {
			return nil, err
		}
		written = append(written, path)
	}
	return written, nil
}

// starterFiles gives the contents of a new project's files by name.
func starterFiles(random io.Reader) (map[string][]byte, error) {
	secret := make([]byte, 32)
	if _, err := io.ReadFull(random, secret); err != nil {
		return nil, fmt.Errorf("the key of identifiers: %w", err)
	}
	contents := map[string][]byte{keyFile: []byte("k1:" + hex.EncodeToString(secret) + "\n")}
	err := fs.WalkDir(starter, "starter", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name := strings.TrimPrefix(path, "starter/")
		if name == "gitignore" { // under its own name it would apply to the starter itself
			name = ".gitignore"
		}
		contents[name], err = starter.ReadFile(path)
		return err
	})
	return contents, err
}

// makeFolders makes a folder and the missing ones above it.
func makeFolders(dir string, made *[]string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if parent := filepath.Dir(dir); parent != dir {
		if err := makeFolders(parent, made); err != nil {
			return err
		}
	}
	mode := fs.FileMode(0o755)
	if filepath.Base(dir) == filepath.Dir(keyFile) {
		mode = 0o700
	}
	if err := os.Mkdir(dir, mode); err != nil {
		return err
	}
	*made = append(*made, dir)
	return nil
}

func create(path string, content []byte, made *[]string) error {
	mode := fs.FileMode(0o644)
	if filepath.Ext(path) == ".key" {
		mode = 0o600
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	*made = append(*made, path)
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}
