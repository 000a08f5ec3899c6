package document

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// stripPlain is strip for markup as most of it is: every '<' begins a plain tag,
// of an element that is read. Of other markup it makes nothing, and reports so.
// It knows no more of HTML than what cannot be misread, so that a tokenizer and
// its buffer need not be made for each text.
func stripPlain(markup string, max int) (text string, tags, ok bool) {
	if strings.IndexByte(markup, '\r') >= 0 {
		return "", false, false
	}
	var f folder
	f.b.Grow(min(len(markup), max)) // one allocation in place of one for each doubling
	for f.b.Len() <= max+utf8.UTFMax {
		lt := strings.IndexByte(markup, '<')
		if lt < 0 {
			f.write(html.UnescapeString(markup), !tags)
			break
		}
		f.write(html.UnescapeString(markup[:lt]), !tags)
		markup = markup[lt:]
		name, n := plainTag(markup)
		if n == 0 || unread[name] || name == "pre" {
			return "", false, false
		}
		if f.b.Len() > max+utf8.UTFMax {
			break
		}
		tags = true
		f.breakLine(blocks[name])
		if (name == "td" || name == "th") && markup[1] != '/' && markup[n-2] != '/' {
			f.space()
		}
		markup = markup[n:]
	}
	return f.b.String(), tags, true
}

// plainTag returns the name and the length of the tag that s begins with, when
// that is plain: a name in small letters and digits, attributes whose values are
// quoted, nothing else.
func plainTag(s string) (name string, n int) {
	i := 1
	if closing := strings.HasPrefix(s, "</"); closing {
		i++
	}
	from := i
	for i < len(s) && ('a' <= s[i] && s[i] <= 'z' || i > from && '0' <= s[i] && s[i] <= '9') {
		i++
	}
	if name = s[from:i]; name == "" {
		return "", 0
	}
	for i < len(s) {
		switch c := s[i]; {
		case c == '>':
			return name, i + 1
		case c == '/' && strings.HasPrefix(s[i:], "/>"):
			return name, i + 2
		case c != ' ' && c != '\n' && c != '\t':
			return "", 0
		}
		for i < len(s) && (s[i] == ' ' || s[i] == '\n' || s[i] == '\t') {
			i++
		}
		from := i
		for i < len(s) && (isLetter(s[i]) || '0' <= s[i] && s[i] <= '9' || strings.IndexByte("-_:", s[i]) >= 0) {
			i++
		}
		if i == from || i+1 >= len(s) || s[i] != '=' {
			continue // the end, an attribute without a value, or what is not plain
		}
		quote := s[i+1]
		if quote != '"' && quote != '\'' {
			return "", 0
		}
		end := strings.IndexByte(s[i+2:], quote)
		if end < 0 {
			return "", 0
		}
		i += 2 + end + 1
	}
	return "", 0
}
