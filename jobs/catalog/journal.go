package catalog

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"crosslift/connectors"
	"crosslift/schemas/table"
)

// journalLife is for how long an extract that broke off can be resumed: cursors of APIs do not live for ever, and what
// was read should be of about one moment.
const journalLife = 12 * time.Hour

// journal keeps the rows of a stream's day on disk, page by page, so that an extract which breaks off goes on at the
// last finished page. It is a file that begins with its identity, a line of JSON, followed by records: a byte that says
// what it is, four bytes of length, the content. A record that ends a page holds the cursor and the CRC-32 of everything
// since the page before: what a crash has torn is not believed. A nil journal keeps nothing.
type journal struct {
	path   string
	file   *os.File
	out    *bufio.Writer
	sum    uint32
	cursor string // of the last page that an earlier try has finished
	pages  int    // that this try has finished
}

// The records of a journal.
const (
	rowRecord      = 'r' // a row of the table, encoded
	rejectedRecord = 'q' // a row of its quarantine, encoded
	pageRecord     = 'p' // the end of a page
)

// extractOf is what must be the same for an extract to be resumed.
type extractOf struct {
	Stream     string             `json:"stream"`
	Day        table.Day          `json:"day"`
	Definition string             `json:"definition"`
	Key        string             `json:"key"`
	Logic      int                `json:"logic"`
	Version    int                `json:"version"`
	Inputs     []connectors.Input `json:"inputs"`
	Began      time.Time          `json:"began"`
}

