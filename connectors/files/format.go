package files

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"
)

// Format says how a file is to be read. The zero Format is read from the file's name and first bytes.
type Format struct {
	Type      string   // csv, tsv, jsonl or parquet; "": by the name's extension
	Delimiter byte     // of csv; 0: a comma
	Encoding  string   // of text, as the web names encodings; "": UTF-8, or UTF-16 with a byte order mark
	Null      []string // texts that stand for an absent value; nil: only the empty one
	CRLF      bool     // of csv: \r\n within quotes stays, instead of reading as \n
}

// The types of files.
const (
	typeCSV     = "csv"
	typeJSONL   = "jsonl"
	typeParquet = "parquet"
)

// extensions gives the type for a file's extension, and for the names that mappings may use.
var extensions = map[string]string{
	"csv": typeCSV, "tsv": "tsv", "jsonl": typeJSONL, "ndjson": typeJSONL, "json": typeJSONL, "parquet": typeParquet,
}

// typeOf gives the type that a name's extension promises, "" for an unknown one, and its compression's extension.
func typeOf(name string) (kind, compression string) {
	ext := strings.ToLower(path.Ext(name))
	if ext == ".gz" || ext == ".zst" {
		compression = ext
		ext = strings.ToLower(path.Ext(strings.TrimSuffix(strings.ToLower(name), ext)))
	}
	return extensions[strings.TrimPrefix(ext, ".")], compression
}

// resolve settles what the zero fields of a format mean for a file of this name.
func (f Format) resolve(name string) (Format, error) {
	if f.Type == "" {
		if f.Type, _ = typeOf(name); f.Type == "" {
			return f, errors.New("its name does not say what it is: expected .csv, .tsv, .jsonl, .ndjson, .json or .parquet, " +
				"with .gz or .zst after it, or a `format`")
		}
	}
	if f.Type = extensions[f.Type]; f.Type == "" {
		return f, fmt.Errorf("format: expected csv, tsv, jsonl or parquet")
	}
	if f.Type == "tsv" {
		f.Type = typeCSV
		if f.Delimiter == 0 {
			f.Delimiter = '\t'
		}
	}
	if f.Delimiter == 0 {
		f.Delimiter = ','
	}
	if f.Null == nil {
		f.Null = []string{""}
	}
	return f, nil
}

func (f Format) null(value []byte) bool {
	for _, text := range f.Null {
		if string(value) == text {
			return true
		}
	}
	return false
}

// The first bytes of a compressed stream: RFC 1952 2.3.1, RFC 8878 3.1.1 and 3.1.2 (skippable frames, which start with
// 0x50 to 0x5f and then these).
var (
	gzipMagic     = []byte{0x1f, 0x8b}
	zstdMagic     = []byte{0x28, 0xb5, 0x2f, 0xfd}
	zstdSkippable = []byte{0x2a, 0x4d, 0x18}
)

// compressionOf tells from a file's first bytes how it is compressed; an extension that promises a compression must
// keep its word.
func compressionOf(name string, head []byte) (string, error) {
	_, promised := typeOf(name)
	found := ""
	switch {
	case bytes.HasPrefix(head, gzipMagic):
		found = ".gz"
	case bytes.HasPrefix(head, zstdMagic),
		len(head) == 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:], zstdSkippable):
		found = ".zst"
	}
	if promised != "" && promised != found {
		return "", fmt.Errorf("its name ends in %s, but its content is not compressed so", promised)
	}
	return found, nil
}
