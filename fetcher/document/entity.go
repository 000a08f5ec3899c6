package document

import (
	"bytes"
	"html"
	"strings"
	"unicode/utf8"
)

// maxReference is the length of the longest reference that is looked for, from
// '&' to ';'. The longest name in HTML has 33 bytes; without a bound, a text of
// nothing but ampersands would be searched to its end from each of them.
const maxReference = 40

// entities resolves references in XML text. The names of HTML are known without
// being declared, because feeds use them as if they were. Entities of the
// document's own DOCTYPE are resolved once, never within each other, and only
// as long as budget lasts: this is what stops a "billion laughs".
type entities struct {
	own    map[string]string
	budget int
}

// appendDecoded appends text with its references resolved. What is not a
// reference stays as it is written, a bare '&' above all. References to
// characters that XML forbids vanish.
func (e *entities) appendDecoded(dst, text []byte) []byte {
	for {
		amp := bytes.IndexByte(text, '&')
		if amp < 0 {
			return append(dst, text...)
		}
		dst = append(dst, text[:amp]...)
		text = text[amp:]
		end := bytes.IndexByte(text[:min(len(text), maxReference)], ';')
		if end < 2 {
			dst = append(dst, '&')
			text = text[1:]
			continue
		}
		name := text[1:end]
		var n int
		if dst, n = e.appendReference(dst, name, text[end+1:]); n < 0 {
			dst = append(dst, '&')
			text = text[1:]
			continue
		}
		text = text[end+1+n:]
	}
}

// appendReference appends what &name; stands for. It returns how many bytes of
// rest belong to it too, or -1 where name is not a reference.
func (e *entities) appendReference(dst, name, rest []byte) ([]byte, int) {
	switch string(name) {
	case "lt":
		return append(dst, '<'), 0
	case "gt":
		return append(dst, '>'), 0
	case "amp":
		return append(dst, '&'), 0
	case "quot":
		return append(dst, '"'), 0
	case "apos":
		return append(dst, '\''), 0
	}
	if name[0] == '#' {
		r, ok := numeric(name[1:])
		if !ok {
			return dst, -1
		}
		if r >= 0xD800 && r < 0xDC00 {
			return appendPair(dst, r, rest)
		}
		return appendAllowed(dst, r), 0
	}
	if value, ok := e.own[string(name)]; ok {
		if e.budget -= len(value); e.budget < 0 {
			return dst, 0
		}
		return append(dst, value...), 0
	}
	if !isName(name) {
		return dst, -1
	}
	span := "&" + string(name) + ";"
	value := html.UnescapeString(span)
	if value == span || strings.HasSuffix(value, ";") {
		// HTML resolves some names without their ';' too: &copy=2; is not ©=2;.
		return dst, -1
	}
	return append(dst, value...), 0
}

// appendPair joins a character that was written as references to the two halves
// of its UTF-16 form, as programs that think in UTF-16 do with emoji.
func appendPair(dst []byte, high rune, rest []byte) ([]byte, int) {
	if !bytes.HasPrefix(rest, []byte("&#")) {
		return dst, 0
	}
	end := bytes.IndexByte(rest[:min(len(rest), maxReference)], ';')
	if end < 3 {
		return dst, 0
	}
	low, ok := numeric(rest[2:end])
	if !ok || low < 0xDC00 || low > 0xDFFF {
		return dst, 0
	}
	return utf8.AppendRune(dst, 0x10000+(high-0xD800)<<10+low-0xDC00), end + 1
}

// numeric reads what stands between "&#" and ";".
func numeric(digits []byte) (rune, bool) {
	base := rune(10)
	if len(digits) > 0 && (digits[0] == 'x' || digits[0] == 'X') {
		base, digits = 16, digits[1:]
	}
	if len(digits) == 0 {
		return 0, false
	}
	var r rune
	for _, c := range digits {
		d := rune(99)
		switch {
		case c >= '0' && c <= '9':
			d = rune(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			d = rune(c|0x20-'a') + 10
		}
		if d >= base {
			return 0, false
		}
		if r = r*base + d; r > utf8.MaxRune {
			return utf8.MaxRune + 1, true
		}
	}
	return r, true
}

// appendAllowed appends a character that a reference names by number. Numbers
// from 128 to 159 mean Windows-1252, as in HTML: nobody means a C1 control.
func appendAllowed(dst []byte, r rune) []byte {
	if r >= 0x80 && r < 0xA0 {
		r = fromWindows(byte(r))
	}
	if !allowed(r) {
		return dst
	}
	return utf8.AppendRune(dst, r)
}

func isName(b []byte) bool {
	for _, c := range b {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			if c < '0' || c > '9' {
				return false
			}
		}
	}
	return true
}

// maxOwnEntities and maxOwnValue bound what a DOCTYPE may define; ownBudget is
// how many bytes its entities may add to the whole document.
const (
	maxOwnEntities = 256
	maxOwnValue    = 1 << 10
	ownBudget      = 64 << 10
)

// declare reads the general entities that a DOCTYPE defines in place. A value
// that refers to another entity is left out, and so are external ones.
func (e *entities) declare(doctype []byte) {
	for len(e.own) < maxOwnEntities {
		_, rest, ok := bytes.Cut(doctype, []byte("<!ENTITY"))
		if !ok {
			return
		}
		doctype = rest
		rest = bytes.TrimLeft(rest, " \t\r\n")
		name := rest[:max(bytes.IndexAny(rest, " \t\r\n"), 0)]
		rest = bytes.TrimLeft(rest[len(name):], " \t\r\n")
		if len(name) == 0 || len(name) > maxReference || len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
			continue
		}
		value, _, ok := bytes.Cut(rest[1:min(len(rest), maxOwnValue)], rest[:1])
		if !ok || bytes.IndexByte(value, '%') >= 0 {
			continue
		}
		plain := (&entities{}).appendDecoded(nil, value)
		if bytes.IndexByte(plain, '&') >= 0 {
			continue
		}
		if e.own == nil {
			e.own = make(map[string]string)
			e.budget = ownBudget
		}
		e.own[string(name)] = string(plain)
	}
}

// decodeReferences resolves references in a string, with HTML's names only.
func decodeReferences(s string) string {
	if strings.IndexByte(s, '&') < 0 {
		return s
	}
	return string((&entities{}).appendDecoded(nil, []byte(s)))
}
