package bankapi

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/money"
	"crosslift/schemas/table"
)

// RegistryOptions say which files to write, and how. Bank, Campaign and Zone are required.
type RegistryOptions struct {
	Bank     string // its id, as the first record has it
	Campaign string
	Zone     *time.Location // cuts the bank's days
	Currency string         // of the control totals of a day without rows; RUB without it
	Gzip     bool
}

// delivery is how long after a day's end its file is made.
const delivery = 2 * time.Hour

// WriteRegistry writes what the bank delivers after a night: the file of that day, and another for each earlier day of
// which something has come to light since the night before, which replaces the one that was delivered. The nights of a
// folder are written in order, from the first on: numbers go on from those that lie there.
func WriteRegistry(dir string, night table.Day, w world.Reader, o RegistryOptions) error {
	made := night.Window(o.Zone).To.Add(delivery)
	before := (night - 1).Window(o.Zone).To.Add(delivery)
	versions, err := w.Versions(Source, Accruals, made)
	if err != nil {
		return fmt.Errorf("registry of %s: %w", night, err)
	}
	seq, first, err := delivered(dir, o.Campaign)
	if err != nil {
		return fmt.Errorf("registry of %s: %w", night, err)
	}
	days, err := registryDays(versions, night, o)
	if err != nil {
		return fmt.Errorf("registry of %s: %w", night, err)
	}
	for _, day := range slices.Sorted(maps.Keys(days)) {
		changed := slices.ContainsFunc(days[day], func(r registryRow) bool { return r.visible.After(before) })
		if day != night && (day < first || !changed) {
			continue
		}
		content, err := registryFile(day, seq+1, seq, made, days[day], o)
		if err == nil {
			err = deliver(dir, day, seq+1, content, o)
		}
		if err != nil {
			return fmt.Errorf("registry of %s: %w", day, err)
		}
		seq++
	}
	return nil
}

// registryRow is an accrual, with when the bank came to show it.
type registryRow struct {
	accrual
	at, visible time.Time
}

// registryDays sorts what is shown by the day of its last change; the night has a day in any case, and those after it
// have none. Of two versions of one revision the later counts.
func registryDays(versions []world.Record, night table.Day, o RegistryOptions) (map[table.Day][]registryRow, error) {
	type revision struct {
		id string
		n  int64
	}
	newest := map[revision]registryRow{}
	for _, v := range versions {
		row := registryRow{at: v.At, visible: v.Visible}
		if err := json.Unmarshal(v.Object, &row.accrual); err != nil {
			return nil, fmt.Errorf("%s of the world: %w", Accruals, err)
		}
		key := revision{row.AccrualId, row.Revision}
		if known, twice := newest[key]; row.CampaignId == o.Campaign && (!twice || !row.visible.Before(known.visible)) {
			newest[key] = row
		}
	}
	days := map[table.Day][]registryRow{night: nil}
	for _, row := range newest {
		if day := table.DayOf(row.at, o.Zone); day <= night {
			days[day] = append(days[day], row)
		}
	}
	for _, rows := range days {
		slices.SortFunc(rows, func(a, b registryRow) int {
			return cmp.Or(a.at.Compare(b.at), strings.Compare(a.AccrualId, b.AccrualId), cmp.Compare(a.Revision, b.Revision))
		})
	}
	return days, nil
}

var registryName = regexp.MustCompile(`^_(\d{8})_(\d+)\.csv(?:\.gz)?\.sha256$`)

// delivered finds the highest sequence number of a folder and the first day of its files.
func delivered(dir, campaign string) (seq int64, first table.Day, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, 0, err
	}
	first = table.Day(1<<31 - 1)
	for _, e := range entries {
		parts := registryName.FindStringSubmatch(strings.TrimPrefix(e.Name(), "cashback_"+campaign))
		if parts == nil {
			continue
		}
		n, err := strconv.ParseInt(parts[2], 10, 64)
		if err != nil {
			return 0, 0, err
		}
		day, err := table.ParseDay(parts[1][:4] + "-" + parts[1][4:6] + "-" + parts[1][6:])
		if err != nil {
			return 0, 0, err
		}
		seq, first = max(seq, n), min(first, day)
	}
	return seq, first, nil
}

