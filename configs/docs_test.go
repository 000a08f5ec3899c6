package configs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v4"
)

// TestDocsRules loads every example of docs/rules.md: an author who copies one
// must not be told that it is wrong.
func TestDocsRules(t *testing.T) {
	examples := yamlBlocks(t, "rules.md")
	if len(examples) < 4 {
		t.Fatalf("%d examples", len(examples))
	}
	for i, e := range examples {
		file := filepath.Join(t.TempDir(), fmt.Sprintf("example-%d.yaml", i))
		if err := os.WriteFile(file, []byte(e), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, err := LoadRules(file); err != nil {
			t.Errorf("%v", err)
		}
	}
}

// TestDocsConfiguration loads the examples of docs/configuration.md, and looks
// for each key there is in its tables.
func TestDocsConfiguration(t *testing.T) {
	for _, e := range yamlBlocks(t, "configuration.md") {
		f := base()
		role := "etc/" + strings.SplitN(e, ":", 2)[0] + ".yaml"
		if _, ok := f[role]; !ok {
			t.Errorf("%s is no file of a configuration", role)
		}
		f[role] = strings.ReplaceAll(e, "secret_file: hook.secret", "secret: a-secret-of-some-length")
		if _, _, err := loadFiles(f); err != nil {
			t.Errorf("%v", err)
		}
	}
	text, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	main, err := defaultFiles.ReadFile("newswatch.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := yaml.Unmarshal(main, &root); err != nil {
		t.Fatal(err)
	}
	for section, v := range root {
		keys := []string{section}
		if m, ok := v.(map[string]any); ok {
			keys = keys[:0]
			for k := range m {
				keys = append(keys, section+"."+k)
			}
		}
		for _, k := range keys {
			if !strings.Contains(string(text), "`"+k+"`") {
				t.Errorf("docs/configuration.md says nothing of %s", k)
			}
		}
	}
}

func yamlBlocks(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i, part := range strings.Split(string(text), "\n```") {
		if body, ok := strings.CutPrefix(part, "yaml\n"); ok && i > 0 {
			out = append(out, body)
		}
	}
	return out
}
