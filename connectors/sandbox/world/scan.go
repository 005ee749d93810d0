package world

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Scan gives the records of a file one after another, each with the offset of the one behind it, holding one at a time:
// for files too large for Night. It begins at the offset 0, or at one that it gave before. A record is valid until give
// returns; give's error ends the scan and is returned as it is. A file that is not there has no records.
func (w *World) Scan(source, stream, night string, offset int64, give func(r *Record, next int64) error) error {
	path := file{source, stream, night}.path(w.dir)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return err
	}
	in := bufio.NewReaderSize(f, 256<<10)
	var long []byte
	for {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			for long = long[:0]; errors.Is(err, bufio.ErrBufferFull); line, err = in.ReadSlice('\n') {
				long = append(long, line...)
			}
			long = append(long, line...)
			line = long
		}
		if err != nil && err != io.EOF {
			return err
		}
		start := offset
		offset += int64(len(line))
		if line = bytes.TrimRight(line, "\r\n"); len(line) > 0 {
			r, err := parseLine(line)
			if err != nil {
				return fmt.Errorf("%s: line %d: %w", path, lineAt(path, start), err)
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

// lineAt is the number of the line that begins at an offset.
func lineAt(path string, offset int64) int {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	n, part := 1, make([]byte, 256<<10)
	for from := io.LimitReader(f, offset); ; {
		read, err := from.Read(part)
		n += bytes.Count(part[:read], []byte("\n"))
		if err != nil {
			return n
		}
	}
}
