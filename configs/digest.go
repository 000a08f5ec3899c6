package configs

import (
	"fmt"
	"strings"

	"github.com/newswatch/newswatch/notify"
)

// digest reads what holds for every subscriber that says nothing else, and how
// digests are set.
func (l *loader) digest(s *section, d *Digest) {
	s.duration("first_window", &d.FirstWindow, 0, 36500*day)
	s.integer("cap", &d.Cap, 1000)
	choice(s, "when_empty", &d.WhenEmpty, notify.Skip, notify.Send)
	parsed(s, "timezone", &d.Timezone, parseZone)
	s.truth("child_identity_guard", &d.ChildIdentityGuard)
	choice(s, "lang", &d.Lang, notify.Languages()...)

	// One at a time, so that each mistake is told where its file is named.
	text, html := l.template(s, "text_template"), l.template(s, "html_template")
	failed := false
	for _, t := range []struct{ key, text, html string }{{"text_template", text, ""}, {"html_template", "", html}} {
		if _, err := notify.ParseLayout(t.text, t.html); err != nil {
			failed = true
			s.fail(t.key, strings.TrimPrefix(err.Error(), "notify: "), "newswatch digest templates DIR writes the built-in ones, to begin with")
		}
	}
	if !failed {
		d.Layout, _ = notify.ParseLayout(text, html) // both were parsed just now
	}
}

// template reads a template's file. It counts among the configuration's files, so
// that an edit of it reloads them.
func (l *loader) template(s *section, key string) string {
	name, ok := s.scalar(key)
	if !ok || name == "" {
		return ""
	}
	path := s.doc.path(name)
	data, ok := l.read(file{tree: l.tree, name: path, doc: s.doc, at: s.values[key]})
	if ok && len(data) == 0 {
		s.fail(key, fmt.Sprintf("%s is empty", l.tree.show(path)), "take the key out for the built-in one")
	}
	return string(data)
}
