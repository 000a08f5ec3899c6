package configs

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// files is a tree in memory.
type files map[string]string

func (t files) read(name string) ([]byte, error) {
	s, ok := t[filepath.ToSlash(name)]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return []byte(s), nil
}

func (t files) glob(pattern string) ([]string, error) {
	var out []string
	for name := range t {
		ok, err := path.Match(filepath.ToSlash(pattern), name)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out, nil
}

func (files) show(name string) string { return filepath.ToSlash(name) }

// base is a small configuration that is right; a case replaces one file of it.
func base() files {
	return files{
		"etc/newswatch.yaml":   "smtp: {host: mail.example.org, from: news@example.org}\n",
		"etc/feeds.yaml":       "feeds:\n  - {id: paper, url: \"https://paper.example.org/rss\", tags: [daily]}\n",
		"etc/rules/base.yaml":  "rules:\n  - {id: operation-p-hunt, tags: [kerala], any: ['\"operation p hunt\"']}\n  - {id: csam, any: [csam]}\n",
		"etc/subscribers.yaml": "subscribers:\n  - {id: file, file: {}}\n",
	}
}

// with returns the base where the file under test, whose role is the first word
// of its name, is text.
func with(name, text string) files {
	t := base()
	role, _, _ := strings.Cut(name, "-")
	t[map[string]string{
		"server": "etc/newswatch.yaml", "feeds": "etc/feeds.yaml", "rules": "etc/rules/base.yaml", "subscribers": "etc/subscribers.yaml",
	}[role]] = text
	return t
}

func testEnv(name string) (string, bool) {
	v, ok := map[string]string{
		"NEWSWATCH_TEST_HOST":     "mail.example.org",
		"NEWSWATCH_TEST_PASSWORD": "pass-word",
		"NEWSWATCH_TEST_FLOW":     "{timeout: 5s}",
	}[name]
	return v, ok
}

func loadFiles(t files) (*Loaded, []Warning, error) { return load(t, "etc/newswatch.yaml", testEnv) }

func cases(t testing.TB, suffix string) map[string]string {
	t.Helper()
	names, err := filepath.Glob("testdata/*" + suffix)
	if err != nil || len(names) == 0 {
		t.Fatalf("no testdata/*%s: %v", suffix, err)
	}
	out := map[string]string{}
	for _, n := range names {
		data, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(n), suffix)] = string(data)
	}
	return out
}

// golden compares with testdata/name, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (run the test with -update)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// firstLine is what an editor reads a place from.
var firstLine = regexp.MustCompile(`^[^\s:]+:[1-9][0-9]*:[1-9][0-9]*: .*\S`)

// TestBad: each file has one fault, and the whole text of its error is golden.
func TestBad(t *testing.T) {
	for name, text := range cases(t, ".bad.yaml") {
		t.Run(name, func(t *testing.T) {
			loaded, _, err := loadFiles(with(name, text))
			if err == nil || loaded != nil {
				t.Fatalf("loaded; want an error")
			}
			problems, ok := errors.AsType[*Errors](err)
			if !ok {
				t.Fatalf("error is a %T", err)
			}
			for _, p := range problems.Problems {
				if !firstLine.MatchString(p.String()) {
					t.Errorf("no file:line:column in %q", p)
				}
			}
			golden(t, name+".bad.txt", err.Error()+"\n")
		})
	}
}
