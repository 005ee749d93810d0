package exposure_test

import (
	"testing"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/exposure"
)

var (
	nobody          = identifier.ID{}
	ann, bob        = id('a', 1), id('a', 2)
	phone, tv, pad  = id('d', 1), id('d', 2), id('d', 3)
	noon            = 12*day + 12*hour
	offered, denied = "cashback", "control"
)

// TestLinksAfterExposure: what is linked before the first exposure makes the unit; what is linked at it or later changes neither
// the unit nor its variant.
func TestLinksAfterExposure(t *testing.T) {
	t.Parallel()
	w := small("device")
	w.login(ann, phone, noon-1)
	w.saw(nobody, phone, offered, noon)
	w.saw(nobody, tv, denied, noon+hour)
	before := w.made(t)
	unit := before.unit(table.AsOfExposure, profile(ann))
	if len(before.units) != 5*2 || unit == nil || unit.Variant != offered || unit.Devices != 1 || !unit.Linked {
		t.Fatalf("before: %d units, %+v", len(before.units), unit)
	}
	w.login(ann, tv, noon+hour) // the television showed what was refused to it; now the account signs in there
	w.login(bob, phone, noon+hour)
	after := w.made(t)
	for _, u := range before.units {
		if u.Stitching != table.AsOfExposure {
			continue
		}
		if got := after.unit(u.Stitching, u.Unit); got == nil || texts(table.UnitExposure, []*table.UnitExposureRow{got})[0] != texts(table.UnitExposure, []*table.UnitExposureRow{u})[0] {
			t.Errorf("after: %+v, before: %+v", got, u)
		}
	}
	if u := after.unit(table.Latest, profile(ann)); u == nil || !u.Crossover || u.Variant != offered || u.Exposures != 2 {
		t.Errorf("under the latest stitching both are one unit: %+v", u)
	}
}

// TestFirstVariantStays: a unit keeps its first variant, and meeting another is a crossover, on whichever of its devices.
func TestFirstVariantStays(t *testing.T) {
	t.Parallel()
	w := small("device")
	w.login(ann, phone, 5*day)
	w.login(ann, tv, 6*day)
	w.saw(nobody, tv, offered, noon+hour)
	w.saw(nobody, phone, denied, noon)
	w.saw(nobody, tv, denied, noon+2*hour)
	r := w.made(t)
	u := r.unit(table.AsOfExposure, profile(ann))
	if u == nil || u.Variant != denied || !u.Crossover || u.Exposures != 3 || u.FirstExposedAt != noon || *u.ReceivedAt != noon+hour || u.Devices != 2 || u.UnitType != "group" {
		t.Errorf("as of exposure: %+v", u)
	}
	if u := r.unit(table.ByDevice, tv); u == nil || u.Variant != offered || u.UnitType != "device" || u.Devices != 1 || !u.Linked {
		t.Errorf("the television by itself: %+v", u)
	}
	if u := r.unit(table.Strict, tv); u == nil || u.Variant != offered || u.UnitType != "device" {
		t.Errorf("by strict links, which join no devices: %+v", u)
	}
	if r.counts != (exposure.Counts{Exposures: 3, Units: 1, Crossovers: 1}) {
		t.Errorf("counts: %+v", r.counts)
	}
}

// TestClaimedOnce: a device that one unit has claimed is in no other, though it is in that one's group by then, and the
// second unit gets an id of its own.
func TestClaimedOnce(t *testing.T) {
	t.Parallel()
	w := small("device")
	w.login(ann, phone, 5*day)
	w.saw(nobody, phone, offered, noon)
	w.login(ann, pad, noon+1)
	w.login(ann, tv, noon+1)
	w.saw(nobody, pad, denied, noon+hour) // its group: the account, the phone, which is claimed, and the television
	w.saw(nobody, tv, offered, noon+2*hour)
	r := w.made(t)
	first, second := profile(ann), identifier.Mint(identifier.Profile, pad, 0)
	for of, want := range map[identifier.ID]identifier.ID{phone: first, pad: second, tv: second, ann: first} {
		if got := r.owner(table.AsOfExposure, of, noon+day); got != want {
			t.Errorf("%s is of %s, want %s", of, got, want)
		}
	}
	if u := r.unit(table.AsOfExposure, second); u == nil || u.Variant != denied || !u.Crossover || u.Devices != 2 {
		t.Errorf("the second: %+v", u)
	}
	seen := map[identifier.ID]bool{}
	for _, row := range r.identifiers {
		if row.Stitching == table.AsOfExposure {
			if seen[row.Identifier] {
				t.Errorf("%s is of two units at once", row.Identifier)
			}
			seen[row.Identifier] = true
		}
	}
}

