package story

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func report(feedID, title, link string, after time.Duration) classifier.Hit {
	return classifier.Hit{
		Item: feed.Item{
			ID: feed.NewItemID(feedID, "", link, title), FeedID: feedID, Title: title, Link: link, Published: noon.Add(after),
		},
		Found: noon.Add(after + time.Minute),
	}
}

func from(outlet string, h classifier.Hit) classifier.Hit {
	h.Item.Outlet = outlet
	return h
}

const raids = "Kerala police arrest 41 in Operation P-Hunt raids"

func TestGroupSame(t *testing.T) {
	ml := "ഓപ്പറേഷൻ പി ഹണ്ട്: സംസ്ഥാനത്ത് 41 പേർ അറസ്റ്റിൽ"
	for _, tt := range []struct {
		name string
		a, b classifier.Hit
		same bool
	}{
		{"same title", report("a", raids, "https://a.example/1", 0), report("b", raids, "https://b.example/2", time.Hour), true},
		{
			"case and punctuation", report("a", raids, "https://a.example/1", 0),
			report("b", "KERALA POLICE ARREST 41 IN ‘OPERATION P HUNT’ RAIDS!", "https://b.example/2", 0), true,
		},
		{
			"Google News suffix", report("a", raids, "https://a.example/1", 0),
			from("The Hindu", report("g", raids+" - The Hindu", "https://news.google.com/rss/articles/x", 0)), true,
		},
		{
			"two Google News suffixes", from("Mathrubhumi", report("g", raids+" - Mathrubhumi", "https://news.google.com/1", 0)),
			from("The Hindu", report("g", raids+" - The Hindu", "https://news.google.com/2", 0)), true,
		},
		{"outlet from the host", report("a", raids+" – The Hindu", "https://www.thehindu.com/1", 0), report("b", raids, "https://b.example/2", 0), true},
		{"behind a bar", report("a", raids+" | Kerala News", "https://a.example/1", 0), report("b", raids, "https://b.example/2", 0), true},
		{
			"Malayalam, chillu written twice", report("a", ml, "https://a.example/1", 0),
			report("b", strings.ReplaceAll(ml, "ൻ", "ന്\u200d"), "https://b.example/2", 0), true,
		},
		{"same page", report("a", "Raids in Kochi", "https://x.example/1", 0), report("b", "41 held", "http://www.x.example/1/", 0), true},
		{"same page, days apart", report("a", "Raids in Kochi", "https://x.example/1", 0), report("b", "41 held", "https://x.example/1", 200*time.Hour), true},

		{"other places", report("a", raids+" - Kochi", "https://a.example/1", 0), report("b", raids+" - Kannur", "https://b.example/2", 0), false},
		{"live updates", report("a", "Live updates", "https://a.example/1", 0), report("b", "Live updates", "https://b.example/2", 0), false},
		{
			"bulletin with a date", report("a", "Latest news today: top headlines of the day, 23 November 2026", "https://a.example/1", 0),
			report("b", "Latest news today: top headlines of the day, 23 November 2026", "https://b.example/2", 0), false,
		},
		{"short title", report("a", "Police arrest man", "https://a.example/1", 0), report("b", "Police arrest man", "https://b.example/2", 0), false},
		{"no title", report("a", "", "https://a.example/1", 0), report("b", "", "https://b.example/2", 0), false},
		{"no title, no link", report("a", "", "", 0), report("b", "", "", 0), false},
		{"front page", report("a", "Raids in Kochi", "https://x.example/", 0), report("b", "41 held", "https://x.example", 0), false},
		{
			"other numbers", report("a", raids, "https://a.example/1", 0),
			report("b", strings.Replace(raids, "41", "12", 1), "https://b.example/2", 0), false,
		},
		{
			"a column that uses its title again", report("a", "The week in child protection policy and policing", "https://a.example/1", 0),
			report("a", "The week in child protection policy and policing", "https://a.example/2", 7*24*time.Hour), false,
		},
		{
			"a feed whose items all lead to one page", report("a", "Raids in Kochi", "https://x.example/list", 0),
			report("a", "Conviction in Kannur", "https://x.example/list", 0), false,
		},
		{"a feed of untitled notes on one page", report("a", "", "https://x.example/day#1", 0), report("a", "", "https://x.example/day#2", 0), false},
		{"other query", report("a", "Raids in Kochi", "https://x.example/?id=1", 0), report("b", "Raids in Kannur", "https://x.example/?id=2", 0), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, hits := range [][]classifier.Hit{{tt.a, tt.b}, {tt.b, tt.a}} {
				if got := len(Group(hits)) == 1; got != tt.same {
					t.Errorf("same story: %t, want %t", got, tt.same)
				}
			}
		})
	}
}

