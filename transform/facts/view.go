package facts

import (
	"slices"

	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/timeline"
)

// view is the units of one experiment under one stitching.
type view struct {
	place      int // among all views
	experiment *trial
	stitching  string
	decides    bool             // exclusions and days are counted
	byDevice   bool             // an event is its device's before its account's: table.UnitIdentifierRow says when
	methods    timeline.Methods // by which it is asked who used a device; 0: not at all
	units
	measures []*measure
	values   [][]float64 // by measure: those of all units that percentiles are taken of
	from, to int64       // the bounds of all windows
}

// units are numbered in the order in which facts/unit_identifier names them: those of neighbouring accounts are neighbours, and so
// the events of a sorted object come to them in their order.
type units struct {
	ids       []identifier.ID // ascending, as the facts are to come out
	exposures []exposure      // of those with these ids
	numbers   []int32         // of those
	people    []person        // by number
}

// exposure is a unit's first one, and when it received what is being tested; never: math.MaxInt64.
type exposure struct{ first, received int64 }

// person is what of a unit is asked for with each of its hits.
type person struct {
	first int64 // exposure
	arm   int32 // place of the variant in the definition; none of a unit that is to be left out of the days
}

// newViews are the stitchings that an experiment's metrics are computed under.
func newViews(e *trial) {
	for _, m := range e.measures {
		for _, stitching := range Stitchings(e.Experiment.Experiment, m.Metric) {
			i := slices.IndexFunc(e.views, func(v *view) bool { return v.stitching == stitching })
			if i < 0 {
				i = len(e.views)
				e.views = append(e.views, &view{experiment: e, stitching: stitching, decides: stitching == table.AsOfExposure,
					byDevice: e.AssignedBy == experiment.Device || stitching == table.ByDevice, methods: methods(stitching)})
			}
			e.views[i].measures, e.views[i].values = append(e.views[i].measures, m), append(e.views[i].values, nil)
		}
	}
}

// methods are those of the timeline that a stitching takes.
func methods(stitching string) timeline.Methods {
	switch stitching {
	case table.Strict:
		return timeline.By(timeline.Session)
	case table.Loose:
		return timeline.By(timeline.Session, timeline.Span, timeline.Backfill)
	case table.AsOfExposure, table.Latest:
		return timeline.By(timeline.Session, timeline.Span)
	}
	return 0
}
