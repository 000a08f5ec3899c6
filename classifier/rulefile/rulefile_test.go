package rulefile

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/newswatch/newswatch/classifier"
)

// TestPlaces holds that every byte of a value is where its character stands in
// the file, however the scalar is written.
func TestPlaces(t *testing.T) {
	for _, tt := range []struct{ name, yaml string }{
		{"plain", "rules:\n- id: r\n  query: alpha beta gamma\n"},
		{"plain on two lines", "rules:\n- id: r\n  query: alpha\n    beta\n\n    gamma\n"},
		{"single quoted", "rules:\n- {id: r, query: 'it''s alpha\n    beta  gamma'}\n"},
		{"double quoted", "rules:\n- {id: r, query: \"\\\"alpha\\\" \\u0D15 beta \\\n     gamma\\tഹണ്ട്\"}\n"},
		{"literal", "rules:\n- id: r\n  query: |2- # why\n      alpha\n     beta\n    gamma\n"},
		{"folded", "rules:\n- id: r\n  query: >\n    \"alpha p hunt\" OR\n    beta\n\n    ഹണ്ട് gamma\n"},
		{"carriage returns", "rules:\r\n- id: r\r\n  query: >\r\n    alpha\r\n    beta gamma\r\n"},
		{"byte order mark", "\ufeffrules: [{id: r, query: alpha beta gamma}]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rules, _, err := Parse([]File{{"f.yaml", []byte(tt.yaml)}})
			if err != nil {
				t.Fatal(err)
			}
			src := rules[0].Query
			for _, w := range []string{"alpha", "beta", "gamma", "ഹണ്ട്"} {
				i := strings.Index(src.Text, w)
				if i < 0 {
					continue
				}
				for j, r := range w {
					pos := src.At(i + j)
					line := []rune(src.Line(pos.Line))
					if pos.Column < 1 || pos.Column > len(line) || line[pos.Column-1] != r {
						t.Errorf("%q, byte %d: %s is not %q", w, j, pos, r)
					}
				}
			}
		})
	}
}

func TestForms(t *testing.T) {
	for _, tt := range []struct{ name, yaml, title string }{
		{"flow", "rules: [{id: r, any: [a, b]}]", "b"},
		{"words", "rules: [{id: r, words: [a, b]}]", "b"},
		{"shorthand", "rules: {r: [p-hunt, \"operation p hunt\"]}", "Operation P-Hunt"},
		{"kept as typed", "rules: {r: [007, 1.10, no]}", "agent 007"},
		{"kept as typed, decimal", "rules: {r: [007, 1.10, no]}", "version 1.10"},
		{"kept as typed, no", "rules: {r: [007, 1.10, no]}", "No"},
		{"concept", "concepts: {c: {display: C, terms: {en: [child abuse image*]}}}\nrules: {r: ['@c']}", "child abuse images"},
		{"plain form", "rules: [{id: r, any: [csam, porn*], all: [arrest*], none: [film review]}]", "Arrests over CSAM; no film"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rules, concepts, err := Parse([]File{{"f.yaml", []byte(tt.yaml)}})
			if err != nil {
				t.Fatal(err)
			}
			rs, _, err := classifier.Compile(rules, concepts)
			if err != nil {
				t.Fatal(err)
			}
			if got := rs.Match(&classifier.Doc{Title: tt.title}); len(got) != 1 {
				t.Errorf("%q: %v", tt.title, got)
			}
		})
	}
}

var update = flag.Bool("update", false, "write the golden files anew")

// TestBadFiles compiles files with one fault each, and compares what an author
// would read with the golden file beside it.
func TestBadFiles(t *testing.T) {
	for _, path := range glob(t, "testdata/*.bad.yaml") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			rs, _, err := Compile([]File{read(t, path)})
			if err == nil || rs != nil {
				t.Fatal("the file was accepted")
			}
			if _, ok := errors.AsType[classifier.Errors](err); !ok {
				t.Fatalf("the error is a %T", err)
			}
			got, golden := err.Error()+"\n", strings.TrimSuffix(path, ".yaml")+".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestGoodFiles(t *testing.T) {
	for _, path := range glob(t, "testdata/*.good.yaml") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			if _, findings, err := Compile([]File{read(t, path)}); err != nil || len(findings) > 0 {
				t.Errorf("%v %v", findings, err)
			}
		})
	}
}

