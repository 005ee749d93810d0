package crm

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/rest"
)

// maxSkew is how far the clocks may be apart before changes are missed or read too early.
const maxSkew = time.Minute

// Check tries a page of each stream.
func (s *source) Check(ctx context.Context) []connectors.Finding {
	var all []connectors.Finding
	for _, st := range s.streams {
		all = append(all, st.(*stream).check(ctx))
	}
	clock := connectors.Finding{What: "clock"}
	if ahead, known := s.client.Skew(); known && ahead.Abs() > maxSkew {
		clock.Problem = fmt.Errorf("HubSpot's clock is %s ahead of ours", ahead)
		clock.Remedy = "Synchronise this machine's clock (NTP)."
	}
	return append(all, clock)
}

// check reads the first objects of a stream against its contract. A property that HubSpot does not know is missing from
// its answer, where one that is not set is null.
func (s *stream) check(ctx context.Context) connectors.Finding {
	f := connectors.Finding{What: "stream " + s.object}
	unknown := &fields{}
	r, decode := newReader(s, unknown), s.decode(s)
	wanted := s.properties()
	missing := map[string]int{}
	objects, broken, reason := 0, 0, ""
	q := url.Values{"limit": {text(maxBatch)}, "properties": {strings.Join(wanted, ",")}}
	_, err := s.source.client.Read(ctx, rest.Request{Path: s.source.config.objects(s.object), Query: q, Array: "results"},
		func(v rest.Value) error {
			objects++
			var has []string
			for name := range v.Get("properties").Members() {
				has = append(has, string(name))
			}
			for _, name := range wanted {
				if !slices.Contains(has, name) {
					missing[name]++
				}
			}
			o := r.read(v, len(s.slots))
			row, problem := any(nil), "it has no id or no time"
			if o.id != "" && o.dated {
				row, problem = decode.row(&o)
			}
			if problem == "" {
				if err := s.table.Check(row); err != nil {
					problem = err.Error()
				}
			}
			if problem != "" {
				broken, reason = broken+1, problem
			}
			return nil
		})
	var refused *rest.Error
	switch {
	case errors.As(err, &refused) && refused.Status == 401:
		f.Problem, f.Remedy = err, "Give a service key or a private app's token that is valid as token."
	case errors.As(err, &refused) && refused.Status == 403:
		f.Problem, f.Remedy = err, "Grant the scope crm.objects."+s.object+".read to the key."
	case errors.Is(err, connectors.ErrDown):
		f.Problem, f.Remedy = err, "Check url and the network, or try again later."
	case err != nil:
		f.Problem, f.Remedy = err, "Check url and version against HubSpot's documentation."
	case broken > objects/10: // a few rows may always be bad; many are a property that means something else
		f.Problem = fmt.Errorf("%d of %d objects: %s", broken, objects, reason)
		f.Remedy = "Check which properties the settings name for " + s.object + "."
	default:
		f.Remedy, f.Problem = unknownProperties(wanted, missing, objects)
	}
	return f
}

func unknownProperties(wanted []string, missing map[string]int, objects int) (remedy string, problem error) {
	var names []string
	for _, name := range wanted {
		if objects > 0 && missing[name] == objects {
			names = append(names, name)
		}
	}
	if names == nil {
		return "", nil
	}
	return "Correct the name in the settings (in HubSpot: Settings, Properties, internal name), or leave it out.",
		fmt.Errorf("HubSpot does not know the property %s", strings.Join(names, ", "))
}

// fields is a Sink for what is not written: only unknown fields come here.
type fields struct{ connectors.Sink }

func (*fields) Unclassified(string) {}
