package notify

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/story"
)

// What a rule keeps back is in no form of a digest, even for a reader who follows
// only another rule of the report.
func TestBuildShowsWhatRulesLet(t *testing.T) {
	for _, tt := range []struct {
		show            classifier.Show
		title, sentence bool
	}{{classifier.ShowExcerpt, true, true}, {classifier.ShowTitle, true, false}, {classifier.ShowLink, false, false}} {
		h := hit(t, "x", "open:high:1", "careful:low:2")
		h.Rules[1].Show = tt.show
		for _, rules := range [][]string{nil, {"open"}} {
			d, ok := Build(sub(func(s *Subscriber) { s.Selection.Rules = rules }), window(0, 9, h), BuildOptions{Sealed: seven})
			if !ok {
				t.Fatal("nothing was built")
			}
			sealed, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			for form, s := range map[string]string{"text": Text(d), "HTML": HTML(d), "JSON": string(sealed)} {
				if title, sentence := strings.Contains(s, "matter named"), strings.Contains(s, "found by open"); title != tt.title || sentence != tt.sentence {
					t.Errorf("show %q, rules %q, %s: the title is shown: %t, the sentence: %t\n%s", tt.show, rules, form, title, sentence, s)
				}
				if !strings.Contains(s, "https://news.example/x") || !strings.Contains(s, "Example Express") {
					t.Errorf("show %q, %s: where it is, is not told:\n%s", tt.show, form, s)
				}
			}
			if tt.show == classifier.ShowLink && strings.Count(Text(d), "Example Express") != 1 {
				t.Errorf("the outlet is not told once:\n%s", Text(d))
			}
		}
	}
}

// Nor does it stand among the other reports of a story, or as where a case began.
func TestShowOfOtherReports(t *testing.T) {
	arrest, again, charge := theCase(t)
	again.Rules[0].Show, arrest.Rules[0].Show = classifier.ShowLink, classifier.ShowLink
	e := buildEarlier(t, sub(), charge, arrest).Earlier
	if e.Title != "" || e.Link != arrest.Item.Link {
		t.Errorf("where the case began: %+v", e)
	}
	if got := e.line(wordings["en"], seven); got != "Earlier: Outlet one, 20 Dec 2025" {
		t.Error(got)
	}
	arrest.Rules[0].Show = classifier.ShowExcerpt
	d, _ := Build(sub(), window(0, 9, arrest, again), BuildOptions{Sealed: seven, Past: story.NewArchive(nil)})
	if len(d.Groups[0].Entries) != 1 || d.Groups[0].Entries[0].Title != arrest.Item.Title || d.Groups[0].Entries[0].Also[0].Title != "" {
		t.Errorf("%+v", d.Groups)
	}
}
