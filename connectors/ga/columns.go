package ga

import (
	"strings"

	"cloud.google.com/go/bigquery"
)

// known are the columns that the export is documented to have, a record's fields by its path.
var known = map[string]string{
	"": `app_info batch_event_index batch_ordering_id batch_page_id collected_traffic_source device ecommerce
		event_bundle_sequence_id event_date event_dimensions event_name event_params event_previous_timestamp
		event_server_timestamp_offset event_timestamp event_value_in_usd geo is_active_user items platform privacy_info
		publisher session_traffic_source_last_click stream_id traffic_source user_first_touch_timestamp user_id user_ltv
		user_properties user_pseudo_id`,
	"app_info": "firebase_app_id id install_source install_store version",
	"collected_traffic_source": `dclid gclid manual_campaign_id manual_campaign_name manual_content
		manual_creative_format manual_marketing_tactic manual_medium manual_source manual_source_platform manual_term srsltid`,
	"device": `advertising_id browser browser_version category is_limited_ad_tracking language mobile_brand_name
		mobile_marketing_name mobile_model_name mobile_os_hardware_model operating_system operating_system_version
		time_zone_offset_seconds vendor_id web_info`,
	"device.web_info": "browser browser_version hostname",
	"ecommerce": `purchase_revenue purchase_revenue_in_usd refund_value refund_value_in_usd shipping_value
		shipping_value_in_usd tax_value tax_value_in_usd total_item_quantity transaction_id unique_items`,
	"event_dimensions":   "hostname",
	"event_params":       "key value",
	"event_params.value": "double_value float_value int_value string_value",
	"geo":                "city continent country metro region sub_continent",
	"items": `affiliation coupon creative_name creative_slot item_brand item_category item_category2 item_category3
		item_category4 item_category5 item_id item_list_id item_list_index item_list_name item_name item_params item_refund
		item_refund_in_usd item_revenue item_revenue_in_usd item_variant location_id price price_in_usd promotion_id
		promotion_name quantity`,
	"items.item_params":       "key value",
	"items.item_params.value": "double_value float_value int_value string_value",
	"privacy_info":            "ads_storage analytics_storage uses_transient_token",
	"publisher":               "ad_format ad_revenue_in_usd ad_source_name ad_unit_id",
	"session_traffic_source_last_click": `cm360_campaign cross_channel_campaign dv360_campaign google_ads_campaign
		manual_campaign sa360_campaign`,
	"session_traffic_source_last_click.cross_channel_campaign": `campaign_id campaign_name default_channel_group medium
		primary_channel_group source source_platform`,
	"session_traffic_source_last_click.google_ads_campaign": `account_name ad_group_id ad_group_name campaign_id
		campaign_name customer_id`,
	"session_traffic_source_last_click.manual_campaign": `campaign_id campaign_name content creative_format
		marketing_tactic medium source source_platform term`,
	"traffic_source":        "medium name source",
	"user_ltv":              "currency revenue",
	"user_properties":       "key value",
	"user_properties.value": "double_value float_value int_value set_timestamp_micros string_value",
}

// announce tells of the columns that are not known, once each. What lies in records of which no fields are listed is
// Google's own business.
func announce(schema bigquery.Schema, told map[string]bool, tell func(string)) {
	announceBelow(schema, "", told, tell)
}

func announceBelow(schema bigquery.Schema, path string, told map[string]bool, tell func(string)) {
	names, listed := known[path]
	if !listed {
		return
	}
	prefix := path
	if path != "" {
		prefix += "."
	}
	padded := " " + strings.Join(strings.Fields(names), " ") + " "
	for _, f := range schema {
		if full := prefix + f.Name; !strings.Contains(padded, " "+f.Name+" ") && !told[full] {
			told[full] = true
			tell(shown(prefix, f.Name))
		}
		announceBelow(f.Schema, prefix+f.Name, told, tell)
	}
}
