package web

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/newswatch/newswatch/fetcher"
)

// What is shown of a text from outside, in characters. The rest is an ellipsis:
// a page must stay small whatever a feed or a receiver wrote.
const (
	maxTitle = 200
	maxName  = 80
	maxError = 240
	// maxNotice holds a sentence of ours around a failure in other words.
	maxNotice = 400
)

// clean makes a text from outside fit to stand in a line: white space and
// controls become single blanks, and the controls that turn the direction of
// what follows are dropped, since they could make a headline, or the text after
// it, read as something else. Joiners stay: Indic scripts are spelt with them.
func clean(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		switch {
		case r >= '\u202A' && r <= '\u202E', r >= '\u2066' && r <= '\u2069', r == utf8.RuneError, r == '\uFEFF':
		case unicode.IsSpace(r), unicode.IsControl(r):
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// short is clean, single-spaced, and at most max characters long.
func short(s string, max int) string {
	// Cut before cleaning too: s may be long, and a page has many.
	s = clean(cut(s, 4*max))
	return cut(strings.Join(strings.Fields(s), " "), max)
}

// cut shortens s to max characters, the last of which is then an ellipsis.
func cut(s string, max int) string {
	if len(s) <= max {
		return s
	}
	n, last := 0, 0
	for i := range s {
		if n == max-1 {
			last = i
		}
		if n == max {
			return s[:last] + "…"
		}
		n++
	}
	return s
}

// sentence makes a sentence of a remark, for where it stands among others. A
// remark that begins with a key or a path keeps it as it is written.
func sentence(s string) string {
	if s = short(s, maxError); s == "" {
		return ""
	}
	word, _, _ := strings.Cut(s, " ")
	if !strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }) {
		first, size := utf8.DecodeRuneInString(s)
		s = string(unicode.ToUpper(first)) + s[size:]
	}
	if !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "…") {
		s += "."
	}
	return s
}

// langTag is the shape of a BCP 47 tag (RFC 5646 §2.1) without private use.
var langTag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$`)

// lang returns the tag if it is one, else nothing: a false lang attribute makes a
// screen reader speak with the wrong voice.
func lang(tag string) string {
	if !langTag.MatchString(tag) {
		return ""
	}
	return tag
}

// count writes a number with its noun: "1 feed", "1,204 feeds".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

// plural chooses the form of a word that goes with n.
func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// thousands writes n with a comma between groups of three digits.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// span writes a length of time in its largest fitting unit.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < 90*time.Minute:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}

// moment is a time as a page shows it. A time that never was has no ISO.
type moment struct {
	ISO  string // for the datetime attribute
	Text string // in the page's time zone
	Near string // as seen from now: "5 min ago", "in 2 h"
}

// moments makes moments as seen from one instant.
type moments struct {
	now time.Time
	loc *time.Location
}

func (m moments) of(t time.Time) moment {
	if t.IsZero() {
		return moment{Near: "never"}
	}
	near := "just now"
	switch d := m.now.Sub(t); {
	case d >= time.Minute:
		near = span(d) + " ago"
	case d <= -time.Minute:
		near = "in " + span(-d)
	case d < 0:
		near = "in a moment"
	}
	return moment{
		ISO:  t.UTC().Format("2006-01-02T15:04:05Z"),
		Text: t.In(m.loc).Format("2 Jan 2006, 15:04"),
		Near: near,
	}
}

// reasonWords says what a class of failure means to a person. A class that is
// not here is shown by its name.
var reasonWords = map[fetcher.Reason]string{
	fetcher.ReasonDNS:         "the host name does not resolve",
	fetcher.ReasonNoHost:      "there is no such host",
	fetcher.ReasonRefused:     "the address is not a public one, so it is not visited",
	fetcher.ReasonConnect:     "the server cannot be reached",
	fetcher.ReasonTLS:         "the secure connection cannot be trusted",
	fetcher.ReasonTimeout:     "the server takes too long",
	fetcher.ReasonRedirect:    "the server redirects in a circle, or to where newswatch does not go",
	fetcher.ReasonGone:        "the server says that the feed is gone for good",
	fetcher.ReasonNotFound:    "the server has no such page",
	fetcher.ReasonForbidden:   "the server refuses newswatch",
	fetcher.ReasonRateLimited: "the server asks newswatch to come less often",
	fetcher.ReasonClient:      "the server refuses the request",
	fetcher.ReasonServer:      "the server has a fault of its own",
	fetcher.ReasonTooLarge:    "the document is larger than fetch.max_body",
	fetcher.ReasonBody:        "the document arrives broken or cut off",
	fetcher.ReasonNotAFeed:    "the document is not a feed",
	fetcher.ReasonHostile:     "the document could harm its reader, so it is not read",
	fetcher.ReasonParse:       "the document cannot be understood",
	fetcher.ReasonPanic:       "the document makes the parser fail",
	fetcher.ReasonOffline:     "nothing at all can be reached, so the fault is not the feed's",
	fetcher.ReasonConfig:      "the URL in the configuration cannot be polled",
}