// registryFile writes a header, the rows and their control totals.
func registryFile(day table.Day, seq, previous int64, made time.Time, rows []registryRow, o RegistryOptions) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma = ';'
	before := ""
	if previous > 0 {
		before = strconv.FormatInt(previous, 10)
	}
	write := func(record ...string) error { return w.Write(record) }
	err := write("HD", "1", o.Bank, o.Campaign, day.String(), strconv.FormatInt(seq, 10), written(made, o.Zone), before)
	totals := map[string]*control{}
	for i := range rows {
		r := &rows[i]
		record, e := r.record(i + 1)
		err = errors.Join(err, e, write(record...), count(totals, r))
	}
	if len(totals) == 0 {
		totals[cmp.Or(o.Currency, "RUB")] = &control{}
	}
	for _, currency := range slices.Sorted(maps.Keys(totals)) {
		t := totals[currency]
		credit, e := decimal(t.credit, currency)
		debit, _ := decimal(t.debit, currency)
		err = errors.Join(err, e, write("TD", strconv.Itoa(t.rows), credit, debit, currency, strconv.FormatUint(t.references, 10)))
	}
	w.Flush()
	return b.Bytes(), errors.Join(err, w.Error())
}

// record is a row of details.
func (r *registryRow) record(line int) ([]string, error) {
	side, mask := "D", ""
	if r.CreditDebitIndicator == "Credit" {
		side = "C"
	}
	if r.CardInstrument != nil {
		mask = r.CardInstrument.Identification
	}
	if r.PaymentReference == nil {
		r.PaymentReference = &paymentReference{}
	}
	if r.PurchaseAmount == nil {
		r.PurchaseAmount = &amount{Currency: r.AccrualAmount.Currency}
	}
	if r.PurchaseAmount.Currency != r.AccrualAmount.Currency {
		return nil, errors.New("an accrual in another currency than its purchase: the registry has one column for both")
	}
	return []string{
		"D", strconv.Itoa(line), r.AccrualId, strconv.FormatInt(r.Revision, 10), r.ClientReference, mask,
		r.PaymentReference.Rrn, r.PaymentReference.AuthorisationCode, r.PurchaseDateTime, r.PurchaseAmount.Amount,
		r.AccrualAmount.Currency, r.AccrualAmount.Amount, side, r.Status, r.StatusReason, r.StatusUpdateDateTime,
	}, nil
}

// control are the totals of a currency.
type control struct {
	rows          int
	credit, debit int64 // minor units
	references    uint64
}

func count(totals map[string]*control, r *registryRow) error {
	currency := r.AccrualAmount.Currency
	minor, err := money.Parse(r.AccrualAmount.Amount, currency)
	if err != nil {
		return err
	}
	t := totals[currency]
	if t == nil {
		t = &control{}
		totals[currency] = t
	}
	t.rows++
	if r.CreditDebitIndicator == "Credit" {
		t.credit += minor
	} else {
		t.debit += minor
	}
	if r.PaymentReference.Rrn == "" {
		return nil
	}
	reference, err := strconv.ParseUint(r.PaymentReference.Rrn, 10, 64)
	t.references = (t.references + reference%10_000_000_000) % 10_000_000_000
	return err
}

// deliver writes the file, and then its sum, which says that it is complete.
func deliver(dir string, day table.Day, seq int64, content []byte, o RegistryOptions) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	name := fmt.Sprintf("cashback_%s_%s_%d.csv", o.Campaign, strings.ReplaceAll(day.String(), "-", ""), seq)
	if o.Gzip {
		name += ".gz"
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := z.Write(content)
		if err = errors.Join(err, z.Close()); err != nil {
			return err
		}
		content = b.Bytes()
	}
	sum := sha256.Sum256(content)
	if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
		return err
	}
	line := hex.EncodeToString(sum[:]) + "  " + name + "\n"
	return os.WriteFile(filepath.Join(dir, name+".sha256"), []byte(line), 0o600)
}
