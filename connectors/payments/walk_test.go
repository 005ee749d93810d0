package payments

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestWalk follows a list that does what lists should not do.
func TestWalk(t *testing.T) {
	t.Parallel()
	of := func(objects ...string) *page {
		p := &page{HasMore: new(true)}
		for _, o := range objects {
			id, created, _ := strings.Cut(o, "@")
			p.Data = append(p.Data, json.RawMessage(fmt.Sprintf(`{"id":%q,"created":%s}`, id, created)))
		}
		return p
	}
	for name, c := range map[string]struct {
		pages []*page
		want  string // what each page brings, and where the next one begins
	}{
		"in order":        {[]*page{of("a@9", "b@8"), of("c@8", "d@7")}, "a b>b c d>d"},
		"shuffled":        {[]*page{of("b@8", "a@9"), of("d@7", "c@8")}, "b a>b d c>d"},
		"twice":           {[]*page{of("a@9", "b@8"), of("a@9", "b@8"), of("c@8")}, "a b>b >b c>c"},
		"overlapping":     {[]*page{of("a@9", "b@8"), of("b@8", "c@8")}, "a b>b c>c"},
		"the one before":  {[]*page{of("a@9"), of("b@8"), of("a@9"), of("c@7")}, "a>a b>b >b c>c"},
		"twice on a page": {[]*page{of("a@9", "a@9", "b@9")}, "a b>b"},
		"of one second":   {[]*page{of("c@9", "a@9"), of("b@9")}, "c a>a b>b"},
		"stuck":           {[]*page{of("a@9"), of("a@9"), of("a@9"), of("a@9"), of("a@9")}, "a>a >a >a >a stuck"},
		"without ids":     {[]*page{of("@9", "a@8"), of("@8")}, " a>a >a"},
	} {
		var w walk
		var got []string
		for _, p := range c.pages {
			fresh, err := w.next(p)
			if err != nil {
				got = append(got, "stuck")
				continue
			}
			var ids []string
			for _, o := range fresh {
				ids = append(ids, o.id)
			}
			got = append(got, strings.Join(ids, " ")+">"+w.after)
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s: %q, expected %q", name, text, c.want)
		}
	}
}
