package classifier

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/newswatch/newswatch/classifier/text"
)

const (
	// maxWords bounds a phrase.
	maxWords = 64
	// maxHyphens bounds the hyphenated words of one phrase, each of which doubles
	// the ways to write it.
	maxHyphens = 4
)

// term reads what a term lexeme means in a field.
func (p *parser) term(f Field, x lexeme) Expr {
	switch f {
	case FieldSite:
		return p.site(x)
	case FieldLang:
		return p.lang(x)
	}
	t := &term{field: f}
	ok, hyphens := true, 0
	for at, chunk := range fields(x.text) {
		ws, good := p.chunk(x.at+at, chunk)
		ok = ok && good
		for _, w := range ws {
			if len(w.parts) > 1 {
				hyphens++
			}
		}
		t.words = append(t.words, ws...)
	}
	switch {
	case !ok:
		return nil
	case len(t.words) == 0:
		p.errorf(x.at, "", "there is no letter or digit to search for in %q", x.text)
		return nil
	case len(t.words) > maxWords:
		p.errorf(x.at, "", "the phrase has %d words; at most %d are allowed", len(t.words), maxWords)
		return nil
	case hyphens > maxHyphens:
		p.errorf(x.at, "write the others with a space", "the phrase has %d words with a hyphen; at most %d are allowed", hyphens, maxHyphens)
		return nil
	}
	return t
}

// exact reads what stands between braces.
func (p *parser) exact(f Field, x lexeme) Expr {
	if f == FieldSite || f == FieldLang {
		p.errorf(x.at, "leave the braces out", "%s: has no exact form", f)
		return nil
	}
	var b text.Buffer
	b.Add(x.text)
	switch n := b.Len(); {
	case n == 0:
		p.errorf(x.at, "", "there is no letter or digit to search for in %q", x.text)
		return nil
	case n > maxWords:
		p.errorf(x.at, "", "the phrase has %d words; at most %d are allowed", n, maxWords)
		return nil
	case strings.ContainsAny(x.text, "*?"):
		p.errorf(x.at+strings.IndexAny(x.text, "*?"), "", "there are no wildcards in an exact form")
		return nil
	}
	first, last := b.Tokens()[0], b.Tokens()[b.Len()-1]
	return &exact{f, formOf(x.text[first.Start:last.End])}
}

// formOf is what an exact form is compared by: every run of white space is one
// space, and accents are composed.
func formOf(s string) string { return norm.NFC.String(strings.Join(strings.Fields(s), " ")) }

// fields yields what stands between spaces, with its offset.
func fields(s string) func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		start := -1
		for i, r := range s {
			if unicode.IsSpace(r) {
				if start >= 0 && !yield(start, s[start:i]) {
					return
				}
				start = -1
			} else if start < 0 {
				start = i
			}
		}
		if start >= 0 {
			yield(start, s[start:])
		}
	}
}

// chunk makes words of what an author wrote without a space. Words that only a
// hyphen separates stay together; anything else between two words is nothing.
func (p *parser) chunk(at int, s string) ([]word, bool) {
	body, prefix := s, false
	if i := strings.IndexByte(s, '*'); i >= 0 {
		body, prefix = s[:i], true
		if i == 0 {
			p.errorf(at, "write the beginning of the word before it", "a word cannot begin with *")
			return nil, false
		}
		if rest := strings.TrimRight(s[i+1:], ".,;:!'’"); rest != "" {
			p.errorf(at+i, "", "* can stand only at the end of a word")
			return nil, false
		}
	}
	var (
		b    text.Buffer
		out  []word
		last int32
	)
	body = strings.ReplaceAll(body, "?", wildRune)
	b.Add(body)
	for i, t := range b.Tokens() {
		w := strings.ReplaceAll(string(b.Folded(t)), wildRune, "?")
		if !p.headed(at, s, w) {
			return nil, false
		}
		if i > 0 && isHyphen(body[last:t.Start]) {
			out[len(out)-1].parts = append(out[len(out)-1].parts, w)
		} else {
			out = append(out, word{parts: []string{w}})
		}
		last = t.End
	}
	if !prefix {
		return out, true
	}
	if len(out) == 0 || int(last) != len(body) {
		p.errorf(at+strings.IndexByte(s, '*'), "", "* must stand directly after a letter")
		return nil, false
	}
	w := &out[len(out)-1]
	stem := &w.parts[len(w.parts)-1]
	if text.Unspaced(*stem) {
		return out, true // each of its characters is a word already
	}
	*stem = trimVirama(*stem)
	w.prefix = true
	if n, need := letters(*stem); n < need {
		p.errorf(at, "write the whole word, or more of it", "%q: at least %d letters must stand before the *", s, need)
		return nil, false
	}
	return out, true
}

// wildRune stands for the ? of a term while it is folded: a letter of one
// manuscript, which folds to itself and joins with nothing.
const wildRune = "\ua66e"

// foldWild folds a word with ? in it.
func foldWild(s string) string {
	return strings.ReplaceAll(text.Fold(strings.ReplaceAll(s, "?", wildRune)), wildRune, "?")
}

// headed refuses a word whose ? has too little before it.
func (p *parser) headed(at int, s, w string) bool {
	i := strings.IndexByte(w, '?')
	if i < 0 {
		return true
	}
	if n, need := letters(w[:i]); n < need-1 {
		p.errorf(at, "write out more of the word; if the mark is punctuation, leave it out",
			"%q: at least %d letters must stand before the ?", s, max(need-1, 1))
		return false
	}
	return true
}

// isHyphen holds for what separates the parts of a hyphenated word.
func isHyphen(gap string) bool {
	r, size := utf8.DecodeRuneInString(gap)
	return size == len(gap) && (unicode.Is(unicode.Pd, r) || r == '\u2212')
}

// trimVirama takes off a virama at the end of a prefix: before another vowel it
// is gone from the word.
func trimVirama(s string) string {
	return strings.TrimRight(s, "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca")
}

// letters counts the letters and digits of a prefix, without its marks, and
// says how many it must have: in an Indic script a letter is a syllable.
func letters(s string) (n, need int) {
	need = 3
	for _, r := range s {
		if !unicode.IsMark(r) {
			n++
		}
		if 0x0900 <= r && r <= 0x0dff {
			need = 2
		}
	}
	return n, need
}

var (
	hostRE = regexp.MustCompile(`^[\pL\pN]([\pL\pN\pM-]*[\pL\pN\pM])?(\.[\pL\pN]([\pL\pN\pM-]*[\pL\pN\pM])?)*$`)
	langRE = regexp.MustCompile(`^[a-z]{2,3}(-[a-z0-9]{1,8})*$`)
)

func (p *parser) site(x lexeme) Expr {
	host := strings.TrimPrefix(strings.Trim(strings.ToLower(x.text), ". "), "www.")
	if !hostRE.MatchString(host) {
		p.errorf(x.at, "write a domain such as thehindu.com; its sub-domains are included", "site:%s is not a domain", x.text)
		return nil
	}
	return &siteIs{host}
}

func (p *parser) lang(x lexeme) Expr {
	tag := strings.ToLower(strings.TrimSpace(x.text))
	if !langRE.MatchString(tag) {
		p.errorf(x.at, "write a tag such as en, ml or pt-br", "lang:%s is not a language tag", x.text)
		return nil
	}
	return &langIs{tag}
}
