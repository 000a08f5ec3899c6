package notify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
)

var seven = time.Date(2026, 11, 23, 1, 30, 0, 0, time.UTC) // 07:00 in Kolkata

// hit makes a report with a title that is its own; rules are "id:severity:seq".
func hit(t testing.TB, name string, rules ...string) classifier.Hit {
	t.Helper()
	h := classifier.Hit{
		Item: feed.Item{
			ID: feed.NewItemID("f", name, "", ""), FeedID: "f", Lang: "en", Link: "https://news.example/" + name,
			Title: "Kerala police report about the matter named " + name, Published: seven.Add(-time.Hour),
		},
		Source: "Example Express", Found: seven.Add(-30 * time.Minute),
	}
	for _, r := range rules {
		var id, sev string
		var seq int64
		if _, err := fmt.Sscanf(strings.ReplaceAll(r, ":", " "), "%s %s %d", &id, &sev, &seq); err != nil {
			t.Fatal(err)
		}
		s, err := classifier.ParseSeverity(sev)
		if err != nil {
			t.Fatal(err)
		}
		h.Rules = append(h.Rules, classifier.RuleMatch{
			Rule: id, Name: strings.ToUpper(id), Severity: s, Seq: seq, Tags: []string{"tag-" + id},
			Excerpt: classifier.Excerpt{Field: classifier.FieldLead, Text: "found by " + id},
		})
	}
	return h
}

func sub(opts ...func(*Subscriber)) Subscriber {
	s := Subscriber{ID: "desk", Timezone: time.UTC, WhenEmpty: Skip, Cap: 40, Schedule: every{time.Hour}}
	for _, o := range opts {
		o(&s)
	}
	return s
}

func window(from, to int64, hits ...classifier.Hit) Window {
	return Window{From: from, To: to, Since: seven.Add(-13 * time.Hour), Until: seven, Hits: hits}
}

// titles flattens a digest to "RULE: title" lines.
func titles(d Digest) (out []string) {
	for _, g := range d.Groups {
		for _, e := range g.Entries {
			out = append(out, g.Rule+": "+e.Title[strings.LastIndex(e.Title, " ")+1:])
		}
	}
	return out
}

func TestBuildSelects(t *testing.T) {
	inLang := func(h classifier.Hit, lang string) classifier.Hit { h.Item.Lang = lang; return h }
	inFeed := func(h classifier.Hit, tag string) classifier.Hit { h.FeedTags = []string{tag}; return h }
	quiet := func(h classifier.Hit) classifier.Hit { h.Quiet = true; return h }
	for _, tt := range []struct {
		name string
		sel  Selection
		hit  classifier.Hit
		want bool
	}{
		{"everything", Selection{}, hit(t, "x", "a:low:5"), true},
		{"quiet hits never", Selection{}, quiet(hit(t, "x", "a:low:5")), false},
		{"recorded and not reported", Selection{}, hit(t, "x", "a:low:0"), false},
		{"before the window", Selection{}, hit(t, "x", "a:low:1"), false},
		{"at the window's start", Selection{}, hit(t, "x", "a:low:2"), false},
		{"at the window's end", Selection{}, hit(t, "x", "a:low:9"), true},
		{"after the window", Selection{}, hit(t, "x", "a:low:10"), false},

		{"its rule", Selection{Rules: []string{"b", "a"}}, hit(t, "x", "a:low:5"), true},
		{"another rule", Selection{Rules: []string{"b"}}, hit(t, "x", "a:low:5"), false},
		{"severity equal", Selection{Severity: classifier.High}, hit(t, "x", "a:high:5"), true},
		{"severity above", Selection{Severity: classifier.High}, hit(t, "x", "a:critical:5"), true},
		{"severity below", Selection{Severity: classifier.High}, hit(t, "x", "a:medium:5"), false},
		{"tag of the rule", Selection{Tags: []string{"tag-a"}}, hit(t, "x", "a:low:5"), true},
		{"tag of the feed", Selection{Tags: []string{"kerala"}}, inFeed(hit(t, "x", "a:low:5"), "kerala"), true},
		{"no such tag", Selection{Tags: []string{"kerala"}}, hit(t, "x", "a:low:5"), false},
		{"language", Selection{Languages: []string{"ml", "en"}}, hit(t, "x", "a:low:5"), true},
		{"language of a region", Selection{Languages: []string{"en"}}, inLang(hit(t, "x", "a:low:5"), "en-in"), true},
		{"language with an underscore", Selection{Languages: []string{"en"}}, inLang(hit(t, "x", "a:low:5"), "en_IN"), true},
		{"region asked for, not given", Selection{Languages: []string{"en-in"}}, hit(t, "x", "a:low:5"), false},
		{"longer code", Selection{Languages: []string{"en"}}, inLang(hit(t, "x", "a:low:5"), "enm"), false},
		{"unknown language passes", Selection{Languages: []string{"ml"}}, inLang(hit(t, "x", "a:low:5"), ""), true},
		{"conditions are joined by AND", Selection{Rules: []string{"a"}, Severity: classifier.High}, hit(t, "x", "a:low:5", "b:high:5"), false},

		{"an edit adds a rule that is followed: told before", Selection{}, hit(t, "x", "a:low:1", "b:high:5"), false},
		{"an edit adds the only rule that is followed", Selection{Rules: []string{"b"}}, hit(t, "x", "a:low:1", "b:high:5"), true},
		{"a later edit does not delay it", Selection{}, hit(t, "x", "a:low:5", "b:high:12"), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, ok := Build(sub(func(s *Subscriber) { s.Selection = tt.sel }), window(2, 9, tt.hit), BuildOptions{Sealed: seven})
			if ok != tt.want {
				t.Errorf("sent: %t, want %t (%v)", ok, tt.want, titles(d))
			}
		})
	}
}

