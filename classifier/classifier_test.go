package classifier

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/newswatch/newswatch/feed"
)

// query compiles a rule set of one query.
func query(t *testing.T, q string, concepts ...Concept) *Ruleset {
	t.Helper()
	rs, _, err := Compile([]Rule{{ID: "r", Query: Text(q)}}, concepts)
	if err != nil {
		t.Fatalf("%s\n%v", q, err)
	}
	return rs
}

func TestMatchTitle(t *testing.T) {
	for _, tt := range []struct {
		query, title string
		want         string // the proving spans, or "-" for no match
	}{
		{"csam", "New CSAM law", "CSAM"},
		{"csam law", "New CSAM law", "CSAM|law"},
		{"csam AND film", "New CSAM law", "-"},
		{"p-hunt", "Kerala P-Hunt, P.Hunt and PHunt", "P-Hunt|P.Hunt|PHunt"},
		{`"p hunt"`, "Kerala P-Hunt and PHunt", "P-Hunt"},
		{`"p hunt"`, "treasure hunt", "-"},
		{"porn*", "Pornography, porn and popcorn", "Pornography|porn"},
		{`"child porn*"`, "child pornographic material", "child pornographic"},
		{"hunt NOT film", "The hunt", "hunt"},
		{"(csam AND police) OR (csam AND court)", "Court on CSAM", "Court|CSAM"}, // either waits for csam
		{"arr* OR arrestee*", "arresting", "arresting"},                          // the longer prefix lies between
		{"hunt NOT film", "The hunt film", "-"},
		{"a OR NOT b", "c", ""},
		{"title:hunt", "hunt", "hunt"},
		{"body:hunt", "hunt", "-"},
		{"67-b", "u/s 67(B), 67 B, 67-B, 67B", "67(B|67 B|67-B|67B"},
		{"kerala", "Kerala’s police", "Kerala"},
		{`"ഓപ്പറേഷൻ പി ഹണ്ട്*"`, "ഓപ്പറേഷന്\u200d പി.ഹണ്ടെന്ന പരിശോധന", "ഓപ്പറേഷന്\u200d പി.ഹണ്ടെന്ന"},
		{"पी-हंट", "ऑपरेशन पी-हंट में 41 गिरफ्तार", "पी-हंट"},
		{"పీ-హంట్", "ఆపరేషన్ పీ హంట్", "పీ హంట్"},
	} {
		got := query(t, tt.query).Match(&Doc{Title: tt.title})
		spans := "-"
		if len(got) == 1 {
			var out []string
			for _, m := range got[0].Matches {
				if tt.title[m.Start:m.End] != m.Text {
					t.Errorf("%s in %q: bytes %d to %d are not %q", tt.query, tt.title, m.Start, m.End, m.Text)
				}
				out = append(out, m.Text)
			}
			spans = strings.Join(out, "|")
		}
		if spans != tt.want {
			t.Errorf("%s in %q: got %s, want %s", tt.query, tt.title, spans, tt.want)
		}
	}
}

func TestMatchFields(t *testing.T) {
	doc := Doc{
		Title: "Raids in Kochi", Lead: "Police seized phones.", Body: "Officers of the Cyberdome said so.\nNothing more.",
		Authors: []string{"Manoj Abraham", "P. Hunt"}, Categories: []string{"Crime", "Kerala News"},
		URL: "https://www.onmanorama.com/news/kerala/2023/11/19/operation-p-hunt-kerala.html", Source: "Onmanorama", Lang: "en-in",
	}
	for _, tt := range []struct {
		query string
		want  string // field=text of the spans, "" for none, "-" for no match
	}{
		{"kochi", "title=Kochi"},
		{"police", "lead=Police"},
		{"cyberdome", "body=Cyberdome"},
		{"crime", "-"}, // a word without a field is searched in the text alone
		{"tag:crime", "tag=Crime"},
		{`tag:"kerala news"`, "tag=Kerala News"},
		{`tag:"crime kerala"`, "-"}, // from one tag into the next
		{"author:p-hunt", "author=P. Hunt"},
		{`author:"abraham p"`, "-"},
		{"url:p-hunt", "url=p-hunt"},
		{"inurl:/news/", "url=news"},
		{"source:onmanorama", "source=Onmanorama"},
		{"site:onmanorama.com", ""},
		{"site:www.onmanorama.com", ""},
		{"site:manorama.com", "-"},
		{"site:com kochi", "title=Kochi"},
		{"lang:en", ""},
		{"lang:en-in", ""},
		{"lang:en-us", "-"},
		{`"kochi police"`, "-"}, // from one field into the next
		{`"phones officers"`, "-"},
		{"title:(kochi -police)", "title=Kochi"},
		{"ingress:police OR intitle:raids", "title=Raids|lead=Police"},
	} {
		got := "-"
		if ms := query(t, tt.query).Match(&doc); len(ms) == 1 {
			var out []string
			for _, m := range ms[0].Matches {
				out = append(out, string(m.Field)+"="+m.Text)
			}
			got = strings.Join(out, "|")
			checkMatches(t, &doc, ms[0])
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.query, got, tt.want)
		}
	}
}

