package document

import (
	"bytes"
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// settleCharset returns the body as clean UTF-8 and the name of the encoding it
// was read in. Clean means valid, and without the characters that XML forbids
// (XML 1.0 §2.2). The order is: byte order mark, what the bytes prove, the HTTP
// header, the declaration, a guess. What the bytes prove comes before what
// anybody says because text that is not UTF-8 is next to never valid UTF-8 by
// accident, while servers that add "charset=ISO-8859-1" to everything are
// common, and obeying them turns every accent and every Malayalam letter into
// rubbish without an error.
func settleCharset(body []byte, contentType string) ([]byte, string) {
	if enc, name, mark := byteOrderMark(body); name != "" {
		if enc == nil {
			return repairUTF8(body[mark:]), name
		}
		return decode(body[mark:], enc), name
	}
	if enc, name := bareWide(body); enc != nil {
		return decode(body, enc), name
	}
	if enc, name := sevenBit(body); enc != nil {
		return decode(body, enc), name
	}
	labels := declared(body, contentType)
	if len(labels) > 0 && (labels[0] == "utf-7" || labels[0] == "unicode-1-1-utf-7") {
		return repairUTF8(decodeUTF7(body)), "utf-7"
	}
	if utf8.Valid(body) && (len(labels) == 0 || provenUTF8(body, labels[0])) {
		return dropForbidden(body), "utf-8"
	}
	for _, label := range labels {
		enc, name := charset.Lookup(label)
		switch {
		case enc == nil || name == "replacement" || name == "x-user-defined":
			continue
		case name == "utf-8":
			if foreign(body) {
				// It says UTF-8 and next to none of it is: the next label, or
				// the guess, will do better than a repair.
				continue
			}
			return repairUTF8(body), "utf-8"
		case strings.HasPrefix(name, "utf-16"):
			// The declaration itself was read as single bytes, so it lies.
			continue
		}
		return decode(body, enc), name
	}
	if foreign(body) {
		if enc, name := guess(body); enc != nil {
			return decode(body, enc), name
		}
		return decode(body, charmap.Windows1252), "windows-1252"
	}
	return repairUTF8(body), "utf-8"
}

// byteOrderMark returns the encoding that a mark at the start announces, and
// the mark's length. The encoding of UTF-8 itself is nil: it needs no decoder.
func byteOrderMark(b []byte) (encoding.Encoding, string, int) {
	switch {
	case bytes.HasPrefix(b, []byte{0xEF, 0xBB, 0xBF}):
		return nil, "utf-8", 3
	case bytes.HasPrefix(b, []byte{0xFF, 0xFE, 0, 0}):
		return utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM), "utf-32le", 4
	case bytes.HasPrefix(b, []byte{0, 0, 0xFE, 0xFF}):
		return utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM), "utf-32be", 4
	case bytes.HasPrefix(b, []byte{0xFF, 0xFE}):
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), "utf-16le", 2
	case bytes.HasPrefix(b, []byte{0xFE, 0xFF}):
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), "utf-16be", 2
	}
	return nil, "", 0
}

// bareWide recognises UTF-16 and UTF-32 without a mark by where the zero bytes
// of the first two characters stand (XML 1.0 appendix F): a feed starts with
// two ASCII characters.
func bareWide(b []byte) (encoding.Encoding, string) {
	if len(b) < 4 {
		return nil, ""
	}
	zero := [4]bool{b[0] == 0, b[1] == 0, b[2] == 0, b[3] == 0}
	switch zero {
	case [4]bool{false, true, true, true}:
		return utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM), "utf-32le"
	case [4]bool{true, true, true, false}:
		return utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM), "utf-32be"
	case [4]bool{false, true, false, true}:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), "utf-16le"
	case [4]bool{true, false, true, false}:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), "utf-16be"
	}
	return nil, ""
}

// sevenBit recognises ISO-2022-JP by its escapes, which are no characters of XML:
// it is all ASCII, and so passes for UTF-8 when it does not say what it is.
func sevenBit(b []byte) (encoding.Encoding, string) {
	if !bytes.Contains(b, []byte("\x1b$B")) && !bytes.Contains(b, []byte("\x1b$@")) {
		return nil, ""
	}
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return nil, ""
		}
	}
	return japanese.ISO2022JP, "iso-2022-jp"
}

// declared returns the charset labels that the header and the XML declaration
// give, the more believable first. A bare Latin-1 or ASCII in the header is what
// servers add by default, so a declaration that says something else goes before
// it; otherwise the header wins (RFC 7303 §3).
func declared(body []byte, contentType string) []string {
	var header string
	if _, params, err := mime.ParseMediaType(contentType); err == nil {
		header = params["charset"]
	} else if _, rest, ok := strings.Cut(strings.ToLower(contentType), "charset="); ok {
		header, _, _ = strings.Cut(rest, ";")
	}
	header = strings.ToLower(strings.Trim(header, " \t\"'"))
	inner := declaration(body)
	switch {
	case header == "":
		return nonEmpty(inner)
	case inner == "" || inner == header:
		return nonEmpty(header)
	case header == "iso-8859-1" || header == "us-ascii" || header == "latin1":
		return []string{inner, header}
	}
	return []string{header, inner}
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// declaration returns the encoding that the XML declaration names, in lower
// case, or nothing.
func declaration(body []byte) string {
	head := body[:min(len(body), 1024)]
	_, rest, ok := bytes.Cut(head, []byte("<?xml"))
	if !ok {
		return ""
	}
	rest, _, ok = bytes.Cut(rest, []byte("?>"))
	if !ok {
		return ""
	}
	_, rest, ok = bytes.Cut(rest, []byte("encoding"))
	if !ok {
		return ""
	}
	rest = bytes.TrimLeft(rest, " \t\r\n=")
	if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
		return ""
	}
	value, _, _ := bytes.Cut(rest[1:], rest[:1])
	return strings.ToLower(strings.TrimSpace(string(value)))
}

// provenUTF8 reports whether a body that is valid UTF-8 is UTF-8 whatever the
// label says. ASCII alone proves nothing against an encoding that writes its
// characters in ASCII bytes, as ISO-2022-JP does; and a handful of two-byte
// sequences may by bad luck be Chinese, Japanese or Korean.
func provenUTF8(body []byte, label string) bool {
	long, short := 0, 0
	for i := 0; i < len(body) && long == 0 && short < 8; {
		if body[i] < utf8.RuneSelf {
			i++
			continue
		}
		_, n := utf8.DecodeRune(body[i:])
		if n > 2 {
			long++
		} else {
			short++
		}
		i += n
	}
	_, name := charset.Lookup(label)
	switch name {
	case "iso-2022-jp", "hz-gb-2312":
		return long+short > 0
	case "gbk", "gb18030", "big5", "euc-jp", "euc-kr", "shift_jis":
		return long > 0 || short >= 8 || short == 0
	}
	return true
}

// foreign reports whether the body's bytes beyond ASCII are mostly not UTF-8.
func foreign(body []byte) bool {
	good, bad := 0, 0
	for i := 0; i < len(body); {
		if body[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(body[i:])
		if r == utf8.RuneError && n == 1 {
			bad++
		} else {
			good++
		}
		i += n
	}
	return bad > good
}

// decode converts; what the decoder cannot read becomes U+FFFD. x/text decoders
// never fail on bad input, so an error can only be a defect, and the repaired
// bytes are still worth reading.
func decode(body []byte, enc encoding.Encoding) []byte {
	out, err := enc.NewDecoder().Bytes(body)
	if err != nil {
		return repairUTF8(body)
	}
	return dropForbidden(out)
}
