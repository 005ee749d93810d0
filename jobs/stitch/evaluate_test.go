package stitch

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"crosslift/jobs/sheet"
	"crosslift/schemas/identifier"
)

func TestEvaluate(t *testing.T) {
	t.Parallel()
	// The map glues two accounts and loses a cookie; one node is in the truth only, one in the map only.
	truth := csvOf("owner,node,type", lines(`
		1 a1 account
		1 c1 cookie
		1 e1 email
		2 a2 account
		3 a3 account
		4 gone email`))
	truth = append(truth, ",tv,tv\n"...)
	of := csvOf("node,component", lines(`
		a1 x
		e1 x
		a2 x
		c1 y
		a3 z
		tv x
		new z`))
	e, err := Evaluate(t.Context(), save(t, "truth.csv", truth), save(t, "map.csv", of))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"pairs":{"precision":{"share":0.3333333333333333,"part":1,"n":3},"recall":{"share":0.3333333333333333,"part":1,"n":3}`,
		`"account_pairs":{"precision":{"share":0,"part":0,"n":1},"recall":{"share":0,"part":0,"n":0}`,
		`"over_merged":{"share":0.6666666666666666,"part":2,"n":3}`,
		`"nodes_evaluated":5,"nodes_shared":1,"accounts_evaluated":3,"nodes_of_truth":7,"nodes_of_map":7,"missing_in_map":1,"missing_in_truth":1`,
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%s\nlacks %s", got, want)
		}
	}
	if header, rows := e.Table(); len(header) != 3 || len(rows) != 15 {
		t.Errorf("%d rows of %d", len(rows), len(header))
	}
}

// Files of different types are compared by what their nodes are.
func TestEvaluateUUIDs(t *testing.T) {
	t.Parallel()
	a, b := identifier.ID{1, 15: 2}, identifier.ID{3, 15: 4}
	type truth struct {
		Node  string `parquet:"node"`
		Type  string `parquet:"type"`
		Owner *int64 `parquet:"owner"`
	}
	owner := int64(7)
	e, err := Evaluate(t.Context(),
		save(t, "t.parquet", parquetOf(t, []truth{{a.String(), "account", &owner}, {b.String(), "email", &owner}})),
		save(t, "m.parquet", parquetOf(t, []uuidRow{{a, a}, {b, a}})))
	if err != nil {
		t.Fatal(err)
	}
	if e.Pairs.F1 != 1 || e.Pairs.Recall.N != 1 || e.NoMap+e.NoTruth != 0 {
		t.Errorf("%+v", e)
	}
}

func TestEvaluateBadInput(t *testing.T) {
	t.Parallel()
	truth, of := "node,type,owner\na,account,1\n", "node,component\na,x\n"
	for name, c := range map[string]struct{ truth, of, says string }{
		"no owner":     {"node,type\na,account\n", of, `it has no column "owner": its columns are node, type`},
		"twice":        {truth + "b,email,1\na,account,2\n", of, "t.csv line 4: the node is in line 2 too"},
		"mapped twice": {truth, of + "a,y\n", "m.csv line 3: the node is in line 2 too"},
		"no component": {truth, of + "b,\n", "m.csv line 3: component: empty"},
		"no node":      {truth + ",email,1\n", of, "t.csv line 3: node: empty"},
	} {
		_, err := Evaluate(t.Context(), save(t, "t.csv", []byte(c.truth)), save(t, "m.csv", []byte(c.of)))
		var content *sheet.ContentError
		if !errors.As(err, &content) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
