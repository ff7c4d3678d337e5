package page

import (
	"html/template"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/text/language"
)

// Moment is a time as the reader of a page sees it: at their place, and from now.
type Moment struct {
	at   time.Time // at the reader's place
	now  time.Time
	lang language.Tag
	said map[date]template.HTML // by this answer
}

// date is a day of a year, and the language in which it is said.
type date struct {
	lang      language.Tag
	year, day int
}

// At is a time for this reader.
func (a *Answer) At(t time.Time) Moment {
	return Moment{at: t.In(a.zone), now: a.now.In(a.zone), lang: a.lang, said: a.dates}
}

// Until is the end of something for this reader; nil for a zero time, which is
// without an end.
func (a *Answer) Until(t time.Time) *Moment {
	if t.IsZero() {
		return nil
	}
	m := a.At(t)
	return &m
}

// Now is when this page is made, for its reader.
func (a *Answer) Now() time.Time { return a.now.In(a.zone) }

// cookieZone is where the browser says it is; the script sets it.
const cookieZone = "licet-zone"

func (p *Pages) zoneOf(r *http.Request) *time.Location {
	cookie, err := r.Cookie(p.CookieName(cookieZone))
	if err != nil || cookie.Value == "" || cookie.Value == "Local" || len(cookie.Value) > 64 {
		return p.Zone
	}
	zone, err := time.LoadLocation(cookie.Value)
	if err != nil {
		return p.Zone
	}
	return zone
}

// Past reports whether the moment is not to come any more.
func (m Moment) Past() bool { return !m.at.After(m.now) }

// Soon reports whether the moment comes within seven days.
func (m Moment) Soon() bool { return !m.Past() && m.at.Sub(m.now) <= 7*24*time.Hour }

// ISO is the moment for machines.
func (m Moment) ISO() string { return m.at.Format(time.RFC3339) }

// Day is the day as a date field has it.
func (m Moment) Day() string { return m.at.Format(time.DateOnly) }

// Date is the day in words: 23 December 2026.
func (m Moment) Date() template.HTML {
	day := date{m.lang, m.at.Year(), m.at.YearDay()}
	if m.said[day] == "" {
		m.said[day] = m.keyed("date", "%[1]d %[2]s %[3]s", true, m.at.Day(), m.say(months[m.at.Month()-1]), strconv.Itoa(m.at.Year()))
	}
	return m.said[day]
}

// Clock is the time of the day: 10:47.
func (m Moment) Clock() string { return m.at.Format("15:04") }

// When is the day and the time of the day.
func (m Moment) When() template.HTML {
	return m.keyed("date and time", "%[1]s, %[2]s", false, m.Date(), template.HTML(m.Clock()))
}

// Away is how far the moment is: in 30 days, 4 minutes ago.
func (m Moment) Away() template.HTML {
	d := m.at.Sub(m.now)
	ahead := d > 0
	if !ahead {
		d = -d
	}
	days := int(dayOf(m.at).Sub(dayOf(m.now)).Round(24*time.Hour) / (24 * time.Hour))
	minutes, hours := int((d+30*time.Second)/time.Minute), int(d/time.Hour)
	switch {
	case minutes < 1:
		return m.say("just now")
	case minutes < 60 && ahead:
		return m.say("in %d minutes", minutes)
	case minutes < 60:
		return m.say("%d minutes ago", minutes)
	case hours < 24 && ahead:
		return m.say("in %d hours", hours)
	case hours < 24:
		return m.say("%d hours ago", hours)
	case days == 1:
		return m.say("tomorrow")
	case days == -1:
		return m.say("yesterday")
	case days >= 2*365:
		return m.say("in %d years", (days+182)/365)
	case days <= -2*365:
		return m.say("%d years ago", (182-days)/365)
	case ahead:
		return m.say("in %d days", days)
	default:
		return m.say("%d days ago", -days)
	}
}

// Both is the day and how far it is: decisions are made with both.
func (m Moment) Both() template.HTML {
	return m.keyed("date and distance", "%[1]s, %[2]s", false, m.Date(), m.Away())
}

// Left is how much of 90 days is left, in hundredths, for the ring that burns down.
func (m Moment) Left() int {
	const whole = 90 * 24 * time.Hour
	left := m.at.Sub(m.now)
	return int(max(0, min(100, left*100/whole)))
}

func dayOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

func (m Moment) say(english string, args ...any) template.HTML {
	return speak(m.lang, english, args...)
}

// keyed says something whose order differs between languages and that has no words
// of its own.
func (m Moment) keyed(key, english string, counts bool, args ...any) template.HTML {
	return template.HTML(voiceOf(m.lang).say(key, english, counts, args)) // digits, and words of ours
}

var months = []string{
	"January", "February", "March", "April", "May", "June",
	"July", "August", "September", "October", "November", "December",
}
