package payments

// drift announces a field once.
func (x *extract) drift(field string) {
	if !x.told[field] {
		x.told[field] = true
		x.sink.Unclassified(printable(field))
	}
}

// printable is a field's name where it is one: a name may hold anything, personal data too.
func printable(field string) string {
	if len(field) > 64 {
		return "(unprintable)"
	}
	for _, c := range []byte(field) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '.' {
			return "(unprintable)"
		}
	}
	return field
}
