package configs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"

	"github.com/newswatch/newswatch/classifier"
)

// section is a mapping that is being read, strictly: its keys are checked when
// it is opened, its values as they are asked for.
type section struct {
	l      *loader
	doc    *document
	path   string // "fetch." or "feeds[3].", for messages
	at     *yaml.Node
	keys   map[string]*yaml.Node
	values map[string]*yaml.Node
	// broken is set where something in it could not be read. What is missing is
	// then not reported: it is most likely what was misspelt.
	broken bool
}

// maxVisits bounds how many nodes are looked at in one load, counting an
// alias's target each time: a few bytes of aliases otherwise stand for billions.
const maxVisits = 4_000_000

// maxList bounds a list of words, such as a feed's tags.
const maxList = 1000

// open makes a section of a node that must be a mapping with these keys only.
// It reports what is not so; the section can be read in any case.
func (l *loader) open(doc *document, n *yaml.Node, path string, known ...string) *section {
	s := &section{l: l, doc: doc, path: path, at: n, keys: map[string]*yaml.Node{}, values: map[string]*yaml.Node{}}
	n, ok := l.resolve(doc, n)
	if !ok || n == nil || isNull(n) {
		return s
	}
	if n.Kind != yaml.MappingNode {
		l.failNode(doc, n, fmt.Sprintf("%s: want keys and values, not %s", s.name(), describe(n)), "write key: value lines below it, indented")
		s.broken = true
		return s
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if _, ok := l.resolve(doc, k); !ok {
			return s
		}
		switch {
		case k.Kind != yaml.ScalarNode || isNull(k):
			s.broken = true
			l.failNode(doc, k, fmt.Sprintf("%s: a key must be a word", s.name()), didYouMean("", known))
		case s.keys[k.Value] != nil:
			l.failNode(doc, k, fmt.Sprintf("%s%s is given twice, first in line %d", path, k.Value, s.keys[k.Value].Line), "take one of them out")
		case !slices.Contains(known, k.Value):
			s.broken = true
			l.failNode(doc, k, fmt.Sprintf("unknown key %s%s", path, keyName(k.Value)), didYouMean(k.Value, known))
		default:
			s.keys[k.Value], s.values[k.Value] = k, v
		}
	}
	return s
}

// name is the section's own name in messages.
func (s *section) name() string {
	if s.path == "" {
		return "the file"
	}
	return strings.TrimSuffix(s.path, ".")
}

func (s *section) has(key string) bool { return s.values[key] != nil }

// fail reports a value; where the key is not there, or is "", the section.
func (s *section) fail(key, msg, hint string) {
	n := s.values[key]
	if n == nil {
		n = s.at
	}
	what := s.path + key
	if key == "" {
		what = s.name()
	}
	s.l.failNode(s.doc, n, what+": "+msg, hint)
}

func (s *section) warn(key, msg, hint string) {
	n := s.values[key]
	if n == nil {
		n = s.at
	}
	s.l.warn(s.doc, n, s.path+key+": "+msg, hint)
}

// scalar returns the text of a key's value, expanded; ok is false where the key
// is absent or the value was refused.
func (s *section) scalar(key string) (text string, ok bool) {
	n := s.values[key]
	if n == nil {
		return "", false
	}
	return s.l.scalar(s.doc, n, s.path+key)
}

func (s *section) text(key string, dst *string) bool {
	t, ok := s.scalar(key)
	if ok {
		*dst = t
	}
	return ok
}

// parsed reads a value through a parser.
func parsed[T any](s *section, key string, dst *T, parse func(string) (T, *valueError)) bool {
	t, ok := s.scalar(key)
	if !ok {
		return false
	}
	v, err := parse(t)
	if err != nil {
		s.fail(key, err.Message, err.Hint)
		return false
	}
	*dst = v
	return true
}

// truth reads true or false.
func (s *section) truth(key string, dst *bool) {
	if n := s.values[key]; n != nil && n.Tag == "!!bool" {
		*dst = strings.EqualFold(n.Value, "true")
		return
	}
	parsed(s, key, dst, func(t string) (bool, *valueError) {
		v, err := strconv.ParseBool(t) // from an environment variable, it is text
		if err != nil {
			return false, &valueError{Message: fmt.Sprintf("%q is neither true nor false", clip(t)), Hint: "write true or false"}
		}
		return v, nil
	})
}

func (s *section) duration(key string, dst *time.Duration, lo, hi time.Duration) bool {
	return parsed(s, key, dst, func(t string) (time.Duration, *valueError) {
		d, err := parseDuration(t)
		if err == nil && (d < lo || d > hi) {
			err = &valueError{
				Message: fmt.Sprintf("%s is out of range", t),
				Hint:    fmt.Sprintf("want %s to %s", formatDuration(lo), formatDuration(hi)),
			}
		}
		return d, err
	})
}

func (s *section) size(key string, dst *int64, lo, hi int64) bool {
	return parsed(s, key, dst, func(t string) (int64, *valueError) {
		n, err := parseSize(t)
		if err == nil && (n < lo || n > hi) {
			err = &valueError{Message: fmt.Sprintf("%s is out of range", t), Hint: fmt.Sprintf("want %dKiB to %dMiB", lo>>10, hi>>20)}
		}
		return n, err
	})
}

