package document

import (
	"strings"

	"github.com/mmcdole/gofeed/atom"
)

// atom translates Atom 0.3 and 1.0.
func (t *translation) atom(f *atom.Feed) error {
	t.doc.Lang = firstOf(t.doc.Lang, language(extText(f.Extensions, "dc", "language")))
	t.syndication(f.Extensions)
	for _, l := range f.Links {
		t.relation(l.Rel, l.Href)
	}
	inherited := personNames(f.Authors)
	for _, e := range f.Entries {
		r := atomEntryOf(e)
		if len(r.authors) == 0 {
			// RFC 4287 §4.1.2: the feed's authors are those of its entries.
			r.authors = inherited
		}
		if err := t.add(r); err != nil {
			return err
		}
	}
	home := ""
	if links := preferred(f.Links); len(links) > 0 && f.Links[0] != nil {
		home = links[0]
	}
	t.about(f.Title, home)
	return nil
}

func atomEntryOf(e *atom.Entry) raw {
	x := e.Extensions
	r := raw{
		guid:      extText(x, "kept", "id"),
		title:     firstOf(e.Title, extText(x, "media", "title")),
		links:     preferred(e.Links),
		published: firstOf(e.Published, extText(x, "dcterms", "issued"), extText(x, "dcterms", "created"), extText(x, "dc", "date")),
		updated:   firstOf(e.Updated, extText(x, "dcterms", "modified")),
		summary:   firstOf(e.Summary, extText(x, "media", "description")),
		lang:      extText(x, "dc", "language"),
		authors:   append(personNames(e.Authors), extTexts(x, "dc", "creator")...),
	}
	if e.Content != nil {
		r.content = e.Content.Value
	}
	r.content = firstOf(r.content, extText(x, "content", "encoded"))
	for _, c := range e.Categories {
		r.categories = append(r.categories, c.Term)
	}
	r.categories = append(r.categories, extTexts(x, "dc", "subject")...)
	if e.Source != nil {
		r.outlet = e.Source.Title
		if len(r.authors) == 0 {
			r.authors = personNames(e.Source.Authors)
		}
	}
	return r
}

func personNames(people []*atom.Person) []string {
	var out []string
	for _, p := range people {
		out = append(out, firstOf(p.Name, p.Email))
	}
	return out
}

// preferred orders links by how likely they lead to the page: an alternate in
// HTML, any alternate, then what else may be the page.
func preferred(links []*atom.Link) []string {
	var out []string
	for _, want := range []string{"alternate html", "alternate", "canonical", "via", "related", "self"} {
		rel, html := strings.CutSuffix(want, " html")
		for _, l := range links {
			isHTML := l.Type == "" || strings.Contains(strings.ToLower(l.Type), "html")
			if l.Rel == rel && (!html || isHTML) {
				out = append(out, l.Href)
			}
		}
	}
	return out
}