func TestGroupLead(t *testing.T) {
	late := report("c", raids, "https://c.example/1", 2*time.Hour)
	first := report("b", raids, "https://b.example/1", 0)
	mid := report("a", raids, "https://a.example/1", time.Hour)
	other := report("d", "Europol centre warns of a darknet network", "https://d.example/1", 3*time.Hour)
	got := Group([]classifier.Hit{late, other, first, mid})
	if len(got) != 2 || got[0].Lead.Item.FeedID != "d" || got[1].Lead.Item.FeedID != "b" {
		t.Fatalf("got %d stories, led by %v", len(got), leads(got))
	}
	if also := got[1].Also; len(also) != 2 || also[0].Item.FeedID != "a" || also[1].Item.FeedID != "c" {
		t.Errorf("the others are not in the order of their times: %v", also)
	}
}

// The report with the longest text leads; a few words more are not more of the story.
func TestGroupWidest(t *testing.T) {
	with := func(h classifier.Hit, words int) classifier.Hit {
		h.Sketch = Sketch(feed.Item{Content: strings.Repeat("word ", words)})
		return h
	}
	brief := with(report("brief", raids, "https://a.example/1", 0), 30)
	full := with(report("full", raids, "https://b.example/1", time.Hour), 400)
	longer := with(report("longer", raids, "https://c.example/1", 2*time.Hour), 440)
	got := Group([]classifier.Hit{longer, full, brief})
	if len(got) != 1 || got[0].Lead.Item.FeedID != "full" {
		t.Fatalf("got %d stories, led by %v", len(got), leads(got))
	}
	if also := got[0].Also; also[0].Item.FeedID != "brief" || also[1].Item.FeedID != "longer" {
		t.Errorf("the others are not in the order of their times")
	}
}

// Only one feed speaks for a site: what another wrote behind a link of its own choice
// does not lead, however long it is.
func TestGroupLeadIsNotWonByACopy(t *testing.T) {
	const page = "https://www.paper.example/kerala/raids"
	hit := func(feedID, feedURL, link string, words int, found time.Duration) classifier.Hit {
		h := report(feedID, raids, link, found)
		h.Own = Own(feedURL, link)
		h.Sketch = Sketch(feed.Item{Content: strings.Repeat("word ", words)})
		return h
	}
	paper := hit("paper", "https://feeds.paper.example/kerala", page, 50, time.Hour)
	burner := hit("burner", "https://feeds.burner.example/paper", page, 50, time.Hour) // the paper's, served elsewhere
	for _, tt := range []struct {
		name string
		hits []classifier.Hit
		lead string
	}{
		{"a copy of the link", []classifier.Hit{paper, hit("bad", "https://bad.example/f", page, 5000, 0)}, "paper"},
		{"a link beside it", []classifier.Hit{paper, hit("bad", "https://bad.example/f", page+"?from=bad", 5000, 0)}, "paper"},
		{"another host of the site", []classifier.Hit{paper, hit("bad", "https://bad.example/f", "http://m.paper.example/1", 5000, 0)}, "paper"},
		{"a feed with an address like the site's", []classifier.Hit{paper, hit("bad", "https://paper.example.bad.example/f", page, 5000, 0)}, "paper"},
		{"no link at all", []classifier.Hit{paper, hit("bad", "https://bad.example/f", "", 5000, 0)}, "paper"},
		{"a copy, of a site that is read elsewhere", []classifier.Hit{burner, hit("bad", "https://bad.example/f", page, 5000, 2*time.Hour)}, "burner"},
		{"a report in full, and one without an end", []classifier.Hit{hit("paper", page, page, 350, 0), hit("bad", "https://bad.example/f", "https://bad.example/1", 5000, 0)}, "paper"},

		{"a longer report of the same site", []classifier.Hit{paper, hit("section", page, "https://paper.example/all", 200, 2*time.Hour)}, "section"},
		{"a longer report of another site", []classifier.Hit{paper, hit("other", "https://other.example/f", "https://other.example/1", 200, 2*time.Hour)}, "other"},
		{"a longer report by the same feed", []classifier.Hit{burner, hit("burner", "https://feeds.burner.example/paper", "https://paper.example/all", 200, 2*time.Hour)}, "burner"},
		{"an aggregator's, of a site that is not read", []classifier.Hit{paper, hit("links", "https://links.example/f", "https://other.example/1", 200, 2*time.Hour)}, "links"},
		{"none with a link", []classifier.Hit{hit("a", "", "", 50, 0), hit("b", "", "", 200, time.Hour)}, "b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, hits := range [][]classifier.Hit{tt.hits, {tt.hits[1], tt.hits[0]}} {
				if got := Group(hits); len(got) != 1 || got[0].Lead.Item.FeedID != tt.lead || len(got[0].Also) != 1 {
					t.Errorf("led by %v, want %s", leads(got), tt.lead)
				}
			}
		})
	}
	if got := Group([]classifier.Hit{burner, hit("burner", "https://feeds.burner.example/paper", "https://paper.example/all", 200, 2*time.Hour)}); got[0].Lead.Item.Link == page {
		t.Error("a feed's longer report of the same site does not lead")
	}
}

