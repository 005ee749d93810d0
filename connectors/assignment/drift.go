package assignment

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"

	"crosslift/connectors"
)

// drift announces the fields of lines that the settings do not name, each once.
type drift struct {
	known map[string]bool // dotted paths
	sink  connectors.Sink
}

func newDrift(l *Logs, sink connectors.Sink) *drift {
	d := &drift{known: map[string]bool{l.Override: true}, sink: sink}
	for _, path := range l.Fields {
		d.known[path] = true
	}
	return d
}

// line looks at a line; one that is no object has been rejected.
func (d *drift) line(raw []byte) {
	var object map[string]any
	if json.Unmarshal(raw, &object) == nil {
		d.object("", object)
	}
}

func (d *drift) object(prefix string, object map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(object)) {
		path := prefix + name
		if d.known[path] {
			continue
		}
		if inner, ok := object[name].(map[string]any); ok && len(inner) > 0 {
			d.object(path+".", inner)
			continue
		}
		d.known[path] = true
		if !plainPath.MatchString(path) {
			path = "(unprintable)"
		}
		d.sink.Unclassified(path)
	}
}

// plainPath matches what cannot hold anything but names.
var plainPath = regexp.MustCompile(`^[A-Za-z0-9_.]{1,64}$`)
