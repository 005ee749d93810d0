package world

import "crosslift/schemas/table"

// Home is the currency that the business counts in.
const Home = "RUB"

// Foreign are the other currencies that people pay in.
var Foreign = []string{"JPY", "KWD", "KZT"}

// par is what a major unit of each is worth on an average day, in millionths of a rouble.
var par = map[string]uint64{"JPY": 520_000, "KWD": 262_500_000, "KZT": 163_000}

// Rate is how many roubles a major unit of a foreign currency is worth on a business day, from its start to its end: to the
// sixth decimal, and within three percent of an average day's.
func (a About) Rate(currency string, day table.Day) float64 {
	x := mix(mix(a.Seed) ^ uint64(day))
	for i := range len(currency) {
		x = mix(x ^ uint64(currency[i]))
	}
	return float64(par[currency]*(97_000+x%6_001)/100_000) / 1e6
}
