package document

import (
	"strings"

	"github.com/mmcdole/gofeed/rss"
)

// rss translates RSS and RDF.
func (t *translation) rss(f *rss.Feed) error {
	t.doc.Lang = firstOf(language(f.Language), language(extText(f.Extensions, "dc", "language")), t.doc.Lang)
	t.syndication(f.Extensions)
	t.skipped(f)
	home := f.Link
	for _, l := range f.Extensions["atom"]["link"] {
		t.relation(l.Attrs["rel"], l.Attrs["href"])
		if home == "" && l.Attrs["rel"] == "alternate" {
			home = l.Attrs["href"]
		}
	}
	for _, i := range f.Items {
		if err := t.add(rssItemOf(i)); err != nil {
			return err
		}
	}
	t.about(firstOf(f.Title, extText(f.Extensions, "dc", "title")), home)
	return nil
}

// rssItemOf collects an item's parts, each from the element that is meant for
// it, else from the extension that publishers use in its place.
func rssItemOf(i *rss.Item) raw {
	x := i.Extensions
	r := raw{
		title:     firstOf(i.Title, extText(x, "dc", "title"), extText(x, "atom", "title"), extText(x, "media", "title"), extText(x, "itunes", "title")),
		links:     i.Links,
		published: firstOf(i.PubDate, extText(x, "dc", "date"), extText(x, "atom", "published"), extText(x, "dcterms", "issued"), extText(x, "dcterms", "created")),
		updated:   firstOf(extText(x, "atom", "updated"), extText(x, "dcterms", "modified")),
		content:   firstOf(i.Content, extText(x, "atom", "content"), extText(x, "xhtml", "body")),
		summary: firstOf(i.Description, extText(x, "atom", "summary"), extText(x, "itunes", "summary"), extText(x, "dc", "description"),
			extText(x, "itunes", "subtitle"), extText(x, "media", "description")),
		lang: extText(x, "dc", "language"),
	}
	if i.GUID != nil {
		r.guid = i.GUID.Value
	}
	r.guid = firstOf(r.guid, extText(x, "atom", "id"))
	for _, l := range x["atom"]["link"] {
		if rel := l.Attrs["rel"]; rel == "alternate" || rel == "canonical" {
			r.links = append(r.links, l.Attrs["href"])
		}
	}
	if i.GUID != nil && i.GUID.IsPermalink != "false" && strings.HasPrefix(i.GUID.Value, "http") {
		r.links = append(r.links, i.GUID.Value)
	}
	if i.Author != "" {
		r.authors = append(r.authors, authorName(i.Author))
	}
	r.authors = append(r.authors, extTexts(x, "dc", "creator")...)
	for _, a := range x["atom"]["author"] {
		if name := a.Children["name"]; len(name) > 0 {
			r.authors = append(r.authors, name[0].Value)
		}
	}
	if len(r.authors) == 0 {
		r.authors = extTexts(x, "itunes", "author")
	}
	for _, c := range i.Categories {
		r.categories = append(r.categories, c.Value)
	}
	r.categories = append(append(r.categories, extTexts(x, "dc", "subject")...), extTexts(x, "atom", "category")...)
	if i.Source != nil {
		r.outlet = i.Source.Title
	}
	return r
}

// authorName takes the name out of "address (name)" and "name <address>", which
// is how RSS 2.0 wants an author, and of an author who is written as in Atom.
func authorName(s string) string {
	if _, rest, ok := strings.Cut(s, "<name>"); ok {
		s, _, _ = strings.Cut(rest, "</name>")
	}
	s = strings.TrimSpace(decodeReferences(s))
	if open := strings.IndexByte(s, '('); open > 0 && strings.HasSuffix(s, ")") {
		before, inside := strings.TrimSpace(s[:open]), strings.TrimSpace(s[open+1:len(s)-1])
		if strings.Contains(before, "@") && inside != "" {
			return inside
		}
		if strings.Contains(inside, "@") {
			return before
		}
	}
	if open := strings.IndexByte(s, '<'); open > 0 && strings.HasSuffix(s, ">") && strings.Contains(s[open:], "@") {
		return strings.Trim(strings.TrimSpace(s[:open]), `"`)
	}
	return s
}
