package bigquery

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"crosslift/connectors/sandbox/world"
)

// folder scans the files of a world on disk: DIR/<source>/<stream>/<night>.ndjson, a world.Record a line.
type folder string

// Scan implements Scanner. Offsets are in bytes.
func (f folder) Scan(source, stream, night string, offset int64, give func(r *world.Record, next int64) error) error {
	file, err := os.Open(filepath.Join(string(f), source, stream, night+".ndjson"))
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return err
	}
	lines := bufio.NewReaderSize(file, 64<<10)
	var long []byte
	for {
		line, err := lines.ReadSlice('\n')
		if long = long[:0]; errors.Is(err, bufio.ErrBufferFull) {
			for ; errors.Is(err, bufio.ErrBufferFull); line, err = lines.ReadSlice('\n') {
				long = append(long, line...)
			}
			long = append(long, line...)
			line = long
		}
		if err != nil && err != io.EOF {
			return err
		}
		offset += int64(len(line))
		if text := bytes.TrimSpace(line); len(text) > 0 {
			var r world.Record
			if !parse(text, &r) {
				r = world.Record{}
				if err := json.Unmarshal(text, &r); err != nil {
					return fmt.Errorf("the line that ends at byte %d: %w", offset, err)
				}
			}
			if err := give(&r, offset); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}

// parse reads a line as worlds are written; false for any other, which may be a record all the same.
func parse(line []byte, r *world.Record) bool {
	w := rowWriter{data: line}
	if w.peek() != '{' {
		return false
	}
	w.at++
	for {
		w.peek()
		from := w.at
		if !w.skip() || w.at-from < 2 || w.peek() != ':' {
			return false
		}
		name := string(bytes.Trim(line[from:w.at], `"`))
		w.at++
		w.peek()
		from = w.at
		if !w.skip() {
			return false
		}
		value := line[from:w.at]
		ok := true
		switch name {
		case "id":
			ok = len(value) >= 2 && value[0] == '"' && bytes.IndexByte(value, '\\') < 0
			if ok {
				r.ID = string(value[1 : len(value)-1])
			}
		case "at":
			ok = instant(value, &r.At)
		case "visible":
			ok = instant(value, &r.Visible)
		case "gone":
			if string(value) != "null" {
				r.Gone = new(time.Time)
				ok = instant(value, r.Gone)
			}
		case "object":
			r.Object = value
		default:
			return false
		}
		if !ok {
			return false
		}
		switch w.peek() {
		case ',':
			w.at++
		case '}':
			w.at++
			return w.peek() == 0 && r.Object != nil && !r.At.IsZero() && !r.Visible.IsZero()
		default:
			return false
		}
	}
}

func instant(value []byte, to *time.Time) bool {
	if len(value) < 2 || value[0] != '"' {
		return false
	}
	t, err := time.Parse(time.RFC3339Nano, string(value[1:len(value)-1]))
	*to = t.UTC()
	return err == nil
}
