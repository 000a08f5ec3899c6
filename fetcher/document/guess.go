package document

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// guesses are the encodings that feeds without a true declaration are found in,
// and the letters that a text in each consists of, with the share of them among
// its characters beyond ASCII that speaks for it. Their order matters: bytes that
// are Japanese or Korean also decode as some Chinese, and everything decodes as
// Cyrillic.
var guesses = []struct {
	name    string
	enc     encoding.Encoding
	letters func(r rune) bool
	share   float64
}{
	{"shift_jis", japanese.ShiftJIS, isKana, 0.3},
	{"euc-jp", japanese.EUCJP, isKana, 0.3},
	{"euc-kr", korean.EUCKR, func(r rune) bool { return unicode.Is(unicode.Hangul, r) }, 0.8},
	{"gbk", simplifiedchinese.GBK, isCommonHan, 0.8},
	{"big5", traditionalchinese.Big5, isCommonHan, 0.8},
	// The letters of Hebrew are the small ones of Cyrillic but for the last five,
	// and no Russian text does without those or a capital for long.
	{"windows-1255", charmap.Windows1255, func(r rune) bool { return r >= 'א' && r <= 'ת' }, 0.98},
	// Most letters of a text are small ones; in the other encoding of the two
	// the same bytes are capitals.
	{"windows-1251", charmap.Windows1251, isSmallCyrillic, 0.7},
	{"koi8-r", charmap.KOI8R, isSmallCyrillic, 0.7},
}

// isKana takes the full-width kana only: the half-width ones are what Latin
// letters with accents look like in Shift_JIS.
func isKana(r rune) bool { return r >= 0x3041 && r <= 0x30FE }

func isCommonHan(r rune) bool {
	return r >= 0x4E00 && r <= 0x9FA5 || r >= 0x3000 && r <= 0x3002 || r >= 0xFF00 && r <= 0xFF5E
}
func isSmallCyrillic(r rune) bool { return r >= 'а' && r <= 'я' || r == 'ё' }

// guess returns the encoding that a body is in which is not UTF-8 and does not
// say what it is. Nil means Windows-1252: where bytes beyond ASCII mostly stand
// alone among ASCII letters, they are the accents of a Western language.
func guess(body []byte) (encoding.Encoding, string) {
	sample := beyondASCII(body, 4<<10)
	if len(sample) < 12 {
		return nil, ""
	}
	first := bytes.IndexFunc(body, func(r rune) bool { return r >= utf8.RuneSelf })
	for _, g := range guesses {
		part := sample
		if g.name == "shift_jis" {
			// Half of its characters end in an ASCII byte, and make no runs.
			part = body[first:min(first+4<<10, len(body))]
		}
		text, err := g.enc.NewDecoder().Bytes(part)
		if err != nil {
			continue
		}
		letters, all, bad := 0, 0, 0
		for _, r := range string(text) {
			switch {
			case r < utf8.RuneSelf:
				continue
			case r == utf8.RuneError:
				bad++
			case g.letters(r):
				letters++
			}
			all++
		}
		if bad*20 <= all && float64(letters) >= g.share*float64(all) {
			return g.enc, g.name
		}
	}
	return nil, ""
}

// beyondASCII collects the runs of at least two bytes that begin beyond ASCII,
// with a space between, up to max bytes. In the encodings of East Asia the second
// byte of a character may be an ASCII one, and so the byte after a run counts.
func beyondASCII(body []byte, max int) []byte {
	out := make([]byte, 0, max)
	for i := 0; i < len(body) && len(out) < max; {
		if body[i] < utf8.RuneSelf {
			i++
			continue
		}
		j := i
		for j < len(body) && (body[j] >= utf8.RuneSelf || j > i && body[j] > '?' && body[j-1] >= utf8.RuneSelf && j+1 < len(body) && body[j+1] >= utf8.RuneSelf) {
			j++
		}
		if j-i > 1 {
			out = append(append(out, body[i:min(j, i+max)]...), ' ')
		}
		i = j
	}
	return out
}
