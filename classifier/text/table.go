package text

import (
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// kind says what a character does in a text: the low bits are one of the kinds,
// the others flags.
type kind uint8

const (
	kindSpace     kind = iota // stands between words
	kindWord                  // a letter or a digit
	kindMark                  // a mark that belongs to its word
	kindDiacritic             // a mark that Latin letters lose and others keep
	kindDrop                  // vanishes without ending a word
	kindSolo                  // is a word of its own

	kindMask kind = 0x07

	flagLatin    kind = 0x08 // a letter of the Latin script, or what is folded to one
	flagFirst    kind = 0x10 // composes with a following flagSecond
	flagSecond   kind = 0x20 // a starter that composes with what stands before it
	flagReorders kind = 0x40 // a mark that NFC may move or compose, other than a virama
)

// beyond marks the bytes of ascii that begin or continue a longer character.
const beyond = 0xff

// ascii maps a byte to its folded form, 0 where it stands between words.
var ascii = func() (t [256]byte) {
	for c := range t {
		switch {
		case c >= utf8.RuneSelf:
			t[c] = beyond
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			t[c] = byte(c)
		case 'A' <= c && c <= 'Z':
			t[c] = byte(c) + 'a' - 'A'
		}
	}
	return t
}()

// tableEnd is the first character that is not in a page: below it are the
// scripts that news is written in, save the East Asian ones.
const tableEnd = 0x2080

// page is what the characters of one run of pageSize do.
type page struct {
	kinds [pageSize]kind
	repls [pageSize]string
}

const pageSize = 128

// pages are made when the first of their characters is seen: a program pays for
// the scripts that it reads.
var pages [tableEnd / pageSize]atomic.Pointer[page]

func makePage(n rune) *page {
	p := new(page)
	for i := range rune(pageSize) {
		p.kinds[i], p.repls[i] = classify(n*pageSize + i)
	}
	pages[n].Store(p) // whoever else made it meanwhile made the same
	return p
}

// lookup returns what a character beyond ASCII does and what it folds to; ""
// means itself.
func lookup(r rune) (kind, string) {
	switch {
	case r < tableEnd:
		p := pages[r/pageSize].Load()
		if p == nil {
			p = makePage(r / pageSize)
		}
		return p.kinds[r%pageSize], p.repls[r%pageSize]
	case 0x3400 <= r && r <= 0x4dbf || 0x4e00 <= r && r <= 0x9fff:
		return kindSolo, ""
	case 0xac00 <= r && r <= 0xd7a3:
		return kindWord | flagFirst, ""
	}
	return classify(r)
}

// special are foldings that Unicode's tables do not give.
var special = map[rune]string{
	'ø': "o", 'Ø': "o", 'đ': "d", 'Đ': "d", 'ł': "l", 'Ł': "l", 'ħ': "h", 'Ħ': "h",
	'ı': "i", 'İ': "i", 'æ': "ae", 'Æ': "ae", 'œ': "oe", 'Œ': "oe", 'ð': "d", 'Ð': "d",
	'þ': "th", 'Þ': "th", 'ŧ': "t", 'Ŧ': "t", 'ŋ': "n", 'Ŋ': "n",
	// Malayalam chillu letters and dot reph: the base and a virama.
	0x0d7a: "ണ\u0d4d", 0x0d7b: "ന\u0d4d", 0x0d7c: "ര\u0d4d", 0x0d7d: "ല\u0d4d", 0x0d7e: "ള\u0d4d", 0x0d7f: "ക\u0d4d",
	0x0d4e: "ര\u0d4d", 0x0d54: "മ\u0d4d", 0x0d55: "യ\u0d4d", 0x0d56: "ഴ\u0d4d",
	// Bengali khanda ta.
	0x09ce: "ত\u09cd",
}

// nukta are the signs that make a letter of its neighbour, one for each script.
var nukta = []rune{0x093c, 0x09bc, 0x0a3c, 0x0abc, 0x0b3c, 0x0c3c, 0x0cbc}

func isNukta(r rune) bool {
	for _, n := range nukta {
		if r == n {
			return true
		}
	}
	return false
}

// isApostrophe holds for the letters of Unicode that are apostrophes in print.
func isApostrophe(r rune) bool { return 0x02b9 <= r && r <= 0x02bf || r == 0x02c8 || r == 0xa78c }

func isDropped(r rune) bool {
	// The iota subscript folds to a letter, but composes as a mark: it cannot do
	// both.
	const tatweel, joiner, iotaSubscript = 0x0640, 0x034f, 0x0345
	return r == tatweel || r == joiner || r == iotaSubscript || isNukta(r) || unicode.In(r, unicode.Cf, unicode.Variation_Selector)
}

func isSolo(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao,
		unicode.Khmer, unicode.Myanmar) || r == 0x30fc
}

// isDiacritic holds for the blocks of combining marks that belong to no one
// script.
func isDiacritic(r rune) bool {
	return (0x0300 <= r && r <= 0x036f || 0x1ab0 <= r && r <= 0x1aff || 0x1dc0 <= r && r <= 0x1dff ||
		0x20d0 <= r && r <= 0x20ff || 0xfe20 <= r && r <= 0xfe2f) && unicode.IsMark(r)
}

// virama is the combining class of the sign that joins two consonants. It is
// everywhere in Indic text and needs no reordering once the nukta is gone.
const virama = 9

