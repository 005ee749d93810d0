package bank

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"crosslift/connectors"
	"crosslift/connectors/files"
	"crosslift/schemas/table"
)

// errUndelivered is the error for a business date that has no complete file: it may still come.
type errUndelivered struct{ text string }

func (e errUndelivered) Error() string   { return e.text }
func (e errUndelivered) Unwrap() []error { return []error{files.ErrMissing, connectors.ErrDown} }

// refusal is why a file is refused whole.
type refusal struct {
	line     int64 // from 1; 0 where it is none of a line
	expected string
}

func refuse(line int64, format string, args ...any) error {
	return refusal{line, fmt.Sprintf(format, args...)}
}

func (e refusal) Error() string {
	text := e.expected + "; the file is refused whole: ask the bank for another with a higher sequence number"
	if e.line > 0 {
		return "line " + strconv.FormatInt(e.line, 10) + ": " + text
	}
	return text
}

func (e refusal) Unwrap() error { return connectors.ErrContract }

// delivery is a registry file that is complete, by what its name says.
type delivery struct {
	files.Object
	sum  files.Object // the file beside it that holds its SHA-256, and is written last
	date table.Day
	seq  int64
}

var deliveryName = regexp.MustCompile(`^_(\d{8})_(\d{1,9})\.csv(?:\.gz)?$`)

// stem is what the names of a campaign's files start with.
func (r *registry) stem() string { return r.config.Prefix + "cashback_" + r.config.Campaign }

// list finds the complete files whose names go on after the stem with some text, by date and sequence number.
func (r *registry) list(ctx context.Context, after string) ([]delivery, error) {
	objects, err := r.config.Store.List(ctx, r.stem()+after)
	if err != nil {
		return nil, err
	}
	sums := map[string]files.Object{}
	for _, o := range objects {
		if name, ok := strings.CutSuffix(o.Name, ".sha256"); ok {
			sums[name] = o
		}
	}
	var found []delivery
	for _, o := range objects {
		parts := deliveryName.FindStringSubmatch(strings.TrimPrefix(o.Name, r.stem()))
		sum, complete := sums[o.Name]
		if parts == nil || !complete {
			continue
		}
		date, err := table.ParseDay(parts[1][:4] + "-" + parts[1][4:6] + "-" + parts[1][6:])
		if err != nil {
			continue // no date, so no file of a date
		}
		seq, err := strconv.ParseInt(parts[2], 10, 64)
		if err != nil {
			return nil, err
		}
		found = append(found, delivery{o, sum, date, seq})
	}
	slices.SortFunc(found, func(a, b delivery) int {
		return cmp.Or(cmp.Compare(a.date, b.date), cmp.Compare(a.seq, b.seq), cmp.Compare(a.Name, b.Name))
	})
	return found, nil
}

// deliveries gives the files that a business day is read from: of each business date of the bank's that overlaps with
// it, the one with the highest sequence number, and of several with that number the first by name.
func (r *registry) deliveries(ctx context.Context, day table.Day) ([]delivery, error) {
	var chosen []delivery
	window := day.Window(r.zone)
	for date := day - 2; date <= day+2; date++ { // zones are up to 26 hours apart
		w := date.Window(r.cut)
		if !w.From.Before(window.To) || !window.From.Before(w.To) {
			continue
		}
		text := "_" + strings.ReplaceAll(date.String(), "-", "") + "_"
		found, err := r.list(ctx, text)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, errUndelivered{fmt.Sprintf(
				"no file %s%s*.csv with its .sha256 beside it in %s: the source has not delivered it",
				r.stem(), text, r.config.Store)}
		}
		newest := found[len(found)-1].seq
		i := slices.IndexFunc(found, func(d delivery) bool { return d.seq == newest })
		chosen = append(chosen, found[i])
	}
	return chosen, nil
}

// checkSequence holds a file against the others of the campaign. Its number is its own: under another name with the
// same content it is the same file, delivered twice. The one before it is the one that it names; of the oldest file
// nothing is known, since what came before it may have been put away.
func (r *registry) checkSequence(ctx context.Context, f delivery, sum string, previous int64) error {
	all, err := r.list(ctx, "_")
	if err != nil {
		return err
	}
	before := int64(-1)
	for _, other := range all {
		switch {
		case other.Name == f.Name:
		case other.seq == f.seq:
			same, err := r.sum(ctx, other.Object)
			if err != nil {
				return fmt.Errorf("%s: %w", other.Name, err)
			}
			if same != sum {
				return refuse(0, "expected one file with the sequence number %d, found other content in %s", f.seq, other.Name)
			}
		case other.seq < f.seq:
			before = max(before, other.seq)
		}
	}
	switch {
	case before < 0 || before == previous:
		return nil
	case before < previous:
		return refuse(1, "expected the file with the sequence number %d before this one, found %d at most: a file is missing",
			previous, before)
	}
	return refuse(1, "expected the previous sequence number to be %d, that of the file before this one", before)
}

// announced reads the sum that the bank has written beside a file: 64 hexadecimal digits, and perhaps the name.
func (r *registry) announced(ctx context.Context, f delivery) (string, error) {
	content, err := r.config.Store.Open(ctx, f.sum)
	if err != nil {
		return "", err
	}
	defer content.Close()
	head, err := io.ReadAll(io.NewSectionReader(content, 0, 1024))
	if err != nil {
		return "", fmt.Errorf("reading its .sha256: %w", err)
	}
	words := strings.Fields(string(head))
	if len(words) == 0 || len(words[0]) != 64 {
		return "", refuse(0, "expected 64 hexadecimal digits in its .sha256")
	}
	sum := strings.ToLower(words[0])
	if _, err := hex.DecodeString(sum); err != nil {
		return "", refuse(0, "expected 64 hexadecimal digits in its .sha256")
	}
	return sum, nil
}

// errChanged is the error for a file with other content than the plan saw.
var errChanged = errors.New("it was changed while being read: run again")
