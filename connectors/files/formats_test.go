package files_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	arrowcompress "github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/charmap"

	"crosslift/connectors/files"
)

var header = []string{"id", "at", "user", "amount", "status", "plan"}

var cells = [][]string{
	{"p1", "2026-11-03 00:00:00", "анна", "12.50", "succeeded", "семья"},
	{"p2", "2026-11-03 12:34:56.789", "boris", "-0.01", "failed", ""},
	{"p3", "2026-11-03 23:59:59.999999", "boris", "100", "a \"quoted\", one\nof two lines", "solo"},
}

func csvText(comma rune) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Comma = comma
	w.WriteAll(append([][]string{header}, cells...))
	return b.String()
}

func jsonText() string {
	var b strings.Builder
	for _, row := range cells {
		object := map[string]any{"id": row[0], "at": row[1], "user": row[2], "amount": json.Number(row[3]), "status": row[4]}
		if row[5] != "" {
			object["plan"] = row[5]
		} else {
			object["plan"] = nil
		}
		line, _ := json.Marshal(object)
		b.Write(append(line, '\n'))
	}
	return b.String()
}

// parquetText is written by another implementation than the one that reads it.
func parquetText(t testing.TB, codec arrowcompress.Compression, rowGroup int64) string {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.BinaryTypes.String},
		{Name: "at", Type: &arrow.TimestampType{Unit: arrow.Microsecond}},
		{Name: "user", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "amount", Type: &arrow.Decimal128Type{Precision: 12, Scale: 2}},
		{Name: "status", Type: arrow.BinaryTypes.String},
		{Name: "plan", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i, row := range cells {
		b.Field(0).(*array.StringBuilder).Append(row[0])
		at, err := arrow.TimestampFromString(row[1], arrow.Microsecond)
		if err != nil {
			t.Fatal(err)
		}
		b.Field(1).(*array.TimestampBuilder).Append(at)
		b.Field(2).(*array.StringBuilder).Append(row[2])
		amount, err := decimal128.FromString(row[3], 12, 2)
		if err != nil {
			t.Fatal(err)
		}
		b.Field(3).(*array.Decimal128Builder).Append(amount)
		b.Field(4).(*array.StringBuilder).Append(row[4])
		if row[5] == "" {
			b.Field(5).AppendNull()
		} else {
			b.Field(5).(*array.StringBuilder).Append(row[5])
		}
		list := b.Field(6).(*array.ListBuilder)
		list.Append(true)
		for range i {
			list.ValueBuilder().(*array.StringBuilder).Append("x")
		}
	}
	record := b.NewRecord()
	defer record.Release()
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &out,
		parquet.NewWriterProperties(parquet.WithCompression(codec), parquet.WithMaxRowGroupLength(rowGroup)), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(record), w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b.String()
}

func zstded(text string) string {
	w, _ := zstd.NewWriter(nil)
	return string(w.EncodeAll([]byte(text), nil))
}