// Whatever cuts the log into windows, each report is told exactly once.
func TestBuildTellsOnce(t *testing.T) {
	var hits []classifier.Hit
	for i := range int64(20) {
		hits = append(hits, hit(t, fmt.Sprintf("n%d", i), fmt.Sprintf("a:low:%d", 1+i), fmt.Sprintf("b:high:%d", 21+(i*7)%20)))
	}
	for _, cuts := range [][]int64{{0, 40}, {0, 20, 40}, {0, 5, 6, 7, 22, 39, 40}} {
		told := make(map[feed.ItemID]int)
		for i := range len(cuts) - 1 {
			for _, h := range News(Selection{}, cuts[i], cuts[i+1], hits) {
				told[h.Item.ID]++
			}
		}
		for _, h := range hits {
			if told[h.Item.ID] != 1 {
				t.Errorf("windows %v: %s told %d times", cuts, h.Item.Title, told[h.Item.ID])
			}
		}
	}
}

func TestBuildGroups(t *testing.T) {
	at := func(h classifier.Hit, ago time.Duration) classifier.Hit {
		h.Item.Published = seven.Add(-ago)
		return h
	}
	d, ok := Build(sub(), window(0, 9,
		at(hit(t, "old", "b:high:1"), 5*time.Hour),
		at(hit(t, "new", "b:high:2"), time.Hour),
		hit(t, "crit", "z:critical:3", "b:high:3", "a:low:3"),
		hit(t, "low", "a:low:4"),
		hit(t, "high", "a2:high:5"),
	), BuildOptions{Sealed: seven})
	if !ok {
		t.Fatal("nothing was built")
	}
	want := []string{"z: crit", "a2: high", "b: new", "b: old", "a: low"}
	if diff := cmp.Diff(want, titles(d)); diff != "" {
		t.Error(diff)
	}
	if e := d.Groups[0].Entries[0]; !slices.Equal(e.AlsoRules, []string{"B", "A"}) || e.Excerpt.Text != "found by z" {
		t.Errorf("entry under z: also %v, excerpt %q", e.AlsoRules, e.Excerpt.Text)
	}
	if d.Hits != 5 || d.Entries != 5 || d.More != 0 {
		t.Errorf("counts: %d hits, %d entries, %d more", d.Hits, d.Entries, d.More)
	}
}

