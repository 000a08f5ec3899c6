package classifier

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/sentences"
)

// reach bounds how far from a match its sentence is looked for, in bytes.
const reach = 2048

// excerpt chooses the sentence of the lead or the body that holds the most
// matches, the first of those that hold as many. It is empty when all matches
// are in the headline, which is shown anyway, or beside the text.
func excerpt(segs []segment, spans []span) Excerpt {
	var (
		best         Excerpt
		most, lo, hi int
		from, to     int
	)
	for i := 0; i < len(spans); i++ {
		sp := spans[i]
		if sp.field != FieldLead && sp.field != FieldBody {
			continue
		}
		lo, hi = sentence(segs[sp.seg].text, sp.lo, sp.hi)
		n := i
		for n < len(spans) && spans[n].seg == sp.seg && spans[n].hi <= hi {
			n++
		}
		if n-i > most {
			most = n - i
			best.Field = segs[sp.seg].field
			from, to = i, n
		}
		i = max(i, n-1)
	}
	if most == 0 {
		return Excerpt{}
	}
	s := segs[spans[from].seg].text
	lo, hi = sentence(s, spans[from].lo, spans[from].hi)
	best.Text, best.Marks = cite(s, lo, hi, spans[from:to])
	return best
}

// sentence returns the sentence of s around bytes lo to hi, by UAX #29, not
// beyond the line that it is on.
func sentence(s string, lo, hi int) (start, end int) {
	start, end = max(0, lo-reach), min(len(s), hi+reach)
	for start < lo && !utf8.RuneStart(s[start]) {
		start++
	}
	for end < len(s) && end > hi && !utf8.RuneStart(s[end]) {
		end--
	}
	if i := strings.LastIndexByte(s[start:lo], '\n'); i >= 0 {
		start += i + 1
	}
	if i := strings.IndexByte(s[hi:end], '\n'); i >= 0 {
		end = hi + i
	}
	it := sentences.FromString(s[start:end])
	base := start
	for it.Next() {
		from, to := base+it.Start(), base+it.End()
		if from <= lo {
			start = from
		}
		if to >= hi {
			return start, to
		}
	}
	return start, end
}

// cite cuts a sentence down to MaxExcerpt characters around its first match.
func cite(s string, lo, hi int, spans []span) (string, [][2]int) {
	for lo < spans[0].lo {
		r, size := utf8.DecodeRuneInString(s[lo:])
		if !unicode.IsSpace(r) {
			break
		}
		lo += size
	}
	hi = lo + len(strings.TrimRightFunc(s[lo:hi], unicode.IsSpace))
	before, after := "", ""
	if utf8.RuneCountInString(s[lo:hi]) > MaxExcerpt {
		from, to := window(s, lo, hi, spans[0])
		if from > lo {
			before = "…"
		}
		if to < hi {
			after = "…"
		}
		lo, hi = from, to
	}
	var marks [][2]int
	for _, sp := range spans {
		if sp.lo < lo || sp.lo >= hi {
			continue
		}
		m := [2]int{sp.lo - lo + len(before), min(sp.hi, hi) - lo + len(before)}
		if n := len(marks); n > 0 && m[0] <= marks[n-1][1] {
			marks[n-1][1] = max(marks[n-1][1], m[1])
			continue
		}
		marks = append(marks, m)
	}
	return before + s[lo:hi] + after, marks
}

// window chooses at most MaxExcerpt-2 characters of s[lo:hi] that begin some way
// before the match, and end at the ends of words.
func window(s string, lo, hi int, sp span) (from, to int) {
	const lead = MaxExcerpt / 3
	from = sp.lo
	for n := 0; n < lead && from > lo; n++ {
		_, size := utf8.DecodeLastRuneInString(s[lo:from])
		from -= size
	}
	if from > lo {
		if i := strings.IndexFunc(s[from:sp.lo], unicode.IsSpace); i >= 0 {
			_, size := utf8.DecodeRuneInString(s[from+i:])
			from += i + size
		}
	}
	to = from
	for n := 0; n < MaxExcerpt-2 && to < hi; n++ {
		_, size := utf8.DecodeRuneInString(s[to:])
		to += size
	}
	if to < hi {
		if i := strings.LastIndexFunc(s[from:to], unicode.IsSpace); i > 0 && from+i >= min(sp.hi, to) {
			to = from + i
		}
	}
	return from, to
}
