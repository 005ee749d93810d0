package world

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// sheet is one file of the truth while it is written.
type sheet[T any] struct {
	file *os.File
	to   *parquet.GenericWriter[T]
	rows []T // of the next row group
	n    int64
}

// sheetRows is the number of rows of a row group. They are written at once, whatever the chunks, so that the bytes are the
// same.
const sheetRows = 20_000

func newSheet[T any](dir, name string) (*sheet[T], error) {
	f, err := os.Create(filepath.Join(dir, name+".parquet"))
	if err != nil {
		return nil, err
	}
	to := parquet.NewGenericWriter[T](f, parquet.Compression(&parquet.Zstd), parquet.CreatedBy("crosslift", "sandbox", ""))
	return &sheet[T]{file: f, to: to}, nil
}

func (s *sheet[T]) add(rows []T) error {
	s.n += int64(len(rows))
	for len(rows) > 0 {
		n := min(len(rows), sheetRows-len(s.rows))
		s.rows, rows = append(s.rows, rows[:n]...), rows[n:]
		if len(s.rows) == sheetRows {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *sheet[T]) flush() error {
	if _, err := s.to.Write(s.rows); err != nil {
		return err
	}
	s.rows = s.rows[:0]
	return s.to.Flush()
}

func (s *sheet[T]) finish() error { return errors.Join(s.flush(), s.to.Close(), s.file.Close()) }

// truthWriter writes the tables of the truth.
type truthWriter struct {
	nodes     *sheet[Node]
	attended  *sheet[Attendance]
	exposures *sheet[TrueExposure]
	begun     *sheet[TrueSubscription]
	payments  *sheet[Payment]
	accruals  *sheet[TrueAccrual]
	effects   *sheet[TrueEffect]
	planted   *sheet[Planted]
	damaged   *sheet[Damaged]
	sums      [4][2]float64 // of the metrics, under either arm, over the units that entered
	entered   int64
}

func newTruthWriter(dir string) (*truthWriter, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var t truthWriter
	var errs [9]error
	t.nodes, errs[0] = newSheet[Node](dir, "node")
	t.exposures, errs[1] = newSheet[TrueExposure](dir, "exposure")
	t.payments, errs[2] = newSheet[Payment](dir, "payment")
	t.accruals, errs[3] = newSheet[TrueAccrual](dir, "accrual")
	t.effects, errs[4] = newSheet[TrueEffect](dir, "effect")
	t.planted, errs[5] = newSheet[Planted](dir, "planted")
	t.damaged, errs[6] = newSheet[Damaged](dir, "damaged")
	t.attended, errs[7] = newSheet[Attendance](dir, "attendance")
	t.begun, errs[8] = newSheet[TrueSubscription](dir, "subscription")
	return &t, errors.Join(errs[:]...)
}

func (t *truthWriter) add(c *Truth) error {
	for _, e := range c.Exposures {
		if !e.Entered {
			continue
		}
		t.entered++
		for i, pair := range [4][2]float64{
			{float64(btoi(e.FirstControl)), float64(btoi(e.FirstTreatment))}, {float64(btoi(e.SecondControl)), float64(btoi(e.SecondTreatment))},
			{float64(e.RevenueControl), float64(e.RevenueTreatment)}, {float64(e.WatchedControl), float64(e.WatchedTreatment)},
		} {
			t.sums[i][0] += pair[0]
			t.sums[i][1] += pair[1]
		}
	}
	return errors.Join(t.nodes.add(c.Nodes), t.attended.add(c.Attended), t.exposures.add(c.Exposures), t.begun.add(c.Subscriptions), t.payments.add(c.Payments),
		t.accruals.add(c.Accruals), t.planted.add(c.Planted))
}

// finish writes what is known at the end only, and completes the files.
func (t *truthWriter) finish(s *setting, f *faulty) error {
	for i, e := range Effects() {
		row := TrueEffect{
			Experiment: Experiment, Metric: e.Metric, Unit: e.Unit, WindowDays: e.WindowDays, Control: e.Control, Treatment: e.Treatment,
			Effect: e.Treatment - e.Control, Units: t.entered,
		}
		if t.entered > 0 {
			row.SampleControl, row.SampleTreatment = t.sums[i][0]/float64(t.entered), t.sums[i][1]/float64(t.entered)
		}
		if err := t.effects.add([]TrueEffect{row}); err != nil {
			return err
		}
	}
	slices.SortFunc(f.damaged, func(a, b Damaged) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.ID, b.ID), a.At.Compare(b.At))
	})
	slices.SortFunc(f.planted, func(a, b Planted) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Place, b.Place), cmp.Compare(a.Value, b.Value))
	})
	return errors.Join(t.planted.add(f.planted), t.damaged.add(f.damaged), t.nodes.finish(), t.attended.finish(), t.exposures.finish(), t.begun.finish(),
		t.payments.finish(), t.accruals.finish(), t.effects.finish(), t.planted.finish(), t.damaged.finish())
}

// abort closes what a failure left open; it does no harm after finish.
func (t *truthWriter) abort() {
	for _, f := range []*os.File{t.nodes.file, t.attended.file, t.exposures.file, t.begun.file, t.payments.file, t.accruals.file, t.effects.file, t.planted.file, t.damaged.file} {
		f.Close()
	}
}

func (t *truthWriter) rows() map[string]int64 {
	return map[string]int64{
		"node": t.nodes.n, "attendance": t.attended.n, "exposure": t.exposures.n, "subscription": t.begun.n, "payment": t.payments.n, "accrual": t.accruals.n, "effect": t.effects.n,
		"planted": t.planted.n, "damaged": t.damaged.n,
	}
}

// The tables of the truth, in the order of their rows in the files.
func readSheet[T any](dir, name string) ([]T, error) {
	rows, err := parquet.ReadFile[T](filepath.Join(dir, "truth", name+".parquet"))
	if err != nil {
		return nil, fmt.Errorf("world %s: truth: %s: %w", dir, name, err)
	}
	return rows, nil
}

// ReadNodes reads DIR/truth/node.parquet of a world; the others below read theirs.
func ReadNodes(dir string) ([]Node, error) { return readSheet[Node](dir, "node") }

// ReadAttendance reads who used devices without an account.
func ReadAttendance(dir string) ([]Attendance, error) {
	return readSheet[Attendance](dir, "attendance")
}

// ReadExposures reads the units of the experiment.
func ReadExposures(dir string) ([]TrueExposure, error) {
	return readSheet[TrueExposure](dir, "exposure")
}

// ReadSubscriptions reads the subscriptions that were begun.
func ReadSubscriptions(dir string) ([]TrueSubscription, error) {
	return readSheet[TrueSubscription](dir, "subscription")
}

// ReadPayments reads the succeeded charges and what they should bring.
func ReadPayments(dir string) ([]Payment, error) { return readSheet[Payment](dir, "payment") }

// ReadAccruals reads what the bank accrued, with what is wrong about it.
func ReadAccruals(dir string) ([]TrueAccrual, error) { return readSheet[TrueAccrual](dir, "accrual") }

// ReadEffects reads the injected effects.
func ReadEffects(dir string) ([]TrueEffect, error) { return readSheet[TrueEffect](dir, "effect") }

// ReadPlanted reads the personal values that the sources show.
func ReadPlanted(dir string) ([]Planted, error) { return readSheet[Planted](dir, "planted") }

// ReadDamaged reads which records were made unreadable.
func ReadDamaged(dir string) ([]Damaged, error) { return readSheet[Damaged](dir, "damaged") }
