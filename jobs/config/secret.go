package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"crosslift/schemas/identifier"
)

// Secret is a value that is never printed: it comes from the environment or from a file. The zero Secret is none.
type Secret struct {
	value *string // behind a pointer, so that no way of printing a struct follows it
	file  string  // where it is still to be read from
}

// Reveal gives the value, "" where there is none.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

func (s Secret) String() string   { return "***" }
func (s Secret) GoString() string { return "***" }

// MarshalText writes a mask.
func (s Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// UnmarshalScalar takes text with a ${NAME} in it, or file:path.
func (s *Secret) UnmarshalScalar(written, text string) error {
	if path, ok := strings.CutPrefix(text, "file:"); ok {
		if path == "" {
			return errors.New("expected file:path")
		}
		s.file = path
		return nil
	}
	switch {
	case text == written:
		return errors.New("a secret is not written here: expected ${NAME} or file:path")
	case strings.TrimSpace(text) == "":
		return fmt.Errorf("%s is empty", written)
	}
	s.value = &text
	return nil
}

func (s Secret) given() bool { return s.value != nil || s.file != "" }

// read fetches a secret that lies in a file, whose path may be relative to the project.
func (s *Secret) read(root string) error {
	if s.file == "" {
		return nil
	}
	content, err := os.ReadFile(absolute(root, s.file))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%s: no such file: put the secret there", s.file)
	case err != nil:
		return err
	}
	value := strings.TrimSpace(string(content))
	if value == "" {
		return fmt.Errorf("%s: the file is empty", s.file)
	}
	s.value, s.file = &value, ""
	return nil
}

// read fetches the key and checks its form.
func (i *Identifiers) read(root string) error {
	err := i.Key.read(root)
	if err == nil {
		_, err = identifier.ParseKey(i.Key.Reveal())
	}
	return err
}

func absolute(root, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(root, path)
}
