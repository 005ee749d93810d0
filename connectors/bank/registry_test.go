package bank

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"crosslift/connectors"
	"crosslift/connectors/files"
	"crosslift/connectors/sandbox/bankapi"
	"crosslift/schemas/table"
)

const (
	file7 = "cashback_cinema_20261103_7.csv"
	good7 = `HD;1;bank1;cinema;2026-11-03;7;2026-11-04T02:00:00+03:00;6
D;1;ac1;1;client-1;220012******1234;612300000001;A00001;2026-11-02T10:00:00+03:00;299.00;RUB;296.01;C;Accrued;;2026-11-03T10:00:00+03:00
D;2;ac2;2;client-2;427638******5679;612300000002;A00002;2026-11-01T10:00:00+03:00;12.345;KWD;12.221;C;Posted;;2026-11-03T23:59:59+03:00
D;3;ac3;1;client-1;220012******1234;;;2026-11-01T10:00:00+03:00;100.00;RUB;1.00;D;Reversed;REFUNDED;2026-11-03T00:00:00+03:00
TD;1;12.221;0.000;KWD;2300000002
TD;2;296.01;1.00;RUB;2300000001
`
)

// deliver writes a file and its sum.
func deliver(t testing.TB, dir, name string, content []byte) {
	t.Helper()
	sum := sha256.Sum256(content)
	put(t, dir, name, content)
	put(t, dir, name+".sha256", []byte(strings.ToUpper(hex.EncodeToString(sum[:]))+"  "+name+"\r\n"))
}

