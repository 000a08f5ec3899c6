package classifier

import "strings"

// addAddress adds the words of a link, percent-encoding undone: a slug in an
// Indic script is nothing but percent signs. The tokens point at the bytes of the
// link as it was given.
func (s *scratch) addAddress(link string) {
	first := s.words.Len()
	if strings.IndexByte(link, '%') < 0 {
		s.words.Add(link)
		return
	}
	decoded := make([]byte, 0, len(link))
	for i := 0; i < len(link); i += encodedLen(link[i:]) {
		c := link[i]
		if encodedLen(link[i:]) == 3 {
			c = unhex(link[i+1])<<4 | unhex(link[i+2])
		}
		decoded = append(decoded, c)
	}
	s.words.Add(string(decoded))
	raw, at := 0, int32(0)
	rawOf := func(n int32) int32 {
		for ; at < n; at++ {
			raw += encodedLen(link[raw:])
		}
		return int32(raw)
	}
	tokens := s.words.Tokens()[first:]
	for i := range tokens {
		tokens[i].Start, tokens[i].End = rawOf(tokens[i].Start), rawOf(tokens[i].End)
	}
}

// encodedLen is how many bytes of a link stand for the first one of its meaning.
func encodedLen(s string) int {
	if len(s) >= 3 && s[0] == '%' && unhex(s[1]) < 16 && unhex(s[2]) < 16 {
		return 3
	}
	return 1
}

// unhex is the value of a hexadecimal digit, 16 of anything else.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 16
}
