package document

import (
	"slices"
	"strings"
	"testing"

	"github.com/newswatch/newswatch/feed"
)

// idsOf parses items into a map from title to ID.
func idsOf(t *testing.T, items ...string) map[string]feed.ItemID {
	t.Helper()
	body := "<rss><channel><link>https://g.example/</link>" + strings.Join(items, "") + "</channel></rss>"
	doc, err := Parse(t.Context(), Input{Body: []byte(body), FeedID: "f", URL: "https://g.example/feed"})
	if err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]feed.ItemID)
	for _, it := range doc.Items {
		ids[it.Title] = it.ID
	}
	if len(ids) != len(doc.Items) {
		t.Fatalf("titles repeat in %v", doc.Items)
	}
	return ids
}

func rssOf(guid, link, title, text string) string {
	var b strings.Builder
	b.WriteString("<item>")
	for _, p := range []struct{ name, value string }{{"title", title}, {"link", link}, {"guid", guid}, {"description", text}} {
		if p.value != "" {
			b.WriteString("<" + p.name + ">" + p.value + "</" + p.name + ">")
		}
	}
	return b.String() + "</item>"
}

// An ID follows the first of guid, link and title that is there.
func TestIdentityKeys(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		same       bool
	}{
		{"a guid outlives title and link", rssOf("1", "/a", "A", "x"), rssOf("1", "/b", "B", "y"), true},
		{"guids differ", rssOf("1", "/a", "A", ""), rssOf("2", "/a", "A", ""), false},
		{"a link outlives the title", rssOf("", "/a", "A", ""), rssOf("", "/a", "B", "y"), true},
		{"a link's tracking does not matter", rssOf("", "/a?utm_source=x", "A", ""), rssOf("", "/a", "A", ""), true},
		{"anchors of one page differ", rssOf("", "/a#one", "A", ""), rssOf("", "/a#two", "A", ""), false},
		{"a title outlives the text", rssOf("", "", "A", "x"), rssOf("", "", "A", "y"), true},
		{"a guid that is none", rssOf("0", "/a", "A", ""), rssOf("undefined", "/a", "A", ""), true},
		{"texts without a title", rssOf("", "", "", "x"), rssOf("", "", "", "y"), false},
	} {
		var ids []feed.ItemID
		for _, item := range []string{c.a, c.b} {
			for _, id := range idsOf(t, item) {
				ids = append(ids, id)
			}
		}
		if len(ids) != 2 || (ids[0] == ids[1]) != c.same {
			t.Errorf("%s: %v", c.name, ids)
		}
	}
}

// A guid that stands for several stories names none of them, and the order of the
// items and the presence of others changes nothing.
func TestRepeatedGUIDs(t *testing.T) {
	a, b, c := rssOf("news", "/a", "A", ""), rssOf("news", "/b", "B", ""), rssOf("news", "/c", "C", "")
	two := idsOf(t, a, b)
	three := idsOf(t, c, b, a)
	if len(two) != 2 || len(three) != 3 {
		t.Fatalf("have %d and %d items", len(two), len(three))
	}
	if two["A"] != three["A"] || two["B"] != three["B"] {
		t.Error("a new item gave the others new names")
	}
	if two["A"] != idsOf(t, rssOf("", "/a", "other title", ""))["other title"] {
		t.Error("an item of a shared guid is not named by its link")
	}

	titles := idsOf(t, rssOf("news", "/", "A", ""), rssOf("news", "/", "B", ""), rssOf("", "/", "C", ""))
	if len(titles) != 3 {
		t.Errorf("a guid and link in common left %d of 3 items", len(titles))
	}
	body := "<rss><channel>" + rssOf("user", "/u", "", "bought a") + rssOf("user", "/u", "", "sold b") + rssOf("user", "/u", "", "sold b") + "</channel></rss>"
	doc, err := Parse(t.Context(), Input{Body: []byte(body), FeedID: "f", URL: "https://g.example/"})
	if err != nil || len(doc.Items) != 2 || doc.Repeats != 1 {
		t.Errorf("without titles: %+v, %v", doc, err)
	}
	if ids := idsOf(t, rssOf("", "", "A", "x")+rssOf("1", "", "B", "y")); len(ids) != 2 {
		t.Errorf("%d of 2 items", len(ids))
	}
}

func TestRepeats(t *testing.T) {
	items := []string{
		rssOf("1", "/a", "A", "new text"), rssOf("2", "/b", "B", ""), rssOf("1", "/a", "A", "old text"),
		rssOf("", "", "", ""), rssOf("", "/c", "C", ""), rssOf("", "/c", "C", ""),
	}
	body := "<rss><channel>" + strings.Join(items, "") + "</channel></rss>"
	doc, err := Parse(t.Context(), Input{Body: []byte(body), FeedID: "f", URL: "https://g.example/feed"})
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, it := range doc.Items {
		titles = append(titles, it.Title)
	}
	if !slices.Equal(titles, []string{"A", "B", "C"}) || doc.Repeats != 3 || doc.Items[0].Summary != "new text" {
		t.Errorf("%v, %d repeats, %q", titles, doc.Repeats, doc.Items[0].Summary)
	}
}
