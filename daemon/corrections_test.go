package daemon_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify"
)

// TestReadersHearOfCorrections: whoever was sent a report is told when its headline
// becomes another one, even one that no rule matches, and when the operator
// withdraws it; each once, and nobody who subscribed after it.
func TestReadersHearOfCorrections(t *testing.T) {
	title := "Kerala police arrest teacher in CSAM case"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `<rss version="2.0"><channel><title>P</title><item><guid>1</guid><title>%s</title><link>https://paper.example/1</link>
			<pubDate>%s</pubDate></item></channel></rss>`, title, time.Now().UTC().Format(time.RFC1123Z))
	}))
	defer server.Close()
	loaded := loopbackConfig(t)
	loaded.Feeds = []feed.Feed{{ID: "paper", Name: "The Paper", URL: server.URL, Kind: feed.KindFeed, FullText: feed.FullTextNever}}
	hourly, err := notify.ParseSchedule("@hourly", nil)
	if err != nil {
		t.Fatal(err)
	}
	dirs := map[string]string{}
	subscribe := func(id string) {
		dirs[id] = t.TempDir()
		loaded.Subscribers = append(loaded.Subscribers, configs.Subscriber{
			Subscriber: notify.Subscriber{ID: id, Schedule: hourly}, Channel: configs.FileChannel{Dir: dirs[id]},
		})
	}
	sent := map[string]bool{}
	// told is what a subscriber was sent since it was last asked for.
	told := func(id string) string {
		t.Helper()
		files, err := filepath.Glob(filepath.Join(dirs[id], "*.html"))
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, f := range files {
			if body, err := os.ReadFile(f); err == nil && !sent[f] {
				all.Write(body)
				sent[f] = true
			}
		}
		return all.String()
	}
	contains := func(what, page string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(page, w) {
				t.Errorf("%s lacks %q:\n%s", what, w, page)
			}
		}
	}

	subscribe("desk")
	once(t, loaded)
	contains("the first digest", told("desk"), title)

	was := title
	title = "Correction: no arrest was made"
	loaded.Digest.FirstWindow = 0 // what is there already is no news to who comes now
	subscribe("late")
	once(t, loaded)
	contains("the correction", told("desk"), title, "Before: "+was)
	if page := told("late"); strings.Contains(page, title) {
		t.Errorf("one who was not sent the report is told that it changed:\n%s", page)
	}
	once(t, loaded)
	if page := told("desk"); page != "" {
		t.Errorf("told again:\n%s", page)
	}

	st := openStore(t, loaded)
	if err := st.Purge(t.Context(), feed.NewItemID("paper", "1", "", ""), time.Now()); err != nil {
		t.Fatal(err)
	}
	once(t, loaded)
	page := told("desk")
	contains("the withdrawal", page, "Withdrawn by the operator", "The Paper")
	if strings.Contains(page, "arrest") || strings.Contains(page, "paper.example") {
		t.Errorf("the withdrawal tells what the report said:\n%s", page)
	}
	once(t, loaded)
	if page := told("desk"); page != "" {
		t.Errorf("told again:\n%s", page)
	}
}
