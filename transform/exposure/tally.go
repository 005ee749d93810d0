package exposure

import (
	"cmp"
	"math"
	"strings"
	"sync"

	"crosslift/schemas/identifier"
)

// never is after every instant.
const never = math.MaxInt64

// none is the number of nobody.
const none = math.MaxUint32

// first is an exposure, as far as it decides a unit. It has a total order, so that of two exposures at the same instant
// the same one is the first in whatever order they are read.
type first struct {
	at                         int64
	variant, platform, country int32 // place in the definition, and numbers of texts
}

func (a *first) compare(b *first, texts *texts) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.variant, b.variant),
		texts.compare(a.platform, b.platform), texts.compare(a.country, b.country))
}

// tally is what exposures say of an identifier or a unit; the zero value is that of none.
type tally struct {
	first     first
	received  int64 // when it first met another variant than the control; never
	exposures int64
	crossover bool // it met several variants
}

// and adds another tally.
func (t *tally) and(o *tally, texts *texts) {
	switch {
	case o.exposures == 0:
		return
	case t.exposures == 0:
		*t = *o
		return
	}
	t.crossover = t.crossover || o.crossover || t.first.variant != o.first.variant
	t.exposures += o.exposures
	t.received = min(t.received, o.received)
	if o.first.compare(&t.first, texts) < 0 {
		t.first = o.first
	}
}

// texts numbers the few texts of a column, from 1; 0 is none.
type texts struct {
	mu   sync.RWMutex
	of   map[string]int32
	list []string
}

// numbers gives those of a dictionary's texts.
func (t *texts) numbers(into []int32, dictionary []string) []int32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	into = into[:0]
	for _, text := range dictionary {
		into = append(into, t.number(text))
	}
	return into
}

// number finds a text's number, or gives it one.
func (t *texts) number(text string) int32 {
	if text == "" {
		return 0
	}
	i, known := t.of[text]
	if !known {
		if t.of == nil {
			t.of = map[string]int32{}
		}
		text = strings.Clone(text) // it is a piece of a whole dictionary
		t.list = append(t.list, text)
		i = int32(len(t.list))
		t.of[text] = i
	}
	return i
}

func (t *texts) text(i int32) string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if i == 0 {
		return ""
	}
	return t.list[i-1]
}

func (t *texts) compare(i, j int32) int {
	if i == j {
		return 0
	}
	return strings.Compare(t.text(i), t.text(j))
}

// people numbers accounts or devices. Those that were exposed come first, each with its tally and, later, its group.
type people struct {
	of      map[identifier.ID]uint32
	ids     []identifier.ID
	tallies []tally
	groups  []group
}

func (p *people) number(id identifier.ID) uint32 {
	i, known := p.of[id]
	if !known {
		if p.of == nil {
			p.of = map[identifier.ID]uint32{}
		}
		i = uint32(len(p.ids))
		p.of[id], p.ids = i, append(p.ids, id)
	}
	return i
}

// find is the number of somebody who may have none.
func (p *people) find(id identifier.ID) uint32 {
	if i, known := p.of[id]; known {
		return i
	}
	return none
}

// meet adds what exposures say of somebody. It comes before all other numbering.
func (p *people) meet(id identifier.ID, t *tally, texts *texts) {
	i := p.number(id)
	if int(i) == len(p.tallies) {
		p.tallies = append(p.tallies, tally{})
	}
	p.tallies[i].and(t, texts)
}
