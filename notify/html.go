package notify

import (
	_ "embed"
	"html/template"
	"strings"
	"time"
)

//go:embed digest.html
var digestHTML string

// The template has fixed functions and no way to mark text from outside as safe:
// html/template escapes every word of it for the place that it stands in.
var digestTemplate = template.Must(template.New("digest").Parse(digestHTML))

type htmlPage struct {
	Subject, Headline, Period, More, MoreURL string
	Groups                                   []htmlGroup
	Proof                                    []string
}

type htmlGroup struct {
	Name, Severity string
	Entries        []htmlEntry
}

type htmlEntry struct {
	Title, Link, Lang, Byline string
	Excerpt                   []span
	AlsoRules                 string
	Also                      []htmlReport
	AlsoMore                  int
}

type htmlReport struct{ Name, Link string }

// HTML renders the digest as one page that reads on a telephone: styles inside,
// light and dark, no script, no picture, and nothing that is loaded from
// anywhere.
func HTML(d Digest) string {
	page := htmlPage{
		Subject: Subject(d), Headline: d.headline(), Period: d.period(),
		More: d.more(), MoreURL: safeLink(d.MoreURL), Proof: d.proof(),
	}
	tz := d.location()
	for _, g := range d.Groups {
		hg := htmlGroup{Name: title(g.Name), Severity: g.Severity.String()}
		for _, e := range g.Entries {
			hg.Entries = append(hg.Entries, htmlOf(e, tz))
		}
		page.Groups = append(page.Groups, hg)
	}
	var b strings.Builder
	if err := digestTemplate.Execute(&b, page); err != nil {
		// The template and the page's type are both fixed here, and writing into a
		// Builder does not fail: this is a fault in the program.
		panic("notify: digest.html: " + err.Error())
	}
	return b.String()
}

func htmlOf(e Entry, tz *time.Location) htmlEntry {
	he := htmlEntry{
		Title: title(e.Title), Link: safeLink(e.Link), Lang: safeLang(e.Lang), Byline: e.byline(tz),
		Excerpt: spans(e.Excerpt), AlsoRules: plain(strings.Join(e.AlsoRules, ", ")), AlsoMore: e.AlsoMore,
	}
	for _, r := range e.Also {
		he.Also = append(he.Also, htmlReport{r.name(), safeLink(r.Link)})
	}
	return he
}