// TestOutcomesGoToOne: an account's payment is at any instant the one unit's that was exposed first among those it was linked
// to by then.
func TestOutcomesGoToOne(t *testing.T) {
	t.Parallel()
	w := small("device")
	w.meet(ann)
	w.saw(nobody, phone, offered, noon)
	w.saw(nobody, tv, denied, noon+hour)
	w.login(ann, tv, noon+2*hour) // to the television first, though the phone was exposed before it
	w.login(ann, phone, noon+5*hour)
	w.login(bob, phone, noon+3*hour)
	w.login(bob, tv, noon+4*hour) // changes nothing
	r := w.made(t)
	one, two := identifier.Mint(identifier.Profile, phone, 0), identifier.Mint(identifier.Profile, tv, 0)
	for _, c := range []struct {
		account identifier.ID
		at      table.Micros
		want    identifier.ID
	}{
		{ann, noon + 2*hour - 1, nobody}, {ann, noon + 2*hour, two}, {ann, noon + 5*hour - 1, two}, {ann, noon + 5*hour, one}, {ann, 20 * day, one},
		{bob, noon + 3*hour - 1, nobody}, {bob, noon + 3*hour, one}, {bob, noon + 4*hour, one},
	} {
		if got := r.owner(table.AsOfExposure, c.account, c.at); got != c.want {
			t.Errorf("%s at %s is of %s, want %s", c.account, c.at.Time().Format(time.DateTime), got, c.want)
		}
		by := map[identifier.ID]identifier.ID{one: phone, two: tv}[c.want]
		if got := r.owner(table.ByDevice, c.account, c.at); got != by {
			t.Errorf("%s at %s is of device %s, want %s", c.account, c.at.Time().Format(time.DateTime), got, by)
		}
	}
	for _, row := range r.identifiers {
		if row.Identifier == bob && row.Stitching == table.AsOfExposure && (row.From == nil || *row.From != noon+3*hour) {
			t.Errorf("a row that never decides: %+v", row)
		}
	}
}

// TestSharedDevices: a device beyond its cap is a unit by itself, and brings nobody's outcomes.
func TestSharedDevices(t *testing.T) {
	t.Parallel()
	w := small("device")
	for n := range 4 {
		w.login(id('a', n), tv, 3*day+table.Micros(n))
	}
	w.login(ann, phone, 3*day)
	w.saw(nobody, tv, offered, noon)
	w.saw(nobody, phone, denied, noon+1)
	r := w.made(t)
	kiosk := r.unit(table.AsOfExposure, identifier.Mint(identifier.Profile, tv, 0))
	if kiosk == nil || kiosk.Linked || kiosk.Devices != 1 {
		t.Errorf("the kiosk: %+v", kiosk)
	}
	if u := r.unit(table.AsOfExposure, profile(ann)); u == nil || u.Devices != 1 || u.Variant != denied {
		t.Errorf("the phone: %+v", u)
	}
	if owner := r.owner(table.AsOfExposure, ann, noon); owner != profile(ann) {
		t.Errorf("the account is of %s", owner)
	}
	if owner := r.owner(table.AsOfExposure, id('a', 3), 19*day); !owner.IsZero() {
		t.Errorf("whoever used the kiosk is of %s", owner)
	}
}

// TestConsent: an account that refuses analysis makes a unit where accounts are assigned, alone; where devices are assigned it
// is in none, whenever it refused.
func TestConsent(t *testing.T) {
	t.Parallel()
	for assignedBy, alone := range map[string]identifier.ID{"account": profile(ann), "device": identifier.Mint(identifier.Profile, phone, 0)} {
		w := small(assignedBy)
		w.login(ann, phone, 5*day)
		w.refuse(ann, 19*day)
		w.saw(ann, phone, offered, noon)
		r := w.made(t)
		u := r.unit(table.AsOfExposure, alone)
		if u == nil || u.Linked || u.Variant != offered {
			t.Errorf("by %s: %+v", assignedBy, u)
		}
		if owner := r.owner(table.AsOfExposure, ann, 20*day); (owner == alone) != (assignedBy == "account") {
			t.Errorf("by %s: its outcomes are of %s", assignedBy, owner)
		}
		if owner := r.owner(table.ByDevice, ann, 20*day); !owner.IsZero() {
			t.Errorf("by %s: under the stitching device its outcomes are of %s", assignedBy, owner)
		}
	}
}
