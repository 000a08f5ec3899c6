package article

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
)

// toUTF8 settles a page's charset as the HTML standard does (byte order mark,
// HTTP, declaration, guess), but believes a page that is valid UTF-8 from end to
// end before a guess at its first kilobyte: on a page whose head is ASCII that
// guess is Windows-1252.
// What is no text in the charset becomes U+FFFD.
func toUTF8(body []byte, contentType string) []byte {
	enc, _, certain := charset.DetermineEncoding(body, contentType)
	if !certain && utf8.Valid(body) {
		return body
	}
	if out, err := enc.NewDecoder().Bytes(body); err == nil {
		body = out
	}
	return bytes.ToValidUTF8(body, []byte("\ufffd"))
}
