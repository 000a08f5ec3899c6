package daemon_test

import (
	"fmt"
	"net"
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

// TestACopyDoesNotLead: a feed that lists another's page, under a headline and a long
// text of its own, does not have its words printed over that page's link.
func TestACopyDoesNotLead(t *testing.T) {
	serve := func(addr, title, link, text string) *httptest.Server {
		ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		s := &httptest.Server{Listener: ln, Config: &http.Server{ //nolint:gosec // of loopback
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				to := strings.ReplaceAll(link, "HOST", r.Host)
				_, _ = fmt.Fprintf(w, `<rss version="2.0"><channel><title>P</title><item><guid>1</guid><title>%s</title><link>%s</link>
					<description>%s</description><pubDate>%s</pubDate></item></channel></rss>`, title, to, text, time.Now().UTC().Format(time.RFC1123Z))
			}),
		}}
		s.Start()
		t.Cleanup(s.Close)
		return s
	}
	const honest, hostile = "Kerala police arrest teacher in CSAM case", "Kerala police say a minister is held in CSAM case"
	paper := serve("127.0.0.1:0", honest, "http://HOST/report", "Police arrested a teacher on Sunday.")
	copied := serve("127.0.0.2:0", hostile, paper.URL+"/report", strings.Repeat("The minister is at large, it is said. ", 100))
	loaded := loopbackConfig(t)
	loaded.Feeds = []feed.Feed{
		{ID: "copy", Name: "The Copy", URL: copied.URL, Kind: feed.KindFeed, FullText: feed.FullTextNever},
		{ID: "paper", Name: "The Paper", URL: paper.URL, Kind: feed.KindFeed, FullText: feed.FullTextNever},
	}
	hourly, err := notify.ParseSchedule("@hourly", nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	loaded.Subscribers = []configs.Subscriber{{Subscriber: notify.Subscriber{ID: "desk", Schedule: hourly}, Channel: configs.FileChannel{Dir: dir}}}
	once(t, loaded)
	files, err := filepath.Glob(filepath.Join(dir, "*.html"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	page, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if s := string(page); !strings.Contains(s, honest) || strings.Contains(s, hostile) || !strings.Contains(s, "The Copy") {
		t.Errorf("the copy leads, or is not told:\n%s", s)
	}
}
