package exposure

import (
	"context"
	"sync"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// inquiry reads events for what they say about subjects.
type inquiry struct {
	table    *table.Table
	files    []*columns.File
	rosters  []roster
	time     string // the column that says when
	from, to int64  // what was before or from then on says nothing
	text     string // a column whose value is asked for; rows without one say nothing. "": none is
	test     test   // nil: every row says something

	// wants says whether an event of its time matters to a subject; it is asked from several goroutines. take takes what does,
	// one call at a time. Of the text the memory is a whole dictionary's.
	wants func(s uint32, at int64) bool
	take  func(s uint32, at int64, text string)
	// strangers takes the events of nobody of the first roster: with the account or device that they are by. May be nil.
	strangers func(id identifier.ID, at int64, text string)
}

// test tells which rows of a row group count. A filter is one.
type test interface {
	Bind(column func(name string) (*columns.Vector, error)) (meets func(row int) bool, err error)
}

// said is what an event said.
type said struct {
	subject uint32
	text    int32 // place in the dictionary
	at      int64
}

type stranger struct {
	id   identifier.ID
	text int32
	at   int64
}

func (b *builder) inquire(ctx context.Context, q inquiry) error {
	var mu sync.Mutex
	return eachRowGroup(ctx, q.table, q.files, b.workers, func(g *rowGroup) error {
		if low, high, ok := g.file.IntBounds(g.group, q.time); ok && (high < q.from || low >= q.to) {
			return nil
		}
		all, nobody, dictionary, err := b.heard(g, &q)
		if err != nil {
			return err
		}
		text := func(at int32) string {
			if at < 0 {
				return ""
			}
			return dictionary[at]
		}
		mu.Lock()
		defer mu.Unlock()
		for _, s := range all {
			q.take(s.subject, s.at, text(s.text))
		}
		for _, s := range nobody {
			q.strangers(s.id, s.at, text(s.text))
		}
		return nil
	})
}

// heard is what the events of a row group say.
func (b *builder) heard(g *rowGroup, q *inquiry) (all []said, nobody []stranger, dictionary []string, err error) {
	p, err := b.parties(g, q.table)
	if err != nil {
		return nil, nil, nil, err
	}
	if !p.any && q.strangers == nil {
		return nil, nil, nil, nil
	}
	times, err := g.column(q.time)
	if err != nil {
		return nil, nil, nil, err
	}
	var texts *columns.Vector
	if q.text != "" {
		if texts, err = g.column(q.text); err != nil {
			return nil, nil, nil, err
		}
		dictionary = texts.Strings
	}
	meets := func(int) bool { return true }
	if q.test != nil {
		if meets, err = q.test.Bind(g.column); err != nil {
			return nil, nil, nil, err
		}
	}
	for row, at := range times.Ints {
		if at < q.from || at >= q.to {
			continue
		}
		text := int32(-1)
		if texts != nil {
			if text = texts.Index[row]; text < 0 || dictionary[text] == "" {
				continue
			}
		}
		has, account, device := p.of(row)
		met := false
		for i := range q.rosters {
			of := q.rosters[i].of(has, account, device)
			if len(of) == 0 && (i > 0 || q.strangers == nil) {
				continue
			}
			if !met {
				if !meets(row) {
					break
				}
				met = true
			}
			if len(of) == 0 {
				if id := p.id(row, q.rosters[0].accountFirst); !id.IsZero() {
					nobody = append(nobody, stranger{id, text, at})
				}
			}
			for _, s := range of {
				if q.wants(s, at) {
					all = append(all, said{s, text, at})
				}
			}
		}
	}
	return all, nobody, dictionary, nil
}

// parties are whose the events of a row group are.
type parties struct {
	accounts, devices           *columns.Vector // nil where the table has no such column
	accountNumber, deviceNumber []uint32        // by place in the dictionary
	any                         bool            // some are of somebody known
}

func (b *builder) parties(g *rowGroup, t *table.Table) (p parties, err error) {
	for _, c := range []struct {
		name    string
		people  *people
		vector  **columns.Vector
		numbers *[]uint32
	}{{"account", &b.accounts, &p.accounts, &p.accountNumber}, {"device", &b.devices, &p.devices, &p.deviceNumber}} {
		if _, has := t.Column(c.name); !has {
			continue
		}
		if *c.vector, err = g.column(c.name); err != nil {
			return p, err
		}
		for _, id := range (*c.vector).IDs {
			n := c.people.find(id)
			*c.numbers = append(*c.numbers, n)
			p.any = p.any || n != none
		}
	}
	return p, nil
}

// of says whether a row has an account, and the numbers of its account and device.
func (p *parties) of(row int) (has bool, account, device uint32) {
	account, device = none, none
	if p.accounts != nil {
		if at := p.accounts.Index[row]; at >= 0 {
			has, account = true, p.accountNumber[at]
		}
	}
	if p.devices != nil {
		if at := p.devices.Index[row]; at >= 0 {
			device = p.deviceNumber[at]
		}
	}
	return has, account, device
}

// id is the account, or else the device, of a row; zero where it has none.
func (p *parties) id(row int, account bool) identifier.ID {
	v := p.devices
	if account {
		v = p.accounts
	}
	if v != nil {
		if at := v.Index[row]; at >= 0 {
			return v.IDs[at]
		}
	}
	return identifier.ID{}
}
