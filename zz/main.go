package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/night"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/lake"
)

var N, crosses uint64

func mix(x uint64) uint64 { x ^= x >> 33; x *= 0xff51afd7ed558ccd; x ^= x >> 33; x *= 0xc4ceb9fe1a85ec53; return x ^ x>>33 }

// id of the idx-th identifier of kind k in order
func id(k, idx uint64) (d identifier.ID) {
	step := ^uint64(0) / (N + 1)
	binary.BigEndian.PutUint64(d[:], idx*step+mix(idx*31+k)%step)
	binary.BigEndian.PutUint64(d[8:], mix(idx*77+k+1))
	return d
}

var odd = []uint64{1, 7368787, 15485863, 32452843, 49979687, 67867967}

func perm(k, p uint64) uint64 { return p * odd[k] % N }
func inv(k uint64) uint64 { // modular inverse of odd[k] mod N
	a, b := int64(odd[k]%N), int64(N)
	x0, x1 := int64(1), int64(0)
	for b != 0 { q := a / b; a, b = b, a%b; x0, x1 = x1, x0-q*x1 }
	return uint64((x0%int64(N) + int64(N)) % int64(N))
}

func write(root string, t *table.Table, each func(add func(any))) {
	begun := time.Now()
	p := filepath.Join(root, lake.Partition{Table: t, Day: day}.Key())
	os.MkdirAll(filepath.Dir(p), 0o755)
	f, err := os.Create(p)
	check(err)
	w, c := columns.NewWriter(f, t), columns.NewCodec(t)
	var buf []byte
	each(func(row any) { buf, err = c.Append(buf[:0], row); check(err); check(w.Write(buf)) })
	s, err := w.Close(func(s columns.Summary) map[string]string {
		rec, _ := json.Marshal(lake.Recipe{Job: "identity", Tables: lake.Tables(append(night.Tables(), table.DeviceTimeline)...)})
		cnt, _ := json.Marshal(lake.Counts{Written: s.Rows}); sums, _ := json.Marshal(s.Sums)
		return map[string]string{"crosslift.content": s.Content, "crosslift.recipe": string(rec), "crosslift.counts": string(cnt), "crosslift.sums": string(sums)}
	})
	check(err)
	fi, _ := f.Stat(); f.Close()
	fmt.Println(t, s.Rows, fi.Size(), time.Since(begun))
}
func check(err error) { if err != nil { panic(err) } }
var day, _ = table.ParseDay("2026-09-07")

func main() {
	root := os.Args[1]
	N, _ = strconv.ParseUint(os.Args[2], 10, 64) // people
	crosses = N / 5
	types := []struct{ name string; k uint64 }{{"account", 0}, {"app", 1}, {"cookie", 2}, {"email", 3}, {"phone", 4}}
	prof := func(p uint64) identifier.ID { return id(50, perm(5, p)) }
	at := table.Micros(day) * 86400e6
	write(root, table.ProfileIdentifier, func(add func(any)) {
		for _, st := range []string{"latest", "strict"} {
		for _, t := range types {
			if st == "strict" && t.name != "account" && t.name != "email" && t.name != "phone" { continue }
			back := inv(t.k)
			for i := range N {
				p := i * back % N
				r := table.ProfileIdentifierRow{Stitching: st, IdentifierType: t.name, Identifier: id(t.k, i), Profile: prof(p), ValidFrom: at - table.Micros(mix(i)%1e12)}
				if st == "latest" { r.Block = id(0, p) }
				add(&r)
			}
		}
		}
	})
	write(root, table.IdentityLink, func(add func(any)) {
		link := func(block identifier.ID, p uint64, right identifier.ID, rt string, rule int64, status string) {
			n := int64(3)
			f := at - table.Micros(mix(p)%1e12)
			add(&table.IdentityLinkRow{Block: block, Left: id(0, p), LeftType: "account", Right: right, RightType: rt, Rule: rule, Source: "product_login", FirstAt: f, LastAt: at, Count: n, Status: status, SealedFirstAt: &f, SealedLastAt: &at, SealedCount: &n})
		}
		for i := range crosses { link(identifier.ID{}, i*5, id(60, mix(i)%(N/20)), "tv", 6, "shared_right") }
		for p := range N {
			link(id(0, p), p, id(1, perm(1, p)), "app", 4, "linked")
			link(id(0, p), p, id(2, perm(2, p)), "cookie", 5, "linked")
			link(id(0, p), p, id(3, perm(3, p)), "email", 0, "linked")
			link(id(0, p), p, id(4, perm(4, p)), "phone", 1, "linked")
		}
	})
	write(root, table.IdentityRefused, func(add func(any)) {
		for i := range crosses { add(&table.IdentityRefusedRow{Left: id(0, i*5), LeftType: "account", Right: id(60, mix(i)%(N/20)), RightType: "tv", Rule: 6, Source: "product_login", FirstAt: at, Reason: "shared_right", LeftProfile: prof(i * 5)}) }
	})
	back := inv(5)
	one := int64(0)
	write(root, table.Profile, func(add func(any)) { for i := range N { p := i * back % N; add(&table.ProfileRow{Profile: id(50, i), Anchor: id(0, p), AnchorType: "account", Status: "current", Account: id(0, p), Identifiers: 5, Devices: 2, FirstAt: &at, WeakestRule: &one}) } })
	write(root, table.Person, func(add func(any)) { for i := range N { add(&table.PersonRow{Profile: id(50, i), Person: id(70, mix(i)%N), Profiles: 1}) } })
	write(root, table.Household, func(add func(any)) { for i := range N { add(&table.HouseholdRow{Profile: id(50, i), Household: id(71, mix(i)%N), Profiles: 1}) } })
	none := func(func(any)) {}
	write(root, table.IdentityChange, func(add func(any)) { for i := range N / 100 { add(&table.IdentityChangeRow{Level: "profile", Kind: "minted", To: id(50, i*100)}) } })
	write(root, table.IdentityQuality, none)
	write(root, table.DeviceTimeline, func(add func(any)) { for i := range N { add(&table.DeviceTimelineRow{Device: id(1, i), From: at, To: at + 1e9, Account: id(0, i), Profile: id(50, i), Method: "span", Confidence: 1}) } })
	for _, p := range []uint64{1, N / 3, N - 2, N/5*3/5*5} { fmt.Println("account", id(0, p), "app", id(1, perm(1, p)), "phone", id(4, perm(4, p))) }
	fmt.Println("tv", id(60, mix(7)%(N/20)))
}
