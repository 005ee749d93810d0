package verify

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"
	"strings"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/lake/object"
)

func TestZZ(t *testing.T) {
	dir := os.Getenv("ZZ")
	if dir == "" { t.Skip() }
	w, err := world.Open(dir + "/world")
	if err != nil { t.Fatal(err) }
	keyText, _ := os.ReadFile(os.Getenv("ZZKEY"))
	key, err := identifier.ParseKey(strings.TrimSpace(string(keyText)))
	if err != nil { t.Fatal(err) }
	zone, _ := time.LoadLocation("Europe/Moscow")
	first, _ := table.ParseDay("2026-09-01"); last, _ := table.ParseDay(os.Getenv("ZZLAST"))
	in := Input{World: w, Lake: lake.New(object.NewFolder(dir+"/lake"), t.TempDir()), Zone: zone, Key: key, From: first, To: last, Stripe: os.Getenv("ZZACC")}
	ctx := context.Background()
	p, err := in.people(ctx)
	if err != nil { t.Fatal(err) }
	profile, _ := in.profiles(ctx)
	why := map[identifier.ID]map[string]bool{}
	typ := map[identifier.ID]string{}
	linkedTo := map[identifier.ID]map[identifier.ID]string{}
	noconsent := map[identifier.ID]bool{}
	for row, err := range in.newest(ctx, table.IdentityLink) {
		if err != nil { t.Fatal(err) }
		e := row.(*table.IdentityLinkRow)
		typ[e.Left] = e.LeftType
		if e.Right.IsZero() { continue }
		if e.RightType == "consent" { continue }
		if typ[e.Right] == "" || e.RightType != "device" { typ[e.Right] = e.RightType }
		if e.Status == "no_consent" { noconsent[e.Left] = true }
		for _, x := range [][2]identifier.ID{{e.Left, e.Right}, {e.Right, e.Left}} {
			if why[x[0]] == nil { why[x[0]] = map[string]bool{}; linkedTo[x[0]] = map[identifier.ID]string{} }
			linkedTo[x[0]][x[1]] = e.Status+"/"+e.Source
		}
	}
	count := map[string]int{}
	for id, owner := range p.owner {
		ty := typ[id]
		if ty == "" { count["unseen "]++; continue }
		if ty == "account" { continue }
		if profile[id] == profile[owner] && !profile[id].IsZero() { count[ty+" ok"]++; continue }
		if s, ok := linkedTo[id][owner]; ok { count[ty+" direct "+s]++; continue }
		var parts []string
		for other, s := range linkedTo[id] { 
			parts = append(parts, typ[other]+":"+s)
		}
		k := strings.Join(parts, "|"); if len(parts) > 3 { k = "many" }
		count[ty+" no link to owner; others: "+k]++
	}
	for k, n := range count { fmt.Println(n, k) }
}
