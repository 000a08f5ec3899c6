package notify_test

import (
	"strings"
	"testing"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/notifytest"
)

// TestBuiltInTemplatesParse: what "digest templates" writes is a layout, and the
// one that serves when there is no other.
func TestBuiltInTemplatesParse(t *testing.T) {
	l, err := notify.ParseLayout(notify.Templates())
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range goldenDigests() {
		if l.Text(d) != notify.Text(d) || l.HTML(d) != notify.HTML(d) {
			t.Errorf("%s: the templates as written are not those that serve", name)
		}
	}
}

func TestOwnTemplates(t *testing.T) {
	l, err := notify.ParseLayout(
		`{{range .Groups}}{{range .Entries}}{{wrap "* " "  " .Title}}{{end}}{{end}}`,
		`<ul>{{range .Groups}}{{range .Entries}}<li><a href="{{.Link}}">{{.Title}}</a></li>{{end}}{{end}}</ul>`,
	)
	if err != nil {
		t.Fatal(err)
	}
	d := notifytest.Digest()
	d.Groups[0].Entries[0].Title = `<script>alert(1)</script>`
	d.Groups[0].Entries[0].Link = `javascript:alert(1)`
	if got := l.Text(d); !strings.HasPrefix(got, "* <script>") || strings.Contains(got, "feeds") {
		t.Errorf("text %q", got)
	}
	// What a publisher wrote is escaped, whoever wrote the template.
	if got := l.HTML(d); !strings.Contains(got, "&lt;script&gt;") || strings.Contains(got, "javascript:") {
		t.Errorf("html %q", got)
	}
	// A layout of one template uses the built-in one for the other part.
	half, err := notify.ParseLayout("{{.Subject}}", "")
	if err != nil {
		t.Fatal(err)
	}
	if half.HTML(d) != notify.HTML(d) || half.Text(d) != notify.Subject(d) {
		t.Error("half a layout is not completed")
	}
}

func TestBadTemplates(t *testing.T) {
	for name, tt := range map[string]struct{ text, html, want string }{
		"not closed":    {text: "a\n{{if .More}}", want: "template: text:2: unexpected EOF"},
		"no such field": {text: "a\nb {{.Titel}}", want: "text:2:4: executing \"text\" at <.Titel>: can't evaluate field Titel"},
		"deep field":    {html: "{{range .Groups}}{{range .Entries}}{{.Body}}{{end}}{{end}}", want: "can't evaluate field Body"},
		"no function":   {html: "{{safe .Headline}}", want: `function "safe" not defined`},
		"in a script":   {html: "<script>var x = '{{.Headline}}", want: "ends in a non-text context"},
		"own tail":      {text: `{{define "x"}}{{template "x"}}{{end}}{{template "x"}}`, want: "exceeded maximum template depth"},
	} {
		if _, err := notify.ParseLayout(tt.text, tt.html); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

// TestFailingTemplate: a template that only some digests break must not keep those
// from their readers.
func TestFailingTemplate(t *testing.T) {
	l, err := notify.ParseLayout(`{{index .Proof 0}} {{if eq .Subscriber "desk"}}{{index .Groups 99}}{{end}}`, `{{if eq .Subscriber "desk"}}{{index .Groups 99}}{{end}}`)
	if err != nil {
		t.Fatal(err)
	}
	d := notifytest.Digest()
	d.Subscriber = "desk"
	if l.Text(d) != notify.Text(d) || l.HTML(d) != notify.HTML(d) {
		t.Error("the built-in templates did not step in")
	}
}
