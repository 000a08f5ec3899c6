package configs

import (
	"errors"
	"fmt"
	"io/fs"

	yaml "go.yaml.in/yaml/v4"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
)

// loader reads one configuration and collects what is wrong with it.
type loader struct {
	tree tree
	env  func(string) (string, bool)

	problems []Problem
	more     int
	warnings []Warning

	files  []string // as printed, in the order in which they were read
	bytes  int64
	visits int

	include *section
	feeds   []feed.Feed

	rules []classifier.Rule
	// A file has errors: what is not known may be in it.
	rulesBroken, feedsBroken bool

	// seen tells where what must be unique was said first.
	seen map[string]place
}

// place is where something was said.
type place struct {
	file string
	line int
}

func (p place) String() string { return fmt.Sprintf("%s:%d", p.file, p.line) }

// once records a key that must be unique. Where it is not, it returns the first
// place of it.
func (l *loader) once(kind, key string, doc *document, n *yaml.Node) (first place, dup bool) {
	k := kind + "\x00" + key
	if p, ok := l.seen[k]; ok {
		return p, true
	}
	l.seen[k] = place{doc.name, n.Line}
	return place{}, false
}

// cause is the part of a file error that matters once the file is named.
func cause(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return err.Error()
}
