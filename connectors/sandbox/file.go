package sandbox

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// file is one file of input while it is written.
type file struct {
	path string
	temp *os.File
	gzip *gzip.Writer // nil for plain files
	to   *bufio.Writer
	rows int
}

// newFile begins a file under a temporary name, which no mapping's path matches.
func newFile(dir, name, header string) (*file, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	temp, err := os.Create(filepath.Join(dir, "."+name+".tmp"))
	if err != nil {
		return nil, err
	}
	f := &file{path: filepath.Join(dir, name), temp: temp}
	var w io.Writer = temp
	if strings.HasSuffix(name, ".gz") {
		if f.gzip, err = gzip.NewWriterLevel(temp, gzip.BestSpeed); err != nil {
			f.abort()
			return nil, err
		}
		w = f.gzip
	}
	f.to = bufio.NewWriterSize(w, 32<<10)
	if err := f.write([]byte(header)); err != nil {
		f.abort()
		return nil, err
	}
	return f, nil
}

func (f *file) write(b []byte) error {
	_, err := f.to.Write(b)
	return err
}

// complete brings everything written onto the disk's side of the file.
func (f *file) complete() error {
	if err := f.to.Flush(); err != nil {
		return err
	}
	if f.gzip != nil {
		if err := f.gzip.Close(); err != nil {
			return err
		}
	}
	return f.temp.Close()
}

// publish gives a complete file its name.
func (f *file) publish() error { return os.Rename(f.temp.Name(), f.path) }

// abort removes the temporary file, if it is still there.
func (f *file) abort() {
	f.temp.Close()
	os.Remove(f.temp.Name())
}
