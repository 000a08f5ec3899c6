package notify

import (
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/width"

	"github.com/newswatch/newswatch/classifier"
)

// textWidth is the widest line of Text, in columns. RFC 5322 §2.1.1 asks for 78.
// Only a link may be wider: cut in two it would lead nowhere.
const textWidth = 78

// Text renders the digest for a terminal and for a reader of plain mail: lines
// end in \n, and words that a rule matched stand between asterisks.
func Text(d Digest) string {
	var b strings.Builder
	b.WriteString(d.headline() + "\n")
	paragraph(&b, "", "", d.period())
	if more := d.more(); more != "" {
		paragraph(&b, "", "", more)
		if u := safeLink(d.MoreURL); u != "" {
			b.WriteString(u + "\n")
		}
	}
	tz := d.location()
	n := 0
	for _, g := range d.Groups {
		b.WriteString("\n\n")
		head := title(g.Name) + " [" + g.Severity.String() + "]"
		paragraph(&b, "", "", head)
		b.WriteString(strings.Repeat("=", min(columns(head), textWidth)) + "\n")
		for _, e := range g.Entries {
			n++
			b.WriteString("\n")
			number := strconv.Itoa(n) + ". "
			indent := strings.Repeat(" ", len(number))
			paragraph(&b, number, indent, title(e.Title))
			paragraph(&b, indent, indent, e.byline(tz))
			if s := marked(e.Excerpt); s != "" {
				paragraph(&b, indent+"> ", indent+"> ", s)
			}
			if u := safeLink(e.Link); u != "" {
				b.WriteString(indent + u + "\n")
			}
			if len(e.AlsoRules) > 0 {
				paragraph(&b, indent, indent, "Also found by: "+plain(strings.Join(e.AlsoRules, ", ")))
			}
			e.alsoText(&b, indent)
		}
	}
	b.WriteString("\n\n" + strings.Repeat("-", 8) + "\n")
	for _, line := range d.proof() {
		paragraph(&b, "", "  ", line)
	}
	return b.String()
}

func (e Entry) alsoText(b *strings.Builder, indent string) {
	if len(e.Also)+e.AlsoMore == 0 {
		return
	}
	b.WriteString(indent + "Also reported by:\n")
	for _, r := range e.Also {
		name := r.name()
		if u := safeLink(r.Link); u != "" {
			paragraph(b, indent+"- ", indent+"  ", name)
			b.WriteString(indent + "  " + u + "\n")
			continue
		}
		paragraph(b, indent+"- ", indent+"  ", name)
	}
	if e.AlsoMore > 0 {
		b.WriteString(indent + "- and " + strconv.Itoa(e.AlsoMore) + " more\n")
	}
}

// name is the outlet; where nobody named it, the title.
func (r Report) name() string {
	if s := plain(r.Outlet); s != "" {
		return s
	}
	return title(r.Title)
}

// marked is the excerpt with asterisks around what matched.
func marked(x classifier.Excerpt) string {
	var b strings.Builder
	for _, s := range spans(x) {
		if !s.Marked {
			b.WriteString(s.Text)
			continue
		}
		b.WriteString("*" + s.Text + "*")
	}
	return b.String()
}

// paragraph writes s, wrapped, with first before its first line and rest before
// the others.
func paragraph(b *strings.Builder, first, rest, s string) {
	line, used := first, columns(first)
	empty := true
	flush := func() {
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		line, used, empty = rest, columns(rest), true
	}
	for _, w := range strings.Fields(s) {
		for _, piece := range chop(w, textWidth-columns(rest)) {
			n := columns(piece)
			if !empty && used+1+n > textWidth {
				flush()
			}
			if !empty {
				line, used = line+" ", used+1
			}
			line, used, empty = line+piece, used+n, false
		}
	}
	if !empty || first != "" {
		flush()
	}
}

// chop cuts a word that is wider than a line, as text without spaces is. It
// never parts a letter from its marks.
func chop(w string, width int) []string {
	if columns(w) <= width {
		return []string{w}
	}
	var out []string
	start, used := 0, 0
	letter, before := 0, 0 // where the last letter began, and the columns before it
	for i, r := range w {
		if !unicode.In(r, unicode.M, unicode.Cf) {
			letter, before = i, used
		}
		used += runeColumns(r)
		if used > width && letter > start {
			out = append(out, w[start:letter])
			start, used, before = letter, used-before, 0
		}
	}
	return append(out, w[start:])
}

// columns is the width of s in a terminal.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	if r < 0x300 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
		return 2
	}
	return 1
}
