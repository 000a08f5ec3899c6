package document

import (
	"strings"

	"github.com/mmcdole/gofeed/json"
)

// json translates a JSON Feed.
func (t *translation) json(f *json.Feed) error {
	t.relation("self", f.FeedURL)
	name := func(authors []*json.Author) (out []string) {
		for _, a := range authors {
			out = append(out, a.Name)
		}
		return out
	}
	inherited := name(f.Authors)
	for _, i := range f.Items {
		r := raw{
			guid: i.ID, title: i.Title, links: []string{i.URL, i.ExternalURL},
			published: i.DatePublished, updated: i.DateModified,
			summary: i.Summary, content: firstOf(i.ContentHTML, i.ContentText),
			authors: name(i.Authors), categories: i.Tags, lang: i.Language,
		}
		if strings.HasPrefix(i.ID, "http") {
			// jsonfeed.org: the id is ideally the full URL of the resource.
			r.links = append(r.links, i.ID)
		}
		if len(r.authors) == 0 {
			r.authors = inherited
		}
		if err := t.add(r); err != nil {
			return err
		}
	}
	t.about(f.Title, f.HomePageURL)
	return nil
}
