package classifier

import (
	"iter"
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/sentences"
)

// reach bounds how far from a match its sentence is looked for, in bytes: what is
// farther away than an excerpt is long would be cut off anyway.
const reach = 3 * MaxExcerpt

// excerpt chooses what to show of the lead or the body: the sentence that holds
// the most matches, each as often as it weighs, and the first of those that hold
// as many. The words of a NEAR count and are marked only together; where no
// sentence holds any clause as a whole, as many as one runs over are shown. It is
// empty when all matches are in the headline, which is shown anyway, or beside
// the text.
func excerpt(segs []segment, spans []span) Excerpt {
	type candidate struct {
		sp     span // the clause that it is chosen for
		lo, hi int
		within bool // one sentence holds the clause
		score  int32
	}
	var best candidate
	var last candidate
	for _, sp := range spans {
		if sp.field != FieldLead && sp.field != FieldBody {
			continue
		}
		s := segs[sp.seg].text
		if last.score > 0 && last.sp.seg == sp.seg && sp.wholeLo >= last.lo && sp.wholeHi <= last.hi && last.within {
			continue // the same sentence again
		}
		c := candidate{sp: sp}
		c.lo, c.hi = sentence(s, sp.wholeLo, sp.wholeHi)
		c.within = utf8.RuneCountInString(s[sp.wholeLo:sp.wholeHi]) <= MaxExcerpt-2
		if c.within && sp.wholeHi-sp.wholeLo > sp.hi-sp.lo {
			_, end := sentence(s, sp.wholeLo, min(sp.wholeLo+1, sp.wholeHi))
			c.within = end >= sp.wholeHi
		}
		for other := range inside(spans, sp.seg, c.lo, c.hi) {
			c.score += other.weight
		}
		last = c
		if best.score == 0 || c.within && !best.within || c.within == best.within && c.score > best.score {
			best = c
		}
	}
	if best.score == 0 {
		return Excerpt{}
	}
	seg := segs[best.sp.seg]
	x := Excerpt{Field: seg.field}
	x.Text, x.Marks = cite(seg.text, best.lo, best.hi, best.sp, slices.Collect(inside(spans, best.sp.seg, best.lo, best.hi)))
	return x
}

// inside yields the spans whose clauses stand in a piece of a segment as a whole,
// each once and with the most that it weighs.
func inside(spans []span, seg int32, lo, hi int) iter.Seq[span] {
	return func(yield func(span) bool) {
		n := sort.Search(len(spans), func(n int) bool {
			return spans[n].seg > seg || spans[n].seg == seg && spans[n].lo >= lo
		})
		for n < len(spans) && spans[n].seg == seg && spans[n].lo < hi {
			sp, whole := spans[n], false
			at, weight := sp.at(), int32(0)
			for ; n < len(spans) && spans[n].at() == at; n++ {
				if spans[n].wholeLo >= lo && spans[n].wholeHi <= hi {
					sp, whole, weight = spans[n], true, max(weight, spans[n].weight)
				}
			}
			if sp.weight = weight; whole && !yield(sp) {
				return
			}
		}
	}
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

// cite cuts a sentence down to MaxExcerpt characters around its first match, or
// around the clause that it was chosen for.
func cite(s string, lo, hi int, clause span, spans []span) (string, [][2]int) {
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
		from, to := window(s, lo, hi, clause)
		if from > lo {
			before = "…"
		}
		if to < hi {
			after = "…"
		}
		lo, hi = from, to
	}
	var marks [][2]int
	// A clause that is longer than an excerpt is marked as far as it is shown.
	long := clause.wholeLo < lo || clause.wholeHi > hi
	for _, sp := range spans {
		if sp.lo < lo || sp.lo >= hi || !long && (sp.wholeLo < lo || sp.wholeHi > hi) {
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
// before the clause, and end at the ends of words.
func window(s string, lo, hi int, clause span) (from, to int) {
	const lead = MaxExcerpt / 3
	spare := MaxExcerpt - 2 - utf8.RuneCountInString(s[clause.wholeLo:min(clause.wholeHi, hi)])
	from = clause.wholeLo
	for n := 0; n < min(lead, spare) && from > lo; n++ {
		_, size := utf8.DecodeLastRuneInString(s[lo:from])
		from -= size
	}
	if from > lo {
		if i := strings.IndexFunc(s[from:clause.wholeLo], unicode.IsSpace); i >= 0 {
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
		if i := strings.LastIndexFunc(s[from:to], unicode.IsSpace); i > 0 && from+i >= min(clause.wholeHi, to) {
			to = from + i
		}
	}
	return from, to
}
