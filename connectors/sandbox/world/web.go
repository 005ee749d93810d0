package world

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"crosslift/schemas/table"
)

// exported is when web analytics shows an event: with its day's export, or, when it comes late, with one of the next
// three, which restate the day.
func (s *setting) exported(at time.Time, late int) time.Time {
	d := s.dayOf(at) + late
	if d < len(s.days) {
		return s.days[d].To.Add(exportHour)
	}
	return (s.First + table.Day(d)).Window(s.Zone).To.UTC().Add(exportHour)
}

// channels are where visits come from.
var channels = [...][2]string{
	{"(direct)", "(none)"}, {"google", "organic"}, {"yandex", "organic"}, {"yandex", "cpc"}, {"vk", "social"}, {"newsletter", "email"},
}

var sections = []string{"", "catalog", "series", "kids", "new", "search", "account", "tariffs"}

// browse writes the events of a visit.
func (h *home) browse(d dice, v visit, device string, a *account) {
	channel := channels[d.pick(40, 20, 15, 10, 5, 10)]
	e := WebEvent{
		SessionID: v.at.Unix(), Sequence: 1 + d.Int64N(1<<40), Platform: map[string]string{"web": "WEB", "ios": "IOS", "android": "ANDROID"}[v.gadget.platform],
		Country: h.country, Source: channel[0], Medium: channel[1], Consent: v.gadget.consent && (a == nil || a.consents(v.at)),
	}
	if a != nil {
		e.Country = a.country
	}
	if e.Consent {
		e.PseudoID = device
	}
	at := v.at
	write := func(name, page string, at time.Time) {
		if !at.Before(h.end) {
			return
		}
		e.Name, e.At, e.Page = name, at, page
		e.Sequence++
		late := 0
		if d.chance(h.Late) {
			late = 1 + d.IntN(3)
		}
		e.Visible = h.exported(at, late)
		if e.Account = ""; a != nil && e.Consent && (v.signIn == 0 || !at.Before(v.at.Add(v.signIn))) {
			e.Account = h.sent(d, a)
		}
		if e.Consent && (a == nil || e.Account != a.id) {
			h.use(v, device, at, a)
		}
		if d.chance(plantedPage) {
			e.Page = h.leak(d, v.person, page)
		}
		h.c.Events = append(h.c.Events, e)
	}
	next := func() time.Time {
		at = at.Add(time.Duration(d.Int64N(int64(40 * time.Second)))).Truncate(time.Microsecond).Add(time.Microsecond)
		return at
	}
	landing := page(d)
	if channel[1] != "(none)" {
		landing += "?utm_source=" + channel[0] + "&utm_medium=" + channel[1]
	}
	write("session_start", landing, at)
	if v.gadget.kind == "web" {
		write("page_view", landing, at.Add(time.Millisecond))
	}
	for range d.poisson(0.3) {
		write("page_view", page(d), next())
	}
	if v.late() {
		at = maxTime(at, v.at.Add(v.signIn))
		write("login", "https://kino.example/login", at.Add(200*time.Millisecond))
		at = at.Add(time.Second)
	}
	switch v.purpose {
	case watch:
		film := "https://kino.example/watch/" + strconv.Itoa(1+d.IntN(titles))
		write("video_start", film, next())
		if d.chance(0.3) {
			write("video_complete", film, at.Add(time.Duration(v.seconds)*time.Second))
		}
	case register:
		write("sign_up", "https://kino.example/register", v.at.Add(1200*time.Millisecond))
	case offer:
		write("view_promotion", "https://kino.example/tariffs", v.at.Add(beforeOffer))
	case checkout:
		write("begin_checkout", "https://kino.example/checkout", v.at.Add(4*time.Second))
		e.Currency = currencies[a.country]
		e.Value = major(prices[e.Currency][btoi(a.part.family)], e.Currency)
		write("purchase", "https://kino.example/checkout/done", v.at.Add(beforePaying))
	}
}

func page(d dice) string { return "https://kino.example/" + among(d, sections) }

// major is an amount in major units, as analytics has it.
func major(minor int64, currency string) float64 {
	switch currency {
	case "JPY":
		return float64(minor)
	case "KWD":
		return float64(minor) / 1000
	}
	return float64(minor) / 100
}

// sent is what the site sends as the user id: now and then what it should not.
func (h *home) sent(d dice, a *account) string {
	if !d.chance(plantedUserID) {
		return a.id
	}
	if a.email == "" || d.chance(0.3) {
		return among(d, []string{"undefined", "null", "0"})
	}
	h.planted("ga", "user_id", "email", a.email)
	return a.email
}

// leak is a page whose address has personal data in it, as forms that are sent by GET make them.
func (h *home) leak(d dice, p *person, page string) string {
	kind, name, value := "phone", "phone", "+7"+p.phone
	switch d.pick(5, 1, 4) {
	case 0:
		kind, name, value = "email", "email", strings.ToLower(strings.ReplaceAll(p.name, " ", "."))+"."+strconv.FormatInt(p.id, 36)+"@kinopochta.ru"
	case 1:
		kind, name, value = "card", "card", cardNumber(d)
	}
	h.planted("ga", "page_location", kind, value)
	if d.chance(0.5) { // other pages forget to
		value = url.QueryEscape(value)
	}
	if strings.Contains(page, "?") {
		return page + "&" + name + "=" + value
	}
	return page + "?" + name + "=" + value
}
