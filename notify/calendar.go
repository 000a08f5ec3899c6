package notify

import (
	"errors"
	"math/bits"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// calendar is a schedule of cron fields in a time zone. There are two kinds.
//
// Where the hour field is `*` or a step such as `*/2`, the schedule follows real
// time: it comes at each instant whose local time matches, so an hourly one comes
// once in every real hour and 02:00 is not made up for when there is none.
//
// Any other schedule promises times of the local day, and keeps them: a time
// that the clocks skip comes at the first instant after the gap, and a time that
// they show twice comes once, the first time. A day that a place never had (Apia,
// 30 December 2011) has no turn.
type calendar struct {
	minutes, hours, doms, months, dows uint64
	anyDom, anyDow                     bool
	realTime                           bool
	tz                                 *time.Location
	text                               string
}

const (
	allMinutes = 1<<60 - 1
	allHours   = 1<<24 - 1
	allDoms    = (1<<31 - 1) << 1
	allMonths  = (1<<12 - 1) << 1
	allDows    = 1<<7 - 1
	cronStar   = 1 << 63 // set by the parser where a field is *
)

// maxDays is the longest month of each, so that 29 February counts as a day.
var maxDays = [13]int{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// hourStep is an hour field that is one step over the whole day.
var hourStep = regexp.MustCompile(`^[*?]/0*([0-9]{1,2})$`)

func newCalendar(spec string, p *cron.SpecSchedule, tz *time.Location) (Schedule, error) {
	s := calendar{
		minutes: p.Minute & allMinutes, hours: p.Hour & allHours, doms: p.Dom & allDoms,
		months: p.Month & allMonths, dows: p.Dow & allDows,
		anyDom: p.Dom&cronStar != 0, anyDow: p.Dow&cronStar != 0, tz: tz,
	}
	for _, f := range []uint64{s.minutes, s.hours, s.doms, s.months, s.dows} {
		if f == 0 { // the parser takes "," for a field
			return nil, errors.New("has an empty field")
		}
	}
	// Cron joins the two day fields by OR unless one of them is *. With that,
	// several spellings mean every day; they become one.
	if !s.anyDom && !s.anyDow && (s.doms == allDoms || s.dows == allDows) {
		s.doms, s.dows, s.anyDom, s.anyDow = allDoms, allDows, true, true
	}
	s.anyDom = s.anyDom || s.doms == allDoms
	s.anyDow = s.anyDow || s.dows == allDows
	if s.anyDow && !s.comes() {
		return nil, errors.New("names days that never come, such as 30 February")
	}
	hour := list(s.hours, allHours)
	s.realTime = s.hours == allHours
	if fields := strings.Fields(spec); len(fields) == 5 && bits.OnesCount64(s.hours) > 1 && !s.realTime {
		if m := hourStep.FindStringSubmatch(fields[1]); m != nil {
			s.realTime = true
			hour = "*/" + m[1]
		}
	}
	s.text = strings.Join([]string{
		list(s.minutes, allMinutes), hour, list(s.doms, allDoms),
		list(s.months, allMonths), list(s.dows, allDows), tz.String(),
	}, " ")
	return s, nil
}

// comes reports whether any of the months has any of the days.
func (s calendar) comes() bool {
	for m := 1; m <= 12; m++ {
		if s.months>>m&1 == 1 && bits.TrailingZeros64(s.doms) <= maxDays[m] {
			return true
		}
	}
	return false
}

func list(set, all uint64) string {
	if set == all {
		return "*"
	}
	var b strings.Builder
	for ; set != 0; set &= set - 1 {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(bits.TrailingZeros64(set)))
	}
	return b.String()
}

func (s calendar) String() string { return s.text }

// horizon bounds the search. The rarest schedule, 29 February, is at most eight
// years away.
const horizon = 10 * 366

func (s calendar) Next(t time.Time) time.Time {
	next, ok := time.Time{}, false
	if s.realTime {
		next, ok = s.nextReal(t)
	} else {
		first := dateOf(t.In(s.tz))
		for i := 0; i < horizon && !ok; i++ {
			if d := first.plus(i); s.matches(d) {
				next, ok = s.nextPromised(d, t)
			}
		}
	}
	if !ok {
		// Not reached: newCalendar refuses what does not come. A late turn would
		// still be better than none, or than a search without an end.
		return t.Add(24 * time.Hour)
	}
	return next
}

func (s calendar) matches(d date) bool {
	if s.months>>int(d.m)&1 == 0 {
		return false
	}
	dom := s.doms>>d.d&1 == 1
	dow := s.dows>>int(d.weekday())&1 == 1
	if s.anyDom || s.anyDow {
		return dom && dow
	}
	return dom || dow
}

// nextReal returns the first instant after t whose local time matches. It goes a
// minute at a time, since clocks were set at odd minutes, by odd amounts, and back
// into the day before; days that do not match are jumped over, but for the first
// hours after one that does.
func (s calendar) nextReal(t time.Time) (time.Time, bool) {
	at := t.Truncate(time.Minute).Add(time.Minute)
	for range 4 * 24 * 60 {
		local := at.In(s.tz)
		d := dateOf(local)
		if s.matches(d) && s.hours>>local.Hour()&1 == 1 && s.minutes>>local.Minute()&1 == 1 {
			return at, true
		}
		at = at.Add(time.Minute)
		if s.matches(d) || s.matches(d.plus(-1)) && local.Hour() < 3 {
			continue
		}
		for i := 1; i < horizon; i++ {
			if d := d.plus(i); s.matches(d) {
				at = later(at, d.start(s.tz))
				break
			}
		}
	}
	return time.Time{}, false
}

// nextPromised returns the first turn after t that is promised for the local
// day.
func (s calendar) nextPromised(d date, t time.Time) (time.Time, bool) {
	if dateOf(d.start(s.tz)) != d {
		return time.Time{}, false // the place never had this day
	}
	last := bits.Len64(s.minutes) - 1
	for hs := s.hours; hs != 0; hs &= hs - 1 {
		hour := bits.TrailingZeros64(hs)
		if !d.at(hour, last, s.tz).After(t) {
			continue
		}
		for ms := s.minutes; ms != 0; ms &= ms - 1 {
			if at := d.at(hour, bits.TrailingZeros64(ms), s.tz); at.After(t) {
				return at, true
			}
		}
	}
	return time.Time{}, false
}

// date is a day of a calendar, in no time zone.
type date struct {
	y int
	m time.Month
	d int
}

func dateOf(t time.Time) date {
	y, m, d := t.Date()
	return date{y, m, d}
}

func (d date) plus(days int) date {
	return dateOf(time.Date(d.y, d.m, d.d+days, 0, 0, 0, 0, time.UTC))
}

func (d date) weekday() time.Weekday {
	return time.Date(d.y, d.m, d.d, 0, 0, 0, 0, time.UTC).Weekday()
}

// start is the first instant of the day; where midnight falls into a gap, the
// first after it.
func (d date) start(tz *time.Location) time.Time { return d.at(0, 0, tz) }

// at returns the first instant at which the clocks of tz show the time, or, where
// they never do, the first instant after the gap. time.Date promises neither.
func (d date) at(hour, minute int, tz *time.Location) time.Time {
	wall := time.Date(d.y, d.m, d.d, hour, minute, 0, 0, time.UTC)
	guess := time.Date(d.y, d.m, d.d, hour, minute, 0, 0, tz)
	start, end := guess.ZoneBounds()
	near := []time.Time{guess}
	if !start.IsZero() {
		near = append(near, start.Add(-time.Second))
	}
	if !end.IsZero() {
		near = append(near, end)
	}
	var best time.Time
	for _, n := range near {
		_, offset := n.In(tz).Zone()
		at := wall.Add(-time.Duration(offset) * time.Second)
		if _, got := at.In(tz).Zone(); got == offset && (best.IsZero() || at.Before(best)) {
			best = at
		}
	}
	if !best.IsZero() {
		return best.In(tz)
	}
	if _, offset := guess.Zone(); guess.Add(time.Duration(offset) * time.Second).After(wall) {
		return start
	}
	return end
}
