package document

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// allowed reports whether XML 1.0 §2.2 allows the character in a document.
func allowed(r rune) bool {
	switch {
	case r < 0x20:
		return r == '\t' || r == '\n' || r == '\r'
	case r >= 0xD800 && r < 0xE000, r == 0xFFFE, r == 0xFFFF:
		return false
	}
	return r <= utf8.MaxRune
}

// dropForbidden removes from valid UTF-8 the characters that XML forbids, and
// byte order marks. It returns b itself where there is nothing to remove.
func dropForbidden(b []byte) []byte {
	first := indexForbidden(b)
	if first < 0 {
		return b
	}
	out := make([]byte, first, len(b))
	copy(out, b)
	for rest := b[first:]; len(rest) > 0; {
		_, n := utf8.DecodeRune(rest)
		rest = rest[n:]
		next := indexForbidden(rest)
		if next < 0 {
			next = len(rest)
		}
		out = append(out, rest[:next]...)
		rest = rest[next:]
	}
	return out
}

// plain marks the bytes that cannot begin a forbidden character.
var plain = func() (t [256]bool) {
	for i := range t {
		t[i] = i >= 0x20 && i != 0xEF || i == '\t' || i == '\n' || i == '\r'
	}
	return t
}()

// indexForbidden returns where the first character stands that dropForbidden
// removes, or -1. U+FEFF, U+FFFE and U+FFFF all begin with 0xEF.
func indexForbidden(b []byte) int {
	for i, c := range b {
		if plain[c] {
			continue
		}
		if c != 0xEF {
			return i
		}
		if bytes.HasPrefix(b[i:], []byte("\uFEFF")) ||
			len(b) > i+2 && b[i+1] == 0xBF && b[i+2] >= 0xBE {
			return i
		}
	}
	return -1
}

// repairUTF8 makes the body valid UTF-8, and drops what XML forbids. A byte that
// is not UTF-8 is what an editor on Windows pasted, and becomes that character;
// but where a longer character was merely cut off, as happens to summaries in
// Indic scripts that are shortened by bytes, one U+FFFD stands for the rest of
// it; a Latin letter right before it speaks against that. Halves of a surrogate pair, each written as three bytes, are joined.
func repairUTF8(b []byte) []byte {
	if utf8.Valid(b) {
		return dropForbidden(b)
	}
	out := make([]byte, 0, len(b)+len(b)/8)
	multibyte := false // the character before was a valid one of two bytes or more
	for len(b) > 0 {
		if b[0] < utf8.RuneSelf {
			n := 1
			for n < len(b) && b[n] < utf8.RuneSelf {
				n++
			}
			out = append(out, b[:n]...)
			b, multibyte = b[n:], false
			continue
		}
		r, n := utf8.DecodeRune(b)
		if r != utf8.RuneError || n > 1 {
			out = append(out, b[:n]...)
			b, multibyte = b[n:], true
			continue
		}
		if r, ok := joinSurrogates(b); ok {
			out = utf8.AppendRune(out, r)
			b, multibyte = b[6:], true
			continue
		}
		latin := len(out) > 0 && isLetter(out[len(out)-1])
		if n := cutOff(b); n > 0 && (multibyte || n > 1 && !latin) {
			out = append(out, "\uFFFD"...)
			b = b[n:]
			continue
		}
		out = utf8.AppendRune(out, fromWindows(b[0]))
		b, multibyte = b[1:], false
	}
	return dropForbidden(out)
}

// cutOff returns the length of what is left of a character of three or four
// bytes whose end is missing, or 0 where b does not begin with one.
func cutOff(b []byte) int {
	var want int
	switch {
	case b[0] >= 0xE0 && b[0] <= 0xEF:
		want = 3
	case b[0] >= 0xF0 && b[0] <= 0xF4:
		want = 4
	default:
		return 0
	}
	n := 1
	for n < len(b) && n < want && b[n]&0xC0 == 0x80 {
		n++
	}
	if n == want {
		// Complete, and yet invalid: overlong, or half of a surrogate pair.
		return 0
	}
	return n
}

// joinSurrogates reads a character beyond U+FFFF that was written as the UTF-8
// of the two halves of its UTF-16 form (CESU-8).
func joinSurrogates(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != 0xED || b[1]&0xF0 != 0xA0 || b[3] != 0xED || b[4]&0xF0 != 0xB0 ||
		b[2]&0xC0 != 0x80 || b[5]&0xC0 != 0x80 {
		return 0, false
	}
	high := rune(b[1]&0x0F)<<6 | rune(b[2]&0x3F)
	low := rune(b[4]&0x0F)<<6 | rune(b[5]&0x3F)
	return 0x10000 + high<<10 + low, true
}

// fromWindows returns the character that the byte is in Windows-1252.
func fromWindows(b byte) rune {
	if r := charmap.Windows1252.DecodeByte(b); r >= 0xA0 {
		return r
	}
	return utf8.RuneError
}
