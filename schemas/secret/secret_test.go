package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNeverPrinted tries the ways in which a value usually gets into a log.
func TestNeverPrinted(t *testing.T) {
	t.Parallel()
	s := New("open sesame")
	config := struct {
		Token  Secret
		hidden Secret // unexported: fmt calls no method
	}{s, s}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "config", config)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "config", config)
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	all := log.String() + string(text) + fmt.Sprintf("%v %+v %#v %s %q %x %v %+v %#v", s, s, s, s, s, s, config, config, config)
	if strings.Contains(all, "sesame") || s.Reveal() != "open sesame" {
		t.Error(all)
	}
}

// TestReadAll reads the secrets of a configuration from their files, and says which one cannot be read.
func TestReadAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte(" abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	type auth struct {
		Token Secret `yaml:"token"`
	}
	config := struct {
		Auth  *auth  `yaml:"auth"`
		None  *auth  `yaml:"none"`
		Other Secret `yaml:"other"`
		Rate  int    `yaml:"rate"`
	}{Auth: &auth{}}
	if err := config.Auth.Token.UnmarshalScalar("file:token", "file:token"); err != nil {
		t.Fatal(err)
	}
	if err := ReadAll(&config, dir); err != nil || config.Auth.Token.Reveal() != "abc" || config.Other.Given() {
		t.Errorf("%v, %q", err, config.Auth.Token.Reveal())
	}
	if err := config.Other.UnmarshalScalar("file:nothing", "file:nothing"); err != nil {
		t.Fatal(err)
	}
	if err := ReadAll(&config, dir); err == nil || err.Error() != "other: nothing: no such file: put the secret there" {
		t.Error(err)
	}
}
