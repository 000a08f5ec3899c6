package document

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// earliest is the date before which no feed item was published: an earlier one
// is a clock that was never set, or a field that was never filled.
var earliest = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)

// saneDate returns the time in UTC, or the zero time where it cannot be true.
func saneDate(t, now time.Time) time.Time {
	if t.Before(earliest) || !now.IsZero() && t.After(now.Add(24*time.Hour)) {
		return time.Time{}
	}
	return t.UTC()
}

// dateParts is what was found in a date so far.
type dateParts struct {
	year, month, day        int
	hour, minute, sec, nsec int
	clock                   bool // a time of day was found
	pm, am                  bool
	offset                  int // seconds east of UTC
	numericZone, namedZone  bool
	numbers                 [3]int
	digits                  [3]int // how many digits each number had
	n                       int    // of numbers
	slash                   bool
}

// parseDate reads a date in any of the forms that feeds are known to use: RFC
// 822, 1123, 2822, 3339, ISO 8601, asctime, JavaScript's, with or without
// weekday, seconds and zone, with the months of several languages. It looks at
// what each word and number can be instead of trying layouts one by one, so a
// date costs one pass over its characters; gofeed's parser tries about 110
// layouts before it comes to an ordinary "GMT".
func parseDate(s string, now time.Time) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if len(s) < 4 || len(s) > 100 {
		return time.Time{}, false
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), true
	}
	if rest, ok := strings.CutPrefix(s, "/Date("); ok { // as .NET writes it in JSON
		s = rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	}
	s = asciiDigits(s)
	var p dateParts
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			n := p.number(s, i)
			if n == 0 {
				return time.Time{}, false
			}
			i += n
		case (c == '+' || c == '-') && p.clock && !p.numericZone && p.dated() && i+1 < len(s) && isDigit(s[i+1]):
			i += 1 + p.zone(s[i+1:], c == '-')
		case c < utf8.RuneSelf && !isLetter(c):
			p.slash = p.slash || c == '/'
			i++
		default:
			n := wordLen(s[i:])
			p.word(s[i : i+n])
			i += n
		}
	}
	return p.time(now)
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// wordLen is the length of the word at the start of s, marks and joiners that
// belong to its letters included; at least one character.
func wordLen(s string) int {
	for i, r := range s {
		if i > 0 && !unicode.IsLetter(r) && !unicode.IsMark(r) && r != '\u200D' && r != '\u200C' {
			return i
		}
	}
	return len(s)
}

// dated reports whether enough of a date was seen for a sign to begin a zone
// and not a part of the date.
func (p *dateParts) dated() bool { return p.n == 3 || p.month > 0 && p.n == 2 }

// number reads the digits at s[i:] and returns how many bytes it used, or 0
// where they can be no part of a date.
func (p *dateParts) number(s string, i int) int {
	j := i
	for j < len(s) && isDigit(s[j]) {
		j++
	}
	width := j - i
	value := atoi(s[i:j])
	switch {
	case !p.clock && width <= 2 && j+1 < len(s) && s[j] == ':' && isDigit(s[j+1]):
		return p.clockAt(s, i, ':')
	case !p.clock && p.dated() && width <= 2 && j+2 < len(s) && s[j] == '.' && isDigit(s[j+1]) && isDigit(s[j+2]):
		return p.clockAt(s, i, '.')
	case p.n == 0 && p.month == 0 && (width == 8 || width == 12 || width == 14):
		p.numbers = [3]int{atoi(s[i : i+4]), atoi(s[i+4 : i+6]), atoi(s[i+6 : i+8])}
		p.digits, p.n = [3]int{4, 2, 2}, 3
		if width >= 12 {
			p.clock, p.hour, p.minute = true, atoi(s[i+8:i+10]), atoi(s[i+10:i+12])
		}
		if width == 14 {
			p.sec = atoi(s[i+12 : i+14])
		}
	case width == len(s) && (width == 10 || width == 13):
		// Seconds or milliseconds since 1970.
		if width == 13 {
			value /= 1000
		}
		t := time.Unix(int64(value), 0).UTC()
		p.year, p.month, p.day = t.Year(), int(t.Month()), t.Day()
		p.hour, p.minute, p.sec, p.clock = t.Hour(), t.Minute(), t.Second(), true
	case p.n == 3 && !p.clock && (width == 4 || width == 6):
		// ISO 8601's basic form, as in 20261123T183000Z.
		p.clock, p.hour, p.minute = true, value/100, value%100
		if width == 6 {
			p.hour, p.minute, p.sec = value/10_000, value/100%100, value%100
		}
	case width > 4 || p.n == 3:
		if p.clock || p.n < 3 || width > 2 {
			return 0
		}
		// An hour alone, as in "Mon, 02 Jan 2006 15 -0700".
		p.clock, p.hour = true, value
	case p.month > 0 && p.n == 2 && !p.clock && width <= 2:
		p.clock, p.hour = true, value
	default:
		p.numbers[p.n], p.digits[p.n] = value, width
		p.n++
	}
	return width
}

func atoi(digits string) int {
	n := 0
	for i := 0; i < len(digits) && i < 15; i++ {
		n = n*10 + int(digits[i]-'0')
	}
	return n
}

