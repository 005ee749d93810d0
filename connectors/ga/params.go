package ga

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
)

// standardParams are keys that Google's own tags send, and that are not kept unless the settings name them.
const standardParams = `affiliation batch_ordering_id batch_page_id campaign campaign_id content coupon creative_format
creative_name creative_slot dclid debug_mode discount engaged_session_event engagement_time_msec entrances error_code
error_value exception fatal file_extension file_name firebase_conversion firebase_error firebase_event_origin
firebase_previous_class firebase_previous_id firebase_previous_screen firebase_screen firebase_screen_class
firebase_screen_id first_field_id first_field_name first_field_position first_field_type form_destination form_id
form_length form_name form_submit_text ga_session_id ga_session_number gad_campaignid gad_source gbraid gclid gclsrc
ignore_referrer item_list_id item_list_name language link_classes link_domain link_id link_text link_url location_id
marketing_tactic medium message_device_time message_id message_name message_time message_type method outbound
page_location page_path page_referrer page_title payment_type percent_scrolled previous_app_version
previous_first_open_count previous_os_version product_id promotion_id promotion_name screen_resolution search_term
session_engaged shipping shipping_tier source source_platform srsltid synthetic_bundle system_app system_app_update tax
term timestamp transaction_id unique_search_term update_with_analytics validated value currency video_current_time
video_duration video_percent video_provider video_title video_url visible wbraid`

// fate is what becomes of a parameter.
type fate struct {
	slot    int // its place among those that are kept, from 1; 0: it is dropped
	special byte
}

// What else a parameter is for.
const (
	isSession byte = iota + 1
	isValue
	isCurrency
)

// params reads the parameters of an event.
type params struct {
	fates    map[string]fate
	names    []string // of those that are kept, quoted, in ascending order
	found    []*param // by slot
	announce func(string)
	told     int
	texts    memory[string] // values as JSON

	session, value, currency []byte // nil: not there
	out                      []byte
}

// maxTold is how many unknown keys an extract announces at most.
const maxTold = 1000

func newParams(c Config, announce func(string)) *params {
	p := &params{fates: map[string]fate{}, announce: announce, texts: newMemory[string](manyKept)}
	for key := range strings.FieldsSeq(standardParams) {
		p.fates[key] = fate{}
	}
	for _, key := range c.Drop {
		p.fates[key] = fate{}
	}
	kept := slices.Sorted(slices.Values(c.Params))
	for i, key := range slices.Compact(kept) {
		p.fates[key] = fate{slot: i + 1}
		quoted, _ := json.Marshal(key)
		p.names = append(p.names, string(quoted))
	}
	for key, special := range map[string]byte{"ga_session_id": isSession, "value": isValue, "currency": isCurrency} {
		f := p.fates[key]
		f.special = special
		p.fates[key] = f
	}
	p.found = make([]*param, len(p.names))
	return p
}

// read notes which parameters an event has. Of a key that comes twice the first counts.
func (p *params) read(e *event) error {
	clear(p.found)
	p.session, p.value, p.currency = nil, nil, nil
	for i := range e.params {
		one := &e.params[i]
		f, known := p.fates[string(one.key())]
		if !known {
			p.tell(string(one.key()))
			continue
		}
		if f.slot > 0 && p.found[f.slot-1] == nil {
			p.found[f.slot-1] = one
		}
		switch value := one.first(); f.special {
		case isSession:
			if p.session == nil && isDigits(value) {
				p.session = value
			}
		case isValue:
			if p.value == nil {
				p.value = value
			}
		case isCurrency:
			if p.currency == nil {
				p.currency = value
			}
		}
	}
	return nil
}

// tell announces a key once.
func (p *params) tell(key string) {
	if p.told == maxTold {
		return
	}
	p.told++
	p.fates[key] = fate{}
	p.announce(shown("event_params.", key))
}

// first gives the value of a parameter as text: a key's type varies by row, and one of the four fields is set.
func (p *param) first() []byte {
	for _, use := range [...]int{paramInt, paramDouble, paramFloat, paramString} {
		if text := p.field(use); text != nil {
			return text
		}
	}
	return nil
}

func isDigits(text []byte) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(text) > 0
}

// json writes the parameters that are kept, "" without any. NULLs and numbers that are not finite are left out.
func (p *params) json() string {
	if len(p.names) == 0 {
		return ""
	}
	b := append(p.out[:0], '{')
	for i, one := range p.found {
		if one == nil {
			continue
		}
		mark := len(b)
		if mark > 1 {
			b = append(b, ',')
		}
		b = append(append(b, p.names[i]...), ':')
		var ok bool
		if b, ok = p.append(b, one); !ok {
			b = b[:mark]
		}
	}
	p.out = b
	if len(b) == 1 {
		return ""
	}
	return string(append(b, '}'))
}

// append writes a parameter's value.
func (p *params) append(b []byte, one *param) ([]byte, bool) {
	if text := one.field(paramInt); text != nil {
		if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			return strconv.AppendInt(b, n, 10), true
		}
	}
	for _, use := range [...]int{paramDouble, paramFloat} {
		if text := one.field(use); text != nil {
			if x, err := strconv.ParseFloat(string(text), 64); err == nil && !math.IsNaN(x) && !math.IsInf(x, 0) {
				return strconv.AppendFloat(b, x, 'g', -1, 64), true
			}
		}
	}
	if text := one.field(paramString); text != nil {
		return append(b, p.texts.get(text, quoted)...), true
	}
	return b, false
}

// quoted is a text, cleaned, as JSON.
func quoted(text string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(clean(text)) != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}
