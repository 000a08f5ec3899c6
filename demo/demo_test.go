package demo

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/newswatch/newswatch/fetcher/document"
)

// TestEveryDemoFeedIsRead keeps the demo honest: what it serves is read whole,
// and all of it is recent enough to be news.
func TestEveryDemoFeedIsRead(t *testing.T) {
	now := time.Now()
	s, err := Serve(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, f := range s.Feeds() {
		resp, err := client.Get(f.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		doc, err := document.Parse(context.Background(), document.Input{Body: body, ContentType: resp.Header.Get("Content-Type"), URL: f.URL, Now: now})
		if err != nil {
			t.Errorf("%s: %v", f.ID, err)
			continue
		}
		if len(doc.Items) < 3 {
			t.Errorf("%s: %d items", f.ID, len(doc.Items))
		}
		for _, it := range doc.Items {
			if age := now.Sub(it.Published); age < 0 || age > 24*time.Hour {
				t.Errorf("%s: %q is %v old", f.ID, it.Title, age)
			}
		}
	}
}
