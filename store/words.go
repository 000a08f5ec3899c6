package store

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/newswatch/newswatch/classifier"
)

// Words splits a text into the words that a HitQuery compares: runs of letters,
// marks and digits, in one Unicode form (NFKC) and without case. Marks and
// joiners belong to the word, or a Malayalam or Hindi word would fall apart at
// every vowel sign.
func Words(s string) []string {
	if ascii(s) {
		// Most texts are, and then this is all that the forms below do.
		return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9')
		})
	}
	s = norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
	return strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.M, unicode.N) && r != '\u200c' && r != '\u200d'
	})
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// OutletKey is the form of an outlet's name in which a HitQuery compares it.
func OutletKey(name string) string { return strings.Join(Words(name), " ") }

// LangKey is the form of a BCP 47 tag in which a HitQuery compares it.
func LangKey(tag string) string { return strings.ToLower(strings.ReplaceAll(tag, "_", "-")) }

// HitTags are the tags that a HitQuery can find a hit by, each once.
func HitTags(h classifier.Hit) []string {
	tags := slices.Clone(h.FeedTags)
	for _, r := range h.Rules {
		tags = append(tags, r.Tags...)
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

// HitSeverity is the highest of the hit's rules.
func HitSeverity(h classifier.Hit) classifier.Severity {
	most := classifier.Low
	for _, r := range h.Rules {
		most = max(most, r.Severity)
	}
	return most
}

// HitWords is every word that a HitQuery's Text can find a hit by, each with a
// blank before it: a hit is selected by a word when this contains a blank and
// the word.
func HitWords(h classifier.Hit) string {
	var b strings.Builder
	b.Grow(len(h.Item.Title) + len(h.Item.Summary))
	add := func(s string) {
		if ascii(s) {
			addWords(&b, s)
			return
		}
		for _, w := range Words(s) {
			b.WriteByte(' ')
			b.WriteString(w)
		}
	}
	add(h.Item.Title)
	add(h.Item.Summary)
	for _, r := range h.Rules {
		add(r.Excerpt.Text)
	}
	return b.String()
}

// addWords writes what Words finds in ASCII, each with a blank before it.
func addWords(b *strings.Builder, s string) {
	within := false
	for i := range len(s) {
		c := s[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		default:
			within = false
			continue
		}
		if !within {
			b.WriteByte(' ')
			within = true
		}
		b.WriteByte(c)
	}
}
