package files

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"crosslift/connectors"
	"crosslift/schemas/table"
)

// Source is the streams over one store, as a source among others.
type Source struct {
	store   Store
	streams []*Stream
	env     connectors.Env
}

var _ connectors.Source = (*Source)(nil)

// NewSource makes the source of files. Sums may be nil, so that every sum is computed.
func NewSource(mappings map[string]Mapping, store Store, sums Sums, env connectors.Env) (*Source, error) {
	s := &Source{store: store, env: env}
	for _, name := range slices.Sorted(maps.Keys(mappings)) {
		stream, err := New(sourceName+"/"+name, mappings[name], store, sums, env.Key, env.Zone)
		if err != nil {
			return nil, err
		}
		s.streams = append(s.streams, stream)
	}
	return s, nil
}

const sourceName = "files"

// Name is that of the source, not of its store.
func (s *Source) Name() string { return sourceName }

// Streams are the mappings, by name.
func (s *Source) Streams() []connectors.Stream {
	all := make([]connectors.Stream, len(s.streams))
	for i, stream := range s.streams {
		all[i] = stream
	}
	return all
}

// Check lists the root, and what each stream would read for the last business day.
func (s *Source) Check(ctx context.Context) []connectors.Finding {
	root := connectors.Finding{What: "root " + s.store.String()}
	if _, root.Problem = s.store.List(ctx, ""); root.Problem != nil {
		root.Remedy = "check sources.files.root, and who may read it"
		return []connectors.Finding{root}
	}
	findings := []connectors.Finding{root}
	yesterday := table.DayOf(s.env.Now(), s.env.Zone) - 1
	for _, stream := range s.streams {
		f := connectors.Finding{What: fmt.Sprintf("stream %s of %s", stream.name, yesterday)}
		if _, f.Problem = stream.deliveries(ctx, yesterday); f.Problem != nil {
			f.Remedy = "check the stream's path; or the day has not been delivered yet"
		}
		findings = append(findings, f)
	}
	return findings
}

// Close does nothing: files are opened for as long as they are read.
func (s *Source) Close() error { return nil }
