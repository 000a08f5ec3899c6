package daemon_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify"
)

// TestReadersHearOfWhatIsTakenDown: a report that its feed lists no more, and whose
// page is gone at two looks, is told to whoever was sent it; one that only made room
// for others, or whose page is still there, is not.
func TestReadersHearOfWhatIsTakenDown(t *testing.T) {
	for name, tt := range map[string]struct {
		fullText  feed.FullText
		older     bool // an older item is listed when the report is not
		status    int  // of its page
		looks     int64
		takenDown bool
		purged    bool // after it was told
	}{
		"its page is gone":            {feed.FullTextAuto, true, http.StatusNotFound, 2, true, false},
		"its page is gone for good":   {feed.FullTextAuto, true, http.StatusGone, 2, true, false},
		"its page is still there":     {feed.FullTextAuto, true, http.StatusOK, 1, false, false},
		"its site is in trouble":      {feed.FullTextAuto, true, http.StatusServiceUnavailable, 1, false, false},
		"it made room for others":     {feed.FullTextAuto, false, http.StatusNotFound, 0, false, false},
		"no page of the site is read": {feed.FullTextNever, true, http.StatusNotFound, 0, false, false},
		"the operator purged it":      {feed.FullTextAuto, true, http.StatusNotFound, 0, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			var listed atomic.Bool
			var looks atomic.Int64
			listed.Store(true)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				item := func(guid, title string, age time.Duration) string {
					return fmt.Sprintf(`<item><guid>%s</guid><title>%s</title><link>http://%s/%s</link><pubDate>%s</pubDate></item>`,
						guid, title, r.Host, guid, begun.Add(-age).UTC().Format(time.RFC1123Z))
				}
				switch r.URL.Path {
				case "/feed":
					w.Header().Set("Content-Type", "application/rss+xml")
					_, _ = io.WriteString(w, `<rss version="2.0"><channel><title>P</title>`)
					if listed.Load() {
						_, _ = io.WriteString(w, item("report", "Kerala police arrest teacher in CSAM case", time.Hour))
					}
					if tt.older {
						_, _ = io.WriteString(w, item("bridge", "Bridge closes for repairs", 2*time.Hour))
					}
					_, _ = io.WriteString(w, item("weather", "Rain is expected", 0)+`</channel></rss>`)
				case "/report":
					w.Header().Set("Content-Type", "text/html")
					if !listed.Load() {
						looks.Add(1)
						w.WriteHeader(tt.status)
					}
				default:
					http.NotFound(w, r)
				}
			}))
			defer server.Close()
			loaded := loopbackConfig(t)
			loaded.Fetch.HostSpacing = 0
			loaded.Feeds = []feed.Feed{{ID: "paper", Name: "The Paper", URL: server.URL + "/feed", Kind: feed.KindFeed, FullText: tt.fullText}}
			hourly, err := notify.ParseSchedule("@hourly", nil)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			loaded.Subscribers = []configs.Subscriber{{Subscriber: notify.Subscriber{ID: "desk", Schedule: hourly}, Channel: configs.FileChannel{Dir: dir}}}
			var now atomic.Int64
			st := openStore(t, loaded)
			d, err := daemon.New(loaded, st, daemon.Options{Version: "test", Now: func() time.Time { return begun.Add(time.Duration(now.Load())) }})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			for _, at := range []time.Duration{0, time.Hour, 2 * time.Hour, 8 * time.Hour, 9 * time.Hour} {
				now.Store(int64(at))
				if _, err := d.Once(context.WithoutCancel(t.Context()), daemon.OnceOptions{Send: true}); err != nil {
					t.Error(err)
				}
				listed.Store(false)
				if at == 0 && tt.purged {
					if err := st.Purge(t.Context(), feed.NewItemID("paper", "report", "", ""), begun); err != nil {
						t.Fatal(err)
					}
				}
			}
			if got := looks.Load(); got != tt.looks {
				t.Errorf("the page was asked for %d times, want %d", got, tt.looks)
			}
			digests, err := filepath.Glob(filepath.Join(dir, "*.html"))
			if err != nil {
				t.Fatal(err)
			}
			told := 0
			for _, file := range digests {
				body, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				told += strings.Count(string(body), "Taken down by its publisher.")
			}
			want := map[bool]int{true: 1}[tt.takenDown]
			more := map[bool]int{true: 1}[tt.takenDown || tt.purged] // the withdrawal is told, too
			if told != want || len(digests) != 1+more {
				t.Errorf("told %d times in %d digests, want %d in %d", told, len(digests), want, 1+more)
			}
		})
	}
}
