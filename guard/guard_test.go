package guard

import (
	_ "embed"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
)

//go:embed testdata/cases.txt
var cases string

// Each case is judged as a sentence under its headline, or as the headline itself.
func TestCases(t *testing.T) {
	n := 0
	for line := range strings.Lines(cases) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.SplitN(line, " | ", 3)
		want, title, text := f[0] == "withhold", strings.TrimPrefix(f[1], "-"), f[2]
		n++
		got := Excerpt(classifier.Excerpt{Text: text}, title).Text
		if withheld := strings.Contains(got, Sentence); withheld != want {
			t.Errorf("%s: %s\n\tgot  %s", f[0], text, got)
		}
		if title != "" {
			continue
		}
		if withheld := Title(text) == Headline; withheld != want {
			t.Errorf("%s as a headline: %s", f[0], text)
		}
	}
	if n < 100 {
		t.Fatalf("%d cases", n)
	}
}

// What is withheld leaves by no way: not by the marks, the matches, or the summary.
func TestHit(t *testing.T) {
	const before, secret, after = "Police acted fast. ", "The girl, Anjali Nair, was found. ", "Two men were held."
	text := before + secret + after
	mark := func(s string) [2]int { i := strings.Index(text, s); return [2]int{i, i + len(s)} }
	h := classifier.Hit{
		Item: feed.Item{Title: "Anjali (14) rescued", Summary: secret, Content: secret},
		Rules: []classifier.RuleMatch{{
			Rule: "r", Matches: []classifier.Match{{Text: "Anjali"}},
			Excerpt: classifier.Excerpt{Field: classifier.FieldBody, Text: text, Marks: [][2]int{mark("Police"), mark("Anjali"), mark("held")}},
		}},
	}
	got := Hit(h)
	x := got.Rules[0].Excerpt
	if x.Text != before+Sentence+" "+after {
		t.Errorf("got %q", x.Text)
	}
	var marked []string
	for _, m := range x.Marks {
		marked = append(marked, x.Text[m[0]:m[1]])
	}
	if strings.Join(marked, " ") != "Police held" {
		t.Errorf("marked: %q", marked)
	}
	if got.Item.Title != Headline || got.Item.Summary+got.Item.Content != "" || got.Rules[0].Matches != nil {
		t.Errorf("something is left: %+v", got)
	}
	if h.Rules[0].Excerpt.Text != text || h.Rules[0].Matches == nil {
		t.Error("the caller's hit was changed")
	}
}

// A dot behind an abbreviation does not save half of a sentence.
func TestAbbreviation(t *testing.T) {
	x := Excerpt(classifier.Excerpt{Text: "The minor lives with Anjali. She studies at St. Mary's Public School. Fr. Jose was held."}, "")
	if strings.Contains(x.Text, "St.") || strings.Contains(x.Text, "Mary") || !strings.Contains(x.Text, "Fr. Jose") {
		t.Errorf("got %q", x.Text)
	}
}

func FuzzExcerpt(f *testing.F) {
	for line := range strings.Lines(cases) {
		f.Add(line, "", 3, 9)
	}
	f.Fuzz(func(t *testing.T, text, title string, lo, hi int) {
		x := Excerpt(classifier.Excerpt{Text: text, Marks: [][2]int{{lo, hi}}}, title)
		if x.Text == text {
			return // given back as it was
		}
		for _, m := range x.Marks {
			if x.Text[m[0]:m[1]] != text[lo:hi] {
				t.Fatalf("mark %v of %q stands in %q", m, text, x.Text)
			}
		}
		if utf8.ValidString(text) && !utf8.ValidString(x.Text) {
			t.Fatalf("%q is not UTF-8", x.Text)
		}
	})
}
