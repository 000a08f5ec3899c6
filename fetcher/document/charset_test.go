package document

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

func encoded(enc encoding.Encoding, s string) string {
	out, err := enc.NewEncoder().String(s)
	if err != nil {
		panic(err)
	}
	return out
}

// declaring returns a feed that declares an encoding, with a title.
func declaring(label, title string) string {
	decl := ""
	if label != "" {
		decl = `<?xml version="1.0" encoding="` + label + `"?>`
	}
	return decl + "\n<rss><channel><title>" + title + "</title></channel></rss>"
}

func TestCharset(t *testing.T) {
	const (
		french    = "Déjà vu à la crèche"
		malayalam = "കേരള പൊലീസ് ഓപ്പറേഷൻ"
		russian   = "Полиция задержала подозреваемых в Москве, сообщили власти города"
	)
	utf16LE := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	utf16BE := unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	for _, c := range []struct{ name, body, contentType, want, charset string }{
		{"UTF-8, not declared", declaring("", malayalam), "", malayalam, "utf-8"},
		{"UTF-8 with a mark", "\xEF\xBB\xBF" + declaring("utf-8", malayalam), "", malayalam, "utf-8"},
		{"a mark against everybody", "\xEF\xBB\xBF" + declaring("iso-8859-1", malayalam), "text/xml; charset=big5", malayalam, "utf-8"},
		{"UTF-7", declaring("utf-7", "D+AOk-j+AOA vu +- +DRUNRw- +2D3eAA-!"), "", "Déjà vu + കേ 😀!", "utf-7"},
		{"ISO-2022-JP that does not say so", encoded(japanese.ISO2022JP, declaring("", "警察が逮捕")), "", "警察が逮捕", "iso-2022-jp"},
		{"UTF-16 with a mark", "\xFF\xFE" + encoded(utf16LE, declaring("utf-16", malayalam)), "", malayalam, "utf-16le"},
		{"UTF-16BE with a mark", "\xFE\xFF" + encoded(utf16BE, declaring("utf-16", malayalam)), "", malayalam, "utf-16be"},
		{"UTF-16 without a mark", encoded(utf16LE, declaring("utf-16", malayalam)), "", malayalam, "utf-16le"},
		{"UTF-16BE without a mark or declaration", encoded(utf16BE, "<rss><channel><title>"+malayalam+"</title></channel></rss>"), "", malayalam, "utf-16be"},
		{"UTF-32 with a mark", "\xFF\xFE\x00\x00" + encoded(utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM), declaring("", french)), "", french, "utf-32le"},
		{"UTF-32BE without a mark", encoded(utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM), "<rss><title>"+french+"</title></rss>"), "", french, "utf-32be"},
		{"UTF-16 declared, and single bytes", declaring("utf-16", malayalam), "", malayalam, "utf-8"},
		{"Latin-1, declared", declaring("iso-8859-1", encoded(charmap.ISO8859_1, french)), "", french, "windows-1252"},
		{"Latin-1, by the header", declaring("", encoded(charmap.ISO8859_1, french)), "text/xml; charset=ISO-8859-1", french, "windows-1252"},
		{"Latin-1, declared, and UTF-8", declaring("iso-8859-1", french), "", french, "utf-8"},
		{"Latin-1 by the header, and UTF-8", declaring("utf-8", malayalam), "text/xml; charset=ISO-8859-1", malayalam, "utf-8"},
		{"Latin-1 by the header, Cyrillic by declaration", declaring("windows-1251", encoded(charmap.Windows1251, russian)), "text/xml; charset=iso-8859-1", russian, "windows-1251"},
		{"the header before the declaration", declaring("iso-8859-2", encoded(charmap.Windows1251, russian)), "text/xml; charset=windows-1251", russian, "windows-1251"},
		{"UTF-8 declared, and Cyrillic", declaring("utf-8", encoded(charmap.Windows1251, strings.Repeat(russian+" ", 5))), "", strings.TrimSpace(strings.Repeat(russian+" ", 5)), "windows-1251"},
		{"nothing declared, and Latin-1", declaring("", encoded(charmap.ISO8859_1, french)), "", french, "windows-1252"},
		{"an unknown label", declaring("x-klingon", encoded(charmap.ISO8859_1, french)), "", french, "windows-1252"},
		{"a broken header", declaring("", french), "text/xml; charset", french, "utf-8"},
		{"a quoted header", declaring("", encoded(charmap.KOI8R, russian)), `text/xml; charset='koi8-r'`, russian, "koi8-r"},
		{"EUC-KR", declaring("euc-kr", encoded(korean.EUCKR, "경찰")), "", "경찰", "euc-kr"},
		{"GB2312", declaring("gb2312", encoded(simplifiedchinese.GBK, "警方联通")), "", "警方联通", "gbk"},
		{"Shift_JIS", declaring("shift_jis", encoded(japanese.ShiftJIS, "警察庁")), "", "警察庁", "shift_jis"},
		{"EUC-JP", declaring("euc-jp", encoded(japanese.EUCJP, "警察庁")), "", "警察庁", "euc-jp"},
		{"ISO-2022-JP", declaring("iso-2022-jp", encoded(japanese.ISO2022JP, "警察庁")), "", "警察庁", "iso-2022-jp"},
		{"Big5", declaring("big5", encoded(traditionalchinese.Big5, "警察")), "", "警察", "big5"},
		{"a stray byte in UTF-8", declaring("utf-8", malayalam+" \x93caf\xE9\x94 "+malayalam), "", malayalam + " “café” " + malayalam, "utf-8"},
		{"a character cut off in UTF-8", declaring("utf-8", malayalam+"\xE0\xB4</title><x>"), "", malayalam + "\uFFFD", "utf-8"},
		{"a character cut to its first byte", declaring("utf-8", malayalam+"\xE0..."), "", malayalam + "\uFFFD...", "utf-8"},
		{"surrogates written as UTF-8", declaring("utf-8", malayalam+"\xED\xA0\xBD\xED\xB8\x80"), "", malayalam + "😀", "utf-8"},
		{"surrogates as references", declaring("utf-8", "&#55357;&#56832; &#xD83D;&#xDE00; &#xD83D;"), "", "😀 😀", "utf-8"},
		{"controls", declaring("utf-8", "a\x00b\x0Bc\x1Fd\uFFFEe\uFFFFf\uFEFFg"), "", "abcdefg", "utf-8"},
		{"references to controls", declaring("utf-8", "a&#0;b&#x1F;c&#xFFFE;d&#x110000;e"), "", "abcde", "utf-8"},
		{"references to Windows-1252", declaring("utf-8", "don&#146;t &#x93;x&#148;"), "", "don’t “x”", "utf-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := strings.Clone(c.body)
			doc, err := Parse(t.Context(), Input{Body: []byte(body), ContentType: c.contentType})
			if err != nil {
				t.Fatal(err)
			}
			if doc.Title != c.want || doc.Charset != c.charset {
				t.Errorf("%q in %s, want %q in %s", doc.Title, doc.Charset, c.want, c.charset)
			}
		})
	}
}

// What leaves settleCharset is valid UTF-8 that XML allows, whatever came in, and
// what was clean UTF-8 is not touched.
func FuzzCharset(f *testing.F) {
	f.Add([]byte("\xFF\xFE<\x00"), "")
	f.Add([]byte(declaring("euc-kr", "\xB3\xE2")), "text/xml; charset=utf-8")
	f.Add([]byte("<?xml encoding='hz-gb-2312'?>~{VP~}"), "text/xml; charset=iso-2022-kr")
	f.Add([]byte("a\xE0\xB4\xED\xA0\xBD\xED\xB8\x80\x93\xF4"), "x")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		before := string(body)
		out, name := settleCharset(body, contentType)
		if string(body) != before {
			t.Fatal("the body was modified")
		}
		if name == "" || !utf8.Valid(out) || indexForbidden(out) >= 0 {
			t.Fatalf("%q in %q gives %q", body, name, out)
		}
		if len(out) > 4*len(body)+16 {
			t.Fatalf("%d bytes became %d", len(body), len(out))
		}
		for _, r := range string(out) {
			if !allowed(r) {
				t.Fatalf("%U is left", r)
			}
		}
	})
}
