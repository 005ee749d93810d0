package bigquery

import (
	"encoding/json"
	"slices"
	"strings"
)

// Field is a column of a table, or a field of a record, as the service describes it.
type Field struct {
	Name   string  `json:"name"`
	Type   string  `json:"type"` // STRING, INTEGER, FLOAT, BOOLEAN or RECORD
	Mode   string  `json:"mode"` // NULLABLE or REPEATED
	Fields []Field `json:"fields,omitempty"`

	hidden bool // rows may have it, but it is not shown
}

// of gives fields of one type.
func of(kind, names string) []Field {
	var fields []Field
	for name := range strings.FieldsSeq(names) {
		fields = append(fields, Field{Name: name, Type: kind, Mode: "NULLABLE"})
	}
	return fields
}

func texts(names string) []Field    { return of("STRING", names) }
func integers(names string) []Field { return of("INTEGER", names) }
func floats(names string) []Field   { return of("FLOAT", names) }

// record gives a field that has fields.
func record(name string, fields ...[]Field) []Field {
	return []Field{{Name: name, Type: "RECORD", Mode: "NULLABLE", Fields: join(fields)}}
}

func repeated(name string, fields ...[]Field) []Field {
	return []Field{{Name: name, Type: "RECORD", Mode: "REPEATED", Fields: join(fields)}}
}

func join(lists [][]Field) []Field {
	var all []Field
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

// Columns is the schema of a daily table: the columns of the export as Google documents them, and event_dimensions,
// which older exports have.
func Columns() []Field {
	value := func(more ...[]Field) []Field {
		return record("value", append([][]Field{texts("string_value"), integers("int_value"),
			floats("float_value double_value")}, more...)...)
	}
	return join([][]Field{
		texts("event_date"), integers("event_timestamp"), texts("event_name"),
		repeated("event_params", texts("key"), value()),
		integers("event_previous_timestamp"), floats("event_value_in_usd"),
		integers("event_bundle_sequence_id event_server_timestamp_offset"),
		texts("user_id user_pseudo_id"),
		record("privacy_info", texts("analytics_storage ads_storage uses_transient_token")),
		repeated("user_properties", texts("key"), value(integers("set_timestamp_micros"))),
		integers("user_first_touch_timestamp"),
		record("user_ltv", floats("revenue"), texts("currency")),
		record("device", texts("category mobile_brand_name mobile_model_name mobile_marketing_name "+
			"mobile_os_hardware_model operating_system operating_system_version vendor_id advertising_id language "+
			"is_limited_ad_tracking"), integers("time_zone_offset_seconds"), texts("browser browser_version"),
			record("web_info", texts("browser browser_version hostname"))),
		record("geo", texts("city country continent region sub_continent metro")),
		record("app_info", texts("id version install_store firebase_app_id install_source")),
		record("traffic_source", texts("name medium source")),
		texts("stream_id platform"),
		record("event_dimensions", texts("hostname")),
		record("ecommerce", integers("total_item_quantity"), floats("purchase_revenue_in_usd purchase_revenue "+
			"refund_value_in_usd refund_value shipping_value_in_usd shipping_value tax_value_in_usd tax_value"),
			integers("unique_items"), texts("transaction_id")),
		repeated("items", texts("item_id item_name item_brand item_variant item_category item_category2 "+
			"item_category3 item_category4 item_category5"), floats("price_in_usd price"), integers("quantity"),
			floats("item_revenue_in_usd item_revenue item_refund_in_usd item_refund"),
			texts("coupon affiliation location_id item_list_id item_list_name item_list_index promotion_id "+
				"promotion_name creative_name creative_slot"), repeated("item_params", texts("key"), value())),
		record("collected_traffic_source", texts("manual_campaign_id manual_campaign_name manual_source manual_medium "+
			"manual_term manual_content manual_source_platform manual_creative_format manual_marketing_tactic gclid dclid "+
			"srsltid")),
		of("BOOLEAN", "is_active_user"),
		integers("batch_event_index batch_page_id batch_ordering_id"),
		record("session_traffic_source_last_click",
			record("manual_campaign", texts("campaign_id campaign_name source medium term content source_platform "+
				"creative_format marketing_tactic")),
			record("google_ads_campaign", texts("customer_id account_name campaign_id campaign_name ad_group_id ad_group_name")),
			record("cross_channel_campaign", texts("campaign_id campaign_name source medium source_platform "+
				"default_channel_group primary_channel_group"))),
		record("publisher", floats("ad_revenue_in_usd"), texts("ad_format ad_source_name ad_unit_id")),
	})
}

// intraday is the schema of a day that is still streamed: without what Google adds to the finished day.
func intraday(columns []Field) []Field {
	fields := slices.Clone(columns)
	for i := range fields {
		switch fields[i].Name {
		case "traffic_source", "user_ltv", "is_active_user":
			fields[i].hidden = true
		}
	}
	return fields
}

// visible is a schema without what is hidden.
func visible(columns []Field) []Field {
	return slices.DeleteFunc(slices.Clone(columns), func(f Field) bool { return f.hidden })
}

// selected hides the fields that a selectedFields parameter does not name. A name that is no column is reported.
func selected(columns []Field, parameter string) (fields []Field, unknown string) {
	if parameter == "" {
		return columns, ""
	}
	below := map[string][]string{}
	for path := range strings.SplitSeq(parameter, ",") {
		name, rest, _ := strings.Cut(strings.TrimSpace(path), ".")
		below[name] = append(below[name], rest)
	}
	fields = slices.Clone(columns)
	for i := range fields {
		f := &fields[i]
		paths, named := below[f.Name]
		if named && f.hidden {
			continue // and so it is left among the unknown
		}
		delete(below, f.Name)
		if f.hidden = !named; named && !slices.Contains(paths, "") { // only some of a record's fields
			if f.Fields, unknown = selected(f.Fields, strings.Join(paths, ",")); unknown != "" {
				return nil, f.Name + "." + unknown
			}
		}
	}
	for name := range below {
		return nil, name
	}
	return fields, ""
}

// projected keeps the members of an answer that a fields parameter names, as far as they lie at its top.
func projected(answer map[string]any, parameter string) map[string]any {
	if parameter == "" || parameter == "*" {
		return answer
	}
	kept := map[string]any{}
	for path := range strings.SplitSeq(parameter, ",") {
		name, _, _ := strings.Cut(strings.TrimSpace(path), "/")
		name, _, _ = strings.Cut(name, "(")
		if value, ok := answer[name]; ok {
			kept[name] = value
		}
	}
	return kept
}

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // of what this package made: never
	}
	return b
}
