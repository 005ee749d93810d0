package files

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// maxRecord bounds a record of a text file, so that a stray quote or a file without line ends does not fill the memory.
const maxRecord = 1 << 20

// maxWindow bounds the memory that a zstd stream may ask for: zstd's own limit for its --long mode.
const maxWindow = 128 << 20

// text gives the lines of a text file as UTF-8, whatever it is stored as.
type text struct {
	r        io.Reader // decompressed and decoded
	free     func()
	decoded  string // the encoding that r was decoded from, "" for UTF-8
	buf      []byte
	from, to int // buf[from:to] is read, but not yet consumed
	end      error
	line     int64 // of the line that starts at from
}

// openText decompresses and decodes a stored file. A byte order mark is cut off.
func openText(stored io.Reader, name, encoding string) (*text, error) {
	t := &text{line: 1, free: func() {}, buf: make([]byte, 256<<10)}
	raw := bufio.NewReaderSize(stored, 256<<10)
	head, err := raw.Peek(4)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading: %w", cause(err))
	}
	compression, err := compressionOf(name, head)
	if err != nil {
		return nil, err
	}
	plain := raw
	switch compression {
	case ".gz":
		z, err := gzip.NewReader(raw)
		if err != nil {
			return nil, damaged(err)
		}
		plain = bufio.NewReaderSize(z, 64<<10)
	case ".zst":
		z, err := zstd.NewReader(raw, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(1<<62))
		if err != nil {
			return nil, damaged(err)
		}
		t.free = z.Close
		plain = bufio.NewReaderSize(z, 64<<10)
	}
	if t.r, t.decoded, err = decode(plain, encoding); err != nil {
		t.free()
		return nil, err
	}
	return t, nil
}

// decode gives a stream as UTF-8 without its byte order mark, which outdoes the name of a Unicode encoding.
func decode(r *bufio.Reader, name string) (io.Reader, string, error) {
	name = strings.ToLower(name)
	if name == "" {
		name = "utf-8"
	}
	head, err := r.Peek(4)
	if err != nil && err != io.EOF {
		return nil, "", damaged(err)
	}
	if strings.HasPrefix(name, "utf-") {
		switch {
		case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
			_, err := r.Discard(3)
			return r, "", err
		case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
			name = "utf-16le"
		case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
			name = "utf-16be"
		case name == "utf-8" && len(head) == 4 && (head[1] == 0 || head[0] == 0):
			return nil, "", errors.New("it holds NUL bytes: if it is UTF-16 without a byte order mark, " +
				"say `encoding: utf-16le` or `utf-16be`")
		}
	}
	switch name {
	case "utf-8":
		return r, "", nil
	case "utf-16le":
		return transform.NewReader(r, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()), name, nil
	case "utf-16be":
		return transform.NewReader(r, unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder()), name, nil
	}
	e, err := htmlindex.Get(name)
	if err != nil {
		return nil, "", fmt.Errorf("encoding: %q is unknown: expected a name such as utf-8, utf-16le or windows-1251", name)
	}
	return transform.NewReader(r, e.NewDecoder()), name, nil
}

// damaged says what is wrong with a stream that cannot be read to its end.
func damaged(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("its compressed content ends too early: the file is cut off")
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return errors.New("its zstd window is larger than 128 MiB: compress it without --ultra --long=28 or more")
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.Is(err, zstd.ErrCRCMismatch),
		errors.Is(err, zstd.ErrMagicMismatch), errors.Is(err, zstd.ErrReservedBlockType):
		return fmt.Errorf("its compressed content is damaged: %w", err)
	}
	return fmt.Errorf("reading: %w", cause(err))
}

// lineAfter gives the end, as an offset from the first unconsumed byte, of the line that starts at an offset: past its
// line feed, or at the end of the file. It is io.EOF when no line starts there.
func (t *text) lineAfter(start int) (end int, err error) {
	for searched := start; ; {
		i := bytes.IndexByte(t.buf[t.from+searched:t.to], '\n')
		if i >= 0 && searched+i < maxRecord {
			return searched + i + 1, nil
		}
		searched = t.to - t.from
		switch {
		case i >= 0, searched > maxRecord: // whatever the size of the reads
			return 0, errTooLong
		case t.end == io.EOF && searched > start:
			return searched, nil
		case t.end != nil:
			return 0, t.end
		}
		t.fill()
	}
}

// fill reads more bytes behind the unconsumed ones, making room for them.
func (t *text) fill() {
	if t.from > 0 {
		t.to = copy(t.buf, t.buf[t.from:t.to])
		t.from = 0
	}
	if t.to == len(t.buf) {
		t.buf = append(t.buf, make([]byte, len(t.buf))...)
	}
	n, err := t.r.Read(t.buf[t.to:])
	t.to += n
	if err != nil && err != io.EOF {
		err = damaged(err)
	}
	t.end = err
}

// consume drops the first lines, which are n bytes.
func (t *text) consume(n, lines int) {
	t.from += n
	t.line += int64(lines)
}

// check refuses bytes that are no text, naming line and byte.
func (t *text) check(raw []byte) error {
	if t.decoded != "" {
		if i := bytes.Index(raw, []byte("\uFFFD")); i >= 0 {
			line := t.line + int64(bytes.Count(raw[:i], lineFeed))
			return fmt.Errorf("line %d, byte %d: not %s", line, column(raw, i), t.decoded)
		}
		return nil
	}
	if utf8.Valid(raw) {
		return nil
	}
	i := 0
	for {
		r, n := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && n <= 1 {
			break
		}
		i += n
	}
	return fmt.Errorf("line %d, byte %d: not UTF-8: if the file has another encoding, "+
		"name it, such as `encoding: windows-1251`", t.line+int64(bytes.Count(raw[:i], lineFeed)), column(raw, i))
}

var lineFeed = []byte{'\n'}

// column is the number of a byte in its line, from 1.
func column(raw []byte, i int) int { return i - bytes.LastIndexByte(raw[:i], '\n') }

func (t *text) close() error {
	t.free()
	return nil
}

// trimEnd cuts a line's end off.
func trimEnd(line []byte) []byte {
	line = bytes.TrimSuffix(line, lineFeed)
	return bytes.TrimSuffix(line, []byte{'\r'})
}
