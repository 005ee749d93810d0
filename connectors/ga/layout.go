package ga

import (
	"fmt"

	"cloud.google.com/go/bigquery"

	"crosslift/connectors"
)

// What of an event is used; each is a text, nil where the export has NULL.
const (
	unused = iota
	eventName
	eventTimestamp
	bundleSequence
	batchEvent
	batchPage
	batchOrdering
	userID
	pseudoID
	analyticsStorage
	platformName
	countryName
	firstSource
	firstMedium
	eventSource
	eventMedium
	sessionSource
	sessionMedium
	sessionManualSource
	sessionManualMedium
	eventTexts // how many

	paramKey = iota // of a parameter
	paramString
	paramInt
	paramFloat
	paramDouble
)

// used are the columns that are read, by their path.
var used = map[string]int{
	"event_name": eventName, "event_timestamp": eventTimestamp,
	"event_bundle_sequence_id": bundleSequence, "batch_event_index": batchEvent, "batch_page_id": batchPage,
	"batch_ordering_id": batchOrdering, "user_id": userID, "user_pseudo_id": pseudoID,
	"privacy_info.analytics_storage": analyticsStorage, "platform": platformName, "geo.country": countryName,
	"traffic_source.source": firstSource, "traffic_source.medium": firstMedium,
	"collected_traffic_source.manual_source": eventSource, "collected_traffic_source.manual_medium": eventMedium,
	"session_traffic_source_last_click.cross_channel_campaign.source": sessionSource,
	"session_traffic_source_last_click.cross_channel_campaign.medium": sessionMedium,
	"session_traffic_source_last_click.manual_campaign.source":        sessionManualSource,
	"session_traffic_source_last_click.manual_campaign.medium":        sessionManualMedium,
	"event_params.key": paramKey, "event_params.value.string_value": paramString, "event_params.value.int_value": paramInt,
	"event_params.value.float_value": paramFloat, "event_params.value.double_value": paramDouble,
}

// node is a column or a field of a record, and what is to be done with it.
type node struct {
	use      int
	below    []node // of a record, if any of its fields is used
	repeated bool
}

// event is a row as it was read. Its texts are valid until the next is read.
type event struct {
	texts  [eventTexts]([]byte)
	params []param
}

// param is an event's parameter: its key and the four fields of its value, by their place after paramKey.
type param [paramDouble - paramKey + 1][]byte

func (p *param) key() []byte           { return p[0] }
func (p *param) field(use int) []byte  { return p[use-paramKey] }
func (p *param) set(use int, t []byte) { p[use-paramKey] = t }

// layout is how the rows of a table are read: whole, or only the columns that are asked for.
type layout struct {
	columns     []string // that are asked for
	whole, some []node
}

// layoutOf fits what is used to a table's schema. A table without what every row needs breaks the contract.
func layoutOf(schema bigquery.Schema) (layout, error) {
	l := layout{whole: nodes(schema, "")}
	for i, n := range l.whole {
		if n.use != unused || n.below != nil {
			l.columns = append(l.columns, schema[i].Name)
			l.some = append(l.some, n)
		}
	}
	for _, name := range []string{"event_timestamp", "event_name", "user_pseudo_id", "event_params"} {
		if !hasColumn(schema, name) {
			return l, fmt.Errorf("%w: the table has no column %s: expected a GA4 export", connectors.ErrContract, name)
		}
	}
	return l, nil
}

func hasColumn(schema bigquery.Schema, name string) bool {
	for _, f := range schema {
		if f.Name == name {
			return true
		}
	}
	return false
}

func nodes(schema bigquery.Schema, path string) []node {
	list := make([]node, len(schema))
	for i, f := range schema {
		list[i] = node{use: used[path+f.Name], repeated: f.Repeated}
		if f.Type != bigquery.RecordFieldType {
			continue
		}
		for _, inner := range nodes(f.Schema, path+f.Name+".") {
			if inner.use != unused || inner.below != nil {
				list[i].below = nodes(f.Schema, path+f.Name+".")
				break
			}
		}
	}
	return list
}
