package stitch

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

// lines splits a small file, written with spaces for commas.
func lines(text string) (rows [][]string) {
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 0 {
			rows = append(rows, f)
		}
	}
	return rows
}

func TestProfiles(t *testing.T) {
	t.Parallel()
	// Two accounts with a television, of whom the second logged in first; a phone that both of them have, and e-mails.
	const family = `
		a1 account e1 email 0 product_user 100 900
		a2 account e2 email 0 product_user 200 900
		a1 account p  phone 1 product_user 300 900
		a2 account p  phone 1 product_user 400 900
		a1 account tv tv    6 product_login 510 900
		a2 account tv tv    6 product_login 500 900`
	for name, c := range map[string]struct {
		edges   string
		groups  []string // profiles, their nodes in order
		refused map[string]int64
		shared  int64
	}{
		"a family": {family, []string{"a1 e1 p", "a2 e2 tv"}, map[string]int64{"limit_account": 1, "bridge": 1}, 0},
		"one shown as a cookie too": { // and as a browser that several use, which counts: its cap is 6
			`a1 account c cookie 5 s 1 2
			a2 account c cookie 5 s 2 2
			a3 account c browser 6 s 3 3
			a4 account c cookie 5 s 4 4`, []string{"a1 c", "a2", "a3", "a4"}, map[string]int64{"bridge": 3}, 0},
		"beyond the cap": {
			`a1 account c cookie 5 s 1 2
			a2 account c cookie 5 s 2 2
			a3 account c cookie 5 s 3 3
			a4 account c cookie 5 s 4 4`, []string{"a1", "a2", "a3", "a4", "c"}, map[string]int64{"shared_right": 4}, 1},
		"a folded address": {"a account f email_folded 2 s 1 1", []string{"a", "f"}, map[string]int64{"outside": 1}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows := lines(c.edges)
			for range 4 { // in any order
				m, r := stitched(t, save(t, "e.csv", csvOf(typedHeader, rows)), Options{Workers: 2})
				want := map[string]string{}
				for _, g := range c.groups {
					for node := range strings.FieldsSeq(g) {
						want[node], _, _ = strings.Cut(g, " ")
					}
				}
				if !reflect.DeepEqual(m, want) || !reflect.DeepEqual(r.Refused, c.refused) || r.Shared != c.shared || !r.Profiles {
					t.Fatalf("%v\n%+v", m, r)
				}
				rand.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			}
			plain, r := stitched(t, save(t, "e.csv", csvOf(typedHeader, rows)), Options{Plain: true})
			var pairs [][]string
			for _, row := range rows {
				pairs = append(pairs, []string{row[0], row[2]})
			}
			if !reflect.DeepEqual(plain, components(pairs)) || r.Profiles {
				t.Errorf("plain: %v", plain)
			}
		})
	}
}

// Times are the same however they are written, and rules, too.
func TestTimes(t *testing.T) {
	t.Parallel()
	type edge[R, T any] struct {
		Left      string `parquet:"left"`
		LeftType  string `parquet:"left_type,dict"`
		Right     string `parquet:"right"`
		RightType string `parquet:"right_type,dict"`
		Rule      R      `parquet:"rule"`
		First     T      `parquet:"first_ts"`
		Last      T      `parquet:"last_ts"`
	}
	type millis struct {
		Left      string    `parquet:"left,dict"`
		LeftType  *string   `parquet:"left_type"`
		Right     string    `parquet:"right"`
		RightType string    `parquet:"right_type"`
		Rule      int32     `parquet:"rule,dict"`
		First     time.Time `parquet:"first_ts,timestamp(millisecond)"`
		Last      time.Time `parquet:"last_ts,timestamp(nanosecond)"`
	}
	// The television is of whose link is older: by half a second, before 1970.
	account := "account"
	at := []time.Time{time.Unix(-7, 500e6), time.Unix(-7, 0)}
	var texts []edge[string, string]
	var seconds []edge[int64, int64]
	var stamps []millis
	var rows [][]string
	for i, a := range []string{"a1", "a2"} {
		text := at[i].UTC().Format(time.RFC3339Nano)
		texts = append(texts, edge[string, string]{a, account, "tv", "tv", "6", text, text})
		seconds = append(seconds, edge[int64, int64]{a, account, "tv", "tv", 6, at[i].Unix() - int64(i), at[i].Unix()})
		stamps = append(stamps, millis{a, &account, "tv", "tv", 6, at[i], at[i]})
		rows = append(rows, []string{a, account, "tv", "tv", "6", "s", fmt.Sprintf("-%.1f", 6.5+float64(i)/2), text})
	}
	for name, file := range map[string][]byte{
		"texts": parquetOf(t, texts), "seconds": parquetOf(t, seconds), "timestamps": parquetOf(t, stamps), "csv": csvOf(typedHeader, rows),
	} {
		m, _ := stitched(t, save(t, "e", file), Options{Workers: 2})
		if want := map[string]string{"a1": "a1", "a2": "a2", "tv": "a2"}; !reflect.DeepEqual(m, want) {
			t.Errorf("%s: %v", name, m)
		}
	}
}

// In Parquet, too, an error names the row.
func TestBadRows(t *testing.T) {
	t.Parallel()
	type edge struct {
		Left      *string `parquet:"left"`
		LeftType  string  `parquet:"left_type"`
		Right     string  `parquet:"right"`
		RightType string  `parquet:"right_type"`
		Rule      int64   `parquet:"rule"`
		First     int64   `parquet:"first_ts"`
		Last      int64   `parquet:"last_ts"`
	}
	for name, c := range map[string]struct {
		spoil func(*edge)
		says  string
	}{
		"no node":     {func(e *edge) { e.Left = nil }, "row 251: left: empty"},
		"a type":      {func(e *edge) { e.RightType = "mail" }, `row 251: right_type: type "mail"`},
		"a rule":      {func(e *edge) { e.Rule = -1 }, "row 251: rule"},
		"micros":      {func(e *edge) { e.First, e.Last = 1.6e15, 1.6e15 }, "row 251: first_ts"},
		"two types":   {func(e *edge) { e.RightType = "phone" }, "row 251: right: type phone, but the identifier is of another in row 1: email"},
		"end, before": {func(e *edge) { e.Last = 0 }, "row 251: last_ts"},
	} {
		rows := make([]edge, 400) // of several row groups
		for i := range rows {
			left := fmt.Sprint("a", i)
			rows[i] = edge{&left, "account", "e", "email", 0, 1, 2}
			if i > 0 {
				rows[i].Right = fmt.Sprint("e", i)
			}
		}
		rows[250].Right = "e"
		c.spoil(&rows[250])
		rows[350].Rule = 99
		if name == "two types" {
			rows[350].Rule = 0
		}
		_, err := Run(t.Context(), Options{Edges: save(t, "e.parquet", parquetOf(t, rows)), Out: t.TempDir() + "/m.csv", Workers: 2, Now: time.Now})
		if err == nil || !strings.Contains(err.Error(), "e.parquet "+c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
