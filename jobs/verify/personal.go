package verify

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// personal searches everything that was written for the personal values that the sources have shown: every text of every
// partition, and every byte of every other file.
func (in Input) personal(ctx context.Context) ([]Check, error) {
	planted, err := world.ReadPlanted(in.World.Dir())
	if err != nil {
		return nil, err
	}
	var s search
	for _, p := range planted {
		s.add(p.Value)
		s.add(strings.ToLower(p.Value))
		s.add(url.QueryEscape(p.Value))
		if p.Kind == "phone" || p.Kind == "card" {
			s.add(onlyDigits(p.Value))
		}
	}
	if err := in.searchLake(ctx, &s); err != nil {
		return nil, err
	}
	for _, root := range in.Written {
		if err := s.files(ctx, root); err != nil {
			return nil, err
		}
	}
	return []Check{
		newCheck("extract", "planted personal values found", float64(s.found), "==", 0, int64(len(planted))),
		newCheck("extract", "bytes searched for them", float64(s.searched), ">=", 1, s.searched),
	}, nil
}

func onlyDigits(text string) string {
	return strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, text)
}

// searchLake searches the texts of all partitions: in the files they are compressed.
func (in Input) searchLake(ctx context.Context, s *search) error {
	var v columns.Vector
	for _, t := range table.All() {
		heads, err := in.Lake.Heads(ctx, t, "")
		if err != nil {
			return err
		}
		for _, h := range heads {
			r, err := in.Lake.Read(ctx, h)
			if err != nil {
				return err
			}
			for g := range r.RowGroups() {
				for _, c := range t.Columns {
					if c.Type != table.String {
						continue
					}
					if err := r.Vector(ctx, g, c.Name, &v); err != nil {
						return errors.Join(err, r.Close())
					}
					for _, text := range v.Strings {
						s.text([]byte(text))
					}
				}
			}
			if err := r.Close(); err != nil {
				return err
			}
		}
	}
	return nil
}

// search looks for many values at once: where the six bytes at some place begin none of them, which a bitmap tells, it
// goes on to the next.
type search struct {
	begins   [1 << 15]uint64
	byStart  map[[prefixLength]byte][]string
	longest  int
	found    int
	searched int64
}

const prefixLength = 6

// add looks for a value from now on. What is shorter than its beginning would be found everywhere.
func (s *search) add(value string) {
	if len(value) < prefixLength {
		return
	}
	if s.byStart == nil {
		s.byStart = map[[prefixLength]byte][]string{}
	}
	start := [prefixLength]byte([]byte(value[:prefixLength]))
	for _, known := range s.byStart[start] {
		if known == value {
			return
		}
	}
	s.byStart[start] = append(s.byStart[start], value)
	s.longest = max(s.longest, len(value))
	bit := slot(start[:])
	s.begins[bit/64] |= 1 << (bit % 64)
}

func slot(b []byte) uint32 {
	x := uint64(binary.LittleEndian.Uint32(b)) | uint64(b[4])<<32 | uint64(b[5])<<40
	return uint32(x * 0x9e3779b97f4a7c15 >> 43)
}

// text searches a text, and counts the values that begin in it.
func (s *search) text(b []byte) {
	s.searched += int64(len(b))
	s.within(b, len(b))
}

// within searches for values that begin in the first n bytes.
func (s *search) within(b []byte, n int) {
	for i := 0; i < n && i+prefixLength <= len(b); i++ {
		bit := slot(b[i:])
		if s.begins[bit/64]>>(bit%64)&1 == 0 {
			continue
		}
		for _, value := range s.byStart[[prefixLength]byte(b[i:i+prefixLength])] {
			if strings.HasPrefix(string(b[i:min(len(b), i+len(value))]), value) {
				s.found++
			}
		}
	}
}

// files searches every file below a folder, or one file.
func (s *search) files(ctx context.Context, root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // a server's, meanwhile gone
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case !d.Type().IsRegular():
			return nil
		}
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		defer f.Close()
		return s.stream(bufio.NewReader(f))
	})
}

func (s *search) stream(r io.Reader) error {
	buffer := make([]byte, 1<<20)
	kept := 0
	for {
		n, err := io.ReadFull(r, buffer[kept:])
		s.searched += int64(n)
		end := kept + n
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			s.within(buffer[:end], end)
			return nil
		}
		if err != nil {
			return err
		}
		next := max(end-s.longest, 0) // a value may go on in the next piece
		s.within(buffer[:end], next)
		kept = copy(buffer, buffer[next:end])
	}
}
