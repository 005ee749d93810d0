// Package secret holds values that are never printed: passwords, tokens, keys. A configuration names where one is, in
// the environment or in a file, and the value is revealed only to who uses it.
package secret

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"crosslift/schemas/strictyaml"
)

// Secret is a value that is never printed: it comes from the environment or from a file. The zero Secret is none.
type Secret struct {
	value *string // behind a pointer, so that no way of printing a struct follows it
	file  string  // where it is still to be read from
}

// New wraps a value that is known already.
func New(value string) Secret { return Secret{value: &value} }

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

// Given reports whether the configuration names a secret.
func (s Secret) Given() bool { return s.value != nil || s.file != "" }

// Read fetches a secret that lies in a file, whose path may be relative to root.
func (s *Secret) Read(root string) error {
	if s.file == "" {
		return nil
	}
	path := s.file
	if !filepath.IsAbs(path) {
		path = filepath.Join(root, path)
	}
	content, err := os.ReadFile(path)
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

// ReadAll reads every secret in a configuration's struct, to which config points; errors carry the place by its yaml
// names.
func ReadAll(config any, root string) error { return readAll(reflect.ValueOf(config).Elem(), root) }

func readAll(v reflect.Value, root string) error {
	if s, ok := v.Addr().Interface().(*Secret); ok {
		return s.Read(root)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return readAll(v.Elem(), root)
		}
	case reflect.Struct:
		var errs []error
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			if name != "" && name != "-" {
				errs = append(errs, strictyaml.At(name, readAll(v.Field(i), root)))
			}
		}
		return errors.Join(errs...)
	}
	return nil
}
