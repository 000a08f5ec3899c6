package classifier

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

func explainRules(t *testing.T) *Ruleset {
	t.Helper()
	rs, _, err := Compile([]Rule{
		{ID: "material", Query: Text(`@csam AND (police OR "cyber cell" OR cyberdome) NOT (film OR "web series")`)},
		{ID: "kerala", Any: []Source{Text("p-hunt")}, Languages: []string{"ml"}, FeedTags: []string{"kerala"}},
	}, []Concept{{ID: "csam", Terms: map[string][]Source{"en": {Text("CSAM"), Text("child porn*")}, "ml": {Text("അശ്ലീല*")}}}})
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

func TestExplainText(t *testing.T) {
	doc := Doc{
		Title: "Film on child pornography: Police object", Lead: "The film …", Body: "The film’s makers said Police had seen child-porn before CSAM laws.",
		URL: "https://example.org/csam", Lang: "en",
	}
	x, err := explainRules(t).Explain("material", &doc)
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/explain.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(x.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), x.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestNearMisses(t *testing.T) {
	for _, tt := range []struct {
		rule, title string
		doc         Doc
		want        string
	}{
		{"material", "CSAM seized by police", Doc{}, ""},
		{"material", "CSAM film seized by police", Doc{}, "would have matched but for NOT (film OR \"web series\")"},
		{"material", "CSAM seized", Doc{}, `would have matched with police OR "cyber cell" OR cyberdome, which was not found`},
		{"material", "Police raid", Doc{}, "would have matched with @csam, which was not found"},
		{"material", "Film", Doc{}, ""}, // too much is missing
		{"kerala", "P-Hunt", Doc{FeedTags: []string{"kerala"}}, ""},
		{"kerala", "P-Hunt", Doc{Lang: "en", FeedTags: []string{"kerala"}}, "would have matched but for its language, en: the rule takes ml"},
		{"kerala", "P-Hunt", Doc{FeedTags: []string{"goa"}}, `would have matched but for its feed's tags, ["goa"]: the rule takes kerala`},
	} {
		tt.doc.Title = tt.title
		x, err := explainRules(t).Explain(tt.rule, &tt.doc)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(x.NearMisses, "|"); got != tt.want {
			t.Errorf("%s: %s: got %q, want %q", tt.rule, tt.title, got, tt.want)
		}
	}
}

func TestExplainUnknownRule(t *testing.T) {
	_, err := explainRules(t).Explain("materail", &Doc{})
	if err == nil || !strings.Contains(err.Error(), `did you mean "material"?`) {
		t.Errorf("%v", err)
	}
}
