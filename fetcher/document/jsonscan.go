package document

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// errCut is a JSON text that ends, or goes wrong, before its value does.
var errCut = errors.New("the JSON breaks off")

// jsonScanner reads JSON from clean UTF-8, more forgiving than encoding/json: a
// line break within a string is a line break, a comma too many is none. It
// recurses no deeper than the limit, and counts every value.
type jsonScanner struct {
	ctx    context.Context
	src    []byte
	pos    int
	lim    Limits
	values int
	depth  int
}

// peek returns the first character of the next value, or 0 at the end.
func (s *jsonScanner) peek() byte {
	s.pos = skipBlank(s.src, s.pos)
	if s.pos == len(s.src) {
		return 0
	}
	return s.src[s.pos]
}

func (s *jsonScanner) count() error {
	if s.values++; s.values > s.lim.Elements {
		return &BoundError{Bound: "the number of JSON values", Limit: int64(s.lim.Elements)}
	}
	if s.values%1024 == 0 {
		return s.ctx.Err()
	}
	return nil
}

func (s *jsonScanner) enter() error {
	if s.depth++; s.depth > s.lim.Depth {
		return &BoundError{Bound: "depth", Limit: int64(s.lim.Depth)}
	}
	s.pos++
	return s.count()
}

// object calls member for each member of the object at the position; member has
// to read or skip the value.
func (s *jsonScanner) object(member func(key string) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	for {
		switch s.peek() {
		case '}':
			s.pos++
			s.depth--
			return nil
		case ',':
			s.pos++
		case '"':
			key, err := s.str(256)
			if err != nil {
				return err
			}
			if s.peek() != ':' {
				return errCut
			}
			s.pos++
			if err := member(key); err != nil {
				return err
			}
		default:
			return errCut
		}
	}
}

// array calls element for each element of the array at the position.
func (s *jsonScanner) array(element func() error) error {
	if err := s.enter(); err != nil {
		return err
	}
	for {
		switch s.peek() {
		case 0:
			return errCut
		case ']':
			s.pos++
			s.depth--
			return nil
		case ',':
			s.pos++
		default:
			if err := element(); err != nil {
				return err
			}
		}
	}
}

// skip passes the value at the position.
func (s *jsonScanner) skip() error {
	switch s.peek() {
	case '{':
		return s.object(func(string) error { return s.skip() })
	case '[':
		return s.array(s.skip)
	}
	_, err := s.scalar()
	return err
}

// text returns the value at the position as text: a number as it is written,
// anything that is no scalar, and null, as nothing.
func (s *jsonScanner) text() (string, error) {
	if c := s.peek(); c == '{' || c == '[' {
		return "", s.skip()
	}
	return s.scalar()
}

// scalar reads a string, number, true, false or null.
func (s *jsonScanner) scalar() (string, error) {
	if err := s.count(); err != nil {
		return "", err
	}
	if s.peek() == '"' {
		return s.str(s.lim.RunBytes)
	}
	start := s.pos
	for s.pos < len(s.src) && bytes.IndexByte([]byte(",]}: \t\r\n\"{["), s.src[s.pos]) < 0 {
		s.pos++
	}
	word := string(s.src[start:s.pos])
	switch {
	case word == "" || s.pos == len(s.src):
		return "", errCut
	case word == "null":
		return "", nil
	case len(word) > 64:
		return "", errCut
	}
	return word, nil
}

// str reads the string at the position, at most max bytes of it.
func (s *jsonScanner) str(max int) (string, error) {
	start := s.pos + 1
	for i := start; i < len(s.src); i++ {
		switch s.src[i] {
		case '\\':
			i++
		case '"':
			s.pos = i + 1
			return unescape(s.src[start:i], max), nil
		}
	}
	s.pos = len(s.src)
	return "", errCut
}

// unescape resolves the escapes of a JSON string (RFC 8259 §7). Escapes that are
// not JSON's stand for themselves; characters that XML would forbid vanish, for
// all that follows is written for texts without them.
func unescape(b []byte, max int) string {
	i := bytes.IndexByte(b, '\\')
	if i < 0 {
		return cut(string(b), max)
	}
	out := append(make([]byte, 0, len(b)), b[:i]...)
	for ; i < len(b) && len(out) < max; i++ {
		if b[i] != '\\' || i+1 == len(b) {
			out = append(out, b[i])
			continue
		}
		i++
		switch c := b[i]; c {
		case 'n', 'r':
			out = append(out, '\n')
		case 't':
			out = append(out, '\t')
		case 'b', 'f':
		case 'u':
			r, n := escaped(b[i+1:])
			i += n
			if r >= 0 && allowed(r) {
				out = utf8.AppendRune(out, r)
			}
		default:
			out = append(out, c)
		}
	}
	return cut(string(bytes.ToValidUTF8(out, nil)), max)
}

// escaped reads the digits of a \u escape, and of a second one where the two
// are the halves of one character. It returns -1 where they are none.
func escaped(b []byte) (rune, int) {
	high, ok := hex4(b)
	if !ok {
		return -1, 0
	}
	if !utf16.IsSurrogate(high) {
		return high, 4
	}
	if len(b) >= 10 && b[4] == '\\' && b[5] == 'u' {
		if low, ok := hex4(b[6:]); ok {
			if r := utf16.DecodeRune(high, low); r != utf8.RuneError {
				return r, 10
			}
		}
	}
	return -1, 4
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[:4]), 16, 16)
	return rune(n), err == nil
}
