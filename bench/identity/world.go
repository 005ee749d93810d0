package identity

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
)

// graphWorld is a graph of identifiers as a cinema's sources show it, by blocks: nodes that belong together have numbers
// near each other.
type graphWorld struct {
	r     *rand.Rand
	types []uint8
	a, b  []uint32
	class []uint8
	first []int64
	names map[string]uint8
}

// newGraphWorld invents so many edges, the same for the same number.
//
// A household has one to five people (Eurostat 2017), of whom the first has an account and others have one in 35 of 100
// cases; 4 in 100 accounts are somebody's second. An account has an e-mail address, mostly a phone, perhaps a card, a CRM
// contact, apps, and cookies of which a third are lost every month; two households in three have a television that its
// accounts log in to, and some share browser, card and phone. One account in a hundred was used on a kiosk. Beside them
// there are contacts in the CRM that never registered: an address, and perhaps a cookie.
func newGraphWorld(edges int) *graphWorld {
	w := &graphWorld{r: rand.New(rand.NewPCG(13, uint64(edges))), names: map[string]uint8{}}
	for i, t := range graph.DefaultRules().Types {
		w.names[t.Name] = uint8(i)
	}
	w.a, w.b = make([]uint32, 0, edges+64), make([]uint32, 0, edges+64)
	w.class, w.first = make([]uint8, 0, edges+64), make([]int64, 0, edges+64)
	kiosks := make([]uint32, 1+edges/100_000)
	for i := range kiosks {
		kiosks[i] = w.node(table.TypeBrowser)
	}
	for len(w.a) < edges {
		w.household(kiosks)
		for w.chance(0.68) {
			contact, email := w.node(table.TypeCRM), w.node(table.TypeEmail)
			w.link(contact, email, table.RuleTyped)
			if w.chance(0.1) {
				w.link(contact, w.node(table.TypeCookie), table.RuleCookie)
			}
		}
	}
	w.a, w.b, w.class, w.first = w.a[:edges], w.b[:edges], w.class[:edges], w.first[:edges]
	return w
}

func (w *graphWorld) chance(p float64) bool { return w.r.Float64() < p }

func (w *graphWorld) node(t string) uint32 {
	w.types = append(w.types, w.names[t])
	return uint32(len(w.types) - 1)
}

func (w *graphWorld) link(a, b uint32, class uint8) {
	w.a, w.b, w.class = append(w.a, a), append(w.b, b), append(w.class, class)
	w.first = append(w.first, 1_780_000_000+w.r.Int64N(90*86400))
}

func (w *graphWorld) household(kiosks []uint32) {
	people := 1
	for people < 5 && w.chance([]float64{0, 0.664, 0.52, 0.55, 0.3}[people]) {
		people++
	}
	var accounts []uint32
	var phone, card uint32
	for p := range people {
		for p == 0 && len(accounts) == 0 || w.chance(0.04) || len(accounts) == p && p > 0 && w.chance(0.35) {
			account := w.node(table.TypeAccount)
			if len(accounts) == 0 || w.chance(0.9) {
				phone, card = w.node(table.TypePhone), w.node(table.TypeCard)
			}
			w.account(account, phone, card)
			accounts = append(accounts, account)
			if w.chance(0.01) {
				w.link(account, kiosks[w.r.IntN(len(kiosks))], table.RuleShared)
			}
		}
	}
	for _, device := range []struct {
		kind  string
		share float64
	}{{table.TypeTV, 0.3}, {table.TypeBrowser, 0.06}} {
		if w.chance(device.share) {
			d := w.node(device.kind)
			for _, account := range accounts {
				w.link(account, d, table.RuleShared)
			}
		}
	}
}

// account links what an account has. A phone or card that it does not use stays without a link.
func (w *graphWorld) account(account, phone, card uint32) {
	email := w.node(table.TypeEmail)
	w.link(account, email, table.RuleVerified)
	if w.chance(0.4) {
		w.link(account, phone, table.RuleAccount)
	}
	if w.chance(0.2) {
		w.link(account, card, table.RuleCard)
		if w.chance(0.3) {
			client := w.node(table.TypeBankClient)
			w.link(client, card, table.RuleAccount)
			w.link(client, phone, table.RuleAccount)
		}
	}
	if w.chance(0.25) {
		contact := w.node(table.TypeCRM)
		w.link(contact, email, table.RuleTyped)
		if w.chance(0.4) {
			w.link(contact, phone, table.RuleTyped)
		}
	}
	if w.chance(0.3) {
		w.link(account, w.node(table.TypeApp), table.RuleApp)
	}
	for p := 0.4; w.chance(p); p = 0.31 {
		w.link(account, w.node(table.TypeCookie), table.RuleCookie)
	}
}

