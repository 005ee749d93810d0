package bank

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/text/encoding/charmap"

	"crosslift/connectors"
)

// maxLine bounds a line, so that a file without line ends does not fill the memory.
const maxLine = 64 << 10

// lines gives the lines of a registry file as UTF-8. Everything that makes the text doubtful is a refusal.
type lines struct {
	r       *bufio.Reader
	decoder *charmap.Charmap // nil for UTF-8
	crlf    bool
	number  int64 // of the line that was read last
	scratch []byte
	fields  [][]byte
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// openLines decompresses a file whose name says that it is compressed.
func (r *registry) openLines(stored io.Reader, name string) (*lines, error) {
	if strings.HasSuffix(name, ".gz") {
		z, err := gzip.NewReader(stored)
		if err != nil {
			return nil, damaged(0, err)
		}
		stored = z
	}
	l := &lines{r: bufio.NewReaderSize(stored, maxLine), decoder: r.encoded, crlf: r.config.CRLF}
	head, err := l.r.Peek(len(byteOrderMark))
	if err != nil && err != io.EOF {
		return nil, damaged(1, err)
	}
	if l.decoder == nil && bytes.Equal(head, byteOrderMark) {
		if !r.config.BOM {
			return nil, refuse(1, "expected no byte order mark, unless the configuration says `bom: true`")
		}
		_, err = l.r.Discard(len(head))
		return l, err
	}
	return l, nil
}

// next reads a line and cuts it into fields, which are valid until the next call. raw is the line as it was read,
// without its end. The error is io.EOF at the end of the file.
func (l *lines) next() (fields [][]byte, raw []byte, err error) {
	raw, err = l.r.ReadSlice('\n')
	if err == io.EOF && len(raw) == 0 {
		return nil, nil, io.EOF
	}
	l.number++
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, nil, refuse(l.number, "expected a line of at most 64 KiB")
	case err == io.EOF:
		return nil, nil, refuse(l.number, "expected a line end: the file is cut off")
	case err != nil:
		return nil, nil, damaged(l.number, err)
	}
	raw = raw[:len(raw)-1]
	if bytes.HasSuffix(raw, []byte{'\r'}) {
		if !l.crlf {
			return nil, nil, refuse(l.number, "expected a line feed only, unless the configuration says `crlf: true`")
		}
		raw = raw[:len(raw)-1]
	}
	text := raw
	if l.decoder != nil {
		text, err = l.decoder.NewDecoder().Bytes(raw)
		if err != nil {
			return nil, nil, refuse(l.number, "expected text in %s", l.decoder)
		}
	} else if !utf8.Valid(raw) {
		return nil, nil, refuse(l.number, "expected UTF-8: if the file is in another encoding, name it, such as `encoding: windows-1251`")
	}
	if err := l.split(text); err != nil {
		return nil, nil, refuse(l.number, "%s", err)
	}
	return l.fields, raw, nil
}

// split cuts a line at its semicolons. As in RFC 4180 a field may be quoted, and quotes within are doubled.
func (l *lines) split(text []byte) error {
	l.fields, l.scratch = l.fields[:0], l.scratch[:0]
	for {
		if len(text) == 0 || text[0] != '"' {
			field, rest, more := bytes.Cut(text, []byte{';'})
			if bytes.IndexByte(field, '"') >= 0 {
				return errors.New("expected quotes around whole fields only")
			}
			l.fields = append(l.fields, field)
			if !more {
				return nil
			}
			text = rest
			continue
		}
		start := len(l.scratch)
		text = text[1:]
		for {
			i := bytes.IndexByte(text, '"')
			if i < 0 {
				return errors.New("expected a closing quote")
			}
			l.scratch = append(l.scratch, text[:i]...)
			if text = text[i+1:]; len(text) == 0 || text[0] != '"' {
				break
			}
			l.scratch = append(l.scratch, '"')
			text = text[1:]
		}
		l.fields = append(l.fields, bytes.Clone(l.scratch[start:])) // scratch may move
		if len(text) == 0 {
			return nil
		}
		if text[0] != ';' {
			return errors.New("expected quotes around whole fields only")
		}
		text = text[1:]
	}
}

// damaged says what is wrong with a file that cannot be read to its end.
func damaged(line int64, err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return refuse(line, "its compressed content ends too early: the file is cut off")
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return refuse(line, "expected content that is compressed by gzip and undamaged")
	}
	return fmt.Errorf("reading: %w (%w)", err, connectors.ErrDown)
}
