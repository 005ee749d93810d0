package bigquery

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// merged gives fields with those of more that they lack, in records too.
func merged(fields, more []Field) []Field {
	if len(more) == 0 {
		return fields
	}
	all := slices.Clone(fields)
	for _, f := range more {
		i := slices.IndexFunc(all, func(known Field) bool { return known.Name == f.Name })
		if i < 0 {
			all = append(all, f)
			continue
		}
		all[i].Fields = merged(all[i].Fields, f.Fields)
	}
	return all
}

// lacking gives the fields of an object that the schema has not, as Google adds columns to its export unannounced. An
// object that cannot be read lacks none.
func lacking(object []byte, fields []Field) []Field {
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber()
	var members map[string]any
	if d.Decode(&members) != nil {
		return nil
	}
	return lackingIn(members, fields)
}

func lackingIn(members map[string]any, fields []Field) []Field {
	var more []Field
	for _, name := range slices.Sorted(maps.Keys(members)) {
		i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == name })
		if i < 0 {
			more = append(more, inferred(name, members[name]))
			continue
		}
		elements, isList := members[name].([]any)
		if !isList {
			elements = []any{members[name]}
		}
		below := Field{Name: name, Type: fields[i].Type, Mode: fields[i].Mode}
		for _, element := range elements {
			if inner, ok := element.(map[string]any); ok {
				below.Fields = merged(below.Fields, lackingIn(inner, fields[i].Fields))
			}
		}
		if below.Fields != nil {
			more = append(more, below)
		}
	}
	return more
}

// inferred is a column for a value.
func inferred(name string, value any) Field {
	f := Field{Name: name, Type: "STRING", Mode: "NULLABLE"}
	switch value := value.(type) {
	case bool:
		f.Type = "BOOLEAN"
	case json.Number:
		if f.Type = "INTEGER"; strings.ContainsAny(value.String(), ".eE") {
			f.Type = "FLOAT"
		}
	case map[string]any:
		f.Type, f.Fields = "RECORD", lackingIn(value, nil)
	case []any:
		if f.Mode = "REPEATED"; len(value) > 0 {
			element := inferred(name, value[0])
			f.Type, f.Fields = element.Type, element.Fields
		}
	}
	return f
}
