package configs

import (
	"os"

	yaml "go.yaml.in/yaml/v4"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
)

// Loaded is a whole configuration that was found to be right.
type Loaded struct {
	Config
	// Path is the file that was read; empty for the embedded defaults.
	Path  string
	Feeds []feed.Feed
	// FeedFiles are the files that the feeds are in; none where the embedded ones
	// hold.
	FeedFiles   []string
	Subscribers []Subscriber
	Rules       *classifier.Ruleset
	// Files are all that were read, in order. The embedded ones begin with
	// "embedded:"; the others are what to watch for a reload.
	Files []string
}

// searched is where Find looks, in order.
var searched = []string{
	"newswatch.yaml",
	"configs/newswatch.yaml",
	"/etc/newswatch/newswatch.yaml",
}

// Find returns the configuration file that is used when none is named; ok is
// false where there is none and the embedded defaults hold.
func Find() (path string, ok bool) {
	for _, p := range searched {
		if st, err := os.Stat(p); err == nil && !st.IsDir() {
			return p, true
		}
	}
	return "", false
}

// Load reads a configuration, with everything it includes. The error, where
// something is wrong, is an *Errors that holds all of it. Warnings are returned
// in either case. Load has no effect but that files are read.
func Load(path string) (*Loaded, []Warning, error) {
	return load(disk{}, path, os.LookupEnv)
}

// Default reads the embedded configuration. Its data folder is data/ in the
// working directory.
func Default() (*Loaded, []Warning, error) {
	l, warnings, err := load(embedded{}, defaultMain, os.LookupEnv)
	if l != nil {
		l.Path = ""
	}
	return l, warnings, err
}

// LoadRules reads rule files alone, without a configuration, as match and
// explain do. Each of paths may be a glob.
func LoadRules(paths ...string) (*classifier.Ruleset, []Warning, error) {
	l := newLoader(disk{}, os.LookupEnv)
	var all []file
	for _, p := range paths {
		names := []string{p}
		if hasMeta(p) {
			var err error
			if names, err = l.tree.glob(p); err != nil || len(names) == 0 {
				l.add(Problem{Pos: classifier.Pos{File: p}, Message: "no file matches"})
			}
		}
		for _, n := range names {
			all = append(all, file{tree: l.tree, name: n})
		}
	}
	rules := l.ruleset(all)
	if err := l.err(); err != nil {
		return nil, l.warnings, err
	}
	return rules, l.warnings, nil
}

func newLoader(t tree, env func(string) (string, bool)) *loader {
	return &loader{tree: t, env: env, seen: map[string]place{}}
}

func load(t tree, path string, env func(string) (string, bool)) (*Loaded, []Warning, error) {
	l := newLoader(t, env)
	doc, ok := l.document(file{tree: t, name: path}, false)
	if !ok {
		return nil, l.warnings, l.err()
	}
	out := &Loaded{Config: defaults(), Path: path}
	l.server(doc, &out.Config)

	// Subscribers name rules, and tags of rules and feeds: they come last.
	out.Rules = l.ruleset(l.included(doc, "rules", out.Include.Rules))
	before := len(l.problems)
	for _, f := range l.included(doc, "feeds", out.Include.Feeds) {
		if d, ok := l.document(f, false); ok {
			l.feedFile(d, &out.Config)
			if f.tree != (embedded{}) {
				out.FeedFiles = append(out.FeedFiles, f.name)
			}
		}
	}
	l.feedsBroken = len(l.problems) > before
	l.checkRuleFeeds()
	k := l.known()
	for _, f := range l.included(doc, "subscribers", out.Include.Subscribers) {
		if d, ok := l.document(f, true); ok {
			out.Subscribers = append(out.Subscribers, l.subscriberFile(d, &out.Config, k)...)
		}
	}
	l.lint(doc, out)
	if err := l.err(); err != nil {
		return nil, l.warnings, err
	}
	out.Feeds, out.Files = l.feeds, l.files
	return out, l.warnings, nil
}

// lint warns of a configuration that is right and does nothing.
func (l *loader) lint(doc *document, c *Loaded) {
	at := doc.root
	if at == nil {
		at = &yaml.Node{Line: 1, Column: 1}
	}
	if len(l.problems) > 0 {
		return
	}
	if len(l.feeds) == 0 {
		l.warn(doc, at, "there are no feeds: nothing will be read", "check include.feeds")
	}
	if c.Rules == nil || len(c.Rules.Rules()) == 0 {
		l.warn(doc, at, "there are no rules: nothing will ever be found", "check include.rules")
	}
	if len(c.Subscribers) == 0 {
		l.warn(doc, at, "there are no subscribers: nobody is told", "check include.subscribers")
	}
}

func (l *loader) err() error {
	if len(l.problems) == 0 {
		return nil
	}
	sortProblems(l.problems, l.files)
	return &Errors{Problems: l.problems, More: l.more}
}
