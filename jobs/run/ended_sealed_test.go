package run

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"crosslift/jobs"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
)

// remove takes a partition out of the lake.
func (e *ended) remove(of *table.Table, day table.Day) {
	e.t.Helper()
	if err := os.Remove(filepath.Join(e.folder, lake.Partition{Table: of, Day: day}.Key())); err != nil {
		e.t.Fatal(err)
	}
}

// former gives a partition the recipe that a program with another version of its table would have given it.
func (e *ended) former(of *table.Table, day table.Day) {
	e.t.Helper()
	h, err := e.Lake.Head(e.t.Context(), lake.Partition{Table: of, Day: day})
	if err != nil {
		e.t.Fatal(err)
	}
	recipe := h.Recipe
	recipe.Tables = map[string]int{of.Path(): 0}
	draft := e.Lake.Draft(h.Partition, 1<<20) // nights are empty
	defer draft.Close()
	if _, did, err := draft.Commit(e.t.Context(), recipe, h.Counts, h); err != nil || did != lake.Recommitted {
		e.t.Fatal(did, err)
	}
}

// TestEndedIsSealed where something is no longer there that its last night was made from: what is left would make another
// one. That alone changes nothing; and on request it is made of what is there.
func TestEndedIsSealed(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		without  func(e *ended)
		lacks    string
		followed []string // by what is no part of the experiment
	}{
		"the night's identity": {func(e *ended) { e.remove(table.ProfileIdentifier, 3) }, "core/profile_identifier/dt=1970-01-04 is not there", nil},
		"its former version": {func(e *ended) { e.former(table.ProfileIdentifier, 3) },
			fmt.Sprintf("core/profile_identifier/dt=1970-01-04 has version 0, now %d", table.ProfileIdentifier.Version), nil},
		"a day": {func(e *ended) { e.remove(table.Viewing, 2) }, "raw/viewing/dt=1970-01-03 is not there", []string{"edges 2", "night 4 recommitted"}},
	} {
		e := newEnded(t)
		e.nights(2, 4)
		c.without(e)
		e.say(what + ", and nothing else")
		define("2", e.facts, e.stats)
		e.does(what+": what does not need it", stale(4), append(slices.Clone(c.followed), "facts/x 3", "stats/x 3", "publish/x 3 published")...)
		e.does(what+": by force", only(Request{From: 3, To: 3, Force: true}, "exposure/x"), "exposure/x 3 failed")
		define("3", e.exposure, e.facts, e.stats)
		lacks := c.lacks + ": `crosslift run --day 1970-01-04 --revise` makes it of what is there"
		e.say(what, "exposure/x 3 sealed: metric m changed, but "+lacks, "facts/x 3 sealed: metric m changed, but exposure/x 1970-01-04 is sealed",
			"stats/x 3 sealed: metric m changed, but exposure/x 1970-01-04 is sealed")
		e.does(what+": a nightly run", nightly(4))
		e.does(what+": only what is stale", stale(4))
		e.does(what+": its last night, on request", Request{From: 3, To: 3, Revise: true}, "exposure/x 3", "facts/x 3", "stats/x 3", "publish/x 3 published")
		e.does(what+": on request once more, by a later night", Request{From: 4, To: 4, Revise: true})
		e.say(what + ", after that")
	}

	e := newEnded(t)
	e.nights(2, 4)
	e.exposure.Logic++
	e.exposure.Reads = append(e.exposure.Reads, jobs.Read{Table: table.IdentityLink}) // by a program that makes it since night 4
	e.say("a night that never had it", "exposure/x 3 sealed: logic 1, now 2, but core/identity_link/dt=1970-01-04 is not there: "+
		"`crosslift run --day 1970-01-04 --revise` makes it of what is there")
}
