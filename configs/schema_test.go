package configs

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	yaml "go.yaml.in/yaml/v4"
)

// compileSchema also holds that the file is a schema: the compiler validates it
// against the draft that it names.
func compileSchema(t *testing.T, kind string) *jsonschema.Schema {
	t.Helper()
	data, err := Schema(kind)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(kind+".json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(kind + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func allSchemas(t *testing.T) map[string]*jsonschema.Schema {
	out := map[string]*jsonschema.Schema{}
	for _, kind := range Schemas() {
		out[kind] = compileSchema(t, kind)
	}
	out["server"] = out["config"] // what the fixtures call it
	return out
}

// editorSees reads YAML as an editor does, with the types of its core schema.
func editorSees(text string) (any, error) {
	var v any
	err := yaml.Unmarshal([]byte(text), &v)
	return v, err
}

// beyondSchema are the fixtures whose fault no schema of one file can see, or
// none that is worth its regular expression.
var beyondSchema = []string{
	"feeds-id-derived-twice", "feeds-id-twice", "feeds-lang-unknown", "feeds-url-port", "feeds-url-twice",
	"rules-concept-unknown", "rules-feed-unknown", "rules-id-twice", "rules-query", "rules-test-fails",
	"server-contact", "server-duration-huge", "server-duration-zero", "server-env-name", "server-env-open",
	"server-env-unset", "server-env-unset-later", "server-include-glob-bad", "server-include-glob-empty",
	"server-include-missing", "server-min-above-max", "server-size-small", "server-smtp-dkim-key", "server-smtp-dkim-no-key", "server-smtp-no-from",
	"server-smtp-reply-to-utf8", "server-smtp-verp-from", "server-smtp-verp-long",
	"server-store-cluster-db", "server-store-db", "server-store-escape", "server-store-port",
	"server-store-sentinel-master", "server-store-sentinel-query", "server-store-slashes", "server-store-sqlite-empty",
	"server-store-sqlite-query", "server-store-two-hosts", "server-subscriptions-alone", "server-timezone-typo", "server-token-file-missing",
	"server-yaml-tag", "server-yaml-two-documents", "subscribers-id-twice", "subscribers-rule-unknown",
	"subscribers-chat", "subscribers-chat-plain", "subscribers-schedule-every", "subscribers-schedule-never", "subscribers-tag-unknown",
	"subscribers-timezone", "subscribers-webhook-plain", "subscribers-webhook-secret",
	"subscribers-webhook-secret-missing",
}

// TestSchemaFixtures: what the loader takes the schema takes, and what it
// refuses the schema refuses, as far as one can.
func TestSchemaFixtures(t *testing.T) {
	schemas := allSchemas(t)
	for name, text := range cases(t, ".good.yaml") {
		role, _, _ := strings.Cut(name, "-")
		v, err := editorSees(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := schemas[role].Validate(v); err != nil {
			t.Errorf("%s is refused: %v", name, err)
		}
	}
	for name, text := range cases(t, ".bad.yaml") {
		role, _, _ := strings.Cut(name, "-")
		v, err := editorSees(text)
		if err != nil {
			continue // no YAML: the editor says so without a schema
		}
		err = schemas[role].Validate(v)
		if beyond := slices.Contains(beyondSchema, name); beyond != (err == nil) {
			t.Errorf("%s: beyond the schema %v, and it says %v", name, beyond, err)
		}
	}
}

// TestSchemaDefaults also holds that each default file names its schema, by a
// path that is there.
func TestSchemaDefaults(t *testing.T) {
	schemas := allSchemas(t)
	files, err := filepath.Glob("rules/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules: %v", err)
	}
	for _, file := range append(files, "newswatch.yaml", "feeds.yaml", "subscribers.yaml") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(data), "\n")
		path, ok := strings.CutPrefix(first, "# yaml-language-server: $schema=")
		if _, err := os.Stat(filepath.Join(filepath.Dir(file), path)); !ok || err != nil {
			t.Errorf("%s: its first line names no schema: %s", file, first)
			continue
		}
		v, err := editorSees(string(data))
		if err != nil {
			t.Fatal(err)
		}
		if err := schemas[strings.TrimSuffix(filepath.Base(path), ".json")].Validate(v); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestSchemaRuleFixtures runs the rule loader's own good files.
func TestSchemaRuleFixtures(t *testing.T) {
	s := compileSchema(t, "rules")
	files, err := filepath.Glob("../classifier/rulefile/testdata/*.good.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for part := range strings.SplitSeq(string(data), "\n---\n") {
			v, err := editorSees(part)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if err := s.Validate(v); v != nil && err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

// TestSchemaKeys: the keys that the loaders' source reads are those of the
// schemas. A key that one of them lacks is either refused where an editor
// offered it, or underlined where it is right.
func TestSchemaKeys(t *testing.T) {
	known := map[string][]string{}
	readKeys(t, ".", known)
	readKeys(t, "../classifier/rulefile", known)
	schemas := allSchemas(t)
	listed := map[string]*jsonschema.Schema{
		"server": schemas["config"], "feedFile": schemas["feeds"], "subscriberFile": schemas["subscribers"], "file of rules": schemas["rules"],
		"feed":       item(t, schemas["feeds"], "feeds", 1),
		"subscriber": item(t, schemas["subscribers"], "subscribers", 0),
		"rule":       item(t, schemas["rules"].Properties["rules"].AnyOf[0], "", 0),
		"concept":    deref(schemas["rules"].Properties["concepts"].AdditionalProperties.(*jsonschema.Schema).AnyOf[1]),
	}
	listed["near"] = deref(listed["rule"].Properties["near"])
	for name, s := range schemas["config"].Properties {
		if s.Properties != nil {
			listed["."+name] = s
		}
	}
	listed[".dkim"] = schemas["config"].Properties["smtp"].Properties["dkim"]
	for _, name := range []string{"webhook", "file"} {
		listed["."+name] = listed["subscriber"].Properties[name]
	}
	got := map[string][]string{}
	for name, s := range listed {
		got[name] = slices.Sorted(maps.Keys(s.Properties))
	}
	for _, keys := range known {
		slices.Sort(keys)
	}
	if diff := cmp.Diff(known, got); diff != "" {
		t.Errorf("-loaders +schemas:\n%s", diff)
	}
}

// item is what the elements of a list must be: the nth of anyOf where there are
// several.
func item(t *testing.T, s *jsonschema.Schema, key string, n int) *jsonschema.Schema {
	t.Helper()
	if key != "" {
		s = s.Properties[key]
	}
	s = s.Items2020
	if len(s.AnyOf) > n {
		s = s.AnyOf[n]
	}
	return deref(s)
}

func deref(s *jsonschema.Schema) *jsonschema.Schema {
	for s.Ref != nil && s.Properties == nil {
		s = s.Ref
	}
	return s
}

// readKeys finds in Go source the keys of each mapping that a loader opens: the
// words in calls of open and sub, and the keys of rulefile's fields.
func readKeys(t *testing.T, dir string, out map[string][]string) {
	t.Helper()
	sources, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	inRulefile := map[string]string{"file": "file of rules", "ruleMapping": "rule", "conceptMap": "concept", "near": "near"}
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), source, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					sel, ok := n.Fun.(*ast.SelectorExpr)
					if ok && sel.Sel.Name == "open" && len(n.Args) > 3 && n.Ellipsis == token.NoPos {
						out[fn.Name.Name] = append(out[fn.Name.Name], literals(n.Args[3:])...)
					}
					if ok && sel.Sel.Name == "sub" && len(n.Args) > 1 {
						name := "." + literals(n.Args[:1])[0]
						out[name] = append(out[name], literals(n.Args[1:])...)
					}
				case *ast.CompositeLit:
					if id, ok := n.Type.(*ast.Ident); ok && id.Name == "fields" {
						for _, e := range n.Elts {
							name := inRulefile[fn.Name.Name]
							out[name] = append(out[name], literals([]ast.Expr{e.(*ast.KeyValueExpr).Key})...)
						}
					}
				}
				return true
			})
		}
	}
}

func literals(exprs []ast.Expr) []string {
	var out []string
	for _, e := range exprs {
		if lit, ok := e.(*ast.BasicLit); ok {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				out = append(out, s)
			}
		}
	}
	return out
}
