package bigquery

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"crosslift/connectors/sandbox/world"
)

// The source and the stream whose files hold the events.
const (
	Source = "ga"
	Stream = "events"
)

// Builder writes web events as rows of the export. The zone is the property's: it decides the day that an event's row
// is filed under.
func Builder(zone *time.Location) world.Builder {
	return &builder{zone: zone, names: display.English.Regions(), countries: map[string]string{}}
}

type builder struct {
	zone      *time.Location
	names     display.Namer
	countries map[string]string
}

// Build implements world.Builder. It may not be called by several goroutines at once.
func (b *builder) Build(c *world.Chunk, to world.Writer) error {
	for i := range c.Events {
		e := &c.Events[i]
		r := world.Record{ID: key(e), At: e.At, Visible: e.Visible, Object: b.row(e)}
		if err := to.Write(Source, Stream, r); err != nil {
			return fmt.Errorf("%s/%s: %w", Source, Stream, err)
		}
	}
	return nil
}

// key tells events apart and sorts them by time. The export itself has no such key.
func key(e *world.WebEvent) string {
	return fmt.Sprintf("%016d-%s-%d-%s", e.At.UnixMicro(), e.PseudoID, e.Sequence, e.Name)
}

// object appends the members of a JSON object.
type object []byte

func (o *object) name(name string) {
	if n := len(*o); n > 0 && (*o)[n-1] != '{' && (*o)[n-1] != '[' {
		*o = append(*o, ',')
	}
	*o = append(append(append(*o, '"'), name...), '"', ':')
}

func (o *object) raw(name, value string) {
	o.name(name)
	*o = append(*o, value...)
}

// text adds a member that is null when it is empty.
func (o *object) text(name, value string) {
	if value == "" {
		o.raw(name, "null")
		return
	}
	o.name(name)
	*o = appendJSON(*o, value)
}

// integer adds a number as the export writes 64-bit ones: as text.
func (o *object) integer(name string, value int64) {
	o.raw(name, `"`+strconv.FormatInt(value, 10)+`"`)
}

func (o *object) open(name string) {
	o.name(name)
	*o = append(*o, '{')
}

func (o *object) close() { *o = append(*o, '}') }

// appendJSON writes a text as JSON, which is simple for nearly all.
func appendJSON(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return append(b, marshal(text)...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// param adds a parameter; kind is the value field that is set, and value its JSON.
func (o *object) param(key, kind, value string) {
	if n := len(*o); (*o)[n-1] != '[' {
		*o = append(*o, ',')
	}
	*o = append(*o, `{"key":`...)
	*o = appendJSON(*o, key)
	*o = append(*o, `,"value":{`...)
	for i, field := range [...]string{"string_value", "int_value", "float_value", "double_value"} {
		if i > 0 {
			*o = append(*o, ',')
		}
		*o = append(*o, `"`+field+`":`...)
		if field == kind {
			*o = append(*o, value...)
		} else {
			*o = append(*o, "null"...)
		}
	}
	*o = append(*o, '}', '}')
}

// row is an event as a row of the export in newline-JSON form.
func (b *builder) row(e *world.WebEvent) json.RawMessage {
	o := make(object, 0, 2048)
	o = append(o, '{')
	o.text("event_date", e.At.In(b.zone).Format("20060102"))
	o.integer("event_timestamp", e.At.UnixMicro())
	o.text("event_name", e.Name)
	o.name("event_params")
	b.params(&o, e)
	o.integer("event_bundle_sequence_id", e.Sequence)
	o.text("user_id", e.Account)
	o.text("user_pseudo_id", e.PseudoID)
	consent := "No"
	if e.Consent {
		consent = "Yes"
	}
	category, system, stream := platform(e.Platform)
	o.open("privacy_info")
	o.text("analytics_storage", consent)
	o.text("ads_storage", consent)
	o.text("uses_transient_token", "No")
	o.close()
	o.raw("user_properties", "[]")
	if e.SessionID > 0 && e.PseudoID != "" {
		o.integer("user_first_touch_timestamp", e.SessionID*1_000_000)
	}
	o.open("device")
	o.text("category", category)
	o.text("operating_system", system)
	o.close()
	o.open("geo")
	o.text("country", b.country(e.Country))
	o.close()
	o.open("traffic_source")
	o.text("name", "(direct)")
	o.text("medium", e.Medium)
	o.text("source", e.Source)
	o.close()
	o.text("stream_id", stream)
	o.text("platform", e.Platform)
	o.raw("items", "[]")
	o.open("collected_traffic_source")
	o.text("manual_source", e.Source)
	o.text("manual_medium", e.Medium)
	o.close()
	o.raw("is_active_user", "true")
	o.integer("batch_event_index", e.Sequence%20+1)
	o.close()
	return json.RawMessage(o)
}

// platform gives what an export has of a device of the platform, and the id of the platform's data stream.
func platform(name string) (category, system, stream string) {
	switch name {
	case "IOS":
		return "mobile", "iOS", "1000002"
	case "ANDROID":
		return "mobile", "Android", "1000003"
	}
	return "desktop", "Web", "1000001"
}

func (b *builder) params(o *object, e *world.WebEvent) {
	*o = append(*o, '[')
	if e.SessionID > 0 {
		o.param("ga_session_id", "int_value", `"`+strconv.FormatInt(e.SessionID, 10)+`"`)
		o.param("ga_session_number", "int_value", `"1"`)
	}
	if e.Page != "" {
		o.param("page_location", "string_value", string(appendJSON(nil, e.Page)))
	}
	o.param("engagement_time_msec", "int_value", `"`+strconv.FormatInt(100+e.Sequence%900, 10)+`"`)
	if e.Sequence%2 == 0 { // a key's type varies by row, as it does in real exports
		o.param("session_engaged", "string_value", `"1"`)
	} else {
		o.param("session_engaged", "int_value", `"1"`)
	}
	if e.Currency != "" {
		if e.Value == math.Trunc(e.Value) && math.Abs(e.Value) < 1e15 {
			o.param("value", "int_value", `"`+strconv.FormatInt(int64(e.Value), 10)+`"`)
		} else {
			o.param("value", "double_value", strconv.FormatFloat(e.Value, 'g', -1, 64))
		}
		o.param("currency", "string_value", string(appendJSON(nil, e.Currency)))
	}
	*o = append(*o, ']')
}

// exportNames are countries that the export calls otherwise than CLDR does.
var exportNames = map[string]string{"HK": "Hong Kong", "MO": "Macao", "TR": "Türkiye", "MK": "North Macedonia", "SZ": "Eswatini"}

// country is the English name that the export has for an ISO 3166-1 code.
func (b *builder) country(code string) string {
	if code == "" {
		return "(not set)"
	}
	name, known := b.countries[code]
	if !known {
		if name = exportNames[strings.ToUpper(code)]; name == "" {
			if region, err := language.ParseRegion(code); err == nil {
				name = b.names.Name(region)
			}
		}
		if name == "" {
			name = "(not set)"
		}
		b.countries[code] = name
	}
	return name
}
