package feed

import (
	"encoding/json"
	"testing"
	"time"
)

// TestItemIDNeverChanges holds the hash itself: an id that changed with a
// release would make every item of every feed new, and every subscriber would
// be told of all of them again.
func TestItemIDNeverChanges(t *testing.T) {
	for _, tc := range []struct {
		name, guid, link, title string
		want                    string
	}{
		{"by guid", "g1", "https://a.example/1", "One", "0dadf0e6a3152d59007f7166c1d372d8"},
		{"by link", "", "https://a.example/1", "One", "30867d796a4e0c00874b930a5fd37403"},
		{"by title", "", "", "One", "4cb0a2357e1ddf43774fceab12a5d0dc"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := NewItemID("paper", tc.guid, tc.link, tc.title).String(); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestItemIDTellsItemsApart(t *testing.T) {
	ids := map[ItemID]string{}
	for name, id := range map[string]ItemID{
		"guid x":                         NewItemID("a", "x", "", ""),
		"link x":                         NewItemID("a", "", "x", ""),
		"title x":                        NewItemID("a", "", "", "x"),
		"guid x of another feed":         NewItemID("b", "x", "", ""),
		"the feed's id runs into a guid": NewItemID("ax", "", "", ""),
	} {
		if other, taken := ids[id]; taken {
			t.Errorf("%s and %s have the same id", name, other)
		}
		ids[id] = name
	}
}

func TestItemIDSurvivesJSON(t *testing.T) {
	id := NewItemID("a", "x", "", "")
	b, err := json.Marshal(id)
	if err != nil {
		t.Fatal(err)
	}
	var back ItemID
	if err := json.Unmarshal(b, &back); err != nil || back != id {
		t.Errorf("%s came back as %s: %v", b, back, err)
	}
	for _, bad := range []string{"", "abc", id.String() + "00", "zz" + id.String()[2:]} {
		if _, err := ParseItemID(bad); err == nil {
			t.Errorf("ParseItemID(%q) took it", bad)
		}
	}
}

func TestFingerprintFollowsTheWords(t *testing.T) {
	it := Item{Title: "One", Link: "https://a.example/1", Summary: "s", Content: "c"}
	same := it
	same.Published, same.Categories, same.Authors = time.Unix(1, 0), []string{"x"}, []string{"y"}
	if same.Fingerprint() != it.Fingerprint() {
		t.Error("a new date or category made an edit: every poll of a feed that re-dates its items would be news")
	}
	for name, edit := range map[string]func(*Item){
		"title":                                func(i *Item) { i.Title = "Two" },
		"link":                                 func(i *Item) { i.Link += "2" },
		"summary":                              func(i *Item) { i.Summary = "" },
		"content":                              func(i *Item) { i.Content = "d" },
		"a word moved from summary to content": func(i *Item) { i.Summary, i.Content = "", "sc" },
	} {
		edited := it
		edit(&edited)
		if edited.Fingerprint() == it.Fingerprint() {
			t.Errorf("%s: the edit does not show", name)
		}
	}
}
