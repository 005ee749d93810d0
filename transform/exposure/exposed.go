package exposure

import (
	"context"
	"slices"
	"sync"

	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// exposed is who was exposed, by account and by device.
type exposed struct {
	accounts, devices people
	texts             texts
	others            bool // other experiments have exposures too

	// Exposures of the experiment, by what became of them.
	inside, early, late, future, withoutUnit int64
}

// reading gathers exposures.
type reading struct {
	*builder
	mu      sync.Mutex
	unknown map[string]int64
}

// readExposures reads the exposures of the experiment.
func (b *builder) readExposures(ctx context.Context) error {
	r := reading{builder: b, unknown: map[string]int64{}}
	if err := eachRowGroup(ctx, table.Exposure, b.Exposures, b.workers, r.rowGroup); err != nil {
		return err
	}
	return b.unknownVariant("exposures", r.unknown)
}

func (r *reading) rowGroup(g *rowGroup) error {
	names, err := g.column("experiment")
	if err != nil {
		return err
	}
	ours, others := r.ours(names)
	if others {
		r.mu.Lock()
		r.others = true
		r.mu.Unlock()
	}
	if !slices.Contains(ours, true) {
		return nil
	}
	v, err := g.columns("exposed_at", "variant", "account", "device", "platform", "country")
	if err != nil {
		return err
	}
	times, variants, accounts, devices, platforms, countries := v[0].Ints, v[1], v[2], v[3], v[4], v[5]
	var (
		declared                             = r.declared(variants)
		platform                             = r.texts.numbers(nil, platforms.Strings)
		country                              = r.texts.numbers(nil, countries.Strings)
		byAccount                            = make([]tally, len(accounts.IDs))
		byDevice                             = make([]tally, len(devices.IDs))
		from, to, end                        = r.Window.From.UnixMicro(), r.Window.To.UnixMicro(), r.End.UnixMicro()
		inside, early, late, future, without int64
		unknown                              = make([]int64, len(variants.Strings))
	)
	for row, name := range names.Index {
		if !ours[name] {
			continue
		}
		switch at := times[row]; {
		case at >= end:
			future++
			continue
		case at < from:
			early++
			continue
		case at >= to:
			late++
			continue
		}
		inside++
		account, device := accounts.Index[row], devices.Index[row]
		variant := declared[variants.Index[row]]
		if variant < 0 {
			unknown[variants.Index[row]]++
			continue
		}
		t := tally{first: first{times[row], variant, of(platform, platforms, row), of(country, countries, row)}, received: never, exposures: 1}
		if variant != r.control {
			t.received = times[row]
		}
		if account >= 0 {
			byAccount[account].and(&t, &r.texts)
		}
		if device >= 0 {
			byDevice[device].and(&t, &r.texts)
		}
		if r.kind == identifier.Account && account < 0 || r.kind == identifier.Device && device < 0 {
			without++
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inside, r.early, r.late, r.future, r.withoutUnit = r.inside+inside, r.early+early, r.late+late, r.future+future, r.withoutUnit+without
	for i, n := range unknown {
		if n > 0 {
			r.unknown[variants.Strings[i]] += n
		}
	}
	if r.kind == identifier.Account {
		r.accounts.meetAll(accounts.IDs, byAccount, &r.texts)
	}
	r.devices.meetAll(devices.IDs, byDevice, &r.texts)
	return nil
}

// meetAll adds what a row group says of the identifiers of its dictionary.
func (p *people) meetAll(ids []identifier.ID, tallies []tally, texts *texts) {
	for i := range tallies {
		if tallies[i].exposures > 0 {
			p.meet(ids[i], &tallies[i], texts)
		}
	}
}

// ours says which of a dictionary's experiments is this one, and whether there are others.
func (b *builder) ours(names *columns.Vector) (ours []bool, others bool) {
	ours = make([]bool, len(names.Strings))
	for i, name := range names.Strings {
		ours[i] = name == b.Experiment.Name
		others = others || !ours[i]
	}
	return ours, others
}

// declared gives the places of a dictionary's variants in the definition, −1 of one that it does not have.
func (b *builder) declared(variants *columns.Vector) []int32 {
	places := make([]int32, len(variants.Strings))
	for i, name := range variants.Strings {
		places[i] = b.place(name)
	}
	return places
}

func (b *builder) place(variant string) int32 {
	return int32(slices.IndexFunc(b.Experiment.Variants, func(v experiment.Variant) bool { return v.Name == variant }))
}

// of is what a row's text is mapped to, 0 where it has none.
func of(numbers []int32, v *columns.Vector, row int) int32 {
	if at := v.Index[row]; at >= 0 {
		return numbers[at]
	}
	return 0
}
