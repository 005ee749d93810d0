package world

// home is a household while it is made.
type home struct {
	*setting
	c        *Chunk
	number   int64
	id       int64
	country  string
	people   []*person
	accounts []*account
	gadgets  []*gadget
	wallets  []*wallet
	visits   []visit
	nodes    map[nodeKey]int // index into c.Truth.Nodes
	credits  map[string]int  // index into c.Truth.Accruals, by id
	assigned map[string]bool // devices
	given    bool            // a number from next door
	places   []*gadget       // in public, where strangers log in too
	uses     []use           // without an account that the sources see
	tokens   int
	first    struct{ subscriptions, logins, views, assignments, exposures int } // how many of others are in the chunk
}

// person is somebody who lives there.
type person struct {
	id       int64
	home     int64    // number of the household
	borrows  *account // of somebody in another household: it watches with that
	adult    bool
	name     string
	phone    string // ten digits
	accounts []*account
	using    *account  // of accounts, the one that it used last
	gadgets  []*gadget // of nobody else
	main     *wallet   // nil until there is something to pay
	deal     *wallet   // the partner bank's card
	partner  bool      // its card is the partner's anyway
}

// household makes the people of one household, at most as many as are wanted, and adds them to a chunk. It returns their
// number.
func (s *setting) household(number int64, most int, people int64, c *Chunk) int {
	h := s.moveIn(number, most, people, c)
	size := len(h.people)
	if size < most {
		size += h.lend(roll(s.seed, number, ofLending), people+int64(size)+1)
	}
	h.enter(roll(s.seed, number, ofExperiment))
	h.bill(roll(s.seed, number, ofBilling), roll(s.seed, number, ofPayments))
	h.elsewhere(roll(s.seed, number, ofBank))
	h.crm(roll(s.seed, number, ofCRM))
	h.plan(roll(s.seed, number, ofVisits))
	h.goOut(roll(s.seed, number, ofPlaces))
	h.live(roll(s.seed, number, ofLives), roll(s.seed, number, ofWeb))
	h.versions(roll(s.seed, number, ofVersions))
	return size
}

// moveIn makes a household's people and devices, and the accounts that they have or will have.
func (s *setting) moveIn(number int64, most int, people int64, c *Chunk) *home {
	h := &home{setting: s, c: c, number: number, id: number + 1, nodes: map[nodeKey]int{}, credits: map[string]int{}, assigned: map[string]bool{}}
	h.first.subscriptions, h.first.logins, h.first.views = len(c.Subscriptions), len(c.Logins), len(c.Views)
	h.first.assignments, h.first.exposures = len(c.Assignments), len(c.Exposures)
	d := roll(s.seed, number, ofPeople)
	h.country = countries[d.pick(82, 6, 8, 4)]
	size := min(1+d.pick(householdSizes[:]...), most)
	for i := range size {
		p := &person{id: people + int64(i) + 1, home: h.id, name: fullName(d), phone: mobile(h.numberOf(i))}
		p.adult = i == 0 || d.chance(laterAdult+(secondAdult-laterAdult)*float64(btoi(i == 1)))
		p.partner = d.chance(partnerHolder)
		h.people = append(h.people, p)
		c.Humans = append(c.Humans, Human{ID: p.id, Household: h.id})
	}
	h.own(roll(s.seed, number, ofDevices))
	for i, p := range h.people {
		if p.adult && d.chance(or(float64(btoi(i == 0))*firstAccount, secondAccount)) {
			h.register(d, p, false)
			if d.chance(doubleAccount) {
				h.register(d, p, true)
			}
		}
	}
	return h
}

// lend gives an old account's password to somebody outside: a household of its own, with a device or two. It returns how
// many people that makes.
func (h *home) lend(d dice, human int64) int {
	for _, a := range h.accounts {
		if a.kind != before || !d.chance(lentAccount) {
			continue
		}
		p := &person{id: human, home: maxHouseholds + h.id, name: fullName(d), phone: mobile(h.numberOf(7)), borrows: a}
		h.people = append(h.people, p)
		h.c.Humans = append(h.c.Humans, Human{ID: p.id, Household: p.home})
		h.gadget(d, p, among(d, []string{"phone", "tablet"}), among(d, []string{"ios", "android"}))
		if d.chance(householdTV) {
			h.gadget(d, p, "tv", among(d, []string{"tizen", "webos"}))
		}
		return 1
	}
	return 0
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