// integer reads a whole number from 1 to most.
func (s *section) integer(key string, dst *int, most int) {
	parsed(s, key, dst, func(t string) (int, *valueError) {
		n, err := strconv.Atoi(t)
		switch {
		case err != nil:
			return 0, &valueError{Message: fmt.Sprintf("%q is not a whole number", clip(t)), Hint: fmt.Sprintf("want 1 to %d", most)}
		case n < 1 || n > most:
			return 0, &valueError{Message: fmt.Sprintf("%d is out of range", n), Hint: fmt.Sprintf("want 1 to %d", most)}
		}
		return n, nil
	})
}

// choice reads one of a few words.
func choice[T ~string](s *section, key string, dst *T, options ...T) bool {
	return parsed(s, key, dst, func(t string) (T, *valueError) {
		names := make([]string, len(options))
		for i, o := range options {
			if T(t) == o {
				return o, nil
			}
			names[i] = string(o)
		}
		hint := ""
		if c := classifier.DidYouMean(clip(t), names); c != "" {
			hint = "did you mean " + c + "?"
		}
		return "", &valueError{Message: fmt.Sprintf("%q is not one of %s", clip(t), strings.Join(names, ", ")), Hint: hint}
	})
}

// entry is one element of a list.
type entry struct {
	text string
	node *yaml.Node
}

// list reads a list of words. An absent key and an empty list are told apart by
// given.
func (s *section) list(key string) (entries []entry, given bool) {
	n := s.values[key]
	if n == nil {
		return nil, false
	}
	seq, ok := s.l.resolve(s.doc, n)
	switch {
	case !ok:
		return nil, false
	case isNull(seq):
		return nil, true
	case seq.Kind == yaml.ScalarNode:
		s.fail(key, "want a list, not one value", fmt.Sprintf("write %s: [%s]", key, clip(seq.Value)))
		return nil, false
	case seq.Kind != yaml.SequenceNode:
		s.fail(key, "want a list, not "+describe(seq), fmt.Sprintf("write %s: [one, two]", key))
		return nil, false
	}
	if len(seq.Content) > maxList {
		s.fail(key, fmt.Sprintf("more than %d entries", maxList), "")
		return nil, false
	}
	for _, c := range seq.Content {
		if t, ok := s.l.scalar(s.doc, c, s.path+key); ok {
			entries = append(entries, entry{t, c})
		}
	}
	return entries, true
}

func texts(es []entry) []string {
	var out []string
	for _, e := range es {
		out = append(out, e.text)
	}
	return out
}

// resolve follows an alias, and counts.
func (l *loader) resolve(doc *document, n *yaml.Node) (*yaml.Node, bool) {
	if l.visits++; l.visits > maxVisits {
		if l.visits == maxVisits+1 {
			l.failNode(doc, n, "the configuration is too large", "aliases (*name) repeat what they stand for; use fewer")
		}
		return nil, false
	}
	for range 8 {
		if n == nil || n.Kind != yaml.AliasNode {
			return n, true
		}
		n = n.Alias
	}
	return nil, false
}

// scalar returns the expanded text of a node that must be one value. Numbers
// and dates come as they were typed, so that an id 007 stays one.
func (l *loader) scalar(doc *document, at *yaml.Node, path string) (string, bool) {
	n, ok := l.resolve(doc, at)
	if !ok {
		return "", false
	}
	switch {
	case n.Kind != yaml.ScalarNode:
		l.failNode(doc, at, fmt.Sprintf("%s: want one value, not %s", path, describe(n)), "")
		return "", false
	case n.Style&yaml.TaggedStyle != 0:
		l.failNode(doc, at, fmt.Sprintf("%s: YAML tags such as %s are not used here", path, clip(n.Tag)), "write the value alone")
		return "", false
	case isNull(n):
		l.failNode(doc, at, path+" has no value", `give it one, write "" for none, or take the line out`)
		return "", false
	case n.Tag == "!!bool":
		l.failNode(doc, at, fmt.Sprintf("%s: %s is a truth value", path, n.Value), "put it in quotes if it is meant as text")
		return "", false
	}
	text, xerr := expand(n.Value, l.env)
	if xerr != nil {
		col := at.Column
		if n == at && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
			if col += utf8.RuneCountInString(n.Value[:xerr.At]); n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
				col++
			}
		}
		l.fail(doc, at.Line, col, path+": "+xerr.Message, xerr.Hint)
		return "", false
	}
	return text, true
}

func (l *loader) failNode(doc *document, n *yaml.Node, msg, hint string) {
	line, col := 1, 1
	if n != nil && n.Line > 0 {
		line, col = n.Line, max(n.Column, 1)
	}
	l.fail(doc, line, col, msg, hint)
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Tag == "!!null" && n.Style&yaml.TaggedStyle == 0
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	default:
		return "one value"
	}
}

// keyName is a key as it may be quoted: its first word, since what follows may
// be the value that a forgotten colon made part of it.
func keyName(key string) string {
	word, rest, _ := strings.Cut(strings.TrimSpace(key), " ")
	if rest != "" || word == "" {
		word += "…"
	}
	return clip(word)
}

// clip shortens what is quoted in a message.
func clip(s string) string {
	const most = 60
	if rs := []rune(s); len(rs) > most {
		return string(rs[:most]) + "…"
	}
	return s
}
