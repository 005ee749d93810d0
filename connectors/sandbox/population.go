package sandbox

import (
	"context"
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// strangers is the part of accounts, beside the users, that meet the offer only after the last day of exposures.
const strangers = 20 // one in twenty

const day = 24 * time.Hour

// populate draws one user after the other, each from a generator of its own.
func populate(ctx context.Context, o Options, out *output) error {
	total := o.Users + o.Users/strangers
	for i := range total {
		if i%4096 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if o.Progress != nil {
				o.Progress(min(i, o.Users), o.Users)
			}
		}
		p := person{
			Rand: rand.New(rand.NewPCG(o.Seed, uint64(i))), out: out, account: "u" + hex8(scramble(uint32(i), o.Seed)),
		}
		p.live(o, i < o.Users)
	}
	if o.Progress != nil {
		o.Progress(o.Users, o.Users)
	}
	return out.err
}

// person is one account while it is drawn.
type person struct {
	*rand.Rand
	out     *output
	account string
	arm     arm
	country string
	exposed time.Time
}

// live draws everything that a person does.
func (p *person) live(o Options, inTime bool) {
	p.arm = arms[p.IntN(2)]
	p.country = p.pickCountry()
	span := time.Duration(o.exposureDays()) * day
	p.exposed = p.out.start.Add(p.within(0, span))
	if !inTime {
		p.exposed = p.exposed.Add(span)
	}
	p.exposures()
	p.payments()
	p.viewing()
}

// within is an instant between two, to the second, never at the ends.
func (p *person) within(from, to time.Duration) time.Duration {
	return from + time.Second + time.Duration(p.Float64()*(to-from-2*time.Second).Seconds())*time.Second
}

func (p *person) pickCountry() string {
	x := p.Float64()
	for _, c := range countries {
		if x < c.upTo {
			return c.name
		}
	}
	return countries[len(countries)-1].name
}

var platforms = []string{"ios", "android", "tv", "web"}

// exposures: everybody sees the offer once, many see it again within two days, some of them on another device.
func (p *person) exposures() {
	platform, at := p.IntN(len(platforms)), p.exposed
	for n := 0; n == 0 || n < 4 && p.Float64() < 0.3; n++ {
		if n > 0 {
			at = at.Add(p.within(time.Minute, 48*time.Hour))
			if p.Float64() < 0.2 {
				platform = p.IntN(len(platforms))
			}
		}
		p.out.exposure(at, p.account, p.arm.name, "d"+p.account[1:]+strconv.Itoa(platform), platforms[platform], p.country)
	}
}

// payments: the first month soon after the offer, the second thirty days later, some at the second attempt.
func (p *person) payments() {
	if p.Float64() >= p.arm.first {
		return
	}
	amount, currency := int64(basicPrice), "RUB"
	if p.Float64() < p.arm.family {
		amount = familyPrice
	}
	if p.country == "KZ" {
		amount, currency = amount*tengeFactor, "KZT"
	}
	at := p.exposed.Add(p.within(0, 30*time.Hour))
	p.pay(at, amount, currency, "first_month")
	if p.Float64() < p.arm.second {
		p.pay(at.Add(30*day+p.within(0, 8*time.Hour)), amount, currency, "monthly")
	}
}

func (p *person) pay(at time.Time, amount int64, currency, plan string) {
	if p.Float64() < 0.06 {
		p.out.payment(at, p.account, amount, currency, "failed", plan)
		at = at.Add(p.within(time.Minute, 3*time.Hour))
	}
	p.out.payment(at, p.account, amount, currency, "succeeded", plan)
}

// viewing: in the window as the parameters say, then less; and a few looked around before they met the offer.
func (p *person) viewing() {
	if p.Float64() < 0.1 {
		p.watch(p.exposed.Add(-p.within(time.Minute, 2*day)))
	}
	if p.Float64() >= p.arm.viewer {
		return
	}
	for n := 0; n == 0 || p.Float64() < p.arm.more; n++ {
		p.watch(p.exposed.Add(p.within(0, watchWindow*day)))
	}
	for p.Float64() < 0.6 {
		p.watch(p.exposed.Add(p.within(watchWindow*day, payWindow*day)))
	}
}

func (p *person) watch(at time.Time) {
	seconds := min(math.Exp(sessionMu+sessionSigma*p.NormFloat64()), sessionMax)
	// Rounded up or down at random, so that the mean of whole seconds is that of the model.
	p.out.view(at, p.account, 1+p.IntN(400), int64(math.Floor(seconds+p.Float64())))
}

// scramble is a bijection, so that accounts are distinct and their order says nothing. The constants are those of
// lowbias32 (C. Wellons, "Prospecting for hash functions", 2018).
func scramble(x uint32, seed uint64) uint32 {
	x ^= uint32(seed) ^ uint32(seed>>32)
	x ^= x >> 16
	x *= 0x7feb352d
	x ^= x >> 15
	x *= 0x846ca68b
	x ^= x >> 16
	return x
}

func hex8(x uint32) string {
	s := strconv.FormatUint(uint64(x), 16)
	return "00000000"[len(s):] + s
}
