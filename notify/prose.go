package notify

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/newswatch/newswatch/classifier"
)

// Subject is a neutral line: it says how much there is and when it was, and
// nothing of the topic, which would stand on a locked telephone.
func Subject(d Digest) string {
	w := d.wording()
	what := w.noNews
	switch {
	case d.Entries > 0:
		what = w.reports.of(d.Hits)
	case d.corrected() > 0:
		what = w.corrections.of(d.corrected())
	case len(d.Notices) > 0:
		what = w.notices.of(len(d.Notices) + d.NoticesMore)
	}
	t := d.Sealed.In(d.location())
	return fmt.Sprintf("newswatch: %s, %s, %s", what, w.day(t), clock(t))
}

// location is the zone in which the digest tells its times. One that this
// machine does not know is UTC, and the times say so.
func (d Digest) location() *time.Location {
	if tz, err := time.LoadLocation(d.Timezone); err == nil && d.Timezone != "Local" {
		return tz
	}
	return time.UTC
}

// headline says in words what the digest holds.
func (d Digest) headline(w *wording) string {
	s := w.noNewsHead
	switch {
	case d.Entries == 0 && d.corrected() == 0 && len(d.Notices) > 0:
		return s + ", " + w.notices.of(len(d.Notices)+d.NoticesMore)
	case d.Entries > 0:
		s = w.reports.of(d.Hits)
		if d.Entries != d.Hits {
			s = fmt.Sprintf(w.reportsOfStories, s, w.stories.of(d.Entries))
		}
	}
	if n := d.corrected(); n > 0 {
		s += ", " + w.corrections.of(n)
	}
	return s
}

// more says what was cut; empty when nothing was.
func (d Digest) more(w *wording) string {
	if d.More == 0 {
		return ""
	}
	if d.Shown() == 0 {
		return w.tooLong.of(d.More)
	}
	return w.andMore.of(d.More)
}

// byline is the outlet and the time, in the zone of when the digest was sealed.
func (w *wording) byline(outlet string, published, found, sealed time.Time) string {
	t := cmp.Or(published, found).In(sealed.Location())
	when := w.dayOf(t, sealed) + t.Format(" 15:04")
	if published.IsZero() {
		when = fmt.Sprintf(w.found, when)
	}
	if outlet := plain(outlet); outlet != "" {
		return outlet + ", " + when
	}
	return when
}

// dayOf is a day, without its year where that is the digest's: a report of another
// year that a feed lists only now must not read as one of today.
func (w *wording) dayOf(t, sealed time.Time) string {
	if t.Year() != sealed.Year() {
		return fmt.Sprintf("%s %d", w.day(t), t.Year())
	}
	return w.day(t)
}

// title is what stands for a report; a publisher may have given it none.
func (w *wording) title(s string) string { return cmp.Or(plain(s), w.noTitle) }

// proof is the coverage in words: one sentence a line.
func (d Digest) proof(w *wording) []string {
	c := d.Coverage
	s := fmt.Sprintf(w.read, w.feeds.of(c.Feeds), c.Checked, w.dateTime(d.Since.In(d.location())))
	if c.FailingCount == 0 && c.SilentCount == 0 {
		s += w.allWell
	}
	out := []string{s + w.stop}
	if c.FailingCount > 0 {
		out = append(out, w.named(w.failing, c.Failing, c.FailingCount)+w.stop)
	}
	if c.SilentCount > 0 {
		out = append(out, w.named(w.silent, c.Silent, c.SilentCount)+w.stop)
	}
	return append(out, fmt.Sprintf(w.version, w.rules.of(c.Rules), plain(c.Ruleset), plain(d.ID))+w.stop)
}

// named is a count of feeds and their names; the count alone where none is listed.
func (w *wording) named(phrase string, list []SourceNote, total int) string {
	if len(list) == 0 {
		return strings.TrimSuffix(fmt.Sprintf(phrase, total, ""), ": ")
	}
	return fmt.Sprintf(phrase, total, w.notes(list, total))
}

func (w *wording) notes(list []SourceNote, total int) string {
	var out []string
	for _, n := range list {
		s := plain(n.Feed)
		if note := plain(n.Note); note != "" {
			s += " (" + strings.TrimRight(note, ".") + ")"
		}
		out = append(out, s)
	}
	if rest := total - len(list); rest > 0 {
		out = append(out, fmt.Sprintf(w.notesMore, rest))
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

// Span is a run of an excerpt, marked or not.
type Span struct {
	Text   string
	Marked bool
}

// spans cuts an excerpt at its marks. Marks that are out of order, overlap, or
// point outside of the text are passed over, never followed.
func spans(x classifier.Excerpt) []Span {
	var out []Span
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
				out = append(out, Span{Text: " "})
			}
		}
		out = append(out, Span{text, marked})
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
