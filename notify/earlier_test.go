package notify

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/guard"
	"github.com/newswatch/newswatch/story"
)

// theCase is an arrest, told of by two outlets, and the charge sheet of months later.
func theCase(t *testing.T) (arrest, again, charge classifier.Hit) {
	t.Helper()
	report := func(name string, when time.Time, title, text string) classifier.Hit {
		h := hit(t, name, "a:low:9")
		h.Item.Title, h.Item.Content, h.Item.Published, h.Found = title, text, when, when.Add(time.Minute)
		h.Item.Outlet = "Outlet " + name
		h.Sketch = story.Sketch(h.Item)
		h.Item.Content = ""
		return h
	}
	first := time.Date(2025, 12, 20, 8, 0, 0, 0, time.UTC)
	arrest = report("one", first, "Priest arrested in Wayanad for abusing boys at orphanage",
		"The Mananthavady police arrested a priest, the director of the Santhinilayam orphanage, on complaints by four boys.")
	again = report("two", first.Add(time.Hour), "Wayanad orphanage director held under POCSO Act",
		"The priest who runs the Santhinilayam orphanage at Mananthavady was arrested after four boys complained of abuse.")
	charge = report("three", seven.Add(-time.Hour), "Charge sheet against priest in Wayanad orphanage abuse case",
		"The Mananthavady police charged the director of the Santhinilayam orphanage with the abuse of four boys.")
	return arrest, again, charge
}

func buildEarlier(t *testing.T, s Subscriber, news classifier.Hit, past ...classifier.Hit) Entry {
	t.Helper()
	d, ok := Build(s, window(0, 9, news), BuildOptions{Sealed: seven, Past: story.NewArchive(past)})
	if !ok {
		t.Fatal("nothing was built")
	}
	return d.Groups[0].Entries[0]
}

func TestBuildEarlier(t *testing.T) {
	arrest, again, charge := theCase(t)
	e := buildEarlier(t, sub(), charge, again, charge, arrest).Earlier
	if e.Item != arrest.Item.ID || e.Title != arrest.Item.Title || e.Outlet != "Outlet one" || e.Link != arrest.Item.Link || !e.Published.Equal(arrest.Item.Published) {
		t.Errorf("the charge sheet is linked to %+v", e)
	}
	if e := buildEarlier(t, sub(), arrest, again, charge).Earlier; e != (Earlier{}) {
		t.Errorf("the arrest is linked to what came behind it: %+v", e)
	}

	// A reader is led only to what it asks for and what was told.
	quiet, unlogged, tamil, gone := arrest, arrest, arrest, arrest
	quiet.Quiet, gone.TakenDown = true, true
	unlogged.Rules = hit(t, "x", "a:low:0").Rules
	tamil.Item.Lang = "ta"
	english := sub(func(s *Subscriber) { s.Selection.Languages = []string{"en"} })
	ofRule := sub(func(s *Subscriber) { s.Selection.Rules = []string{"a"} })
	other := arrest
	other.Rules = hit(t, "x", "b:low:3").Rules
	for name, c := range map[string]struct {
		sub  Subscriber
		past classifier.Hit
	}{"quiet": {sub(), quiet}, "taken down": {sub(), gone}, "not logged": {sub(), unlogged}, "another language": {english, tamil}, "another rule": {ofRule, other}} {
		if e := buildEarlier(t, c.sub, charge, c.past).Earlier; e != (Earlier{}) {
			t.Errorf("%s: linked to %+v", name, e)
		}
	}
}

// What was told earlier is guarded as all else is.
func TestBuildEarlierWithholds(t *testing.T) {
	arrest, _, charge := theCase(t)
	arrest.Item.Title = "Priest arrested in Wayanad for abusing Anjali (14) at orphanage"
	if e := buildEarlier(t, sub(), charge, arrest).Earlier; e.Title != guard.Headline {
		t.Errorf("the headline is %q", e.Title)
	}
	if e := buildEarlier(t, sub(func(s *Subscriber) { s.Unguarded = true }), charge, arrest).Earlier; e.Title != arrest.Item.Title {
		t.Errorf("turned off, the guard makes it %q", e.Title)
	}
}

func TestEarlierInWords(t *testing.T) {
	arrest, _, charge := theCase(t)
	for lang, want := range map[string]string{
		"en": "Earlier: " + arrest.Item.Title + ", Outlet one, 20 Dec 2025",
		"ml": "നേരത്തെ: " + arrest.Item.Title + ", Outlet one, 20 ഡിസം 2025",
		"hi": "इससे पहले: " + arrest.Item.Title + ", Outlet one, 20 दिस॰ 2025",
	} {
		d, _ := Build(sub(func(s *Subscriber) { s.Lang = lang }), window(0, 9, charge), BuildOptions{Sealed: seven, Past: story.NewArchive([]classifier.Hit{arrest})})
		if got := strings.Join(strings.Fields(Text(d)), " "); !strings.Contains(got, want+" "+arrest.Item.Link) {
			t.Errorf("%s: not in the text:\n%s", lang, Text(d))
		}
		if !strings.Contains(HTML(d), `href="`+arrest.Item.Link+`" rel="noreferrer noopener" style="color:#0b57d0">`+want+"</a>") {
			t.Errorf("%s: not in the HTML:\n%s", lang, HTML(d))
		}
		d.Groups[0].Entries[0].Earlier.Published = seven.Add(-40 * 24 * time.Hour)
		if got := d.Page().Groups[0].Entries[0].Earlier; strings.Contains(got, "2026") {
			t.Errorf("the digest's own year is said: %s", got)
		}
	}
	var d Digest
	if err := json.Unmarshal([]byte(`{"id":"x","groups":[{"rule":"r","entries":[{"item":"`+arrest.Item.ID.String()+`","title":"Sealed before"}]}]}`), &d); err != nil {
		t.Fatal(err)
	}
	if p := d.Page().Groups[0].Entries[0]; p.Earlier != "" || p.Title != "Sealed before" {
		t.Errorf("a digest of before is set as %+v", p)
	}
}

// The past is read for a digest that may go on with it, and for no other.
func TestTurnReadsThePast(t *testing.T) {
	arrest, again, charge := theCase(t)
	for _, tt := range []struct {
		name  string
		news  classifier.Hit
		reads int
	}{{"an arrest", again, 0}, {"a charge sheet", charge, 1}} {
		b := newBench(newMemLog(tt.news))
		reads := 0
		b.Past = func(context.Context) (*story.Archive, error) {
			reads++
			return story.NewArchive([]classifier.Hit{arrest}), nil
		}
		b.take(t, Accepted)
		if linked := b.sent[0].Groups[0].Entries[0].Earlier.Item == arrest.Item.ID; reads != tt.reads || linked != (tt.reads > 0) {
			t.Errorf("%s: read %d times, linked %t", tt.name, reads, linked)
		}
	}
	b := newBench(newMemLog(charge))
	b.Past = func(context.Context) (*story.Archive, error) { return nil, errors.New("away") }
	if res, err := b.Take(t.Context(), b.log.turn); err == nil || res.Outcome != Broken {
		t.Errorf("without the past the turn ends %s, %v", res.Outcome, err)
	}
}
