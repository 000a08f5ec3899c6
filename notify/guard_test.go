package notify

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/guard"
)

// A name that would identify a child leaves in no form of a digest: not in the
// entry, not among the other outlets' reports, and not in what is sealed.
func TestBuildWithholds(t *testing.T) {
	const title = "Kerala: Anjali (14) rescued from house in Kochi, two men arrested by cyber police"
	lead, also, other := hit(t, "x", "a:low:1"), hit(t, "y", "a:low:2"), hit(t, "z", "a:low:3")
	lead.Item.Title, also.Item.Title = title, title
	text := "The minor girl, Anjali Nair, is safe. Two men were held."
	other.Rules[0].Excerpt = classifier.Excerpt{Field: classifier.FieldBody, Text: text, Marks: [][2]int{{16, 22}}}

	forms := func(s Subscriber) string {
		d, ok := Build(s, window(0, 9, lead, also, other), BuildOptions{Sealed: seven})
		if !ok || d.Hits != 3 || d.Entries != 2 {
			t.Fatalf("%d reports of %d stories", d.Hits, d.Entries)
		}
		sealed, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		return Text(d) + HTML(d) + string(sealed)
	}
	got := forms(sub())
	for _, s := range []string{"Anjali", "anjali"} {
		if strings.Contains(got, s) {
			t.Errorf("%q is in the digest", s)
		}
	}
	for _, s := range []string{guard.Headline, guard.Sentence, "Two men were held."} {
		if !strings.Contains(got, s) {
			t.Errorf("%q is not in the digest", s)
		}
	}
	if got := forms(sub(func(s *Subscriber) { s.Unguarded = true })); !strings.Contains(got, "Anjali Nair") {
		t.Error("turned off, the guard still withholds")
	}
}
