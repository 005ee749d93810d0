package config

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/secret"
	"crosslift/schemas/strictyaml"
)

// Lake is a place for files, in a folder or on S3.
type Lake struct {
	Folder string // absolute; "" on S3
	S3     *S3
}

// S3 is a prefix of a bucket. Without keys the SDK's usual chain finds the credentials.
type S3 struct {
	Bucket    string
	Prefix    string // without slashes around it
	Endpoint  string // "" is AWS
	Region    string
	PathStyle bool // the bucket's name goes into the path, as most other servers want it
	AccessKey secret.Secret
	SecretKey secret.Secret
}

// location is a place as it is written: a text, or a mapping with more about it.
type location struct {
	URL       string        `yaml:"url"`
	Endpoint  string        `yaml:"endpoint"`
	Region    string        `yaml:"region"`
	PathStyle bool          `yaml:"path_style"`
	AccessKey secret.Secret `yaml:"access_key"`
	SecretKey secret.Secret `yaml:"secret_key"`
}

// UnmarshalText reads the short form.
func (l *location) UnmarshalText(text []byte) error {
	l.URL = string(text)
	return l.check()
}

// Validate checks the long form.
func (l *location) Validate() error {
	errs := []error{strictyaml.At("url", l.check())}
	if !strings.HasPrefix(l.URL, "s3://") {
		for field, given := range map[string]bool{
			"endpoint": l.Endpoint != "", "region": l.Region != "", "path_style": l.PathStyle,
			"access_key": l.AccessKey.Given(), "secret_key": l.SecretKey.Given(),
		} {
			if given {
				errs = append(errs, strictyaml.At(field, errors.New("only for s3://bucket/prefix")))
			}
		}
		return errors.Join(errs...)
	}
	u, err := url.Parse(l.Endpoint)
	if l.Endpoint != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		errs = append(errs, strictyaml.At("endpoint", errors.New("expected a URL, as https://s3.example.com")))
	}
	if l.AccessKey.Given() != l.SecretKey.Given() {
		errs = append(errs, errors.New("access_key and secret_key belong together: give both or none"))
	}
	return errors.Join(errs...)
}

var bucket = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func (l *location) check() error {
	scheme, rest, ok := strings.Cut(l.URL, ":")
	switch {
	case l.URL == "":
		return errors.New("required: a folder, or s3://bucket/prefix")
	case !ok, scheme == "file" && rest != "" && !strings.HasPrefix(rest, "//"):
		return nil
	case scheme != "s3" || !strings.HasPrefix(rest, "//"):
		return fmt.Errorf("%q: expected a folder, as file:lake, or s3://bucket/prefix", l.URL)
	}
	if name, _, _ := strings.Cut(rest[2:], "/"); !bucket.MatchString(name) {
		return fmt.Errorf("%q: expected s3://bucket/prefix: %q is not the name of a bucket", l.URL, name)
	}
	return nil
}

// resolve makes the place absolute and reads its secrets.
func (l *location) resolve(root string, into *Lake) error {
	path, ok := strings.CutPrefix(l.URL, "s3://")
	if !ok {
		into.Folder = absolute(root, strings.TrimPrefix(l.URL, "file:"))
		return nil
	}
	name, prefix, _ := strings.Cut(path, "/")
	err := errors.Join(
		strictyaml.At("access_key", l.AccessKey.Read(root)), strictyaml.At("secret_key", l.SecretKey.Read(root)))
	into.S3 = &S3{
		Bucket: name, Prefix: strings.Trim(prefix, "/"), Endpoint: l.Endpoint, Region: l.Region, PathStyle: l.PathStyle,
		AccessKey: l.AccessKey, SecretKey: l.SecretKey,
	}
	return err
}

// zone is a time zone by its name in the IANA database.
type zone struct{ *time.Location }

func (z *zone) UnmarshalText(text []byte) (err error) {
	name := string(text)
	if name == "" || name == "Local" {
		return errors.New("expected the name of a zone, as Europe/Moscow")
	}
	if z.Location, err = time.LoadLocation(name); err != nil {
		return fmt.Errorf("no zone %q: expected a name as Europe/Moscow", name)
	}
	return nil
}

// size is a number of bytes; a KB is 1024 of them, as a KiB is.
type size int64

var sizes = regexp.MustCompile(`^([0-9]{1,9}) ?([KMG])i?B$`)

// minMemory is what sorting needs to make progress.
const minMemory = 1 << 20

func (s *size) UnmarshalText(text []byte) error {
	match := sizes.FindStringSubmatch(string(text))
	if match == nil {
		return fmt.Errorf("expected a size, as 512MB or 4GiB, found %q", text)
	}
	n, err := strconv.ParseInt(match[1], 10, 64)
	if err != nil {
		return err
	}
	*s = size(n << map[string]int{"K": 10, "M": 20, "G": 30}[match[2]])
	if *s < minMemory {
		return fmt.Errorf("expected at least 1MB, found %q", text)
	}
	return nil
}

// read fetches the key and checks its form.
func (i *Identifiers) read(root string) error {
	err := i.Key.Read(root)
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
