package facts_test

import "encoding/json"

// show is a row with what its pointers point at.
func show(row any) string {
	text, err := json.Marshal(row)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