// TestLeadIsBeginningOfBody holds that what a feed gives twice is found once, and
// still belongs to both fields.
func TestLeadIsBeginningOfBody(t *testing.T) {
	for _, tt := range []struct{ name, lead, body, query, want string }{
		{"cut off with dots", "CSAM was found …", "CSAM was found on phones.", "csam", "body:0"},
		{"in the lead", "CSAM was found …", "CSAM was found on phones.", "lead:csam", "lead:0"},
		{"beyond the lead", "CSAM was found …", "CSAM was found on phones.", "lead:phones", ""},
		{"indented", "  CSAM was found", " \n CSAM was found on phones.", "lead:csam", "lead:2"},
		{"equal", "CSAM was found", "CSAM was found", "csam", "body:0"},
		{"body shorter, found once", "CSAM was found on phones.", "CSAM was found", "csam", "lead:0"},
		{"body shorter", "CSAM was found on phones.", "CSAM was found", "phones", "lead:18"},
		{"body shorter, its part", "CSAM was found on phones.", "CSAM was found", "body:csam", "body:0"},
		{"body shorter, beyond it", "CSAM was found on phones.", "CSAM was found", "body:phones", ""},
		{"cut within a word", "CSAM was found on pho…", "CSAM was found on phones.", "lead:phones", ""},
		{"ends with a hyphen", "the P-", "the P-Hunt", "hunt", "body:6"},
		{"ends within a word", "hunting in Kerala", "hunt", "body:hunt", "body:0"},
		{"only alike", "CSAM was seen", "CSAM was found", "csam", "lead:0 body:0"},
	} {
		doc := Doc{Lead: tt.lead, Body: tt.body}
		var got []string
		for _, rm := range query(t, tt.query).Match(&doc) {
			checkMatches(t, &doc, rm)
			for _, m := range rm.Matches {
				got = append(got, string(m.Field)+":"+strconv.Itoa(m.Start))
			}
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: %s: got %q, want %q", tt.name, tt.query, s, tt.want)
		}
	}
}

