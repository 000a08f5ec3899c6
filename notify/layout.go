package notify

import (
	_ "embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io"
	"strings"
	texttemplate "text/template"
	"time"

	"github.com/newswatch/newswatch/classifier"
)

// The built-in templates, which an operator may take for a start.
var (
	//go:embed digest.txt
	digestText string
	//go:embed digest.html
	digestHTML string
)

// Templates returns the sources of the built-in templates.
func Templates() (text, html string) { return digestText, digestHTML }

// Layout is how a digest is set, as text and as HTML. The zero Layout is the
// built-in one. It is safe for concurrent use.
type Layout struct {
	text *texttemplate.Template
	html *htmltemplate.Template
}

// Templates have fixed functions, and none of them can mark text from outside as
// safe: html/template escapes every word of it for the place that it stands in.
var functions = map[string]any{
	"wrap":   paragraph,
	"marked": marked,
	"indent": func(s string) string { return strings.Repeat(" ", columns(s)) },
	"rule":   func(s, char string) string { return strings.Repeat(char, min(columns(s), textWidth)) },
}

var builtIn = func() Layout {
	l, err := ParseLayout(digestText, digestHTML)
	if err != nil {
		panic(err) // both are part of the program
	}
	return l
}()

// maxRendered bounds what a template may make of one digest, in bytes.
const maxRendered = 8 << 20

// ParseLayout makes a layout of an operator's templates; where one is empty, the
// built-in one serves. Each is tried on digests with everything in them and with
// nothing, so that a field that is not there is an error here and not at seven in
// the morning. Errors are the template's own: they begin with "template:", its
// name, text or html, and a line.
func ParseLayout(text, html string) (Layout, error) {
	var l Layout
	if text != "" {
		t, err := texttemplate.New("text").Funcs(functions).Parse(text)
		if err != nil {
			return Layout{}, fmt.Errorf("notify: %w", err)
		}
		l.text = t
	}
	if html != "" {
		t, err := htmltemplate.New("html").Funcs(functions).Parse(html)
		if err != nil {
			return Layout{}, fmt.Errorf("notify: %w", err)
		}
		l.html = t
	}
	for _, d := range samples() {
		if err := l.try(d.Page()); err != nil {
			return Layout{}, fmt.Errorf("notify: %w", err)
		}
	}
	return l, nil
}

func (l Layout) try(p Page) error {
	if l.text != nil {
		if _, err := execute(l.text, p); err != nil {
			return err
		}
	}
	if l.html != nil {
		if _, err := execute(l.html, p); err != nil {
			return err
		}
	}
	return nil
}

// Text renders the digest for a terminal and for a reader of plain mail: lines
// end in \n, and words that a rule matched stand between asterisks.
//
// An operator's template that fails on a digest must not keep it from its
// reader: the built-in one takes its place.
func (l Layout) Text(d Digest) string {
	if l.text != nil {
		if s, err := execute(l.text, d.Page()); err == nil {
			return s
		}
	}
	return render(builtIn.text, d)
}

// HTML renders the digest as one page. The built-in one reads on a telephone:
// styles inside, light and dark, no script, no picture, and nothing that is
// loaded from anywhere. A template that fails is treated as Text treats it.
func (l Layout) HTML(d Digest) string {
	if l.html != nil {
		if s, err := execute(l.html, d.Page()); err == nil {
			return s
		}
	}
	return render(builtIn.html, d)
}

// Text renders the digest with the built-in layout, see Layout.Text.
func Text(d Digest) string { return Layout{}.Text(d) }

// HTML renders the digest with the built-in layout, see Layout.HTML.
func HTML(d Digest) string { return Layout{}.HTML(d) }

// template is what both kinds of template can do.
type template interface {
	Execute(w io.Writer, data any) error
}

func render(t template, d Digest) string {
	s, err := execute(t, d.Page())
	if err != nil {
		// The template and the page's type are both fixed here: this is a fault in
		// the program.
		panic("notify: " + err.Error())
	}
	return s
}

var errTooLong = errors.New("the template makes more than 8 MiB of one digest")

// bounded is a builder that a template cannot fill without an end.
type bounded struct{ strings.Builder }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxRendered {
		return 0, errTooLong
	}
	return b.Builder.Write(p)
}

func execute(t template, p Page) (string, error) {
	var b bounded
	if err := t.Execute(&b, p); err != nil {
		return "", err
	}
	return b.String(), nil
}

// samples are the digests that a template is tried on: one that has all that a
// digest can have, and one that has nothing.
func samples() []Digest {
	at := time.Date(2026, 11, 23, 1, 30, 0, 0, time.UTC)
	entry := Entry{
		Title: "Kerala police arrest 41", Link: "https://news.example/1", Outlet: "Example", Lang: "en", Published: at, Found: at,
		Excerpt:   classifier.Excerpt{Text: "Police arrested 41 on Sunday.", Marks: [][2]int{{0, 6}}},
		AlsoRules: []string{"CSAM"}, Also: []Report{{Title: "41 held", Outlet: "Other", Link: "https://other.example/1"}}, AlsoMore: 1,
		Earlier: Earlier{Title: "Raids in Kochi", Outlet: "Third", Link: "https://third.example/1", Published: at},
	}
	full := Digest{
		ID: strings.Repeat("0", 32), Subscriber: "sample", Since: at.Add(-time.Hour), Until: at, Sealed: at, Timezone: "UTC",
		Part: true,
		Hits: 3, Entries: 2, More: 1, MoreURL: "https://newswatch.example/hits",
		Groups: []Group{{Rule: "p-hunt", Name: "Operation P-Hunt", Severity: classifier.High, Entries: []Entry{entry, {Title: "Bare", Found: at}}}},
		Corrections: []Correction{
			{Title: "42 held", Was: "41 held", Link: "https://other.example/1", Outlet: "Other", Published: at, Found: at, At: at},
			{Outlet: "Other", Found: at, At: at, Withdrawn: true},
			{Title: "43 held", Link: "https://third.example/1", Outlet: "Third", Found: at, At: at, Back: true},
		},
		CorrectionsMore: 1,
		Notices:         []Notice{{At: at, Kind: SourceLost, Subject: "a", Text: "The feed a is lost."}},
		NoticesMore:     1,
		Coverage: Coverage{
			Feeds: 3, Checked: 2, Failing: []SourceNote{{Feed: "a", Note: "HTTP 503"}}, FailingCount: 1,
			Silent: []SourceNote{{Feed: "b", Note: "nothing for 9 days"}}, SilentCount: 1, Ruleset: "0", Rules: 1,
		},
	}
	return []Digest{full, {ID: full.ID, Subscriber: "sample", Since: full.Since, Until: at, Sealed: at, Timezone: "UTC"}}
}