func TestOwn(t *testing.T) {
	for _, tt := range []struct {
		feed, link string
		own        bool
	}{
		{"https://paper.example/feed", "https://paper.example/1", true},
		{"https://feeds.paper.co.uk/feed", "http://WWW.paper.co.uk.:8080/1", true},
		{"https://bad.co.uk/feed", "https://paper.co.uk/1", false},
		{"https://bad.github.io/feed", "https://honest.github.io/1", false},
		{"https://github.io/feed", "https://honest.github.io/1", false},
		{"http://127.0.0.1:1/feed", "http://127.0.0.1:2/1", true},
		{"http://10.1.0.1/feed", "http://127.0.0.1/1", false},
		{"http://[2001:db8::1]/feed", "http://[2001:db8::2]/1", false},
		{"http://localhost/feed", "http://localhost/1", true},
		{"https://paper.example/feed", "", false},
		{"", "", false},
		{"mailto:a", "mailto:b", false},
	} {
		if got := Own(tt.feed, tt.link); got != tt.own {
			t.Errorf("%s of %s: %t", tt.link, tt.feed, got)
		}
	}
}

// Wire copy that an editor shortened and gave another headline is recognised; the
// same form filled in for another district is not the same story.
func TestGroupCopy(t *testing.T) {
	const wire = `A parliamentary panel on Tuesday recommended that platforms be made to look for such material before it is
		uploaded. The committee said that the present rules put the burden on victims. It asked the ministry to set up a database.`
	const more = ` The panel met representatives of nine platforms between March and August. Members of three parties gave notes of dissent.`
	text := func(h classifier.Hit, s string) classifier.Hit {
		h.Sketch = Sketch(feed.Item{Content: s})
		return h
	}
	a := text(report("a", "Panel wants platforms to act before upload", "https://a.example/1", 0), "New Delhi, Oct 6 (PTI) "+wire+more)
	b := text(report("b", "Why a committee asks for a database", "https://b.example/1", time.Hour), wire)
	if got := Group([]classifier.Hit{a, b}); len(got) != 1 {
		t.Errorf("wire copy makes %d stories", len(got))
	}
	const form = `The district police held a drive against the sharing of child abuse material on Sunday. Phones and memory cards were
		seized. The drive was led by the district police chief. Those who were arrested were produced in court. The drive goes on.`
	x := text(report("x", "P-Hunt: three held in Kollam", "https://x.example/1", 0), form)
	y := text(report("y", "P-Hunt: five held in Thrissur", "https://y.example/1", time.Hour), strings.Replace(form, "Phones", "Laptops", 1))
	if got := Group([]classifier.Hit{x, y}); len(got) != 2 {
		t.Error("two districts' reports in the same words are one story")
	}
}

func TestSketchBounded(t *testing.T) {
	for _, it := range []feed.Item{{}, {Summary: "Raids in Kochi"}, {Content: strings.Repeat("പൊലീസ് 41 Kochi Anil word%d ", 5000)}, {Content: strings.Repeat("x", 1<<20)}} {
		b := Sketch(it)
		if len(b) > SketchLen {
			t.Errorf("a sketch of %d bytes", len(b))
		}
		if k := decode(b); string(k.encode()) != string(b) {
			t.Error("a sketch does not come back")
		}
	}
	for _, b := range [][]byte{nil, {9}, make([]byte, SketchLen+1), make([]byte, 50)} {
		if k := decode(b); k.words != 0 || k.terms != nil {
			t.Errorf("%d bytes that are no sketch were read", len(b))
		}
	}
}

func leads(s []Story) (ids []string) {
	for _, st := range s {
		ids = append(ids, st.Lead.Item.FeedID)
	}
	return ids
}

