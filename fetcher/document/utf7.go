package document

import (
	"bytes"
	"encoding/base64"
	"unicode/utf16"
	"unicode/utf8"
)

// decodeUTF7 decodes UTF-7 (RFC 2152), which no library of ours does: browsers
// gave it up, since markup could hide in it from whoever checked before decoding.
// Here all that is checked comes after. What is no UTF-7 stays as it is written.
func decodeUTF7(body []byte) []byte {
	out := make([]byte, 0, len(body))
	for {
		plus := bytes.IndexByte(body, '+')
		if plus < 0 {
			return append(out, body...)
		}
		out = append(out, body[:plus]...)
		body = body[plus:]
		end := 1
		for end < len(body) && (isLetter(body[end]) || isDigit(body[end]) || body[end] == '+' || body[end] == '/') {
			end++
		}
		units, err := base64.RawStdEncoding.DecodeString(string(body[1:end]))
		switch {
		case end == 1 && len(body) > 1 && body[1] == '-':
			out = append(out, '+')
		case err != nil || len(units) < 2:
			out = append(out, body[:end]...)
			body = body[end:]
			continue
		default:
			words := make([]uint16, len(units)/2)
			for i := range words {
				words[i] = uint16(units[2*i])<<8 | uint16(units[2*i+1])
			}
			for _, r := range utf16.Decode(words) {
				out = utf8.AppendRune(out, r)
			}
		}
		body = body[end:]
		if len(body) > 0 && body[0] == '-' { // it ends the run, and is no text
			body = body[1:]
		}
	}
}
