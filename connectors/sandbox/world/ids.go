package world

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// An id is unique over the world because it holds the household's number and a count inside it, scrambled by a bijection;
// what is beside that only makes it look like the real one.

// maxHouseholds leaves 30 bits of the 53 that every JSON reader keeps for the time of a numbered row.
const maxHouseholds = 1 << 23

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// token is an id of a payment system after its prefix: ch_3Qm…, 24 characters, unique among tokens of one household and
// over households.
func (h *home) token(prefix string) string {
	h.tokens++
	unique := mix(h.seed ^ uint64(h.number)<<24 ^ uint64(h.tokens))
	looks := mix(unique)
	return prefix + code(unique, 11) + code(looks, 11) + code(looks>>48, 2)
}

// code writes a number in base 62, in at least n characters: 11 hold any.
func code(x uint64, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = base62[x%62]
		x /= 62
	}
	return string(b)
}

// accountID is u and eight hexadecimal digits.
func (h *home) accountID(i int) string {
	return fmt.Sprintf("u%08x", scramble32(uint32(h.number)<<4|uint32(i), h.seed))
}

// scramble32 is a bijection of 32 bits (the constants are those of lowbias32; C. Wellons, "Prospecting for hash
// functions", 2018).
func scramble32(x uint32, seed uint64) uint32 {
	x ^= uint32(seed) ^ uint32(seed>>32)
	x ^= x >> 16
	x *= 0x7feb352d
	x ^= x >> 15
	x *= 0x846ca68b
	x ^= x >> 16
	return x
}

// clientID is a browser's first-party id as analytics makes it: a random number and the second of its making.
func (h *home) clientID(gadget, incarnation int, made time.Time) string {
	n := scramble32(uint32(h.number)<<8|uint32(gadget)<<4|uint32(incarnation&15), h.seed^0xc1)
	return strconv.FormatUint(uint64(n), 10) + "." + strconv.FormatInt(made.Unix()+int64(incarnation>>4), 10)
}

// installation is the id of an app or a TV: a UUID of version 4 by its looks.
func (h *home) installation(gadget int) string {
	a := mix(h.seed ^ uint64(h.number)<<8 ^ uint64(gadget) ^ 0xa99<<48)
	b := mix(a + 1)
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, 0x8000|b>>48&0x3fff, b&0xffffffffff00|a>>12&0xf<<4|uint64(gadget)&0xf)
}

// number maps (household, i), i below 8, onto [0, 8·10⁷) without collisions up to ten million households.
func (h *home) numberOf(i int) int64 {
	const size = 80_000_000
	return (int64((uint64(h.number)*8+uint64(i))%size)*47_123_491 + int64(mix(h.seed)%size)) % size
}

// numbered gives the rows of a household in one of the product's tables their ids, ascending with the time at which they
// were inserted: tenths of a second, and the household. Rows of one tenth are told apart by moving on to the next.
func numbered[T any](h *home, rows []T, row func(*T) (id *int64, at time.Time)) {
	slices.SortStableFunc(rows, func(a, b T) int {
		_, x := row(&a)
		_, y := row(&b)
		return x.Compare(y)
	})
	last := int64(0)
	for i := range rows {
		id, at := row(&rows[i])
		last = max(last+1, int64(at.Sub(h.epoch)/(100*time.Millisecond)))
		*id = last<<23 | h.number
	}
}

// rrn is a retrieval reference number: the last digit of the year, the day of the year, the hour, and six digits.
func rrn(d dice, at time.Time) string {
	return fmt.Sprintf("%d%03d%02d%06d", at.Year()%10, at.YearDay(), at.Hour(), d.IntN(1_000_000))
}

// round is half away from zero, as the contract with the bank says.
func round(x float64) int64 { return int64(math.Round(x)) }