// A report dated in 1970, or in the future, does not lead for it.
func TestWhen(t *testing.T) {
	for _, tt := range []struct {
		name      string
		published time.Time
		want      time.Time
	}{
		{"as published", noon.Add(-time.Hour), noon.Add(-time.Hour)},
		{"undated", time.Time{}, noon},
		{"1970", time.Unix(0, 0), noon},
		{"future", noon.Add(48 * time.Hour), noon},
	} {
		h := classifier.Hit{Item: feed.Item{Published: tt.published}, Found: noon}
		if got := When(h); !got.Equal(tt.want) {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestKey(t *testing.T) {
	a := report("a", raids, "https://a.example/1", 0)
	b := from("The Hindu", report("b", raids+" - The Hindu", "https://b.example/1", 0))
	if Key(a) != Key(b) {
		t.Error("the same title has two keys")
	}
	short := report("a", "Raids", "https://a.example/1", 0)
	if Key(short) == Key(a) || Key(short) != Key(report("b", "Held", "https://a.example/1", 0)) {
		t.Error("the key of a short title is not its link's")
	}
	if Key(report("a", "Raids", "", 0)) == Key(report("b", "Raids", "", 0)) {
		t.Error("two items without a telling title or a link have one key")
	}
	if k := Key(a); len(k) != 32 {
		t.Errorf("key %q is not 32 digits", k)
	}
}

// A key that was recorded joins as a title does.
func TestGroupRecordedStory(t *testing.T) {
	a, b := report("a", "Raids in Kochi", "https://a.example/1", 0), report("b", "41 held", "https://b.example/1", time.Hour)
	a.Story, b.Story = "s", "s"
	if got := Group([]classifier.Hit{a, b}); len(got) != 1 {
		t.Errorf("got %d stories", len(got))
	}
}

// Whatever comes in, every hit comes out once.
func FuzzGroup(f *testing.F) {
	f.Add(raids, "https://a.example/1", raids+" - X", "https://b.example/1")
	f.Add("", "", " | ", "http://[::1]/%zz")
	f.Fuzz(func(t *testing.T, t1, l1, t2, l2 string) {
		hits := []classifier.Hit{report("a", t1, l1, 0), report("b", t2, l2, 0), report("c", t1, l2, time.Hour), report("d", t2, l1, 100*time.Hour)}
		seen := make(map[string]int)
		for _, st := range Group(hits) {
			for _, h := range append([]classifier.Hit{st.Lead}, st.Also...) {
				seen[h.Item.FeedID]++
			}
		}
		for _, h := range hits {
			if seen[h.Item.FeedID] != 1 {
				t.Errorf("hit %s is in %d stories", h.Item.FeedID, seen[h.Item.FeedID])
			}
		}
	})
}

// BenchmarkGroup groups as many hits as one turn takes, a third of which are told by
// three outlets each.
func BenchmarkGroup(b *testing.B) {
	places := strings.Fields("Kochi Thrissur Kollam Kannur Kottayam Idukki Wayanad Palakkad Malappuram Kasaragod Chennai Mumbai")
	verbs := strings.Fields("arrested held nabbed")
	who := []string{"teacher", "techie", "driver", "priest", "student", "man"}
	var hits []classifier.Hit
	for i := range 2000 {
		n := i / 3
		title := fmt.Sprintf("%s %s in %s with %d child abuse videos", who[n%len(who)], verbs[i%3], places[n%len(places)], 100+n)
		text := fmt.Sprintf("The cyber police of %s %s the %s, aged %d, with %d files. ", places[n%len(places)], verbs[i%3], who[n%len(who)], 20+n%50, 100+n)
		h := report(fmt.Sprint("f", i%40), title, fmt.Sprintf("https://o%d.example/%d", i%40, i), time.Duration(n)*5*time.Minute)
		h.Sketch = Sketch(feed.Item{Content: text + strings.Repeat(fmt.Sprintf("More of the matter number %d was said by the police on the day. ", n), 5)})
		hits = append(hits, h)
	}
	b.ReportAllocs()
	for b.Loop() {
		if got := len(Group(hits)); got < 600 || got > 720 {
			b.Fatalf("%d stories", got)
		}
	}
}

func BenchmarkSketch(b *testing.B) {
	it := feed.Item{Content: strings.Repeat("Police in Kochi arrested 41 people on Sunday in raids at 268 places. ", 50)}
	b.ReportAllocs()
	for b.Loop() {
		Sketch(it)
	}
}
