package document

import (
	"strings"
	"testing"
)

// TestNoTextIsTakenForAMark has items whose text looks like what stands for the
// text of another.
func TestNoTextIsTakenForAMark(t *testing.T) {
	long := strings.Repeat("the minister's words ", 10)
	for name, body := range map[string]string{
		"raw":       `<rss version="2.0"><channel><item><guid>1</guid><description>` + long + `</description></item><item><guid>2</guid><description>` + longMark + `0</description></item></channel></rss>`,
		"reference": `<rss version="2.0"><channel><item><guid>1</guid><description>` + long + `</description></item><item><guid>2</guid><description>&#xFDD0;0</description></item></channel></rss>`,
		"atom":      `<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><content>` + long + `</content></entry><entry><id>2</id><content>` + longMark + `0</content></entry></feed>`,
		"json":      `{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","content_text":"` + long + `"},{"id":"2","content_text":"` + longMark + `0"}]}`,
	} {
		doc, err := Parse(t.Context(), Input{Body: []byte(body), URL: "https://x.example/", FeedID: "x"})
		if err != nil || len(doc.Items) != 2 {
			t.Errorf("%s: %v, %+v", name, err, doc)
			continue
		}
		for i, want := range []string{strings.TrimSpace(long), "0"} {
			if got := doc.Items[i].Summary + doc.Items[i].Content; got != want {
				t.Errorf("%s: item %d: %q, want %q", name, i, got, want)
			}
		}
	}
}
