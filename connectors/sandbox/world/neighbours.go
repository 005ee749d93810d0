package world

import (
	"fmt"
	"time"
)

// Households are made one by one, and yet have to do with each other: they meet at the devices that a neighbourhood has in
// public, share an office's mailbox and the call centre's card, and have numbers and addresses that are from next door.

// How many households there are to a public device of each kind, and to an office.
const (
	neighbourhood = 128
	office        = 512
)

// nobody is who a thing is of that is there for everybody.
var nobody = &person{}

// brokenID is what a broken build sends as its device's id, wherever it is installed: the ANDROID_ID of phones with a fault
// of Android 2.2. noID is what another build sends.
const (
	brokenID = "9774d56d682e549c"
	noID     = "00000000-0000-0000-0000-000000000000"
)

// goOut has some of the account holders' visits made with devices in public, and some by a broken build.
func (h *home) goOut(d dice) {
	block := h.number / neighbourhood
	for i, kind := range [...][2]string{{"web", "web"}, {"tv", "tizen"}, {"tablet", "android"}} {
		x := mix(h.seed ^ uint64(block)<<8 ^ uint64(i) ^ 0x9b<<48)
		id := fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", x>>32, x>>16&0xffff, x&0xfff, mix(x)>>52, mix(x)&(1<<48-1))
		h.place(d, kind[0], kind[1], id, h.number%neighbourhood == 0)
	}
	h.place(d, "phone", "android", brokenID, h.number == 0)
	for i := range h.visits {
		v := &h.visits[i]
		switch {
		case v.fixed || v.account == nil || v.person.borrows != nil:
		case d.chance(publicLogin):
			v.gadget = h.places[d.pick(3, 1, 1)]
		case v.gadget.kind != "web" && d.chance(brokenDevice):
			if v.noID = d.chance(0.5); !v.noID {
				v.gadget = h.places[3]
			}
		}
	}
}

// place adds a device that is there for everybody; its row is written with the first household that may use it.
func (h *home) place(d dice, kind, platform, id string, first bool) {
	g := &gadget{kind: kind, platform: platform, model: models[platform][0], consent: true, place: id}
	h.places = append(h.places, g)
	if !first {
		return
	}
	h.node(id, "device", "", nobody, h.start.Add(-oldest), h.end)
	row := Device{ID: id, Type: kind, Platform: platform, Model: g.model, FirstSeen: h.start.Add(-oldest), Changed: h.start.Add(-oldest)}
	row.Visible = h.commit(d, row.Changed, time.Time{})
	h.c.Devices = append(h.c.Devices, row)
	row.Changed = h.start.Add(d.within(0, time.Hour))
	row.Visible = h.commit(d, row.Changed, row.Visible)
	h.c.Devices = append(h.c.Devices, row)
}

// officeAddress is the mailbox that is read by everybody in an office.
func (h *home) officeAddress() string {
	return fmt.Sprintf("info@artel-%08x.ru", uint32(mix(h.seed^uint64(h.number/office)^0x0f<<48)))
}

// callCentre is the card with which the call centre pays.
func (h *home) callCentre() *wallet {
	x := mix(h.seed ^ 0xca11<<32)
	return &wallet{holder: nobody, card: Card{Fingerprint: code(x, 11) + code(mix(x), 11)[:5], First6: "427655", Last4: "0000"}}
}

// nextDoor is the household before this one, as it moved in; nil for the first one.
func (h *home) nextDoor() *home {
	if h.number == 0 {
		return nil
	}
	return h.moveIn(h.number-1, len(householdSizes), 0, new(Chunk))
}

// livingAddress is an address that somebody next door has, "" if nobody does.
func (h *home) livingAddress() string {
	if next := h.nextDoor(); next != nil && len(next.accounts) > 0 {
		return next.accounts[0].email
	}
	return ""
}

// givesUp reports whether somebody of a household gives a phone number up, if there is an old account with one.
func (s *setting) givesUp(household int64) (dice, bool) {
	d := roll(s.seed, household, ofNumbers)
	return d, d.chance(givenUpNumber)
}

// changeNumbers lets the holder of a household's first account give up its number, and the first who is registered next
// door after that be given it. Operators let numbers lie for months; a world's nights are too few for that.
func (h *home) changeNumbers(a *account) {
	if a.kind == before {
		if d, gives := h.givesUp(h.number); gives && a == h.accounts[0] && a.phone != "" {
			a.former = mobile(h.numberOf(6))
			a.gaveUp = h.start.Add(d.within(time.Hour, min(36*time.Hour, h.entered.Sub(h.start)/6)))
		}
		return
	}
	if _, gives := h.givesUp(h.number - 1); !gives || a.second || h.given {
		return
	}
	next := h.nextDoor()
	if next == nil || len(next.accounts) == 0 || next.accounts[0].former == "" || a.registered.Before(next.accounts[0].gaveUp.Add(time.Hour)) {
		return
	}
	h.given = true
	a.person.phone, a.phone = next.accounts[0].former, next.accounts[0].former
	for _, other := range a.person.accounts {
		if other.phone != "" {
			other.phone = a.phone
		}
	}
}

// numberAt is an account's phone number at an instant, "" when it has not given any.
func (a *account) numberAt(at time.Time) string {
	if a.former != "" && at.Before(a.gaveUp) {
		return a.former
	}
	return a.phone
}

// tellsNumber plans what the product's row shows of a number that is given up: it is touched while it has it still, and
// mostly has another one or none some days later.
func (h *home) tellsNumber(d dice, a *account) {
	a.then(h.start.Add(d.within(0, a.gaveUp.Sub(h.start))), func(*Account) {})
	if d.chance(keptByProduct) {
		return
	}
	number := ""
	if !d.chance(movedToNone) {
		number = written(d, a.phone)
		h.planted("productdb", "user.phone", "phone", number)
	}
	a.then(a.gaveUp.Add(d.within(time.Minute, 5*day)), func(v *Account) { v.Phone = number })
}
