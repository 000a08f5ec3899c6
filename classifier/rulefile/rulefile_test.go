package rulefile

import (
	"strings"
	"testing"

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
		{"byte order mark", "\ufeffrules:\n- id: r\n  query: alpha beta gamma\n"},
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