func TestFilters(t *testing.T) {
	for _, tt := range []struct {
		name string
		rule Rule
		doc  Doc
		want bool
	}{
		{"language", Rule{Languages: []string{"en", "ml"}}, Doc{Lang: "ml"}, true},
		{"narrower language", Rule{Languages: []string{"en"}}, Doc{Lang: "en-in"}, true},
		{"in capitals", Rule{Languages: []string{"pt-BR"}}, Doc{Lang: "pt-br"}, true},
		{"another language", Rule{Languages: []string{"en"}}, Doc{Lang: "es"}, false},
		{"nobody said", Rule{Languages: []string{"en"}}, Doc{}, true},
		{"stated wrongly", Rule{Languages: []string{"ml"}}, Doc{Lang: "en-us", Body: "പൊലീസ് അറസ്റ്റ് ചെയ്തു"}, true},
		{"stated wrongly, another script", Rule{Languages: []string{"ml"}}, Doc{Lang: "en-us", Body: "पुलिस ने गिरफ्तार किया"}, false},
		{"a word in another script", Rule{Languages: []string{"ml"}}, Doc{Lang: "en", Body: "The word പൊലീസ് means police in that language"}, false},
		{"feed", Rule{Feeds: []string{"nie"}}, Doc{FeedID: "nie"}, true},
		{"another feed", Rule{Feeds: []string{"nie"}}, Doc{FeedID: "toi"}, false},
		{"feed tag", Rule{FeedTags: []string{"kerala", "goa"}}, Doc{FeedTags: []string{"india", "goa"}}, true},
		{"no feed tag", Rule{FeedTags: []string{"kerala"}}, Doc{}, false},
		{"where", Rule{Where: Headline}, Doc{Lead: "csam"}, false},
	} {
		tt.rule.ID, tt.rule.Query = "r", Text("csam OR tag:csam")
		if tt.rule.Where == "" {
			tt.doc.Title = "CSAM"
		}
		rs, _, err := Compile([]Rule{tt.rule}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(rs.Match(&tt.doc)) == 1; got != tt.want {
			t.Errorf("%s: got %v", tt.name, got)
		}
	}
}

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("Officers went from house to house. ", 100)
	wordy := strings.Repeat("and so on ", 60)
	for _, tt := range []struct{ name, query, title, body, want string }{
		{"the sentence", "csam", "", "First. They found CSAM on phones. Last.", "They found [CSAM] on phones."},
		{"far in", "csam", "", long + "They found CSAM. " + long, "They found [CSAM]."},
		{"most matches", "csam kerala", "", "CSAM is bad. In Kerala CSAM was found. Kerala is green.", "In [Kerala] [CSAM] was found."},
		{"headline only", "csam", "CSAM found", "Nothing here.", ""},
		{"headline and body", "csam", "CSAM found", "It says CSAM here.", "It says [CSAM] here."},
		{"one line", "csam", "", "By our reporter\nThey found CSAM\nRead more", "They found [CSAM]"},
		{
			"too long", "csam", "", wordy + "the CSAM that was found " + wordy,
			"… so on the [CSAM] that was found and …",
		},
		// The words of a proximity match are marked where they prove it, and there only.
		{"near, whole", "child NEAR/3 abuse", "", "Child stars shone. The child faced abuse. Child care was praised.", "The [child] faced [abuse]."},
		{"near, over a full stop", "child NEAR/3 abuse", "", "A film. He saw a child. Abuse followed. The end.", "He saw a [child]. [Abuse] followed."},
		{"near, one whole and one not", "child NEAR/3 abuse", "", "He saw a child. Abuse followed. So child abuse it was.", "So [child] [abuse] it was."},
		{"near beside a word", "(child NEAR/2 abuse) kerala", "", "Child rights in Kerala. Child, old abuse.", "[Child], old [abuse]."},
		{"same sentence", "SAME/SENTENCE(child abuse)", "", "A child. Of abuse, a child spoke.", "Of [abuse], a [child] spoke."},
		{"weight", "(csam^3 OR kerala OR kochi)", "", "Kochi is in Kerala. CSAM was found.", "[CSAM] was found."},
		{"weight of a near", "(child NEAR/1 abuse)^5 OR kerala", "", "Kerala, Kerala, Kerala. Child abuse.", "[Child] [abuse]."},
		{"danda", "पुलिस", "", "पहला वाक्य। पुलिस ने कहा। तीसरा।", "[पुलिस] ने कहा।"},
		{"overlapping", `"p hunt" OR "operation p hunt"`, "", "In Operation P-Hunt.", "In [Operation P-Hunt]."},
		{"joiner stays in the mark", "ഓപ്പറേഷൻ", "", "ഈ ഓപ്പറേഷന്\u200d തുടരും.", "ഈ [ഓപ്പറേഷന്\u200d] തുടരും."},
	} {
		doc := Doc{Title: tt.title, Body: tt.body}
		ms := query(t, tt.query).Match(&doc)
		if len(ms) != 1 {
			t.Fatalf("%s: %v", tt.name, ms)
		}
		checkMatches(t, &doc, ms[0])
		x := ms[0].Excerpt
		got, last := "", 0
		for _, m := range x.Marks {
			got += x.Text[last:m[0]] + "[" + x.Text[m[0]:m[1]] + "]"
			last = m[1]
		}
		got += x.Text[last:]
		if tt.name == "too long" { // checkMatches holds how long it is
			for part := range strings.SplitSeq(tt.want, "…") {
				if !strings.HasPrefix(got, "…") || !strings.HasSuffix(got, "…") || !strings.Contains(got, part) {
					t.Errorf("%s: got %q", tt.name, got)
				}
			}
			continue
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestLongNear holds that a clause which just fits an excerpt is shown as a whole,
// and one that does not is shown from its beginning.
func TestLongNear(t *testing.T) {
	for _, tt := range []struct{ between, marks int }{{60, 2}, {100, 1}} {
		body := "First of all " + strings.Repeat("and so on ", 20) + "a child " + strings.Repeat("was ", tt.between) + "abuse " + strings.Repeat("and on ", 50)
		doc := Doc{Body: body}
		ms := query(t, "child NEAR/200 abuse").Match(&doc)
		if len(ms) != 1 || len(ms[0].Excerpt.Marks) != tt.marks {
			t.Fatalf("%d words between: %+v", tt.between, ms)
		}
		checkMatches(t, &doc, ms[0])
	}
}

// TestMatchesAreBounded holds that a text that repeats a word does not make a hit
// that no store can hold.
func TestMatchesAreBounded(t *testing.T) {
	doc := Doc{Title: "hunt", Body: strings.Repeat("hunt ", 100_000)}
	ms := query(t, "hunt OR h").Match(&doc)
	if len(ms) != 1 || len(ms[0].Matches) != MaxMatches || ms[0].Matches[0].Field != FieldTitle {
		t.Errorf("%d rules, %d matches", len(ms), len(ms[0].Matches))
	}
}

func TestNewDoc(t *testing.T) {
	it := feed.Item{Title: "T", Summary: "S", Content: "C", Link: "https://x.org/", Authors: []string{"A"}, Categories: []string{"K"}, Lang: "en"}
	f := feed.Feed{ID: "f", Name: "F", Tags: []string{"kerala"}}
	want := Doc{
		Title: "T", Lead: "S", Body: "C", URL: "https://x.org/", Authors: []string{"A"}, Categories: []string{"K"},
		Source: "F", Lang: "en", FeedID: "f", FeedTags: []string{"kerala"},
	}
	if diff := cmp.Diff(want, NewDoc(it, f)); diff != "" {
		t.Error(diff)
	}
	it.Outlet, f.Lang = "O", "ml"
	if d := NewDoc(it, f); d.Source != "O" || d.Lang != "ml" {
		t.Errorf("the item's outlet and the operator's language win: %+v", d)
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	rules := benchRules(generated(20, 400).words, 1000)
	for i, q := range []string{
		"wo?k", "/an expression that is long enough not to fit on the stack/", "/w[ao]r[x-z]/",
		"SAME/SENTENCE(nothing word)", "SAME/PARAGRAPH(nothing word)", "nothing NEAR/2 word^3", "ATLEAST/200(word)",
	} {
		rules = append(rules, Rule{ID: fmt.Sprintf("op%d", i), Query: Text(q)})
	}
	rs, _, err := Compile(rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	doc := &Doc{Title: "Nothing of the kind", Body: strings.Repeat("No word here is in a rule, ഓപ്പറേഷന്\u200d or else. ", 50)}
	if n := testing.AllocsPerRun(100, func() {
		if len(rs.Match(doc)) > 0 {
			t.Fatal("it matched")
		}
	}); n > 0 && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
}

func TestMatchConcurrently(t *testing.T) {
	docs := generated(50, 200)
	rs, _, err := Compile(benchRules(docs.words, 2000), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := make([][]RuleMatch, len(docs.docs))
	for i := range docs.docs {
		want[i] = rs.Match(&docs.docs[i])
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range docs.docs {
				if diff := cmp.Diff(want[i], rs.Match(&docs.docs[i])); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
	wg.Wait()
}

func TestVersion(t *testing.T) {
	version := func(r Rule) string {
		rs, _, err := Compile([]Rule{r}, []Concept{{ID: "c", Terms: map[string][]Source{"en": {Text("csam")}}}})
		if err != nil {
			t.Fatal(err)
		}
		return rs.Version()
	}
	base := Rule{ID: "r", Query: Text("police arrest")}
	same := Rule{ID: "r", Query: Text("(Police)   AND arrest"), Where: Anywhere, MustMatch: []Source{Text("Police arrest")}}
	if version(base) != version(same) {
		t.Error("rules that say the same have different versions")
	}
	for _, other := range []Rule{
		{ID: "s", Query: Text("police arrest")},
		{ID: "r", Query: Text("police OR arrest")},
		{ID: "r", Query: Text("police arrest"), Where: Headline},
		{ID: "r", Query: Text("police arrest"), Languages: []string{"en"}},
		{ID: "r", Query: Text("police arrest"), Severity: High},
		{ID: "r", Query: Text("police arrest"), Spelling: Loose},
	} {
		if version(other) == version(base) {
			t.Errorf("%+v has the same version", other)
		}
	}
}

// TestOpeningIsTheLead: a feed that sends whole articles without summaries has its
// items found by what rules look for in a lead; the place is still told.
func TestOpeningIsTheLead(t *testing.T) {
	long := strings.Repeat("word ", 200) + "csam"
	for name, tt := range map[string]struct {
		item  feed.Item
		found bool
	}{
		"in the first paragraph":  {feed.Item{Content: "\n Police seized csam in raids.\n\nMore follows."}, true},
		"in the second paragraph": {feed.Item{Content: "Police raided homes.\nThey seized csam."}, false},
		"far into the first":      {feed.Item{Content: long}, false},
		"a summary has its place": {feed.Item{Summary: "Police raided homes.", Content: "Police seized csam."}, false},
		"one word without an end": {feed.Item{Content: strings.Repeat("x", 5000)}, false},
	} {
		doc := NewDoc(tt.item, feed.Feed{})
		got := query(t, "lead:csam").Match(&doc)
		if (len(got) > 0) != tt.found {
			t.Errorf("%s: found %v", name, got)
		}
		for _, m := range got {
			if x := doc.Text(m.Matches[0].Field)[m.Matches[0].Start:m.Matches[0].End]; x != "csam" {
				t.Errorf("%s: the match is %q", name, x)
			}
		}
	}
}
