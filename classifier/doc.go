// Package classifier decides which rules an item of news matches, and shows the
// words that prove it. It does no I/O and knows no clock.
//
// Compile turns rules into a Ruleset, which is immutable and may be used by any
// number of goroutines; its Match reads an item's text once, whatever the number
// of rules. docs/rules.md describes the language, and package text what counts
// as the same word.
package classifier

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/newswatch/newswatch/classifier/text"
	"github.com/newswatch/newswatch/feed"
)

// Doc is what is searched of an item: plain text, no markup.
type Doc struct {
	Title string
	// Lead is the feed's summary and Body the whole text. Where one begins with
	// the other, as feeds often have it, the common part is searched once and
	// counts as both.
	Lead string
	Body string
	// Authors and Categories are searched one by one. A Match in them counts its
	// bytes in the list joined with line feeds.
	Authors    []string
	Categories []string
	// URL is searched with its percent-encoding undone; a Match in it counts the
	// bytes as they are here.
	URL    string
	Source string
	// Lang is a BCP 47 tag; empty means that nobody said.
	Lang     string
	FeedID   string
	FeedTags []string
}

// NewDoc makes a Doc of an item and the feed that it came from. The lead of an item
// without a summary is the opening of its text.
func NewDoc(it feed.Item, f feed.Feed) Doc {
	d := Doc{
		Title: it.Title, Lead: it.Summary, Body: it.Content,
		Authors: it.Authors, Categories: it.Categories,
		URL: it.Link, Source: it.Outlet, Lang: f.Lang,
		FeedID: f.ID, FeedTags: f.Tags,
	}
	if d.Source == "" {
		d.Source = f.Name
	}
	if d.Lang == "" {
		d.Lang = it.Lang
	}
	if d.Lead == "" {
		d.Lead = opening(d.Body)
	}
	return d
}

// openingBytes is how long the opening of a text is at most, in bytes.
const openingBytes = 600

// opening is the first paragraph of a text, or the words of it that fit into
// openingBytes. A feed that sends whole articles often has no summary of its own, and what
// a rule looks for in the lead stands here.
func opening(body string) string {
	s := strings.TrimLeft(body, " \t\r\n")
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		s = s[:i]
	}
	if len(s) > openingBytes {
		s = s[:openingBytes]
		i := strings.LastIndexAny(s, " \t")
		s = s[:max(i, 0)]
	}
	return strings.TrimRight(s, " \t")
}

// Text returns a field's text as a Match's Start and End count it: "" for a
// field that has none.
func (d *Doc) Text(f Field) string {
	switch f {
	case FieldTitle:
		return d.Title
	case FieldLead:
		return d.Lead
	case FieldBody:
		return d.Body
	case FieldAuthor:
		return strings.Join(d.Authors, "\n")
	case FieldTag:
		return strings.Join(d.Categories, "\n")
	case FieldURL:
		return d.URL
	case FieldSource:
		return d.Source
	}
	return ""
}

// fieldMask is a set of fields.
type fieldMask uint8

const (
	inTitle fieldMask = 1 << iota
	inLead
	inBody
	inAuthor
	inTag
	inURL
	inSource
	// inOpening is the beginning of the body, besides inBody.
	inOpening

	// inText is where a word without a field is searched.
	inText = inTitle | inLead | inBody
)

var maskOf = map[Field]fieldMask{
	"": inText, FieldTitle: inTitle, FieldLead: inLead, FieldBody: inBody,
	FieldAuthor: inAuthor, FieldTag: inTag, FieldURL: inURL, FieldSource: inSource,
}

// within narrows a mask to the part of an item that a rule looks into.
func (m fieldMask) within(w Where) fieldMask {
	switch {
	case w == Headline:
		return m &^ (inLead | inBody)
	case w == prominent:
		return m &^ inBody
	case w == Start && m&inBody != 0:
		return m&^inBody | inOpening
	}
	return m
}

// segment is a piece of a Doc that is searched by itself: no phrase crosses from
// one into another.
type segment struct {
	field Field
	mask  fieldMask
	text  string
	base  int // where text begins in the field
	// The first aliasEnd bytes are also the text of another field, in which they
	// begin at aliasAt of the segment and aliasBase of that field.
	alias              Field
	aliasMask          fieldMask
	aliasEnd           int
	aliasAt, aliasBase int

	first, last int // its tokens
}