// key is a node's identifier: 128 bits that look like a hash, different for different nodes.
func key(node uint32) (id identifier.ID) {
	mix := func(x uint64) uint64 { // the finaliser of SplitMix64, a bijection
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		return x ^ x>>31
	}
	binary.BigEndian.PutUint64(id[:8], mix(uint64(node)+0x9e3779b97f4a7c15))
	binary.BigEndian.PutUint64(id[8:], mix(uint64(node)^0x5851f42d4c957f2d))
	return id
}

// uuidEdge and textEdge are rows of the file of edges.
type uuidEdge struct {
	Left  identifier.ID `parquet:"left,uuid"`
	Right identifier.ID `parquet:"right,uuid"`
	edgeColumns
}

type textEdge struct {
	Left  string `parquet:"left"`
	Right string `parquet:"right"`
	edgeColumns
}

type edgeColumns struct {
	LeftType  string `parquet:"left_type,dict"`
	RightType string `parquet:"right_type,dict"`
	Rule      int32  `parquet:"rule,dict"`
	Source    string `parquet:"source,dict"`
	First     int64  `parquet:"first_ts"`
	Last      int64  `parquet:"last_ts"`
}

// writeGraph writes the graph in one form: its edges in random order with keys as "uuid" or as "text", or, for whoever
// starts at numbers, the same as arrays, "numbers". Its arguments are the folder, how many edges, and the form.
func writeGraph(_ context.Context, args []string) error {
	dir, form := args[0], args[2]
	edges, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	w := newGraphWorld(edges)
	types := graph.DefaultRules().Types
	columns := func(i int) edgeColumns {
		return edgeColumns{types[w.types[w.a[i]]].Name, types[w.types[w.b[i]]].Name, int32(w.class[i]), "product_login", w.first[i], w.first[i] + 60}
	}
	switch form {
	case "uuid":
		return writeEdges(dir, form, w.r.Perm(edges), func(i int) uuidEdge { return uuidEdge{key(w.a[i]), key(w.b[i]), columns(i)} })
	case "text":
		return writeEdges(dir, form, w.r.Perm(edges), func(i int) textEdge {
			return textEdge{key(w.a[i]).String(), key(w.b[i]).String(), columns(i)}
		})
	}
	return writeNumbers(dir, w)
}

func writeEdges[R any](dir, form string, order []int, row func(i int) R) error {
	f, err := os.Create(filepath.Join(dir, "unfinished"))
	if err != nil {
		return err
	}
	out := parquet.NewGenericWriter[R](f, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(1<<18))
	rows := make([]R, 0, 1<<13)
	for n, i := range order {
		rows = append(rows, row(i))
		if len(rows) == cap(rows) || n == len(order)-1 {
			if _, err := out.Write(rows); err != nil {
				return errors.Join(err, f.Close())
			}
			rows = rows[:0]
		}
	}
	if err := errors.Join(out.Close(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, form+".parquet"))
}

// writeNumbers writes the graph by numbers: those of the blocks as they are, and those of a random numbering, in which
// the edges stand in random order too.
func writeNumbers(dir string, w *graphWorld) error {
	a, b := make([]uint32, len(w.a)), make([]uint32, len(w.b))
	class, first, types := make([]uint8, len(w.a)), make([]int64, len(w.a)), make([]uint8, len(w.types))
	numbers := w.r.Perm(len(w.types))
	for from, to := range numbers {
		types[to] = w.types[from]
	}
	for to, from := range w.r.Perm(len(w.a)) {
		a[to], b[to] = uint32(numbers[w.a[from]]), uint32(numbers[w.b[from]])
		class[to], first[to] = w.class[from], w.first[from]
	}
	for name, data := range map[string]any{
		"a.blocks": w.a, "b.blocks": w.b, "class.blocks": w.class, "first.blocks": w.first, "types.blocks": w.types,
		"a.shuffled": a, "b.shuffled": b, "class.shuffled": class, "first.shuffled": first, "types.shuffled": types,
	} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if err := errors.Join(binary.Write(f, binary.LittleEndian, data), f.Close()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return os.WriteFile(filepath.Join(dir, "numbers"), nil, 0o600)
}
