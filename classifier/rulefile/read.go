package rulefile

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/newswatch/newswatch/classifier"
)

// reader collects what the files hold, and all that is wrong with them.
type reader struct {
	rules    []classifier.Rule
	concepts []classifier.Concept
	errs     classifier.Errors
	lost     bool // a file could not be read at all

	doc  *document
	rule string // the id of the rule being read
}

// errorf records an error at a node.
func (r *reader) errorf(n *yaml.Node, suggestion, format string, args ...any) {
	r.errorAt(r.doc.nodePos(n), suggestion, format, args...)
}

func (r *reader) errorAt(pos classifier.Pos, suggestion, format string, args ...any) {
	e := &classifier.Error{Pos: pos, Rule: r.rule, Msg: fmt.Sprintf(format, args...), Suggestion: suggestion}
	e.Line, e.Caret = classifier.Clip(r.doc.line(pos.Line), pos.Column-1)
	r.errs = append(r.errs, e)
}

func (r *reader) file(f File) {
	read := false
	defer func() { r.lost = r.lost || !read }()
	if len(f.Data) > MaxFile { // before anything is made of its bytes
		r.doc = newDocument(File{Name: f.Name})
		r.errorAt(classifier.Pos{File: f.Name, Line: 1, Column: 1}, "split it", "the file is %d bytes long; at most %d are allowed", len(f.Data), MaxFile)
		return
	}
	r.doc = newDocument(f)
	var docs []yaml.Node
	if err := yaml.Load([]byte(r.doc.text), &docs, yaml.WithAllDocuments()); err != nil {
		pos := classifier.Pos{File: f.Name, Line: 1, Column: 1}
		msg := err.Error()
		if le, ok := errors.AsType[*yaml.LoadError](err); ok {
			msg = le.Message
			if le.ContextMsg != "" {
				msg = le.ContextMsg + ": " + msg
			}
			if le.Mark.Line > 0 {
				pos.Line, pos.Column = le.Mark.Line, max(1, le.Mark.Column)
			}
		}
		r.errorAt(pos, "", "this is not YAML: %s", msg)
		return
	}
	for i := range docs {
		n := &docs[i]
		if n.Kind == yaml.DocumentNode && len(n.Content) == 1 {
			n = n.Content[0]
		}
		if isNull(n) {
			continue // a file of comments
		}
		if !r.plain(n) {
			return
		}
		r.mapping(n, "a rule file", fields{
			"rules":    r.ruleList,
			"concepts": r.conceptMap,
		})
	}
	read = true
}

// plain refuses what would make a rule say something that does not stand there,
// and bounds the nesting.
func (r *reader) plain(n *yaml.Node) bool {
	ok := true
	var walk func(n *yaml.Node, depth int)
	walk = func(n *yaml.Node, depth int) {
		switch {
		case n.Kind == yaml.AliasNode:
			r.errorf(n, "write it out, or make a concept of it", "aliases are not allowed")
			ok = false
			return
		case n.Anchor != "":
			r.errorf(n, "", "anchors are not allowed: &%s", n.Anchor)
			ok = false
		case n.Style&yaml.TaggedStyle != 0:
			r.errorf(n, "put the text in quotes", "type tags are not allowed: %s", n.Tag)
			ok = false
		case depth > 8:
			r.errorf(n, "", "this is nested too deep for a rule file")
			ok = false
			return
		}
		for _, c := range n.Content {
			walk(c, depth+1)
		}
	}
	walk(n, 0)
	return ok
}

func isNull(n *yaml.Node) bool {
	return n.Kind == 0 || n.Kind == yaml.ScalarNode && n.Value == "" && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0
}

// fields are the keys of a mapping and what reads their values.
type fields map[string]func(key, value *yaml.Node)

// mapping reads a mapping with fixed keys.
func (r *reader) mapping(n *yaml.Node, what string, known fields) {
	r.pairs(n, what, func(k, v *yaml.Node) {
		read := known[k.Value]
		if read == nil {
			names := make([]string, 0, len(known))
			for name := range known {
				names = append(names, name)
			}
			s := ""
			if near := classifier.DidYouMean(k.Value, names); near != "" {
				s = fmt.Sprintf("did you mean %s?", near)
			}
			r.errorf(k, s, "%s has no key %q", what, k.Value)
			return
		}
		read(k, v)
	})
}