// TestFilesShareConcepts also holds that errors come in the order of the files.
func TestFilesShareConcepts(t *testing.T) {
	concepts := File{"a.yaml", []byte("concepts: {csam: [CSAM]}")}
	rules := File{"b.yaml", []byte("rules: {r: ['@csam']}")}
	if _, _, err := Compile([]File{rules, concepts}); err != nil {
		t.Error(err)
	}
	_, _, err := Compile([]File{{"b.yaml", []byte("rules: {r: ['te*t']}")}, {"a.yaml", []byte("rules: [{id: s, any: [x], tgas: [y]}]")}})
	es, _ := errors.AsType[classifier.Errors](err)
	if len(es) != 2 || es[0].Pos.File != "a.yaml" || es[1].Pos.File != "b.yaml" {
		t.Errorf("%v", err)
	}
}

// TestLostFile: what a file that cannot be read would have said is not held
// against the others.
func TestLostFile(t *testing.T) {
	for _, lost := range []string{"concepts: {csam: [CSAM", "concepts: &c {csam: [CSAM]}", "concepts: {csam: [!!str CSAM]}"} {
		_, _, err := Compile([]File{{"a.yaml", []byte(lost)}, {"b.yaml", []byte("rules: {r: ['@csam']}")}})
		es, _ := errors.AsType[classifier.Errors](err)
		if len(es) != 1 || es[0].Pos.File != "a.yaml" {
			t.Errorf("%s: %v", lost, err)
		}
	}
}

func TestParse(t *testing.T) {
	rules, concepts, err := Parse([]File{read(t, "testdata/full.good.yaml"), read(t, "testdata/plain.good.yaml")})
	if err != nil || len(rules) != 5 || len(concepts) != 2 {
		t.Errorf("%d rules, %d concepts, %v", len(rules), len(concepts), err)
	}
	r := rules[0]
	want := classifier.Rule{
		ID: "operation-p-hunt", Name: "Operation P-Hunt", Severity: classifier.High, Tags: []string{"kerala"},
		Where: classifier.Anywhere, Languages: []string{"en", "ml", "hi"}, Feeds: []string{"nie-kerala"}, FeedTags: []string{"kerala"},
		Pos: classifier.Pos{File: "full.good.yaml", Line: 10, Column: 9},
	}
	r.Query, r.MustMatch, r.MustNotMatch = classifier.Source{}, nil, nil
	if diff := cmp.Diff(want, r, cmpopts.IgnoreTypes(classifier.Source{}), cmpopts.IgnoreFields(classifier.Rule{}, "Line")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestLargeFile holds that a file of the size that is allowed is looked into, and
// that one byte more is refused for its size.
func TestLargeFile(t *testing.T) {
	data := bytes.Repeat([]byte{'x'}, MaxFile+1)
	data[0] = 1 // a control character: no YAML, as is seen at once
	for _, tt := range []struct {
		size int
		want string
	}{{MaxFile, "this is not YAML"}, {MaxFile + 1, "67108865 bytes long; at most 67108864"}} {
		_, _, err := Parse([]File{{"large.yaml", data[:tt.size]}, {"other.yaml", []byte("rulse: {}")}})
		es, _ := errors.AsType[classifier.Errors](err)
		if len(es) != 2 || !strings.Contains(es[0].Msg, tt.want) || es[1].Pos.File != "other.yaml" {
			t.Errorf("%d bytes: %.300v", tt.size, err)
		}
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: no files, %v", pattern, err)
	}
	return paths
}

func read(t *testing.T, path string) File {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return File{filepath.Base(path), data}
}

// FuzzParse holds that whatever a file holds, reading it ends, with rules or
// with errors that have a place.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/*.good.yaml", "testdata/*.bad.yaml"} {
		paths, _ := filepath.Glob(pattern)
		for _, p := range paths {
			data, err := os.ReadFile(p)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rs, _, err := Compile([]File{{"f.yaml", data}})
		if err == nil {
			rs.Match(&classifier.Doc{Title: "Kerala police: Operation P-Hunt"})
			return
		}
		es, _ := errors.AsType[classifier.Errors](err)
		for _, e := range es {
			if e.Pos.Line < 1 || e.Pos.Column < 1 || e.Msg == "" || e.Caret > utf8.RuneCountInString(e.Line) {
				t.Fatalf("%+v", e)
			}
		}
		if len(es) == 0 {
			t.Fatalf("%v", err)
		}
	})
}