func put(t testing.TB, dir, name string, content []byte) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func registryOf(t testing.TB, dir string, c Registry) connectors.Stream {
	t.Helper()
	c.Campaign, c.Store = "cinema", files.Folder(dir)
	s, err := New(Config{Registry: &c}, connectors.Env{Key: key(t), Zone: moscow, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return s.Streams()[0]
}

// TestRegistry reads a file as it should be.
func TestRegistry(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	deliver(t, dir, file7, []byte(good7))
	s := registryOf(t, dir, Registry{BankID: "bank1"})
	sink, err := read[table.BankAccrualRow](t, s, day(t, "2026-11-03"))
	if err != nil || len(sink.Rejected) > 0 || len(sink.Rows) != 3 {
		t.Fatalf("%v, %+v, %d rows", err, sink.Rejected, len(sink.Rows))
	}
	r := sink.Rows[1]
	if r.SourceID != "ac2" || r.Revision != 2 || r.AmountMinor != 12221 || r.Currency != "KWD" || *r.PurchaseMinor != 12345 ||
		r.Direction != "credit" || r.Status != "posted" || r.PostedAt == nil || r.AccruedAt != nil || r.AuthCode != "A00002" ||
		r.Campaign != "cinema" || r.Card.IsZero() || r.RRN.IsZero() || r.ClientRef.IsZero() {
		t.Errorf("%+v", r)
	}
	if r := sink.Rows[2]; r.Direction != "debit" || r.Reason != "REFUNDED" || !r.RRN.IsZero() || r.ReversedAt == nil {
		t.Errorf("%+v", r)
	}
	want := "[{rows  3} {amount_minor KWD 12221} {amount_minor RUB 29701}]"
	if got := fmt.Sprint(sink.Totals); got != want {
		t.Errorf("totals %s, expected %s", got, want)
	}
	if s.Restatement() != -1 || !s.Versioned() || s.Name() != "bank/accrual_registry" {
		t.Error("not as it is documented")
	}
}

// TestRegistryFaults: whatever is wrong with a file, it is refused whole with its place and what was expected, and
// nothing of it lands.
func TestRegistryFaults(t *testing.T) {
	t.Parallel()
	swap := func(from, to string) func([]byte) []byte {
		return func(b []byte) []byte {
			if !bytes.Contains(b, []byte(from)) {
				panic("nothing to replace: " + from)
			}
			return bytes.Replace(b, []byte(from), []byte(to), 1)
		}
	}
	cutFrom := func(from string) func([]byte) []byte {
		return func(b []byte) []byte { return b[:bytes.Index(b, []byte(from))] }
	}
	for name, c := range map[string]struct {
		change func([]byte) []byte
		want   string
	}{
		"empty":                 {func([]byte) []byte { return nil }, "expected HD in its first line, found no line"},
		"no header":             {cutLine(0), "line 1: expected HD with 8 fields"},
		"header twice":          {swap("\nD;1;", "\nHD;1;bank1;cinema;2026-11-03;7;2026-11-04T02:00:00+03:00;6\nD;1;"), "line 2: expected D or TD"},
		"no trailer":            {cutFrom("TD;"), "line 4: expected TD after it: the file is cut off"},
		"no trailer of one":     {cutLine(4), "line 5: expected a TD of KWD, in which it has rows"},
		"trailer twice":         {swap("TD;1;12.221;0.000;KWD;2300000002\n", "TD;1;12.221;0.000;KWD;2300000002\nTD;1;12.221;0.000;KWD;2300000002\n"), "line 6: expected one TD of KWD"},
		"rows after trailer":    {swap("TD;2;", "D;4;ac4\nTD;2;"), "line 6: expected TD, or the end of the file"},
		"cut in a line":         {func(b []byte) []byte { return b[:len(b)-3] }, "line 6: expected a line end: the file is cut off"},
		"wrong rows":            {swap("TD;2;", "TD;3;"), "line 6: expected 3 rows in RUB, as TD says, found 2"},
		"wrong credits":         {swap("TD;2;296.01", "TD;2;296.02"), "line 6: expected credits of 29602 minor units of RUB, as TD says, found 29601"},
		"wrong debits":          {swap("296.01;1.00;RUB", "296.01;0.00;RUB"), "line 6: expected debits of 0 minor units of RUB, as TD says, found 100"},
		"wrong references":      {swap("RUB;2300000001", "RUB;2300000009"), "line 6: expected the sum of RRNs in RUB that TD says"},
		"trailer of no rows":    {swap("TD;1;12.221;0.000;KWD", "TD;1;0.00;0.00;EUR;0\nTD;1;12.221;0.000;KWD"), "line 7: expected 1 rows in EUR, as TD says, found 0"},
		"line gap":              {swap("D;3;", "D;4;"), "line 4: expected the line number 3 in field 2: lines are missing, or in disorder"},
		"line missing":          {cutLine(2), "line 3: expected the line number 2 in field 2"},
		"fields missing":        {swap(";Accrued;;", ";Accrued;"), "line 2: expected 16 fields"},
		"other date":            {swap("2026-11-03;7", "2026-11-04;7"), "line 1: expected the business date 2026-11-03, as in the file's name"},
		"no date":               {swap("2026-11-03;7", "03.11.2026;7"), "line 1: expected the business date 2026-11-03, as in the file's name"},
		"other number":          {swap("2026-11-03;7", "2026-11-03;8"), "line 1: expected the sequence number 7, as in the file's name"},
		"number before itself":  {swap("+03:00;6", "+03:00;7"), "line 1: expected a previous sequence number below 7"},
		"other version":         {swap("HD;1", "HD;2"), "line 1: expected version 1 of the format"},
		"other bank":            {swap("bank1", "bank2"), "line 1: expected the bank bank1"},
		"other campaign":        {swap("cinema", "theatre"), "line 1: expected the campaign cinema"},
		"time without zone":     {swap("02:00:00+03:00", "02:00:00"), "line 1: expected a time with its zone in field 7"},
		"amount with a sign":    {swap("296.01;C", "-296.01;C"), "line 2: accrual amount: expected an amount such as 12.50"},
		"amount with a comma":   {swap("296.01;C", "296,01;C"), "line 2: accrual amount: expected an amount such as 12.50"},
		"amount too fine":       {swap("296.01;C", "296.011;C"), "line 2: accrual amount: expected at most 2 decimals"},
		"unknown currency":      {swap("RUB;296.01", "RUR;296.01"), "line 2: currency: expected an ISO 4217 currency code"},
		"neither credit nor":    {swap(";C;Accrued", ";X;Accrued"), "line 2: expected C or D in field 13"},
		"letters in a number":   {swap("612300000001", "61230000000O"), "line 2: rrn: expected up to 12 digits, or nothing"},
		"byte order mark":       {func(b []byte) []byte { return append([]byte("\xef\xbb\xbf"), b...) }, "line 1: expected no byte order mark, unless the configuration says `bom: true`"},
		"carriage returns":      {func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")) }, "line 1: expected a line feed only, unless the configuration says `crlf: true`"},
		"not UTF-8":             {swap("bank1", "\xe1\xe0\xed\xea"), "line 1: expected UTF-8: if the file is in another encoding, name it"},
		"quote never closed":    {swap("ac2", `"ac2`), "line 3: expected a closing quote"},
		"quote within":          {swap("ac2", `a"c2`), "line 3: expected quotes around whole fields only"},
		"text behind a quote":   {swap("ac2", `"ac"2`), "line 3: expected quotes around whole fields only"},
		"an endless line":       {swap("ac2", strings.Repeat("x", 70000)), "line 3: expected a line of at most 64 KiB"},
		"an empty line":         {swap("D;2;", "\nD;2;"), "line 3: expected D or TD"},
		"sum beyond 64 bits":    {swap("TD;2;296.01", "TD;2;99999999999999999999"), "line 6: sum of credits: the number is too large"},
		"references too long":   {swap("RUB;2300000001", "RUB;12300000001"), "line 6: expected up to ten digits in field 6"},
		"trailer with a sign":   {swap("TD;2;296.01", "TD;2;-296.01"), "line 6: sum of credits: expected no sign"},
		"trailer without count": {swap("TD;2;", "TD;;"), "line 6: expected a number of rows in field 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			deliver(t, dir, file7, c.change([]byte(good7)))
			refused(t, registryOf(t, dir, Registry{BankID: "bank1"}), "2026-11-03", file7+": "+c.want)
		})
	}
}

func cutLine(n int) func([]byte) []byte {
	return func(b []byte) []byte {
		lines := bytes.SplitAfter(b, []byte("\n"))
		return bytes.Join(append(lines[:n:n], lines[n+1:]...), nil)
	}
}

// refused expects an extract to fail without a row.
func refused(t *testing.T, s connectors.Stream, d, want string) {
	t.Helper()
	sink, err := read[table.BankAccrualRow](t, s, day(t, d))
	if !errors.Is(err, connectors.ErrContract) || !strings.Contains(fmt.Sprint(err), "bank/accrual_registry "+d+": "+want) ||
		!strings.HasSuffix(fmt.Sprint(err), "the file is refused whole: ask the bank for another with a higher sequence number") {
		t.Errorf("%v,\nexpected … %s", err, want)
	}
	if len(sink.Rows)+len(sink.Rejected)+len(sink.Totals) > 0 {
		t.Errorf("%d rows, %d rejected, %d totals of a refused file", len(sink.Rows), len(sink.Rejected), len(sink.Totals))
	}
}

// TestRegistryDeliveries: which file counts, and what is wrong among several.
func TestRegistryDeliveries(t *testing.T) {
	t.Parallel()
	other := strings.NewReplacer("296.01", "200.00").Replace(good7)
	numbered := func(content string, seq, previous int) []byte {
		return []byte(strings.Replace(strings.Replace(content, ";7;", fmt.Sprintf(";%d;", seq), 1), "+03:00;6\n", fmt.Sprintf("+03:00;%d\n", previous), 1))
	}
	dated := func(content string) string { return strings.ReplaceAll(content, "2026-11-03", "2026-11-02") }
	for name, c := range map[string]struct {
		files map[string][]byte
		want  string // "" for the rows of other
	}{
		"the higher replaces":       {map[string][]byte{file7: []byte(good7), "cashback_cinema_20261103_8.csv": numbered(other, 8, 7)}, ""},
		"though refused, the lower": {map[string][]byte{file7: []byte("HD"), "cashback_cinema_20261103_10.csv": numbered(other, 10, 7)}, ""},
		"twice under two names":     {map[string][]byte{file7: []byte(other), "cashback_cinema_20261103_007.csv": []byte(other)}, ""},
		"conflict": {map[string][]byte{file7: []byte(good7), "cashback_cinema_20261103_007.csv": []byte(other)},
			"cashback_cinema_20261103_007.csv: expected one file with the sequence number 7, found other content in " + file7},
		"conflict over days": {map[string][]byte{file7: []byte(good7), "cashback_cinema_20261102_7.csv": []byte(dated(other))},
			file7 + ": expected one file with the sequence number 7, found other content in cashback_cinema_20261102_7.csv"},
		"the one before is there": {map[string][]byte{file7: []byte(other), "cashback_cinema_20261102_6.csv": numbered(dated(other), 6, 5)}, ""},
		"gap": {map[string][]byte{file7: []byte(good7), "cashback_cinema_20261101_5.csv": numbered(good7, 5, 4)},
			file7 + ": line 1: expected the file with the sequence number 6 before this one, found 5 at most: a file is missing"},
		"one left out": {map[string][]byte{"cashback_cinema_20261103_8.csv": numbered(good7, 8, 6), "cashback_cinema_20261102_7.csv": numbered(good7, 7, 6)},
			"cashback_cinema_20261103_8.csv: line 1: expected the previous sequence number to be 7, that of the file before this one"},
		"of another campaign": {map[string][]byte{file7: []byte(other), "cashback_cinema2_20261103_9.csv": []byte(good7)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for name, content := range c.files {
				deliver(t, dir, name, content)
			}
			s := registryOf(t, dir, Registry{})
			if c.want != "" {
				refused(t, s, "2026-11-03", c.want)
				return
			}
			sink, err := read[table.BankAccrualRow](t, s, day(t, "2026-11-03"))
			if err != nil || len(sink.Rows) != 3 || sink.Rows[0].AmountMinor != 20000 {
				t.Errorf("%v, %+v", err, sink.Rows)
			}
		})
	}
}

// TestRegistryUndelivered: what is not complete is not there yet.
func TestRegistryUndelivered(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := registryOf(t, dir, Registry{Prefix: "in/"})
	missing := func() {
		t.Helper()
		_, err := s.Inputs(context.Background(), day(t, "2026-11-03"))
		if !errors.Is(err, files.ErrMissing) || !errors.Is(err, connectors.ErrDown) ||
			!strings.Contains(err.Error(), "bank/accrual_registry 2026-11-03: no file in/cashback_cinema_20261103_*.csv with its .sha256 beside it") {
			t.Errorf("%v", err)
		}
	}
	missing()
	put(t, dir, "in/"+file7, []byte(good7))
	missing()
	deliver(t, dir, "in/"+file7, []byte(good7))
	inputs, err := s.Inputs(context.Background(), day(t, "2026-11-03"))
	sum := sha256.Sum256([]byte(good7))
	if err != nil || len(inputs) != 1 || inputs[0].Name != "in/"+file7 || inputs[0].SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("%v, %v", inputs, err)
	}
	put(t, dir, "in/"+file7, []byte(strings.Replace(good7, "ac1", "ac9", 1)))
	err = s.Extract(context.Background(), day(t, "2026-11-03"), inputs, &tasting{table: s.Table()})
	if err == nil || !strings.Contains(err.Error(), "it was changed while being read: run again") {
		t.Errorf("other content than the plan saw: %v", err)
	}
	refused(t, s, "2026-11-03", "in/"+file7+": expected content with the SHA-256 that its .sha256 announces")
	put(t, dir, "in/"+file7+".sha256", []byte("soon"))
	refused(t, s, "2026-11-03", "in/"+file7+": expected 64 hexadecimal digits in its .sha256")
}

// TestRegistryEncodings: what the options allow reads the same.
func TestRegistryEncodings(t *testing.T) {
	t.Parallel()
	text := strings.Replace(good7, "client-2", `"Клиент;""2"""`, 1)
	windows, err := charmap.Windows1251.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	zipped := func(content string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write([]byte(content))
		z.Close()
		return b.Bytes()
	}
	want := hasher{key(t)}.id("bank_client", `Клиент;"2"`)
	for name, c := range map[string]struct {
		file    string
		content []byte
		options Registry
	}{
		"plain":        {file7, []byte(text), Registry{}},
		"gzip":         {file7 + ".gz", zipped(text), Registry{}},
		"bom":          {file7, []byte("\xef\xbb\xbf" + text), Registry{BOM: true}},
		"bom allowed":  {file7, []byte(text), Registry{BOM: true}},
		"crlf":         {file7, []byte(strings.ReplaceAll(text, "\n", "\r\n")), Registry{CRLF: true}},
		"windows-1251": {file7, []byte(windows), Registry{Encoding: "windows-1251"}},
	} {
		dir := t.TempDir()
		deliver(t, dir, c.file, c.content)
		sink, err := read[table.BankAccrualRow](t, registryOf(t, dir, c.options), day(t, "2026-11-03"))
		if err != nil || len(sink.Rows) != 3 || sink.Rows[1].ClientRef != want {
			t.Errorf("%s: %v, %d rows", name, err, len(sink.Rows))
		}
	}
	dir := t.TempDir()
	whole := zipped(text)
	deliver(t, dir, file7+".gz", whole[:len(whole)-20])
	_, err = read[table.BankAccrualRow](t, registryOf(t, dir, Registry{}), day(t, "2026-11-03"))
	if !errors.Is(err, connectors.ErrContract) || !strings.Contains(err.Error(), "its compressed content ends too early: the file is cut off") {
		t.Errorf("cut gzip: %v", err)
	}
	deliver(t, dir, file7+".gz", []byte(text))
	_, err = read[table.BankAccrualRow](t, registryOf(t, dir, Registry{}), day(t, "2026-11-03"))
	if !errors.Is(err, connectors.ErrContract) || !strings.Contains(err.Error(), "expected content that is compressed by gzip") {
		t.Errorf("no gzip: %v", err)
	}
}

// TestRegistryRows: a row that is wrong by itself is rejected, where the file is whole; and each row is written on one
// day and rejected on one day, whatever zone the bank cuts days in.
func TestRegistryRows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(date string, seq int, rows ...string) {
		content := fmt.Sprintf("HD;1;bank1;cinema;%s;%d;2026-11-04T02:00:00+03:00;%s\n", date, seq, map[bool]string{true: fmt.Sprint(seq - 1)}[seq > 1])
		for i, r := range rows {
			content += fmt.Sprintf("D;%d;", i+1) + r + "\n"
		}
		content += fmt.Sprintf("TD;%d;%d.00;0.00;RUB;0\n", len(rows), len(rows))
		deliver(t, dir, fmt.Sprintf("cashback_cinema_%s_%d.csv", strings.ReplaceAll(date, "-", ""), seq), []byte(content))
	}
	row := func(id, revision, purchase, status, reason, at string) string {
		return fmt.Sprintf("%s;%s;c;;;;2026-11-01T10:00:00Z;%s;RUB;1.00;C;%s;%s;%s", id, revision, purchase, status, reason, at)
	}
	file("2026-11-02", 1, row("a1", "1", "2.00", "Accrued", "", "2026-11-02T20:59:59Z"), row("a2", "1", "2.00", "Accrued", "", "2026-11-02T21:00:00Z"))
	file("2026-11-03", 2,
		row("b1", "1", "2.00", "Accrued", "", "2026-11-03T00:00:00Z"), row("b2", "1", "2.00", "Accrued", "", "2026-11-03T23:00:00Z"),
		row("x1", "1", "2.00", "Accrued", "", "2026-11-04T00:00:00Z"), row("x2", "1", "2.00", "Accrued", "", "yesterday"),
		row("x3", "0", "2.00", "Accrued", "", "2026-11-03T05:00:00Z"), row("x4", "1", "two", "Accrued", "", "2026-11-03T05:00:00Z"),
		row("x5", "1", "2.00", "accrued", "", "2026-11-03T05:00:00Z"), row("x6", "1", "2.00", "Accrued", "Ivan Petrov", "2026-11-03T22:00:00Z"),
		row("", "1", "2.00", "Accrued", "", "2026-11-03T05:00:00Z"), row("b3", "1", "", "Accrued", "", "2026-11-03T05:00:00Z"))
	file("2026-11-04", 3)
	file("2026-11-01", 4)
	s := registryOf(t, dir, Registry{TimeZone: "UTC"})
	var got []string
	for _, d := range []string{"2026-11-02", "2026-11-03", "2026-11-04"} {
		sink, err := read[table.BankAccrualRow](t, s, day(t, d))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range sink.Rows {
			got = append(got, d[8:]+" "+r.SourceID)
		}
		for _, r := range sink.Rejected {
			got = append(got, fmt.Sprintf("%s line %d: %s", d[8:], r.Where.Position, r.Reason))
		}
		if len(sink.Totals) > 0 {
			t.Error("the bank's days are others: its totals say nothing of ours")
		}
	}
	want := []string{
		"02 a1",
		"03 a2", "03 b1", "03 b3",
		"03 line 4: status_at: outside the business date of the file",
		"03 line 5: status_at: expected a time such as 2006-01-02T15:04:05+03:00",
		"03 line 6: revision: expected a number from 1",
		"03 line 7: purchase_amount: expected an amount such as 12.50: up to 13 digits, up to 5 decimals, no sign",
		"03 line 8: status: expected Accrued, Posted, Reversed or Rejected",
		"03 line 10: accrual_id: expected an id of up to 64 characters",
		"04 b2",
		"04 line 9: reason: expected CAP_REACHED, NOT_ELIGIBLE, DUPLICATE, REFUNDED, CHARGEBACK, EXPIRED, MANUAL or nothing",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nexpected\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, err := s.Inputs(context.Background(), day(t, "2026-11-05")); !errors.Is(err, files.ErrMissing) {
		t.Errorf("one of two files: %v", err)
	}
}

// TestSandboxRegistry: what the sandbox delivers night by night is read whole, with what came to light later.
func TestSandboxRegistry(t *testing.T) {
	t.Parallel()
	c := chunk(t, "2026-10-30", 5, 40)
	late := c.Accruals[10] // of the first day, and shown two days later
	late.ID, late.Visible = "late", late.Changed.Add(48*time.Hour)
	c.Accruals = append(c.Accruals, late)
	w := build(t, c)
	for _, zipped := range []bool{false, true} {
		dir := t.TempDir()
		first := day(t, "2026-10-30")
		for d := first; d < first+5; d++ {
			err := bankapi.WriteRegistry(dir, d, w, bankapi.RegistryOptions{Bank: "bank1", Campaign: "cinema", Zone: moscow, Gzip: zipped})
			if err != nil {
				t.Fatal(err)
			}
		}
		s := registryOf(t, dir, Registry{BankID: "bank1"})
		var rows int
		found := false
		for d := first; d < first+5; d++ {
			sink, err := read[table.BankAccrualRow](t, s, d)
			if err != nil || len(sink.Rejected) > 0 {
				t.Fatal(err, sink.Rejected)
			}
			rows += len(sink.Rows)
			for _, r := range sink.Rows {
				found = found || r.SourceID == "late" && d == first
			}
		}
		want := 0
		for _, a := range c.Accruals {
			if a.Changed.Before((first + 4).Window(moscow).To) {
				want++
			}
		}
		if rows != want || !found {
			t.Errorf("%d rows, expected %d; the late one: %v", rows, want, found)
		}
	}
}

// FuzzRegistry: whatever a file holds, it is read or refused, and a refusal never holds a field of a row.
func FuzzRegistry(f *testing.F) {
	f.Add([]byte(good7), "")
	f.Add([]byte(strings.ReplaceAll(good7, "\n", "\r\n")), "windows-1251")
	f.Add([]byte("HD;1;\"\"\"\nTD"), "")
	f.Fuzz(func(t *testing.T, content []byte, encoding string) {
		if encoding != "windows-1251" {
			encoding = ""
		}
		sum := sha256.Sum256(content)
		stored := held{file7: content, file7 + ".sha256": []byte(hex.EncodeToString(sum[:]))}
		r := Registry{Campaign: "cinema", Encoding: encoding, CRLF: true, BOM: encoding == "", Store: stored}
		s, err := New(Config{Registry: &r}, connectors.Env{Key: key(t), Zone: moscow, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		sink, err := read[table.BankAccrualRow](t, s.Streams()[0], day(t, "2026-11-03"))
		if err != nil && len(sink.Rows)+len(sink.Rejected) > 0 {
			t.Errorf("rows of a file that failed: %v", err)
		}
		if err != nil && !errors.Is(err, connectors.ErrContract) {
			t.Errorf("%v", err)
		}
	})
}

// held is a store in memory.
type held map[string][]byte

func (h held) String() string { return "memory" }

func (h held) List(_ context.Context, prefix string) (found []files.Object, err error) {
	for name, content := range h {
		if strings.HasPrefix(name, prefix) {
			found = append(found, files.Object{Name: name, Size: int64(len(content))})
		}
	}
	return found, nil
}

func (h held) Open(_ context.Context, o files.Object) (files.Content, error) {
	return heldContent{bytes.NewReader(h[o.Name])}, nil
}

type heldContent struct{ *bytes.Reader }

func (heldContent) Close() error { return nil }
