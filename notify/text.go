package notify

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// textWidth is the widest line of a text, in columns. RFC 5322 §2.1.1 asks for 78.
// Only a link may be wider: cut in two it would lead nowhere.
const textWidth = 78

// paragraph returns s, wrapped, with first before its first line and rest before
// the others. Every line ends in \n; of nothing it makes nothing.
func paragraph(first, rest, s string) string {
	var b strings.Builder
	line, used := first, columns(first)
	empty := true
	flush := func() {
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		line, used, empty = rest, columns(rest), true
	}
	for _, w := range strings.Fields(s) {
		for _, piece := range chop(w, textWidth-columns(rest)) {
			n := columns(piece)
			if !empty && used+1+n > textWidth {
				flush()
			}
			if !empty {
				line, used = line+" ", used+1
			}
			line, used, empty = line+piece, used+n, false
		}
	}
	if !empty {
		flush()
	}
	return b.String()
}

// chop cuts a word that is wider than a line, as text without spaces is. It
// never parts a letter from its marks.
func chop(w string, width int) []string {
	if columns(w) <= width {
		return []string{w}
	}
	var out []string
	start, used := 0, 0
	letter, before := 0, 0 // where the last letter began, and the columns before it
	for i, r := range w {
		if !unicode.In(r, unicode.M, unicode.Cf) {
			letter, before = i, used
		}
		used += runeColumns(r)
		if used > width && letter > start {
			out = append(out, w[start:letter])
			start, used, before = letter, used-before, 0
		}
	}
	return append(out, w[start:])
}

// columns is the width of s in a terminal.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	if r < 0x300 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
		return 2
	}
	return 1
}

// marked is an excerpt with asterisks around what matched.
func marked(excerpt []Span) string {
	var b strings.Builder
	for _, s := range excerpt {
		if !s.Marked {
			b.WriteString(s.Text)
			continue
		}
		b.WriteString("*" + s.Text + "*")
	}
	return b.String()
}