// clockAt reads h:m, h:m:s or h:m:s.fraction at s[i:], with that separator, and
// returns its length.
func (p *dateParts) clockAt(s string, i int, sep byte) int {
	p.clock = true
	start, field := i, 0
	for field < 3 {
		j := i
		for j < len(s) && isDigit(s[j]) && j-i < 2 {
			j++
		}
		value := atoi(s[i:j])
		switch field {
		case 0:
			p.hour = value
		case 1:
			p.minute = value
		case 2:
			p.sec = value
		}
		i = j
		field++
		if field == 3 || i+1 >= len(s) || s[i] != sep || !isDigit(s[i+1]) {
			break
		}
		i++
	}
	if i+1 < len(s) && (s[i] == '.' || s[i] == ',') && isDigit(s[i+1]) && field == 3 {
		scale := 100_000_000
		for i++; i < len(s) && isDigit(s[i]); i++ {
			p.nsec += int(s[i]-'0') * scale
			scale /= 10
		}
	}
	return i - start
}

// zone reads an offset such as 0530, 05:30, 530 or 5 and returns its length.
func (p *dateParts) zone(s string, west bool) int {
	j := 0
	for j < len(s) && isDigit(s[j]) {
		j++
	}
	value, length := atoi(s[:min(j, 4)]), j
	hours, minutes := value, 0
	switch {
	case j > 2:
		hours, minutes = value/100, value%100
	case j+2 < len(s) && s[j] == ':' && isDigit(s[j+1]) && isDigit(s[j+2]):
		minutes = atoi(s[j+1 : j+3])
		length = j + 3
	}
	if hours > 14 || minutes > 59 {
		return length
	}
	p.offset = hours*3600 + minutes*60
	if west {
		p.offset = -p.offset
	}
	p.numericZone = true
	return length
}

// word takes a month, a zone or a half of the day; weekdays, ordinals and the
// little words between mean nothing here. Of two months the later counts: the
// first was a weekday, as "mar." is in French.
func (p *dateParts) word(w string) {
	lower := strings.ToLower(w)
	if m, ok := months[lower]; ok {
		p.month = m
		return
	}
	if r := []rune(lower); len(r) > 3 {
		if m, ok := months[string(r[:3])]; ok && r[0] < 0x900 {
			p.month = m
			return
		}
	}
	switch lower {
	case "am":
		p.am = true
	case "pm":
		p.pm = true
	default:
		if offset, ok := zones[lower]; ok && p.clock && !p.numericZone && !p.namedZone {
			p.offset, p.namedZone = offset, true
		}
	}
}

// time puts the parts together.
func (p *dateParts) time(now time.Time) (time.Time, bool) {
	if !p.arrange() {
		return time.Time{}, false
	}
	if p.pm && p.hour < 12 {
		p.hour += 12
	} else if p.am && p.hour == 12 {
		p.hour = 0
	}
	if p.hour > 24 || p.minute > 59 || p.sec > 60 || p.month > 12 || p.day > 31 {
		return time.Time{}, false
	}
	t := p.date()
	if p.slash && p.n == 3 && p.digits[0] <= 2 && p.numbers[0] <= 12 && !now.IsZero() && t.After(now.Add(24*time.Hour)) {
		// 10/12/2026 read as the American 12 October lies ahead; the rest of the
		// world means 10 December, or the other way round.
		p.month, p.day = p.day, p.month
		if p.month <= 12 {
			t = p.date()
		}
	}
	return t, t.Year() >= 1900 && t.Year() < 10_000
}

func (p *dateParts) date() time.Time {
	t := time.Date(p.year, time.Month(p.month), p.day, p.hour, p.minute, p.sec, p.nsec, time.UTC)
	return t.Add(-time.Duration(p.offset) * time.Second)
}

// arrange decides which number is the year, the month and the day.
func (p *dateParts) arrange() bool {
	n, d := p.numbers, p.digits
	switch {
	case p.year > 0:
	case p.month > 0 && p.n >= 2:
		p.day, p.year = n[0], n[1]
		if d[0] >= 3 {
			p.day, p.year = n[1], n[0]
		} else {
			p.year = century(n[1], d[1])
		}
	case p.n == 3 && d[0] == 4:
		p.year, p.month, p.day = n[0], n[1], n[2]
	case p.n == 3:
		p.day, p.month, p.year = n[0], n[1], century(n[2], d[2])
		if p.month > 12 || p.slash && p.day <= 12 {
			p.day, p.month = p.month, p.day
		}
	case p.n == 2 && d[0] == 4:
		p.year, p.month, p.day = n[0], n[1], 1
	case p.n == 1 && d[0] == 4 && p.month == 0:
		p.year, p.month, p.day = n[0], 1, 1
	default:
		return false
	}
	if p.year > 2400 && p.year < 2700 {
		p.year -= 543 // of the Buddhist era
	}
	return p.year > 0 && p.month > 0 && p.day > 0
}

// century completes a year of two digits (RFC 2822 §4.3).
func century(year, digits int) int {
	switch {
	case digits > 2:
		return year
	case year < 50:
		return 2000 + year
	}
	return 1900 + year
}
