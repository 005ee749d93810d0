// Package identity has the parts of `bench identity` that run in processes of their own: it makes the graph, groups it, and
// tells whether two ways to group it agree.
package identity

import (
	"context"
	"encoding/json"
	"os"
	"time"

	"crosslift/jobs/stitch"
)

// Parts are called with their arguments, and write what they have to say as the last line of their output.
var Parts = map[string]func(context.Context, []string) error{
	"write-graph": writeGraph, "stitch-graph": stitchGraph, "cluster-graph": clusterGraph, "profile-graph": profileGraph,
	"night-graph": nightGraph, "lake-nights": lakeNights, "same-map": sameMap, "same-labels": sameLabels,
}

// Stitched is what stitch-graph says: the report, and the processor seconds of each of its parts.
type Stitched struct {
	*stitch.Report
	CPU []float64 `json:"cpu"`
}

// stitchGraph is `identity stitch --plain --output json`, as a part. Its arguments are the edges and the map.
func stitchGraph(ctx context.Context, args []string) error {
	var used []time.Duration // whenever the clock is looked at, which is after each part
	r, err := stitch.Run(ctx, stitch.Options{Edges: args[0], Out: args[1], Plain: true, Now: func() time.Time {
		used = append(used, processors())
		return time.Now()
	}})
	if err != nil {
		return err
	}
	s := Stitched{Report: r}
	for i := range used[1:] {
		s.CPU = append(s.CPU, (used[i+1] - used[i]).Seconds())
	}
	return json.NewEncoder(os.Stdout).Encode(s)
}