func utf16Text(text string, order binary.AppendByteOrder, mark bool) string {
	var b []byte
	if mark {
		b = order.AppendUint16(b, 0xfeff)
	}
	for _, u := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

// The same rows come out of every type of file, compression and encoding.
func TestFormatsGiveTheSameRows(t *testing.T) {
	t.Parallel()
	plain := csvText(',')
	cyrillic, err := charmap.Windows1251.NewEncoder().String(plain)
	if err != nil {
		t.Fatal(err)
	}
	type stored struct{ name, content, options string }
	texts := []stored{
		{"csv", plain, ""},
		{"csv", strings.ReplaceAll(plain, "\n", "\r\n"), ""},
		{"csv", strings.TrimSuffix(plain, "\n"), ""},
		{"csv", "\ufeff" + plain, ""},
		{"csv", utf16Text(plain, binary.LittleEndian, true), ""},
		{"csv", utf16Text(plain, binary.BigEndian, true), ""},
		{"csv", utf16Text(plain, binary.LittleEndian, false), "encoding: utf-16le"},
		{"csv", utf16Text(plain, binary.BigEndian, true), "encoding: utf-16le"}, // the mark outdoes the name
		{"csv", cyrillic, "encoding: windows-1251"},
		{"csv", csvText(';'), `delimiter: ";"`},
		{"tsv", csvText('\t'), ""},
		{"txt", csvText('|'), "delimiter: \"|\"\nformat: csv"},
		{"jsonl", jsonText(), ""},
		{"ndjson", "\ufeff" + jsonText(), ""},
		{"json", utf16Text(jsonText(), binary.LittleEndian, true), ""},
	}
	all := []stored{
		{"parquet", parquetText(t, arrowcompress.Codecs.Uncompressed, 1000), ""},
		{"parquet", parquetText(t, arrowcompress.Codecs.Gzip, 2), ""},
		{"parquet", parquetText(t, arrowcompress.Codecs.Zstd, 1), ""},
		{"parquet", parquetText(t, arrowcompress.Codecs.Snappy, 1000), ""},
	}
	for _, s := range texts {
		all = append(all, s, stored{s.name + ".gz", gzipped(s.content), s.options},
			stored{s.name + ".GZ", gzipped(s.content[:7]) + gzipped(s.content[7:]), s.options},
			stored{s.name + ".zst", zstded(s.content), s.options},
			stored{s.name + ".zst", "\x50\x2a\x4d\x18\x02\x00\x00\x00xx" + zstded(s.content), s.options}, // a frame to skip
			stored{s.name, zstded(s.content), s.options})                                                 // the name promises nothing
	}
	want := []string{
		"source_id=p1 changed_at=2026-11-03T00:00:00Z paid_at=2026-11-03T00:00:00Z account=%s amount_minor=1250 currency=RUB status=succeeded plan=семья",
		"source_id=p2 changed_at=2026-11-03T12:34:56.789Z paid_at=2026-11-03T12:34:56.789Z account=%s amount_minor=-1 currency=RUB status=failed",
		"source_id=p3 changed_at=2026-11-03T23:59:59.999999Z paid_at=2026-11-03T23:59:59.999999Z account=%s amount_minor=10000 currency=RUB status=a \"quoted\", one\nof two lines plan=solo",
	}
	for i := range want {
		id, err := key(t).Hash("account", cells[i][2])
		if err != nil {
			t.Fatal(err)
		}
		want[i] = fmt.Sprintf(want[i], id)
	}
	for i, s := range all {
		yaml := fmt.Sprintf(payments, "in."+s.name) + s.options
		if strings.HasPrefix(s.name, "parquet") {
			yaml = strings.Replace(yaml, `, time: "2006-01-02 15:04:05"`, "", 1)
		}
		got, err := extract(stream(t, yaml, folder(t, map[string]string{"in." + s.name: s.content}), "UTC"), day(t, "2026-11-03"))
		if err != nil || len(got.rejected) > 0 || strings.Join(got.rows, "|") != strings.Join(want, "|") {
			t.Errorf("%d: %s %s: %v %q\n got %q\nwant %q", i, s.name, s.options, err, got.rejected, got.rows, want)
		}
	}
}

func TestParquetTypes(t *testing.T) {
	t.Parallel()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "i", Type: arrow.PrimitiveTypes.Int64}, {Name: "u", Type: arrow.PrimitiveTypes.Uint64},
		{Name: "u8", Type: arrow.PrimitiveTypes.Uint8}, {Name: "f", Type: arrow.PrimitiveTypes.Float64},
		{Name: "f32", Type: arrow.PrimitiveTypes.Float32}, {Name: "b", Type: arrow.FixedWidthTypes.Boolean},
		{Name: "d", Type: arrow.FixedWidthTypes.Date32}, {Name: "ms", Type: &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}},
		{Name: "ns", Type: &arrow.TimestampType{Unit: arrow.Nanosecond}},
		{Name: "s", Type: arrow.StructOf(arrow.Field{Name: "inner", Type: arrow.BinaryTypes.Binary, Nullable: true}), Nullable: true},
		{Name: "dec", Type: &arrow.Decimal128Type{Precision: 38, Scale: 3}}, {Name: "list", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32)},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	line := `{"i":-9223372036854775808,"u":9223372036854775808,"u8":200,"f":0.1,"f32":0.1,"b":true,"d":"2026-11-03",
		"ms":"2026-11-03T01:02:03.004Z","ns":"2026-11-03T01:02:03.000000005","s":{"inner":"YWJj"},"dec":"-0.005","list":[1,2]}`
	if err := json.Unmarshal([]byte(line), b); err != nil {
		t.Fatal(err)
	}
	record := b.NewRecord()
	for _, int96 := range []bool{false, true} {
		var out bytes.Buffer
		w, err := pqarrow.NewFileWriter(schema, &out, parquet.NewWriterProperties(),
			pqarrow.NewArrowWriterProperties(pqarrow.WithDeprecatedInt96Timestamps(int96)))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Write(record), w.Close()); err != nil {
			t.Fatal(err)
		}
		r, err := files.NewReader(context.Background(), bytes.NewReader(out.Bytes()), int64(out.Len()), "x.parquet", files.Format{})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if got := strings.Join(r.Columns(), " "); got != "i u u8 f f32 b d ms ns s.inner dec list.list.element" {
			t.Errorf("columns %s", got)
		}
		rec, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{
			"i": "-9223372036854775808", "u": "9223372036854775808", "u8": "200", "f": "0.1", "f32": "0.1", "b": "true",
			"d": "2026-11-03", "ms": "2026-11-03T01:02:03.004Z", "ns": "2026-11-03T01:02:03.000000005", "s.inner": "abc", "dec": "-0.005",
		}
		if int96 {
			want["ns"] += "Z" // the old type has no other meaning
		}
		for column, text := range want {
			if got, present := rec.Get(column); !present || got != text {
				t.Errorf("int96 %v: %s: got %q, %v; want %q", int96, column, got, present, text)
			}
		}
		if _, present := rec.Get("list.list.element"); present {
			t.Error("a list has a single value")
		}
		if _, err := r.Next(); err != io.EOF {
			t.Errorf("after the last row: %v", err)
		}
		if err := r.Select("list.list.element"); err == nil || !strings.Contains(err.Error(), "no single value") {
			t.Errorf("selecting a list: %v", err)
		}
	}
}

// A damaged Parquet file is an error, never a panic, nor a flood.
func FuzzParquet(f *testing.F) {
	f.Add([]byte("PAR1PAR1"))
	f.Add([]byte(parquetText(f, arrowcompress.Codecs.Uncompressed, 2)))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := files.NewReader(context.Background(), bytes.NewReader(data), int64(len(data)), "x.parquet", files.Format{})
		if err != nil {
			return
		}
		defer r.Close()
		for range 1000 {
			if _, err := r.Next(); err != nil {
				return
			}
		}
	})
}
