// Package guard withholds a sentence that could tell who a child is, before it
// leaves the house.
//
// Section 23(2) of India's POCSO Act forbids a report to disclose a child's
// identity: name, address, photograph, family details, school, neighbourhood, or
// any other particulars. The guard is a net, not a promise: it finds the forms in
// which newspapers do it, in English, Malayalam, Hindi and Tamil. It knows no
// names. What it looks for is a child's age or word beside something that has the
// form of a name, a relative, a school, or a place smaller than a town; a police
// officer's name, an agency's or a grown suspect's beside the same word passes.
package guard

import (
	"strings"
	"unicode"

	"github.com/clipperhouse/uax29/v2/sentences"

	"github.com/newswatch/newswatch/classifier"
)

const (
	// Headline and Sentence stand where something was withheld.
	Headline = "[headline withheld: it may identify a child]"
	Sentence = "[sentence withheld: it may identify a child]"
)

// Hit returns the hit as it may leave the house: its title, and the excerpt of
// each rule, without what could identify a child; without any longer text; and
// without the matches, which quote it. The caller's hit is left as it is.
func Hit(h classifier.Hit) classifier.Hit {
	title := h.Item.Title
	h.Item.Title = Title(title)
	h.Item.Summary, h.Item.Content = "", ""
	rules := make([]classifier.RuleMatch, len(h.Rules))
	for i, r := range h.Rules {
		r.Matches = nil
		r.Excerpt = Excerpt(r.Excerpt, title)
		rules[i] = r
	}
	h.Rules = rules
	return h
}

// Title returns the title, or Headline in its place.
func Title(title string) string {
	if len(find(title, false)) > 0 {
		return Headline
	}
	return title
}

// Excerpt returns the excerpt with Sentence in the place of each sentence that
// could identify a child, and without the marks that stood in it. The headline
// under which it stands may say that it is about a child.
func Excerpt(x classifier.Excerpt, title string) classifier.Excerpt {
	found := find(x.Text, aboutChild(read(title)))
	if len(found) == 0 {
		return x
	}
	out := classifier.Excerpt{Field: x.Field}
	var b strings.Builder
	for _, s := range split(x.Text, found) {
		if s.withheld {
			if !strings.HasSuffix(strings.TrimSpace(b.String()), Sentence) {
				b.WriteString(Sentence + s.space)
			}
			continue
		}
		for _, m := range x.Marks {
			if m[0] >= s.lo && m[1] <= s.hi && m[0] < m[1] {
				out.Marks = append(out.Marks, [2]int{m[0] - s.lo + b.Len(), m[1] - s.lo + b.Len()})
			}
		}
		b.WriteString(x.Text[s.lo:s.hi])
	}
	out.Text = strings.TrimRightFunc(b.String(), unicode.IsSpace)
	return out
}

// sentence is a piece of a text; space is the white space at its end.
type sentence struct {
	lo, hi   int
	withheld bool
	space    string
}

// split cuts a text into its sentences (UAX #29). Those that a finding runs over
// are withheld, and so is what an abbreviation cut from one: "St. Mary's School"
// is two sentences by the letter of the standard.
func split(s string, found []finding) []sentence {
	var out []sentence
	it := sentences.FromString(s)
	for it.Next() {
		p := sentence{lo: it.Start(), hi: it.End()}
		text := s[p.lo:p.hi]
		p.space = text[len(strings.TrimRightFunc(text, unicode.IsSpace)):]
		for _, f := range found {
			p.withheld = p.withheld || f.lo < p.hi && f.hi > p.lo
		}
		if n := len(out); n > 0 && endsInAbbreviation(s[out[n-1].lo:out[n-1].hi]) {
			out[n-1].hi, out[n-1].space = p.hi, p.space
			out[n-1].withheld = out[n-1].withheld || p.withheld
			continue
		}
		out = append(out, p)
	}
	return out
}

// endsInAbbreviation reports whether a sentence ends in a short word with a
// capital and a dot: St., Fr., Govt., K.
func endsInAbbreviation(s string) bool {
	s = strings.TrimRightFunc(s, unicode.IsSpace)
	word, dotted := strings.CutSuffix(s[strings.LastIndexFunc(s, unicode.IsSpace)+1:], ".")
	first := []rune(strings.TrimLeft(word, "(\"'“‘"))
	return dotted && len(first) > 0 && len(first) <= 4 && unicode.IsUpper(first[0])
}
