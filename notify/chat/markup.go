package chat

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf16"
)

// markup writes runs in a service's own language.
type markup struct {
	escape func(string) string
	bold   func(escaped string) string
	link   func(escaped, url string) string
}

func (m markup) write(lines []line) string {
	var b strings.Builder
	for i, l := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		for _, r := range l {
			s := m.escape(r.text)
			// Markup around nothing, or around a blank at its end, is not read as such.
			inner := strings.TrimSpace(s)
			if inner != "" && (r.bold || r.url != "") {
				before, after, _ := strings.Cut(s, inner)
				if r.bold {
					inner = m.bold(inner)
				}
				if r.url != "" {
					inner = m.link(inner, r.url)
				}
				s = before + inner + after
			}
			b.WriteString(s)
		}
	}
	return b.String()
}

// joiner is the word joiner (U+2060): it is not seen, takes no room, and parts
// what a service would put together.
const joiner = "\u2060"

// unlinked keeps a service from making anything of plain text: no link of
// example.org or https://…, no mention of @everyone, no #tag, no :emoji:, and no
// /command. Few services can be told to leave text alone, and what they look for
// differs.
func unlinked(s string) string {
	var b strings.Builder
	rs := []rune(s)
	at := func(i int) rune {
		if i < 0 || i >= len(rs) {
			return ' '
		}
		return rs[i]
	}
	wordy := func(r rune) bool { return unicode.In(r, unicode.L, unicode.M, unicode.N) || r == '_' }
	for i, r := range rs {
		b.WriteRune(r)
		before, after := at(i-1), at(i+1)
		switch r {
		case '@', '#', '＠', '＃':
			b.WriteString(joiner)
		case ':', '/':
			if unicode.IsDigit(before) && unicode.IsDigit(after) {
				continue // a time of day, a date
			}
			if wordy(after) || after == '/' || after == '\\' {
				b.WriteString(joiner)
			}
		case '.', '。', '．':
			if wordy(before) && wordy(after) && !decimal(rs, i) {
				b.WriteString(joiner)
			}
		}
	}
	return b.String()
}

// decimal reports whether the mark at i is the only one of a number. One of several
// may be of an address, such as 192.0.2.1, of which some services make a link.
func decimal(rs []rune, i int) bool {
	lo, hi := i, i+1
	for lo > 0 && unicode.IsDigit(rs[lo-1]) {
		lo--
	}
	for hi < len(rs) && unicode.IsDigit(rs[hi]) {
		hi++
	}
	more := (lo > 1 && rs[lo-1] == '.' && unicode.IsDigit(rs[lo-2])) || (hi+1 < len(rs) && rs[hi] == '.' && unicode.IsDigit(rs[hi+1]))
	return lo < i && hi > i+1 && !more
}

// backslashed escapes the characters of a set, as Markdown does.
func backslashed(set string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for _, r := range unlinked(s) {
			if r < unicode.MaxASCII && strings.ContainsRune(set, r) {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		}
		return b.String()
	}
}

// closed keeps a URL from ending the parentheses that it stands in.
var closed = strings.NewReplacer("(", "%28", ")", "%29", "\\", "%5C", "<", "%3C", ">", "%3E", "|", "%7C", "*", "%2A", "`", "%60")

var (
	plainText = markup{
		escape: unlinked,
		bold:   func(s string) string { return s },
		link:   func(s, url string) string { return s + " " + url },
	}
	htmlText = markup{
		escape: func(s string) string { return html.EscapeString(unlinked(s)) },
		bold:   func(s string) string { return "<b>" + s + "</b>" },
		link:   func(s, url string) string { return `<a href="` + html.EscapeString(url) + `">` + s + "</a>" },
	}
	// In angle brackets a link has no preview.
	discordText = markup{
		escape: backslashed("\\*_~`|>#-+[](){}<"),
		bold:   func(s string) string { return "**" + s + "**" },
		link:   func(s, url string) string { return "[" + s + "](<" + closed.Replace(url) + ">)" },
	}
	mattermostText = markup{
		escape: backslashed("\\*_~`|>#-+[](){}<!"),
		bold:   func(s string) string { return "**" + s + "**" },
		link:   func(s, url string) string { return "[" + s + "](" + closed.Replace(url) + ")" },
	}
	// Rocket.Chat escapes only some characters; the others have look-alikes.
	rocketText = markup{
		escape: func(s string) string {
			return backslashed("*_~`#")(strings.NewReplacer("\\", "＼", "[", "［", "]", "］", "<", "‹", ">", "›", "|", "¦", "$", "＄").Replace(s))
		},
		bold: func(s string) string { return "*" + s + "*" },
		link: func(s, url string) string { return "[" + s + "](" + closed.Replace(url) + ")" },
	}
)

// units counts as JavaScript does, which is what Discord and Telegram count by.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

// visible counts the units that are read when the markup is taken away, and the
// runs that are marked up.
func visible(lines []line) (length, marked int) {
	for i, l := range lines {
		if i > 0 {
			length++
		}
		for _, r := range l {
			length += units(unlinked(r.text))
			if r.bold || r.url != "" {
				marked++
			}
		}
	}
	return length, marked
}
