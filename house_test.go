// Package newswatch_test keeps the house in order: it reads the imports of every
// package and fails when one reaches up a floor, across to a sibling, or over a
// fence. docs/architecture.md shows the same table.
package newswatch_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/newswatch/newswatch/"

// floors gives each package its height. A package may import only what is
// strictly below it. The files are read in process, since a "go list" in a child
// process would be hidden from the test cache.
var floors = map[string]int{
	"feed":     0,
	"lease":    0,
	"netguard": 0,

	"classifier/text":  10,
	"fetcher/document": 10,
	"fetcher/article":  10,
	"fetcher/robots":   10,
	"fetcher/signpost": 10,
	"demo":             10,
	"websub":           10,

	"fetcher":    11,
	"classifier": 11,
	"gazetteer":  11,

	"classifier/ruletest": 12,
	"classifier/rulefile": 12,

	"guard": 20,
	"story": 20,

	"notify":            21,
	"notify/email":      22,
	"notify/webhook":    22,
	"notify/chat":       22,
	"notify/file":       22,
	"notify/notifytest": 22,

	"store":           30,
	"store/storetest": 31,
	"store/sqlite":    31,
	"store/redis":     31,
	"store/export":    31,
	"subscription":    31,
	"backtest":        31,
	"configs":         32,
	"web/desk":        33,
	"web/api":         34,
	"web/syndication": 34,
	"web":             35,

	"daemon":        40,
	"cmd/newswatch": 50,

	// Tests only: it may be imported by any of them and imports none.
	"internal/realpart":    0,
	"internal/redistest":   1,
	"internal/mailtest":    1,
	"internal/browsertest": 1,
}

// fences says which packages alone may import a module, and why.
var fences = []struct {
	module string
	allow  []string
	why    string
}{
	{"github.com/mmcdole/gofeed", []string{"fetcher/document"}, "a document must pass the guard before gofeed sees a byte of it"},
	{"github.com/redis/go-redis", []string{"store/redis"}, "only the engine knows its driver"},
	{"modernc.org/sqlite", []string{"store/sqlite"}, "only the engine knows its driver"},
	{"github.com/robfig/cron", []string{"notify", "daemon"}, "cron's own traps are disarmed in one place"},
	{"go.yaml.in/yaml", []string{"configs", "classifier/rulefile"}, "YAML is read strictly, and with positions, or not at all"},
	{"net/http", []string{
		"fetcher", "netguard", "notify/webhook", "notify/chat", "web", "web/api", "daemon", "demo", "cmd/newswatch", "websub",
		"fetcher/document", // asks http.DetectContentType what bytes look like
	}, "what speaks to the network must go through netguard"},
	{"github.com/prometheus/client_golang", []string{"daemon", "web"}, "metrics are wired where the parts are"},
	{"github.com/chromedp", []string{"internal/browsertest"}, "a browser is for tests alone"},
	{"testing", []string{"store/storetest", "notify/notifytest", "internal/realpart", "internal/redistest", "internal/mailtest", "internal/browsertest"}, "test code must not end up in the program"},
}

func TestFloors(t *testing.T) {
	for pkg, imports := range packages(t) {
		floor, known := floors[pkg]
		if !known {
			t.Errorf("package %s has no floor: give it one here and in docs/architecture.md", pkg)
			continue
		}
		for imp := range imports {
			below, ok := strings.CutPrefix(imp, module)
			if !ok {
				continue
			}
			if floors[below] >= floor {
				t.Errorf("%s (floor %d) imports %s (floor %d): imports run strictly downward", pkg, floor, below, floors[below])
			}
		}
	}
}

func TestFences(t *testing.T) {
	for pkg, imports := range packages(t) {
		for imp := range imports {
			for _, f := range fences {
				if imp != f.module && !strings.HasPrefix(imp, f.module+"/") {
					continue
				}
				if !allowed(pkg, f.allow) {
					t.Errorf("%s imports %s, which is fenced to %v: %s", pkg, imp, f.allow, f.why)
				}
			}
		}
		for _, name := range strings.Split(pkg, "/") {
			switch name {
			case "model", "models", "types", "util", "utils", "common", "pkg", "helpers", "misc":
				t.Errorf("package %s: %q says nothing about what is in it", pkg, name)
			}
		}
	}
}

func allowed(pkg string, allow []string) bool {
	for _, a := range allow {
		if pkg == a {
			return true
		}
	}
	return false
}

// packages returns what each package imports, its tests left out.
func packages(t *testing.T) map[string]map[string]bool {
	t.Helper()
	out := map[string]map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "tools" || name == "data") {
				return filepath.SkipDir
			}
			return nil
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		if !strings.HasSuffix(path, ".go") || dir == "." || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		if out[dir] == nil {
			out[dir] = map[string]bool{}
		}
		for _, spec := range f.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			out[dir][imp] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) == 0 {
		t.Fatal("no packages found: the test must run at the top of the module")
	}
	return out
}
