package pgread

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
	"crosslift/schemas/table"
)

// begin opens a transaction of the product's, which has written row id.
func (b *bench) begin(id int) *sql.Tx {
	b.t.Helper()
	tx, err := b.BeginTx(context.Background(), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { tx.Rollback() })
	if _, err := tx.Exec(watched(id)); err != nil {
		b.t.Fatal(err)
	}
	return tx
}

func (b *bench) commit(tx *sql.Tx) {
	b.t.Helper()
	if err := tx.Commit(); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) inputs(s *Stream) []connectors.Input {
	b.t.Helper()
	inputs, err := s.Inputs(b.t.Context(), day)
	if err != nil {
		b.t.Fatal(err)
	}
	return inputs
}

func TestOverlapALateCommitComesWithTheNextNight(t *testing.T) {
	b := newBench(t)
	b.watch(1)
	late := b.begin(2)
	b.watch(3)
	s := b.open(viewing)
	equal(t, "the first night", ids(b.views(s)), "1 3")
	b.commit(late)
	equal(t, "the day is open for the next night", s.Restatement() >= 1, true)
	equal(t, "and is read by it whatever Inputs says", s.Versioned(), false)
	equal(t, "the next night", ids(b.views(s)), "1 2 3")
}

func TestTxALateCommitComesWithTheNextNight(t *testing.T) {
	b := newBench(t)
	b.read.Tx = "tx"
	b.watch(1)
	late := b.begin(2)
	b.watch(3) // written after the late one, and committed before it
	s := b.open(viewing)
	first := b.inputs(s)
	equal(t, "the first night: 3 waits for the one before it", ids(b.views(s)), "1")
	equal(t, "as long as nothing ends, the day is as it was", fmt.Sprint(b.inputs(s)), fmt.Sprint(first))
	b.commit(late)
	second := b.inputs(s)
	if fmt.Sprint(second) == fmt.Sprint(first) {
		t.Fatalf("Inputs does not tell that a late commit came: %v", second)
	}
	equal(t, "the next night", ids(b.views(s)), "1 2 3")
	equal(t, "nothing came since", fmt.Sprint(b.inputs(s)), fmt.Sprint(second))
}

func TestTxWhatComesBetweenPlanAndExtractWaits(t *testing.T) {
	b := newBench(t)
	b.read.Tx = "tx"
	b.watch(1)
	late := b.begin(2)
	s := b.open(viewing)
	planned := b.inputs(s)
	b.commit(late)
	b.watch(3)
	sink := sinkOf[table.ViewingRow](table.Viewing, b)
	if err := s.Extract(t.Context(), day, planned, sink); err != nil {
		t.Fatal(err)
	}
	equal(t, "the planned state", ids(sink)+" "+totals(sink), "1 rows=1 seconds=10")
	equal(t, "is no longer that of the plan of the next night", ids(b.views(s)), "1 2 3")
}

func TestTxAnUpdateThatLeavesTheStampIsSeen(t *testing.T) {
	b := newBench(t)
	b.read.Tx = "tx"
	b.Do(t, `CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.tx := pg_current_xact_id(); RETURN NEW; END'`,
		`CREATE TRIGGER stamp BEFORE UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION stamp()`)
	b.watch(1, 2)
	s := b.open(viewing)
	before := b.inputs(s)
	b.Do(t, `UPDATE watched SET seconds = 77 WHERE id = 1`)
	if fmt.Sprint(b.inputs(s)) == fmt.Sprint(before) {
		t.Error("Inputs does not tell that a row was updated")
	}
	equal(t, "its new value", b.views(s).Rows[0].Seconds, 77)
}

func TestTxAnEmptyDayHasAState(t *testing.T) {
	b := newBench(t)
	b.read.Tx = "tx"
	s := b.open(viewing)
	equal(t, "inputs", fmt.Sprint(b.inputs(s)), "[{watched tx 0}]")
	equal(t, "versioned", s.Versioned(), true)
	equal(t, "totals", totals(b.views(s)), "rows=0 seconds=0")
	for _, stale := range [][]connectors.Input{nil, {{Name: "other", SHA256: "tx 1"}}, {{Name: "watched", SHA256: "tx 1 OR true"}}} {
		contains(t, s.Extract(t.Context(), day, stale, connectorstest.Discard{}), "run again")
	}
}

// A random history of overlapping transactions, read night after night: with tx, the union of what the nights read is
// everything, although each night reads only a day whose state has changed.
func TestTxNoRowIsLostHoweverTransactionsOverlap(t *testing.T) {
	b := newBench(t)
	b.read.Tx = "tx"
	s := b.open(viewing)
	var open []*sql.Tx
	last := ""
	got := ""
	for step := range 60 {
		switch {
		case step%3 == 0 && step < 54:
			open = append(open, b.begin(1000-step))
		case step%3 == 1:
			b.watch(2000 + step)
		case len(open) > 2 || step >= 54 && len(open) > 0:
			i := (step * 7) % len(open)
			b.commit(open[i])
			open = append(open[:i], open[i+1:]...)
		}
		if step%4 == 0 || step == 59 {
			for step == 59 && len(open) > 0 {
				b.commit(open[0])
				open = open[1:]
			}
			if state := fmt.Sprint(b.inputs(s)); state != last {
				last, got = state, ids(b.views(s))
			}
		}
	}
	b.read.Tx, b.read.Overlap = "", nil
	equal(t, "rows", got, ids(b.views(b.open(viewing))))
}

func TestADayThatIsReadOnceWaitsForItsOverlap(t *testing.T) {
	b := newBench(t)
	b.read.Restatement = new(0)
	end := day.Window(time.UTC).To
	b.env.Now = func() time.Time { return end.Add(59 * time.Minute) }
	sink := sinkOf[table.ViewingRow](table.Viewing, b)
	err := extract(b, b.open(viewing), sink)
	contains(t, err, "complete from 2026-11-04T01:00:00Z on, since `restatement` is 0")
	equal(t, "ErrDown", errors.Is(err, connectors.ErrDown), true)
	b.env.Now = func() time.Time { return end.Add(time.Hour) }
	if err := extract(b, b.open(viewing), sink); err != nil {
		t.Error(err)
	}
}
