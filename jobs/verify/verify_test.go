package verify

import (
	"bytes"
	"strings"
	"testing"
)

// TestNewCheck: nothing is ok on none, and every sign means what it says.
func TestNewCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value float64
		op    string
		limit float64
		n     int64
		ok    bool
	}{
		{0, "==", 0, 5, true}, {1, "==", 0, 5, false}, {0, "==", 0, 0, false},
		{0.9, ">=", 0.8, 5, true}, {0.7, ">=", 0.8, 5, false},
		{0.1, "<=", 0.2, 5, true}, {0.3, "<=", 0.2, 5, false},
		{0, "~", 0, 5, false},
	} {
		if got := newCheck("extract", "x", c.value, c.op, c.limit, c.n); got.OK != c.ok {
			t.Errorf("%+v", got)
		}
	}
}

// TestSearch finds values wherever they begin, also across the pieces in which a file is read.
func TestSearch(t *testing.T) {
	t.Parallel()
	var s search
	for _, value := range []string{"ann.smith@gmail.com", "+79161234567", "79161234567", "short"} {
		s.add(value)
	}
	for text, found := range map[string]int{
		"":                                    0,
		"short":                               0, // too short to tell anybody
		"ann.smith@gmail.co":                  0,
		"x ann.smith@gmail.com y":             1,
		"tel:+79161234567":                    2, // as it is written, and its digits
		"ann.smith@gmail.ann.smith@gmail.com": 1,
	} {
		s.found = 0
		s.text([]byte(text))
		if s.found != found {
			t.Errorf("%q: found %d, expected %d", text, s.found, found)
		}
	}
	for _, before := range []int{0, 1<<20 - 10, 1 << 20, 3<<20 - 1} {
		s.found, s.searched = 0, 0
		file := strings.Repeat(".", before) + "ann.smith@gmail.com" + strings.Repeat(".", 100)
		if err := s.stream(bytes.NewReader([]byte(file))); err != nil || s.found != 1 || s.searched != int64(len(file)) {
			t.Errorf("behind %d bytes: %v, found %d in %d of %d bytes", before, err, s.found, s.searched, len(file))
		}
	}
}
