package classifier

import (
	"strings"
	"testing"
)

func TestWhere(t *testing.T) {
	filler := strings.Repeat("word ", StartWords)
	for _, tt := range []struct {
		name  string
		where Where
		query string
		doc   Doc
		want  bool
	}{
		{"headline, in it", Headline, "csam", Doc{Title: "CSAM"}, true},
		{"headline, in the lead", Headline, "csam", Doc{Lead: "CSAM"}, false},
		{"headline, a tag", Headline, "tag:csam", Doc{Categories: []string{"CSAM"}}, true},
		{"headline, excluded below it", Headline, "csam NOT film", Doc{Title: "CSAM", Body: "film"}, true},
		{"start, in the lead", Start, "csam", Doc{Lead: "CSAM", Body: filler}, true},
		{"start, last word", Start, "csam", Doc{Body: filler[5:] + "CSAM"}, true},
		{"start, the word after", Start, "csam", Doc{Body: filler + "CSAM"}, false},
		{"start, a phrase across its end", Start, `"csam law"`, Doc{Body: filler[5:] + "CSAM law"}, false},
		{"start, body asked for", Start, "body:csam", Doc{Lead: "CSAM", Body: "CSAM was …"}, true},
		{"start, body asked for, in a longer lead", Start, "body:csam", Doc{Lead: "CSAM was found", Body: "CSAM was"}, true},
		{"start, near", Start, "csam NEAR law", Doc{Body: "CSAM law"}, true},
		{"anywhere, far in", Anywhere, "csam", Doc{Body: filler + "CSAM"}, true},
		{"major, in the title", Major, "csam", Doc{Title: "CSAM"}, true},
		{"major, in the lead", Major, "csam", Doc{Lead: "CSAM", Body: filler}, true},
		{"major, in passing", Major, "csam", Doc{Body: "CSAM CSAM"}, false},
		{"major, three times", Major, "csam", Doc{Body: "CSAM CSAM CSAM"}, true},
		{"major, in passing is not excluded", Major, "csam NOT film", Doc{Title: "CSAM", Body: "film"}, true},
		{"major, near", Major, "csam NEAR/1 law", Doc{Body: "CSAM law. x y z. CSAM law. x y z. CSAM law"}, true},
		{"major, near in passing", Major, "csam NEAR/1 law", Doc{Body: "CSAM law. CSAM. CSAM."}, false},
		{"major, a concept", Major, "@c", Doc{Body: "CSAM CSAM abuse"}, true},
		{"major, at least", Major, "ATLEAST/4(csam)", Doc{Body: "CSAM CSAM CSAM"}, false},
		{"major, a tag", Major, "tag:csam", Doc{Categories: []string{"CSAM"}}, true},
	} {
		concept := Concept{ID: "c", Terms: map[string][]Source{"en": {Text("csam"), Text("abuse")}}}
		rs, _, err := Compile([]Rule{{ID: "r", Where: tt.where, Query: Text(tt.query)}}, []Concept{concept})
		if err != nil {
			t.Fatal(err)
		}
		ms := rs.Match(&tt.doc)
		if got := len(ms) == 1; got != tt.want {
			t.Errorf("%s: got %v", tt.name, got)
			continue
		}
		for _, m := range ms {
			checkMatches(t, &tt.doc, m)
		}
	}
}