func TestBuildStory(t *testing.T) {
	same := func(outlet, rule string, ago time.Duration) classifier.Hit {
		h := hit(t, outlet, rule)
		h.Item.Title, h.Item.Outlet, h.Item.Published = "Kerala police arrest 41 in Operation P-Hunt raids", outlet, seven.Add(-ago)
		return h
	}
	d, _ := Build(sub(), window(0, 9, same("Late", "a:critical:1", time.Hour), same("First", "b:low:2", 3*time.Hour), same("Mid", "b:low:3", 2*time.Hour)),
		BuildOptions{Sealed: seven})
	if d.Hits != 3 || d.Entries != 1 {
		t.Fatalf("%d hits, %d entries; want 3, 1", d.Hits, d.Entries)
	}
	e := d.Groups[0].Entries[0]
	if d.Groups[0].Rule != "a" || e.Outlet != "First" || e.Excerpt.Text != "found by b" || !slices.Equal(e.AlsoRules, []string{"B"}) {
		t.Errorf("the story stands under %s, led by %s with %q, also %v", d.Groups[0].Rule, e.Outlet, e.Excerpt.Text, e.AlsoRules)
	}
	if len(e.Also) != 2 || e.Also[0].Outlet != "Mid" || e.Also[1].Outlet != "Late" {
		t.Errorf("other reports: %v", e.Also)
	}
}

// TestBuildTakenDown: what its publisher took down before it was sent is told, and
// leads nowhere.
// A rule that matched the headline alone has no sentence to show; another that the
// subscriber follows may have one. What may not be shown stays unshown.
func TestBuildExcerpt(t *testing.T) {
	h := hit(t, "x", "a:high:1", "b:low:2", "c:medium:3", "d:critical:4")
	h.Rules[0].Excerpt = classifier.Excerpt{}
	follow := func(ids ...string) Subscriber { return sub(func(s *Subscriber) { s.Selection.Rules = ids }) }
	for _, tt := range []struct {
		sub  Subscriber
		show classifier.Show
		want string
	}{
		{follow("a", "b", "c"), "", "found by c"},
		{follow("a"), "", ""},
		{follow("b", "c"), "", "found by c"},
		{follow("a", "b"), classifier.ShowTitle, ""},
	} {
		h.Rules[1].Show = tt.show
		d, _ := Build(tt.sub, Window{To: 9, Hits: []classifier.Hit{h}}, BuildOptions{})
		if got := d.Groups[0].Entries[0].Excerpt.Text; got != tt.want {
			t.Errorf("%q of %v %s, want %q", got, tt.sub.Selection.Rules, tt.show, tt.want)
		}
	}
}

func TestBuildTakenDown(t *testing.T) {
	h := hit(t, "x", "a:low:1")
	h.TakenDown = true
	d, _ := Build(Subscriber{ID: "desk"}, window(0, 9, h), BuildOptions{Sealed: seven})
	e := d.Groups[0].Entries[0]
	if page := Text(d); e.Title == "" || e.Link != "" || !e.TakenDown || !strings.Contains(page, "Taken down by its publisher.") || strings.Contains(page, "https://") {
		t.Errorf("%+v\n%s", e, page)
	}
}

func TestBuildCap(t *testing.T) {
	var hits []classifier.Hit
	for i := range 30 {
		hits = append(hits, hit(t, fmt.Sprintf("c%d", i), "c:critical:1"), hit(t, fmt.Sprintf("l%d", i), "l:low:1"))
	}
	for _, tt := range []struct{ cap, shown, more int }{{10, 10, 50}, {45, 45, 15}, {60, 60, 0}, {0, DefaultCap, 20}, {-1, DefaultCap, 20}} {
		d, _ := Build(sub(func(s *Subscriber) { s.Cap = tt.cap }), window(0, 1, hits...), BuildOptions{Sealed: seven, MoreURL: "https://nw.example/hits"})
		if d.Shown() != tt.shown || d.More != tt.more || d.Entries != 60 || d.Hits != 60 {
			t.Errorf("cap %d: shows %d, %d more of %d", tt.cap, d.Shown(), d.More, d.Entries)
		}
		if (d.MoreURL != "") != (tt.more > 0) {
			t.Errorf("cap %d: MoreURL %q with %d more", tt.cap, d.MoreURL, d.More)
		}
		if tt.cap == 10 && len(d.Groups) != 1 {
			t.Errorf("the cap left an empty group")
		}
	}
}