// pairs calls f for each key of a mapping that is given once.
func (r *reader) pairs(n *yaml.Node, what string, f func(k, v *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		r.errorf(n, "", "%s must be a mapping, not %s", what, kindOf(n))
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case k.Kind != yaml.ScalarNode:
			r.errorf(k, "", "a key must be text, not %s", kindOf(k))
		case k.Value == "":
			r.errorf(k, "write what belongs before the colon", "%s has an empty key", what)
		case seen[k.Value] > 0:
			r.errorf(k, "", "the key %q was given before, on line %d", k.Value, seen[k.Value])
		default:
			seen[k.Value] = k.Line
			f(k, v)
		}
	}
}

func kindOf(n *yaml.Node) string {
	switch {
	case isNull(n):
		return "nothing"
	case n.Kind == yaml.ScalarNode:
		return "text"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	}
	return "a mapping"
}

// text reads a scalar, as it was typed.
func (r *reader) text(k, v *yaml.Node) (classifier.Source, bool) {
	if v.Kind != yaml.ScalarNode || isNull(v) {
		r.errorf(v, "", "%s must be text, not %s", k.Value, kindOf(v))
		return classifier.Source{}, false
	}
	return r.doc.source(v), true
}

// texts reads a list of scalars.
func (r *reader) texts(k, v *yaml.Node) []classifier.Source {
	if v.Kind != yaml.SequenceNode {
		s := ""
		if v.Kind == yaml.ScalarNode && !isNull(v) && !strings.Contains(v.Value, "\n") {
			s = fmt.Sprintf("write %s: [%s]", k.Value, v.Value)
		}
		r.errorf(v, s, "%s must be a list, not %s", k.Value, kindOf(v))
		return nil
	}
	if len(v.Content) == 0 {
		r.errorf(v, "leave the key out if it has none", "%s is an empty list", k.Value)
	}
	out := make([]classifier.Source, 0, len(v.Content))
	for _, c := range v.Content {
		if s, ok := r.text(k, c); ok {
			out = append(out, s)
		}
	}
	return out
}

func (r *reader) words(k, v *yaml.Node) []string {
	var out []string
	for _, s := range r.texts(k, v) {
		out = append(out, s.Text)
	}
	return out
}

func (r *reader) ruleList(k, v *yaml.Node) {
	switch v.Kind {
	case yaml.SequenceNode:
		for _, n := range v.Content {
			r.ruleMapping(n)
		}
	case yaml.MappingNode:
		r.pairs(v, "rules", func(id, list *yaml.Node) {
			r.rule = id.Value
			rule := classifier.Rule{ID: id.Value, Severity: classifier.Medium, Pos: r.doc.nodePos(id), Line: r.doc.line}
			rule.Any = r.texts(id, list)
			r.rules = append(r.rules, rule)
			r.rule = ""
		})
	default:
		r.errorf(v, "", "rules must be a list of rules, not %s", kindOf(v))
	}
}