// fields are those that something belongs to that ends with token t, the n-th of
// the segment.
func (sg *segment) fields(t text.Token, n int) fieldMask {
	m := sg.mask
	if sg.aliasMask != 0 && int(t.End) <= sg.aliasEnd {
		m |= sg.aliasMask
	}
	if m&inBody != 0 && n < StartWords {
		m |= inOpening
	}
	return m
}

// segments appends the pieces of the document that lie in the wanted fields.
func (d *Doc) segments(out []segment, want fieldMask) []segment {
	if want&inOpening != 0 {
		want |= inBody
	}
	add := func(f Field, m fieldMask, s string, base int) {
		if want&m != 0 && s != "" {
			out = append(out, segment{field: f, mask: m, text: s, base: base})
		}
	}
	add(FieldTitle, inTitle, d.Title, 0)
	if seg, ok := d.overlap(); ok {
		if want&(inLead|inBody) != 0 {
			out = append(out, seg)
		}
	} else {
		add(FieldLead, inLead, d.Lead, 0)
		add(FieldBody, inBody, d.Body, 0)
	}
	for f, m, list := FieldAuthor, inAuthor, d.Authors; ; f, m, list = FieldTag, inTag, d.Categories {
		base := 0
		for _, s := range list {
			add(f, m, s, base)
			base += len(s) + 1
		}
		if f == FieldTag {
			break
		}
	}
	add(FieldURL, inURL, d.URL, 0)
	add(FieldSource, inSource, d.Source, 0)
	return out
}

// overlap makes one segment of lead and body where one begins with the other.
func (d *Doc) overlap() (segment, bool) {
	lead, leadAt := trimmed(d.Lead)
	body, bodyAt := trimmed(d.Body)
	switch {
	case lead == "" || body == "":
		return segment{}, false
	case begins(body, lead, d.Lead):
		return segment{
			field: FieldBody, mask: inBody, text: d.Body,
			alias: FieldLead, aliasMask: inLead, aliasEnd: bodyAt + len(lead), aliasAt: bodyAt, aliasBase: leadAt,
		}, true
	case begins(lead, body, d.Body):
		return segment{
			field: FieldLead, mask: inLead, text: d.Lead,
			alias: FieldBody, aliasMask: inBody, aliasEnd: leadAt + len(body), aliasAt: leadAt, aliasBase: bodyAt,
		}, true
	}
	return segment{}, false
}

// begins reports whether a text is the beginning of another. One that ends within
// a word of the other must say so with dots: else its last word is another word.
func begins(long, short, untrimmed string) bool {
	if !strings.HasPrefix(long, short) {
		return false
	}
	inWord := func(r rune, _ int) bool { return unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.Cf) }
	if !inWord(utf8.DecodeLastRuneInString(short)) || !inWord(utf8.DecodeRuneInString(long[len(short):])) {
		return true
	}
	end := strings.TrimRight(untrimmed, " \t\r\n]")
	return strings.HasSuffix(end, "…") || strings.HasSuffix(end, "...")
}

// trimmed is a text without the space around it and the dots that say that it
// goes on, and where it begins.
func trimmed(s string) (string, int) {
	t := strings.TrimLeft(s, " \t\r\n")
	at := len(s) - len(t)
	for {
		cut := strings.TrimRight(t, " \t\r\n")
		for _, dots := range []string{"…", "...", "[…]", "[...]", "[&#8230;]"} {
			cut = strings.TrimSuffix(cut, dots)
		}
		if cut == t {
			return t, at
		}
		t = cut
	}
}

// host is the lower-case host of a link, "" if it has none.
func host(link string) string {
	_, rest, ok := strings.Cut(link, "://")
	if !ok {
		return ""
	}
	if i := strings.IndexAny(rest, "/?#\\"); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	rest, _, _ = strings.Cut(rest, ":")
	return strings.ToLower(strings.TrimSuffix(rest, "."))
}

// withinHost reports whether h is the domain or a sub-domain of it.
func withinHost(h, domain string) bool {
	return h == domain || len(h) > len(domain) && strings.HasSuffix(h, domain) && h[len(h)-len(domain)-1] == '.'
}
