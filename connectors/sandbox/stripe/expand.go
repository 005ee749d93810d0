package stripe

import (
	"encoding/json"
	"strings"
	"time"
)

// expandable says of which stream an id in a field is; "" goes by the id's prefix.
var expandable = map[string]map[string]string{
	"charges":              {"customer": "customers", "balance_transaction": "balance_transactions"},
	"refunds":              {"charge": "charges", "balance_transaction": "balance_transactions"},
	"disputes":             {"charge": "charges"},
	"subscriptions":        {"customer": "customers"},
	"invoices":             {"customer": "customers"},
	"invoice_payments":     {"invoice": "invoices"},
	"balance_transactions": {"source": ""},
}

var prefixes = map[string]string{"ch": "charges", "py": "charges", "re": "refunds", "pyr": "refunds", "dp": "disputes", "du": "disputes"}

func cannotExpand(path, under string) *problem {
	message := "This property cannot be expanded (" + path + ")."
	if under != "" && !strings.HasPrefix(path, under) {
		message += " You may want to try expanding '" + under + path + "' instead."
	}
	return badParameter("expand", "", message)
}

// expanded puts objects in the place of their ids.
func (s *server) expanded(stream string, e entry, expand []string, under string, now time.Time) (any, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(e.raw, &fields); err != nil {
		return nil, err
	}
	for _, path := range expand {
		field, ok := strings.CutPrefix(path, under)
		target, known := expandable[stream][field]
		if !ok || !known {
			return nil, cannotExpand(path, under)
		}
		id := plain(fields[field])
		if target == "" {
			prefix, _, _ := strings.Cut(id, "_")
			target = prefixes[prefix]
		}
		if id == "" || target == "" {
			continue
		}
		shelf, err := s.shelf(target, now)
		if err != nil {
			return nil, err
		}
		if inner, ok := shelf.find(id); ok {
			fields[field] = inner.raw
		}
	}
	return fields, nil
}
