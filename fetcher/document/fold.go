package document

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// folder collects text and folds its white space. Breaks are remembered and
// written before the next visible character only, so none is ever doubled, and
// none stands at the start or the end.
type folder struct {
	b       strings.Builder
	pending gap
}

// gap is what lies between two words; the greater includes the lesser.
type gap uint8

const (
	gapNone gap = iota
	gapSpace
	gapLine
	gapParagraph
)

func (f *folder) space() { f.pending = max(f.pending, gapSpace) }

// breakLine ends a line (1) or a paragraph (2), or does nothing (0).
func (f *folder) breakLine(level int) {
	switch level {
	case 1:
		f.pending = max(f.pending, gapLine)
	case 2:
		f.pending = gapParagraph
	}
}

// flush writes the gap that is due.
func (f *folder) flush() {
	if f.b.Len() > 0 {
		switch f.pending {
		case gapSpace:
			f.b.WriteByte(' ')
		case gapLine:
			f.b.WriteByte('\n')
		case gapParagraph:
			f.b.WriteString("\n\n")
		}
	}
	f.pending = gapNone
}

// write adds text whose white space means nothing but a gap between words;
// with paragraphs, an empty line in it separates two of them.
func (f *folder) write(s string, paragraphs bool) {
	start, lines := 0, 0
	for i := 0; i < len(s); {
		c := s[i]
		if c == ' ' && start < i && i+1 < len(s) && visible(s[i+1]) {
			i++ // one blank between two words is what it folds to
			continue
		}
		if visible(c) {
			if lines > 0 {
				if lines > 1 && paragraphs {
					f.pending = gapParagraph
				}
				lines = 0
			}
			if f.pending != gapNone {
				f.flush()
				start = i
			}
			i++
			continue
		}
		r, n := rune(c), 1
		if c >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[i:])
		}
		switch kind := classify(r); kind {
		case keep:
			if lines > 1 && paragraphs {
				f.pending = gapParagraph
			}
			lines = 0
			if f.pending != gapNone {
				f.flush()
				start = i
			}
		default:
			f.b.WriteString(s[start:i])
			if kind == blank {
				f.space()
				if r == '\n' || r == '\u2028' || r == '\u0085' {
					lines++
				} else if r == '\u2029' {
					lines += 2
				}
			}
			start = i + n
		}
		i += n
	}
	f.b.WriteString(s[start:])
}

// visible holds for the characters of ASCII that are printed.
func visible(c byte) bool { return c > ' ' && c < 0x7F }

// writeLines adds text whose line breaks mean something.
func (f *folder) writeLines(s string) {
	for i := 0; ; i++ {
		line, rest, more := strings.Cut(s, "\n")
		f.write(line, false)
		if !more {
			return
		}
		f.breakLine(1)
		s = rest
	}
}

// class says what becomes of a character.
type class uint8

const (
	keep class = iota
	blank
	drop
)

// classify drops what is invisible and can only deceive: controls, overrides
// and isolates of the writing direction (UAX #9), language tags, byte order
// marks and characters that are none. The joiners U+200C and U+200D stay:
// Malayalam and Persian are misspelled without them.
func classify(r rune) class {
	switch {
	case r == ' ' || r == '\n' || r == '\t' || r == '\r' || r == '\f' || r == '\v' || r == 0x85 || r == 0xA0:
		return blank
	case r < 0x20 || r >= 0x7F && r < 0xA0:
		return drop
	case r < 0x1680:
		return keep
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x206F, r == 0xFEFF, r >= 0xFFF9 && r <= 0xFFFB,
		r >= 0xFDD0 && r <= 0xFDEF, r&0xFFFE == 0xFFFE, r >= 0xE0000 && r <= 0xE007F:
		return drop
	case r == 0x200B:
		return drop
	case unicode.IsSpace(r):
		return blank
	}
	return keep
}