func TestBuildAlsoCap(t *testing.T) {
	var hits []classifier.Hit
	for i := range 50 {
		h := hit(t, fmt.Sprint(i), "a:low:1")
		h.Item.Title = "Kerala police arrest 41 in Operation P-Hunt raids"
		hits = append(hits, h)
	}
	d, _ := Build(sub(), window(0, 1, hits...), BuildOptions{Sealed: seven})
	if e := d.Groups[0].Entries[0]; len(e.Also) != MaxAlso || e.AlsoMore != 49-MaxAlso {
		t.Errorf("lists %d and %d more of 49 other reports", len(e.Also), e.AlsoMore)
	}
}

func TestBuildEmpty(t *testing.T) {
	sending := sub(func(s *Subscriber) { s.WhenEmpty = Send })
	d, ok := Build(sending, window(5, 5), BuildOptions{Sealed: seven, Coverage: Coverage{Feeds: 3}})
	if !ok || !d.Empty() || d.Coverage.Feeds != 3 {
		t.Errorf("when_empty: send gave %t, %+v", ok, d)
	}
	if _, ok := Build(sub(), window(5, 5), BuildOptions{Sealed: seven}); ok {
		t.Error("when_empty: skip sent an empty digest")
	}
	sending.Schedule = immediate{DefaultHold}
	if _, ok := Build(sending, window(5, 5), BuildOptions{Sealed: seven}); ok {
		t.Error("an immediate subscriber was sent an empty digest")
	}
}

func TestDigestID(t *testing.T) {
	base := window(5, 9)
	ids := map[string]string{}
	add := func(what, sub string, w Window) {
		id := digestID(sub, w)
		if prev, dup := ids[id]; dup {
			t.Errorf("%s and %s have the same id", prev, what)
		}
		ids[id] = what
		if len(id) != 32 || id != digestID(sub, w) {
			t.Errorf("%s: id %q", what, id)
		}
	}
	add("base", "desk", base)
	add("other subscriber", "desk2", base)
	add("other from", "desk", Window{From: 4, To: 9, Since: base.Since})
	add("other to", "desk", Window{From: 5, To: 10, Since: base.Since})
	// Two empty digests on end: nothing but time has passed.
	add("next day", "desk", Window{From: 5, To: 9, Since: base.Since.Add(24 * time.Hour)})
}

// A publisher can write more than a digest takes.
func TestBuildBounds(t *testing.T) {
	h := hit(t, "x", "a:low:1")
	h.Item.Title = strings.Repeat("ക", 5000)
	h.Item.Link = "https://news.example/" + strings.Repeat("x", 5000)
	h.Source = strings.Repeat("o", 5000)
	notes := slices.Repeat([]SourceNote{{Feed: strings.Repeat("f", 999), Note: strings.Repeat("n", 999)}}, 50)
	d, _ := Build(sub(), window(0, 1, h), BuildOptions{Sealed: seven, Coverage: Coverage{Failing: notes, FailingCount: 50}})
	e := d.Groups[0].Entries[0]
	if n := len([]rune(e.Title)); n != maxTitle || !strings.HasSuffix(e.Title, "…") {
		t.Errorf("title of %d characters", n)
	}
	if e.Link != "" {
		t.Error("half a link, or all of it, came through")
	}
	if len([]rune(e.Outlet)) != maxOutlet {
		t.Errorf("outlet of %d", len(e.Outlet))
	}
	if c := d.Coverage; len(c.Failing) != MaxCoverageNames || c.FailingCount != 50 || len([]rune(c.Failing[0].Note)) != maxNote {
		t.Errorf("coverage names %d of %d", len(c.Failing), c.FailingCount)
	}
}

func TestBuildIsPure(t *testing.T) {
	hits := []classifier.Hit{hit(t, "x", "a:low:1", "b:high:1"), hit(t, "y", "b:high:2")}
	hits[0].Rules[0].Matches = []classifier.Match{{Rule: "a"}}
	before := fmt.Sprintf("%+v", hits)
	o := BuildOptions{Sealed: seven, Coverage: Coverage{Failing: []SourceNote{{Feed: "f"}}}}
	a, _ := Build(sub(), window(0, 9, hits...), o)
	b, _ := Build(sub(), window(0, 9, hits[1], hits[0]), o)
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("the order of the hits shows:\n%s", diff)
	}
	a.Trim(1, 0)
	if after := fmt.Sprintf("%+v", hits); after != before {
		t.Errorf("Build changed its input:\n%s\n%s", before, after)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("Trim changed the digest:\n%s", diff)
	}
}
