package facts

// What is kept of a unit, of what it claims, and of a span of the timeline while everything but events is read, in bytes: what
// most of it takes, while numbers are given.
const (
	perUnit  = 56
	perClaim = 68
	perSpan  = 10 // most are of devices that nobody asks for
)

// perEmitted is what a unit takes while a measure is emitted: a cell, of one view of an experiment at a time.
const perEmitted = 12

// Floor is about how many bytes the pass takes at least, whatever Memory says: for the units and identifiers that it knows.
func (in *Input) Floor() (bytes int64) {
	for _, e := range in.Experiments {
		bytes += perUnit*e.Exposures.Rows() + perClaim*e.Identifiers.Rows()
	}
	if in.Timeline != nil {
		bytes += perSpan * in.Timeline.Rows()
	}
	return bytes
}

// known is how many bytes everything takes that was read before events.
func (b *builder) known() (bytes int64) {
	for _, v := range b.views {
		each := 16 + 16 + 4 + 16 + 4 // id, exposure, number, person, rank
		for _, m := range v.measures {
			if m.ranked {
				each += 16 // a value, in a slice that has grown
			}
		}
		bytes += int64(each * len(v.ids))
	}
	for _, x := range []*index{b.accounts, b.devices} {
		bytes += int64(16*len(x.ids) + 4*len(x.slots))
	}
	for _, o := range []*owners{b.ofAccounts, b.ofDevices} {
		bytes += int64(4*len(o.first) + 16*len(o.list))
	}
	if b.users != nil {
		bytes += b.users.Bytes() + int64(4*len(b.userOf))
	}
	for _, r := range b.readings {
		if r.newest != nil {
			bytes += r.newest.bytes()
		}
	}
	return bytes
}

// groupsAtOnce is how many row groups a worker has in memory at a time, and about how many bytes those of all workers take: of what
// may be taken, an eighth, if that is enough for one each.
func (b *builder) groupsAtOnce() (groups int, bytes int64) {
	each := int64(1)
	for _, r := range b.readings {
		row := int64(16 + 8*len(r.sources)) // its time, its run, and what it counts for
		for _, day := range r.days {
			for g := range day.File.RowGroups() {
				each = max(each, row*day.File.RowGroupRows(g))
			}
		}
	}
	groups = min(max(64/b.workers, 4), 14)
	if b.Memory > 0 {
		groups = int(max(1, min(int64(groups), b.Memory/8/int64(b.workers)/each)))
	}
	return groups, each * int64(groups*b.workers)
}

// parts says in how many ranges units are to be worked: the sums of each have what is left of Memory, and at least a quarter.
func (b *builder) parts() int {
	if b.Memory <= 0 {
		return 1
	}
	bytes, most := int64(0), 1
	for _, v := range b.views {
		each := int64(perEmitted)
		for _, m := range v.measures {
			each += m.unitBytes()
		}
		bytes += each * int64(len(v.ids))
		most = max(most, len(v.ids))
	}
	_, reading := b.groupsAtOnce()
	left := max(b.Memory-b.known()-reading, b.Memory/4, 1)
	return int(min(max(1, (bytes+left-1)/left), int64(most)))
}