func (r *reader) ruleMapping(n *yaml.Node) {
	rule := classifier.Rule{Severity: classifier.Medium, Pos: r.doc.nodePos(n), Line: r.doc.line}
	defer func() { r.rule = "" }()
	if n.Kind == yaml.MappingNode { // the id first, so that errors before it name the rule
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == "id" && n.Content[i+1].Kind == yaml.ScalarNode {
				r.rule = n.Content[i+1].Value
			}
		}
	}
	str := func(to *string) func(k, v *yaml.Node) {
		return func(k, v *yaml.Node) {
			if s, ok := r.text(k, v); ok {
				*to = s.Text
			}
		}
	}
	strs := func(to *[]string) func(k, v *yaml.Node) {
		return func(k, v *yaml.Node) { *to = r.words(k, v) }
	}
	list := func(to *[]classifier.Source) func(k, v *yaml.Node) {
		return func(k, v *yaml.Node) { *to = append(*to, r.texts(k, v)...) }
	}
	before := len(r.errs)
	hasID := false
	r.mapping(n, "a rule", fields{
		"id": func(k, v *yaml.Node) {
			hasID = true
			if s, ok := r.text(k, v); ok {
				rule.ID, rule.Pos = s.Text, r.doc.nodePos(v)
			}
		},
		"name": str(&rule.Name),
		"severity": func(k, v *yaml.Node) {
			if s, ok := r.text(k, v); ok {
				var err error
				if rule.Severity, err = classifier.ParseSeverity(s.Text); err != nil {
					r.errorf(v, suggest(s.Text, "low", "medium", "high", "critical"), "severity must be low, medium, high or critical, not %q", s.Text)
				}
			}
		},
		"tags": strs(&rule.Tags),
		"where": func(k, v *yaml.Node) {
			if s, ok := r.text(k, v); ok {
				if rule.Where = classifier.Where(s.Text); !slices.Contains(classifier.Wheres(), rule.Where) {
					rule.Where = ""
					r.errorf(v, suggest(s.Text, "headline", "start", "anywhere", "major"), "where must be headline, start, anywhere or major, not %q", s.Text)
				}
			}
		},
		"languages": strs(&rule.Languages),
		"feeds":     strs(&rule.Feeds),
		"feed_tags": strs(&rule.FeedTags),
		"query": func(k, v *yaml.Node) {
			if s, ok := r.text(k, v); ok {
				rule.Query = s
			}
		},
		"any":   list(&rule.Any),
		"words": list(&rule.Any),
		"all":   list(&rule.All),
		"none":  list(&rule.None),
		"near":  func(k, v *yaml.Node) { rule.Near = r.near(v) },
		"spelling": func(k, v *yaml.Node) {
			if s, ok := r.text(k, v); ok {
				if rule.Spelling = classifier.Spelling(s.Text); rule.Spelling != classifier.Loose {
					rule.Spelling = classifier.AsWritten
					r.errorf(v, suggest(s.Text, "loose"), "spelling must be loose, or be left out, not %q", s.Text)
				}
			}
		},
		"show": func(k, v *yaml.Node) {
			if s, ok := r.text(k, v); ok {
				if rule.Show, ok = classifier.ParseShow(s.Text); !ok {
					r.errorf(v, suggest(s.Text, "excerpt", "title", "link"), "show must be excerpt, title or link, not %q", s.Text)
				}
			}
		},
		"must_match":     list(&rule.MustMatch),
		"must_not_match": list(&rule.MustNotMatch),
	})
	if !hasID {
		if n.Kind == yaml.MappingNode {
			r.errorf(n, "give it one; letters, digits and '-'", "the rule has no id")
		}
		return
	}
	// A rule that is wrong elsewhere still has a condition to judge; one whose
	// condition could not be read would only be said to have none.
	if len(r.errs) == before || rule.Query.Text != "" || len(rule.Any)+len(rule.All) > 0 || rule.Near != nil {
		r.rules = append(r.rules, rule)
	}
}

// near reads the words that must stand together. It returns nil where they
// cannot be told.
func (r *reader) near(n *yaml.Node) *classifier.Near {
	if n.Kind != yaml.MappingNode {
		r.errorf(n, "write near: {words: [police, raid], within: 10}", "near must be a mapping, not %s", kindOf(n))
		return nil
	}
	near := &classifier.Near{Within: classifier.DefaultNear}
	before := len(r.errs)
	r.mapping(n, "near", fields{
		"words": func(k, v *yaml.Node) { near.Words = r.texts(k, v) },
		"within": func(k, v *yaml.Node) {
			if s, ok := r.text(k, v); ok {
				var err error
				if near.Within, err = strconv.Atoi(s.Text); err != nil {
					r.errorf(v, "", "within must be a number of words, not %q", s.Text)
				}
			}
		},
	})
	if near.Words == nil && len(r.errs) == before {
		r.errorf(n, "write near: {words: [police, raid], within: 10}", "near has no words")
	}
	if len(r.errs) > before {
		return nil
	}
	return near
}

func suggest(got string, names ...string) string {
	if near := classifier.DidYouMean(got, names); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return ""
}

func (r *reader) conceptMap(_, v *yaml.Node) {
	r.pairs(v, "concepts", func(id, n *yaml.Node) {
		c := classifier.Concept{ID: id.Value, Terms: map[string][]classifier.Source{}, Pos: r.doc.nodePos(id), Line: r.doc.line}
		if n.Kind == yaml.SequenceNode {
			c.Terms[anyLanguage] = r.texts(id, n)
		} else {
			r.mapping(n, "a concept", fields{
				"display": func(k, v *yaml.Node) {
					if s, ok := r.text(k, v); ok {
						c.Display = s.Text
					}
				},
				"terms": func(k, v *yaml.Node) {
					if v.Kind == yaml.SequenceNode {
						c.Terms[anyLanguage] = r.texts(k, v)
						return
					}
					r.pairs(v, "terms", func(lang, list *yaml.Node) { c.Terms[lang.Value] = r.texts(lang, list) })
				},
			})
		}
		r.concepts = append(r.concepts, c)
	})
}

// anyLanguage is the BCP 47 tag of terms that are in no stated language.
const anyLanguage = "und"
