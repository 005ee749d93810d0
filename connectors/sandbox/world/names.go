package world

import (
	"fmt"
	"strings"
)

var (
	firstNames = []string{
		"Anna", "Maria", "Elena", "Olga", "Natalia", "Irina", "Ekaterina", "Svetlana", "Daria", "Polina",
		"Ivan", "Sergey", "Dmitry", "Alexey", "Andrey", "Mikhail", "Nikolay", "Pavel", "Roman", "Timur",
	}
	lastNames = []string{
		"Sokolov", "Orlov", "Lebedev", "Morozov", "Volkov", "Zaitsev", "Pavlov", "Semyonov", "Golubev", "Vinogradov",
		"Bogdanov", "Vorobyov", "Fyodorov", "Belyaev", "Tarasov", "Belov", "Komarov", "Kiselev", "Ilyin", "Gusev",
	}
	domains  = []string{"gmail.com", "kinopochta.ru", "postbox-online.ru", "yashchik.ru", "letters.su"}
	prefixes = []string{"903", "905", "916", "925", "926", "964", "977", "985"}
)

func fullName(d dice) string { return among(d, firstNames) + " " + among(d, lastNames) }

// address is an e-mail address that nobody else has: the account's digits are in it.
func address(d dice, name, digits string) string {
	local := strings.ToLower(strings.ReplaceAll(name, " ", "."))
	domain := domains[d.pick(30, 25, 20, 15, 10)]
	if d.chance(0.1) && domain == "gmail.com" {
		return local + "." + digits + "+kino@" + domain
	}
	return local + "." + digits + "@" + domain
}

// typed is an address as it comes through a form.
func typed(d dice, address string) string {
	switch {
	case d.chance(0.06):
		return strings.ToUpper(address[:1]) + address[1:]
	case d.chance(0.01):
		return strings.ToUpper(address)
	case d.chance(0.02):
		return " " + address
	}
	return address
}

// mistyped is an address as somebody hears it on the phone.
func mistyped(d dice, address string) string {
	at := strings.IndexByte(address, '@')
	i := d.IntN(at - 1)
	switch d.IntN(3) {
	case 0: // two letters change places
		return address[:i] + address[i+1:i+2] + address[i:i+1] + address[i+2:]
	case 1: // one is left out
		return address[:i] + address[i+1:]
	}
	return address[:at] + "@" + strings.Replace(address[at+1:], ".", "", 1) + ".ru"
}

// mobile is the number of a phone, ten digits, by a number below 8·10⁷.
func mobile(n int64) string { return prefixes[n/10_000_000] + fmt.Sprintf("%07d", n%10_000_000) }

// written is a phone number as people write it.
func written(d dice, number string) string {
	a, b, c, e := number[:3], number[3:6], number[6:8], number[8:]
	switch d.pick(30, 30, 15, 15, 10) {
	case 0:
		return "+7" + number
	case 1:
		return "8 (" + a + ") " + b + "-" + c + "-" + e
	case 2:
		return "+7 " + a + " " + b + "-" + c + "-" + e
	case 3:
		return "8" + number
	}
	return number
}

// cardNumber is a number with a correct check digit, of a range that no issuer has.
func cardNumber(d dice) string {
	digits := fmt.Sprintf("990000%09d", d.IntN(1_000_000_000))
	sum := 0
	for i := range digits {
		n := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return digits + string('0'+byte((10-sum%10)%10))
}

// tagged is an address whose mail arrives in the same box as another's, where its provider knows tags.
func tagged(address, tag string) string {
	at := strings.IndexByte(address, '@')
	return address[:at] + "+" + tag + address[at:]
}