// journaled opens the journal of the sink's day, and takes over what an extract that broke off has left in it.
func (s *sink) journaled(dir string, now time.Time, inputs []connectors.Input) error {
	id := extractOf{
		Stream: s.stream, Day: s.work.Day, Definition: s.definition, Key: s.key.Fingerprint(), Logic: extractLogic,
		Version: s.table.Version, Inputs: inputs, Began: now,
	}
	name := sha256.Sum256([]byte(s.stream + " " + s.work.Day.String()))
	j := &journal{path: filepath.Join(dir, fmt.Sprintf("%x.journal", name[:12]))}
	s.journal = j
	s.work.WhenCommitted(func() error {
		if err := os.Remove(j.path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		j.file, err = os.OpenFile(j.path, os.O_RDWR|os.O_CREATE, 0o600)
	}
	if err != nil {
		return fmt.Errorf("%s: journal of the extract: %w", s.stream, err)
	}
	whole, err := s.replay(j.file, id)
	if err == nil && whole == 0 {
		var head []byte
		if head, err = json.Marshal(id); err == nil {
			err = errors.Join(j.file.Truncate(0), j.start(0))
			j.out.Write(append(head, '\n')) // its error shows with the first page's
		}
	} else if err == nil {
		err = errors.Join(j.file.Truncate(whole), j.start(whole))
		s.log.Info("going on where an extract broke off", "stream", s.stream, "day", s.work.Day, "rows", s.read)
	}
	if err != nil {
		return fmt.Errorf("%s: journal of the extract: %w", s.stream, errors.Join(err, j.file.Close()))
	}
	return nil
}

// start makes the journal write from an offset on.
func (j *journal) start(at int64) error {
	_, err := j.file.Seek(at, io.SeekStart)
	j.out = bufio.NewWriterSize(j.file, 64<<10)
	return err
}

func (j *journal) close() {
	if j != nil {
		j.file.Close() // what was not flushed is of no finished page
	}
}

// drop has the next try begin anew: of what was read, something is wrong. That the file is gone is all that matters.
func (j *journal) drop() {
	if j != nil {
		os.Remove(j.path)
	}
}

// stuck reports a try that went on where another broke off, and got no further: perhaps the source will never go on from
// there.
func (j *journal) stuck() bool { return j != nil && j.cursor != "" && j.pages == 0 }

func (j *journal) write(kind byte, content []byte) error {
	if j == nil {
		return nil
	}
	var head [5]byte
	head[0] = kind
	binary.LittleEndian.PutUint32(head[1:], uint32(len(content)))
	j.sum = crc32.Update(crc32.Update(j.sum, crc32.IEEETable, head[:]), crc32.IEEETable, content)
	j.out.Write(head[:]) // a bufio.Writer keeps its first error for the next call
	_, err := j.out.Write(content)
	return err
}

// Resume implements connectors.Sink.
func (s *sink) Resume() string {
	if s.journal == nil {
		return ""
	}
	return s.journal.cursor
}

// Page implements connectors.Sink.
func (s *sink) Page(cursor string) error {
	j := s.journal
	if j == nil {
		return nil
	}
	content := binary.LittleEndian.AppendUint32(nil, j.sum)
	err := j.write(pageRecord, append(content, cursor...))
	j.sum = 0
	j.pages++
	if err = errors.Join(err, j.out.Flush()); err != nil {
		return fmt.Errorf("%s: journal of the extract: %w", s.stream, err)
	}
	return nil
}

// replay takes over the finished pages of a journal, and gives the length of its believable part: 0 when there is
// nothing to go on from.
func (s *sink) replay(file *os.File, id extractOf) (whole int64, err error) {
	in := bufio.NewReaderSize(file, 64<<10)
	line, err := in.ReadBytes('\n')
	var found extractOf
	if err != nil || json.Unmarshal(line, &found) != nil {
		return 0, nil // new, or torn before its first page
	}
	began := found.Began
	found.Began = id.Began
	a, errA := json.Marshal(found)
	b, errB := json.Marshal(id)
	if err := errors.Join(errA, errB); err != nil || !bytes.Equal(a, b) || id.Began.Sub(began) > journalLife || began.After(id.Began) {
		return 0, err
	}
	at := int64(len(line))
	var page []record
	sum := uint32(0)
	for {
		r, n, err := readRecord(in)
		if err != nil {
			return whole, nil // torn
		}
		at += n
		if r.kind == pageRecord {
			if len(r.content) < 4 || binary.LittleEndian.Uint32(r.content) != sum {
				return whole, nil
			}
			for _, done := range page {
				if err := s.takeOver(done); err != nil {
					return 0, err
				}
			}
			s.journal.cursor, whole, sum, page = string(r.content[4:]), at, 0, page[:0]
			continue
		}
		sum = crc32.Update(crc32.Update(sum, crc32.IEEETable, r.head[:]), crc32.IEEETable, r.content)
		page = append(page, r)
	}
}

type record struct {
	kind    byte
	head    [5]byte
	content []byte
}

// mostRecord bounds what a torn length may ask for.
const mostRecord = 64 << 20

func readRecord(in *bufio.Reader) (r record, n int64, err error) {
	if _, err := io.ReadFull(in, r.head[:]); err != nil {
		return r, 0, err
	}
	size := binary.LittleEndian.Uint32(r.head[1:])
	if r.kind = r.head[0]; size > mostRecord {
		return r, 0, errors.New("a record that is too long")
	}
	r.content = make([]byte, size)
	_, err = io.ReadFull(in, r.content)
	return r, int64(len(r.head)) + int64(size), err
}

// takeOver takes a record of a finished page as if it had just been read.
func (s *sink) takeOver(r record) error {
	switch r.kind {
	case rowRecord:
		s.read++
		s.work.Counts.Read++
		if s.keys != nil {
			row, err := s.codec.Row(r.content)
			if err != nil {
				return err
			}
			s.keys[s.keyOf(row)] = true
			s.sum(row)
		}
		return s.work.Draft(s.table).AddEncoded(r.content)
	case rejectedRecord:
		q, err := s.quarantine.Row(r.content)
		if err != nil {
			return err
		}
		s.count(q.(*table.QuarantineRow))
		return s.work.Draft(s.table.Quarantine()).AddEncoded(r.content)
	}
	return fmt.Errorf("%s: journal of the extract: a record of kind %q", s.stream, r.kind)
}
