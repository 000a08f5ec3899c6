package configs

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"github.com/newswatch/newswatch/classifier"
)

// file is one that belongs to the configuration, and where the operator said
// so; doc is nil where nobody did.
type file struct {
	tree tree
	name string
	doc  *document
	at   *yaml.Node
}

// included returns the files of one include. Where the operator gave none and
// there are none beside his file, the embedded ones stand in: a newswatch.yaml
// that says only where Redis is must not watch nothing.
func (l *loader) included(main *document, key string, patterns []string) []file {
	nodes := l.includeNodes(key)
	var out []file
	have := map[string]bool{}
	for i, p := range patterns {
		var at *yaml.Node
		if i < len(nodes) {
			at = nodes[i]
		}
		names, err := l.match(main, p)
		switch {
		case err != nil:
			l.failNode(main, at, fmt.Sprintf("include.%s: %q is not a pattern", key, clip(p)), "close the bracket")
		case len(names) == 0 && nodes == nil:
			out = append(out, l.builtIn(p)...)
		case len(names) == 0:
			l.failNode(main, at, fmt.Sprintf("include.%s: no file matches %q", key, clip(p)), "looked for "+main.path(p))
		}
		for _, n := range names {
			if !have[n] {
				have[n] = true
				out = append(out, file{l.tree, n, main, at})
			}
		}
	}
	return out
}

// includeNodes returns where the patterns of an include stand; nil where they
// are the defaults.
func (l *loader) includeNodes(key string) []*yaml.Node {
	n := l.include.values[key]
	if n == nil {
		return nil
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	nodes := make([]*yaml.Node, 0, len(n.Content)) // not nil: the operator did say
	return append(nodes, n.Content...)
}

// match returns the files that a pattern names.
func (l *loader) match(main *document, pattern string) ([]string, error) {
	full := pattern
	if !filepath.IsAbs(full) {
		full = filepath.Join(quoteMeta(main.dir), filepath.FromSlash(pattern))
	}
	return l.tree.glob(full)
}

func (l *loader) builtIn(pattern string) []file {
	names, err := embedded{}.glob(pattern)
	if err != nil {
		return nil
	}
	out := make([]file, len(names))
	for i, n := range names {
		out[i] = file{tree: embedded{}, name: n}
	}
	return out
}

// read returns a file's bytes, or reports why not: where the operator named it,
// if he did.
func (l *loader) read(f file) ([]byte, bool) {
	name := f.tree.show(f.name)
	refuse := func(why, hint string) ([]byte, bool) {
		if f.doc != nil {
			l.failNode(f.doc, f.at, fmt.Sprintf("%s: %s", name, why), hint)
		} else {
			l.add(Problem{Pos: classifier.Pos{File: name, Line: 1, Column: 1}, Message: why, Hint: hint})
		}
		return nil, false
	}
	if len(l.files) >= maxFiles {
		if len(l.files) == maxFiles {
			l.files = append(l.files, name)
			return refuse(fmt.Sprintf("more than %d files", maxFiles), "put more rules into one file, or make the patterns narrower")
		}
		return nil, false
	}
	data, err := f.tree.read(f.name)
	if err != nil {
		return refuse("cannot read the file: "+cause(err), "")
	}
	l.files = append(l.files, name)
	if l.bytes += int64(len(data)); l.bytes > maxBytes {
		return refuse(fmt.Sprintf("all files together are larger than %d MiB", maxBytes>>20), "")
	}
	return data, true
}

// document reads and parses a YAML file.
func (l *loader) document(f file, private bool) (*document, bool) {
	data, ok := l.read(f)
	if !ok {
		return nil, false
	}
	return l.parse(f.tree.show(f.name), filepath.Dir(f.name), data, private)
}

func hasMeta(p string) bool { return strings.ContainsAny(p, "*?[") }

// quoteMeta keeps a folder's own brackets and stars from being read as a
// pattern. Windows has no such quoting, and no such names for * and ?.
func quoteMeta(dir string) string {
	if runtime.GOOS == "windows" {
		return dir
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}
