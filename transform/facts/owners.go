package facts

// owners says whose the events of identifiers are, by number, in all views: what concerns one identifier lies together.
type owners struct {
	first []uint32 // where an identifier's owners begin; two more at the end
	list  []owner  // of an identifier by view, and in a view by time
}

// owner is whose an identifier's events are in a view from an instant on, until its next owner there.
type owner struct {
	from int64
	view int32
	unit int32
}

// of gives the owners of an identifier, by its number; none of one without.
func (o *owners) of(number int32) []owner {
	at := min(uint(uint32(number)), uint(len(o.first)-2)) // the last one is nobody's
	return o.list[o.first[at]:o.first[at+1]]
}

// touch asks for the memory of owners.
func touch(of []owner) uint64 {
	if len(of) == 0 {
		return 0
	}
	return uint64(of[0].unit)
}

// newOwners puts claims, by view, to the numbers of their identifiers, of which there are so many.
func newOwners(identifiers int, of []*claims) *owners {
	o := &owners{first: make([]uint32, identifiers+2)}
	for _, c := range of {
		for _, number := range c.numbers {
			o.first[number]++
		}
	}
	total := uint32(0)
	for i, n := range o.first {
		o.first[i] = total
		total += n
	}
	o.list = make([]owner, total)
	for view, c := range of {
		for i, number := range c.numbers {
			o.list[o.first[number]] = owner{c.starts(i), int32(view), c.units[i]}
			o.first[number]++
		}
	}
	copy(o.first[1:], o.first) // each had moved to where the next one begins
	o.first[0] = 0
	return o
}