func classify(r rune) (kind, string) {
	if s, ok := special[r]; ok {
		if r < 0x0300 {
			return kindWord | flagLatin, s
		}
		return kindWord, s
	}
	switch {
	case r == utf8.RuneError || isApostrophe(r):
		return kindSpace, ""
	case isDropped(r):
		return kindDrop, ""
	case isDiacritic(r):
		return kindDiacritic | flagReorders, foldOne(r)
	case unicode.IsMark(r):
		return kindMark | flags(r), foldOne(r)
	case unicode.Is(unicode.Nd, r):
		return kindWord | flagLatin, string('0' + digit(r))
	case unicode.IsLetter(r) || unicode.IsNumber(r):
		s := foldOne(r)
		first, _ := utf8.DecodeRuneInString(s)
		switch {
		case s == "-" || unicode.IsMark(first):
			return kindSpace, ""
		case isSolo(r) || isSolo(first):
			if utf8.RuneCountInString(s) > 1 {
				s = "" // a compatibility form of several, each of them a word of its own
			}
			return kindSolo, s
		case s != "" && (first < utf8.RuneSelf || unicode.Is(unicode.Latin, first)),
			s == "" && unicode.Is(unicode.Latin, r):
			return kindWord | flagLatin, s
		}
		if s != "" {
			return kindWord | flags(first), s
		}
		return kindWord | flags(r), s
	}
	return kindSpace, ""
}

// digit is the value of a decimal digit: Unicode lays them out in runs of ten.
func digit(r rune) rune {
	n := rune(0)
	for n < 9 && unicode.Is(unicode.Nd, r-n-1) {
		n++
	}
	if lo := r - n; lo >= 0x1d7ce && lo <= 0x1d7ff {
		return (r - 0x1d7ce) % 10 // the mathematical digits are five runs without a gap
	}
	return n
}

// foldOne folds one character by itself: "" where it stays, "-" where its
// compatibility form is not a word (½ is 1⁄2).
func foldOne(r rune) string {
	orig := string(r)
	d := norm.NFKD.String(orig)
	first, _ := utf8.DecodeRuneInString(d)
	latin := first < utf8.RuneSelf || unicode.Is(unicode.Latin, first)
	var b strings.Builder
	d = strings.Map(func(c rune) rune {
		if isDropped(c) || latin && isDiacritic(c) {
			return -1
		}
		return c
	}, d)
	if !unicode.Is(unicode.Cherokee, r) || unicode.IsLower(r) {
		d = cases.Fold().String(d) // Cherokee folds to its capitals, which are not to be folded again
	}
	for _, c := range d {
		switch {
		case latin && isDiacritic(c): // that of ŉ and the like
		case isApostrophe(c):
			return "-"
		case special[c] != "":
			b.WriteString(special[c])
		case unicode.Is(unicode.Nd, c):
			b.WriteRune('0' + digit(c))
		case unicode.IsLetter(c) || unicode.IsMark(c):
			b.WriteRune(c)
		default:
			return "-"
		}
	}
	s := norm.NFC.String(b.String())
	if s == orig {
		return ""
	}
	return s
}

// flags says how a character takes part in canonical composition.
func flags(r rune) kind {
	var k kind
	p := norm.NFC.PropertiesString(string(r))
	switch {
	case p.CCC() == virama && r != 0x0dca: // that of Sinhala composes
	case p.CCC() != 0:
		k |= flagReorders
	case !p.BoundaryBefore():
		k |= flagSecond
	}
	if composesFirst(r) {
		k |= flagFirst
	}
	return k
}

// twoPart are the vowel signs of two parts that are common in print, and what
// NFC makes of them. The library would do it too, but allocates.
var twoPart = map[[2]rune]string{
	{0x09c7, 0x09be}: "\u09cb", {0x09c7, 0x09d7}: "\u09cc",
	{0x0b47, 0x0b3e}: "\u0b4b", {0x0b47, 0x0b56}: "\u0b48", {0x0b47, 0x0b57}: "\u0b4c",
	{0x0bc6, 0x0bbe}: "\u0bca", {0x0bc7, 0x0bbe}: "\u0bcb", {0x0bc6, 0x0bd7}: "\u0bcc",
	{0x0cbf, 0x0cd5}: "\u0cc0", {0x0cc6, 0x0cd5}: "\u0cc7", {0x0cc6, 0x0cd6}: "\u0cc8",
	{0x0d46, 0x0d3e}: "\u0d4a", {0x0d47, 0x0d3e}: "\u0d4b", {0x0d46, 0x0d57}: "\u0d4c",
}

// composesFirst reports whether a character composes with a following starter:
// the vowel signs of two parts, and the letters of Hangul. Of the scripts beyond
// the pages, all are taken to.
func composesFirst(r rune) bool {
	switch r {
	case 0x09c7, 0x0b47, 0x0b92, 0x0bc6, 0x0bc7, 0x0cbf, 0x0cc6, 0x0cca, 0x0d46, 0x0d47, 0x0dd9, 0x1025,
		0x1b05, 0x1b07, 0x1b09, 0x1b0b, 0x1b0d, 0x1b11, 0x1b3a, 0x1b3c, 0x1b3e, 0x1b3f, 0x1b42:
		return true
	}
	return 0x1100 <= r && r <= 0x1112 || r >= 0x11000
}
