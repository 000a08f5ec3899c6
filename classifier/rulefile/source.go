package rulefile

import (
	"sort"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/newswatch/newswatch/classifier"
)

// document is a file's text with the beginnings of its lines, as YAML counts
// them.
type document struct {
	name  string
	text  string
	lines []int
}

func newDocument(f File) *document {
	d := &document{name: f.Name, text: strings.TrimPrefix(string(f.Data), "\ufeff"), lines: []int{0}}
	for i := 0; i < len(d.text); {
		n := 0
		if c := d.text[i]; c < ' ' || c >= utf8.RuneSelf { // most are neither
			n = breakAt(d.text[i:])
		}
		if n == 0 {
			i++
			continue
		}
		i += n
		d.lines = append(d.lines, i)
	}
	return d
}

// breakAt is the length of the line break that s begins with; YAML 1.1 knows
// more of them than the line feed.
func breakAt(s string) int {
	switch {
	case strings.HasPrefix(s, "\r\n"):
		return 2
	case s[0] == '\n' || s[0] == '\r':
		return 1
	case strings.HasPrefix(s, "\u0085"):
		return len("\u0085")
	case strings.HasPrefix(s, "\u2028") || strings.HasPrefix(s, "\u2029"):
		return len("\u2028")
	}
	return 0
}

// line returns line n, from 1, without its break.
func (d *document) line(n int) string {
	if n < 1 || n > len(d.lines) {
		return ""
	}
	s := d.text[d.lines[n-1]:]
	if n < len(d.lines) {
		s = s[:d.lines[n]-d.lines[n-1]]
	}
	return strings.TrimRight(s, "\r\n\u0085\u2028\u2029")
}

// offset is the byte at a line and column.
func (d *document) offset(line, column int) int {
	if line < 1 || line > len(d.lines) {
		return len(d.text)
	}
	at := d.lines[line-1]
	for range column - 1 {
		_, size := utf8.DecodeRuneInString(d.text[at:])
		at += size
	}
	return at
}

// pos is the place of a byte.
func (d *document) pos(offset int) classifier.Pos {
	line := sort.SearchInts(d.lines, offset+1)
	return classifier.Pos{
		File: d.name, Line: line, Column: 1 + utf8.RuneCountInString(d.text[d.lines[line-1]:offset]),
	}
}

func (d *document) nodePos(n *yaml.Node) classifier.Pos {
	return classifier.Pos{File: d.name, Line: n.Line, Column: n.Column}
}

// source is the text of a scalar, whose bytes can be found in the file again. It keeps
// of the scalar what that takes, and not its node, since there are thousands for as long
// as the rules are in force; the places are for errors, and so are found when asked for.
func (d *document) source(n *yaml.Node) classifier.Source {
	s := scalar{value: n.Value, line: n.Line, column: n.Column, style: n.Style}
	return classifier.Source{
		Text: s.value,
		At: func(i int) classifier.Pos {
			p := d.places(s)
			return d.pos(p[min(max(i, 0), len(p)-1)])
		},
		Line: d.line,
	}
}

// scalar is what there is to know of a scalar to find it in its file.
type scalar struct {
	value        string
	line, column int
	style        yaml.Style
}

// places gives the offset in the file of every byte of a scalar's value, and of
// its end.
//
// Folding and quoting change the white space of a scalar and the escapes in it,
// and nothing else. So the other characters of the value are those of the file
// one by one, and a space of the value stands where the character before it ends.
// Where the two do not agree, which would be an error here, the remaining bytes
// are taken to be at the scalar's beginning rather than somewhere wrong.
func (d *document) places(s scalar) []int {
	begin := d.offset(s.line, s.column)
	out := make([]int, 0, len(s.value)+1)
	at := begin
	switch {
	case s.style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		at++
	case s.style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		for at < len(d.text) && breakAt(d.text[at:]) == 0 {
			at++ // the indicators, and a comment, up to the line's end
		}
	}
	for i := 0; i < len(s.value); {
		r, size := utf8.DecodeRuneInString(s.value[i:])
		if isBlank(r) {
			for range size {
				out = append(out, min(at, len(d.text)))
			}
			if at < len(d.text) && d.text[at] == ' ' {
				at++
			}
			i += size
			continue
		}
		raw, from, next := d.character(at, s.style)
		if raw != r {
			for len(out) <= len(s.value) {
				out = append(out, begin)
			}
			return out
		}
		for range size {
			out = append(out, from)
		}
		at = next
		i += size
	}
	return append(out, min(at, len(d.text)))
}

func isBlank(r rune) bool {
	return r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == 0x85 || r == 0x2028 || r == 0x2029 || r == 0xa0
}

// character reads the next character at or after a byte that is not blank, as it
// will be in the value: from and next are where it begins and ends in the file.
func (d *document) character(at int, style yaml.Style) (r rune, from, next int) {
	for at < len(d.text) {
		r, size := utf8.DecodeRuneInString(d.text[at:])
		switch {
		case isBlank(r):
			at += size
			continue
		case r == '\'' && style&yaml.SingleQuotedStyle != 0:
			return r, at, at + 2
		case r == '\\' && style&yaml.DoubleQuotedStyle != 0:
			c, n := unescape(d.text[at:])
			if isBlank(c) {
				at += n
				continue
			}
			return c, at, at + n
		}
		return r, at, at + size
	}
	return utf8.RuneError, at, at
}

// unescape reads an escape of a double-quoted scalar, and its length. An escaped
// line break is a blank.
func unescape(s string) (rune, int) {
	if len(s) < 2 {
		return utf8.RuneError, len(s)
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[1]]
	if digits > 0 && len(s) >= 2+digits {
		var r rune
		for _, c := range []byte(s[2 : 2+digits]) {
			r = r<<4 | hexValue(c)
		}
		return r, 2 + digits
	}
	if r, ok := map[byte]rune{
		'0': 0, 'a': 7, 'b': 8, 't': '\t', 'n': '\n', 'v': 11, 'f': 12, 'r': '\r', 'e': 27,
		'N': 0x85, '_': 0xa0, 'L': 0x2028, 'P': 0x2029,
	}[s[1]]; ok {
		return r, 2
	}
	r, size := utf8.DecodeRuneInString(s[1:])
	return r, 1 + size
}

func hexValue(c byte) rune {
	switch {
	case c <= '9':
		return rune(c - '0')
	case c >= 'a':
		return rune(c-'a') + 10
	}
	return rune(c-'A') + 10
}
