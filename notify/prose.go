package notify

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/newswatch/newswatch/classifier"
)

// Subject is a neutral line: it says how much there is and when it was, and
// nothing of the topic, which would stand on a locked telephone.
func Subject(d Digest) string {
	what := "no news"
	if d.Entries > 0 {
		what = count(d.Hits, "report", "reports")
	}
	t := d.Sealed.In(d.location())
	return fmt.Sprintf("newswatch: %s, %s, %s", what, t.Format("2 Jan"), clock(t))
}

// location is the zone in which the digest tells its times. One that this
// machine does not know is UTC, and the times say so.
func (d Digest) location() *time.Location {
	if tz, err := time.LoadLocation(d.Timezone); err == nil && d.Timezone != "Local" {
		return tz
	}
	return time.UTC
}

// clock prints the time of day with its zone. Zones without a name of their own
// have an offset for one, such as +0545.
func clock(t time.Time) string {
	zone, offset := t.Zone()
	if strings.HasPrefix(zone, "+") || strings.HasPrefix(zone, "-") {
		zone = fmt.Sprintf("UTC%+03d:%02d", offset/3600, max(offset, -offset)/60%60)
	}
	return t.Format("15:04 ") + zone
}

func dateTime(t time.Time) string { return t.Format("2 Jan 2006, ") + clock(t) }

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// headline says in words what the digest holds.
func (d Digest) headline() string {
	if d.Entries == 0 {
		return "No news"
	}
	s := count(d.Hits, "report", "reports")
	if d.Entries != d.Hits {
		s += " of " + count(d.Entries, "story", "stories")
	}
	return s
}

// period is the line under the headline.
func (d Digest) period() string {
	tz := d.location()
	return dateTime(d.Sealed.In(tz)) + ". Covers what was found since " + dateTime(d.Since.In(tz)) + "."
}

// more says what was cut; empty when nothing was.
func (d Digest) more() string {
	if d.More == 0 {
		return ""
	}
	if d.Shown() == 0 {
		return count(d.More, "story is", "stories are") + " too long for this message."
	}
	return "And " + strconv.Itoa(d.More) + " more."
}

// when is the time of an entry, in the reader's zone.
func (e Entry) when(tz *time.Location) string {
	if e.Published.IsZero() {
		return "found " + e.Found.In(tz).Format("2 Jan 15:04")
	}
	return e.Published.In(tz).Format("2 Jan 15:04")
}

// byline is the outlet and the time.
func (e Entry) byline(tz *time.Location) string {
	if outlet := plain(e.Outlet); outlet != "" {
		return outlet + ", " + e.when(tz)
	}
	return e.when(tz)
}

// title is what stands for a report; a publisher may have given it none.
func title(s string) string { return cmp.Or(plain(s), "(no title)") }

// proof is the coverage in words: one sentence a line.
func (d Digest) proof() []string {
	c := d.Coverage
	s := fmt.Sprintf("%s, %d read since %s", count(c.Feeds, "feed", "feeds"), c.Checked, dateTime(d.Since.In(d.location())))
	if c.FailingCount == 0 && c.SilentCount == 0 {
		s += ", none failing, none unusually silent"
	}
	out := []string{s + "."}
	if c.FailingCount > 0 {
		out = append(out, strconv.Itoa(c.FailingCount)+" failing: "+notes(c.Failing, c.FailingCount)+".")
	}
	if c.SilentCount > 0 {
		out = append(out, strconv.Itoa(c.SilentCount)+" unusually silent: "+notes(c.Silent, c.SilentCount)+".")
	}
	return append(out, count(c.Rules, "rule", "rules")+", version "+plain(c.Ruleset)+". Digest "+plain(d.ID)+".")
}

func notes(list []SourceNote, total int) string {
	var out []string
	for _, n := range list {
		s := plain(n.Feed)
		if note := plain(n.Note); note != "" {
			s += " (" + strings.TrimRight(note, ".") + ")"
		}
		out = append(out, s)
	}
	if rest := total - len(list); rest > 0 {
		out = append(out, "and "+strconv.Itoa(rest)+" more")
	}
	return strings.Join(out, "; ")
}

// plain makes one line of text from outside fit to print: no control characters,
// which could drive a terminal, no line ends, which could forge a line, no
// marks that turn the direction of what follows. Joiners stay; Malayalam and
// Hindi cannot be written without them.
func plain(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	var b strings.Builder
	space := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r) || r == '\u2028' || r == '\u2029':
			space = true
			continue
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\uFEFF', r == '\uFFFE', r == '\uFFFF':
			continue
		// Tag characters and the like are not seen and can carry words.
		case r >= 0xE0000 && r <= 0xE0FFF:
			continue
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(r)
	}
	return b.String()
}

// span is a run of an excerpt, marked or not.
type span struct {
	Text   string
	Marked bool
}

// spans cuts an excerpt at its marks. Marks that are out of order, overlap, or
// point outside of the text are passed over, never followed.
func spans(x classifier.Excerpt) []span {
	var out []span
	space := false // a blank is due before what comes next
	add := func(raw string, marked bool) {
		text := plain(raw)
		space = space || startsWithSpace(raw)
		if text == "" {
			return
		}
		if space && len(out) > 0 {
			// A blank beside a mark is not marked.
			if last := &out[len(out)-1]; !marked {
				text = " " + text
			} else if !last.Marked {
				last.Text += " "
			} else {
				out = append(out, span{Text: " "})
			}
		}
		out = append(out, span{text, marked})
		space = endsWithSpace(raw)
	}
	at := 0
	for _, m := range x.Marks {
		if m[0] < at || m[1] <= m[0] || m[1] > len(x.Text) {
			continue
		}
		add(x.Text[at:m[0]], false)
		add(x.Text[m[0]:m[1]], true)
		at = m[1]
	}
	add(x.Text[at:], false)
	return out
}

func startsWithSpace(s string) bool { return s != strings.TrimLeftFunc(s, unicode.IsSpace) }
func endsWithSpace(s string) bool   { return s != strings.TrimRightFunc(s, unicode.IsSpace) }

// safeLink returns a link that may be followed: absolute, http or https, with a
// host and without a user; or "".
func safeLink(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	out := u.String()
	if len(out) > maxLink || strings.ContainsFunc(out, func(r rune) bool {
		return r <= ' ' || r == '<' || r == '>' || r == '"' || !unicode.IsPrint(r)
	}) {
		return ""
	}
	return out
}

var langTag = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}$`)

// safeLang returns a language that may stand in an attribute; or "".
func safeLang(s string) string {
	if langTag.MatchString(s) {
		return s
	}
	return ""
}
