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
// for others, or whose page is still there, is not. When it is back, they are told so.
func TestReadersHearOfWhatIsTakenDown(t *testing.T) {
	for name, tt := range map[string]struct {
		fullText  feed.FullText
		older     bool // an older item is listed when the report is not
		status    int  // of its page
		looks     int64
		takenDown bool
		purged    bool // after it was told
		back      string
		told      bool // that it is back
	}{
		"its page is gone":            {feed.FullTextAuto, true, http.StatusNotFound, 3, true, false, "", false},
		"its page is gone for good":   {feed.FullTextAuto, true, http.StatusGone, 3, true, false, "", false},
		"its page is still there":     {feed.FullTextAuto, true, http.StatusOK, 2, false, false, "", false},
		"its site is in trouble":      {feed.FullTextAuto, true, http.StatusServiceUnavailable, 2, false, false, "", false},
		"it made room for others":     {feed.FullTextAuto, false, http.StatusNotFound, 0, false, false, "", false},
		"no page of the site is read": {feed.FullTextNever, true, http.StatusNotFound, 0, false, false, "", false},
		"the operator purged it":      {feed.FullTextAuto, true, http.StatusNotFound, 0, false, true, "", false},
		"it is back":                  {feed.FullTextAuto, true, http.StatusNotFound, 2, true, false, "listed, there", true},
		"its page is back":            {feed.FullTextAuto, true, http.StatusNotFound, 2, true, false, "there", true},
		"it is listed, and not there": {feed.FullTextAuto, true, http.StatusNotFound, 4, true, false, "listed", false},
		"it is back in other words":   {feed.FullTextAuto, true, http.StatusNotFound, 2, true, false, "listed, edited", true},
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			var listed, there, edited atomic.Bool
			var looks atomic.Int64
			listed.Store(true)
			there.Store(true)
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
						title := "Kerala police arrest teacher in CSAM case"
						if edited.Load() {
							title = "Teacher arrested by Kerala police in CSAM case"
						}
						_, _ = io.WriteString(w, item("report", title, time.Hour))
					}
					if tt.older {
						_, _ = io.WriteString(w, item("bridge", "Bridge closes for repairs", 2*time.Hour))
					}
					_, _ = io.WriteString(w, item("weather", "Rain is expected", 0)+`</channel></rss>`)
				case "/report":
					w.Header().Set("Content-Type", "text/html")
					if !there.Load() {
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
			for _, at := range []time.Duration{0, time.Hour, 2 * time.Hour, 8 * time.Hour, 9 * time.Hour, 10 * time.Hour, 40 * time.Hour, 41 * time.Hour} {
				if at == 10*time.Hour {
					listed.Store(strings.Contains(tt.back, "listed"))
					edited.Store(strings.Contains(tt.back, "edited"))
					there.Store(strings.Contains(tt.back, "there"))
				}
				now.Store(int64(at))
				if _, err := d.Once(context.WithoutCancel(t.Context()), daemon.OnceOptions{Send: true}); err != nil {
					t.Error(err)
				}
				if at == 0 {
					listed.Store(false)
					there.Store(false)
				}
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
			told, back := 0, 0
			for _, file := range digests {
				body, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				told += strings.Count(string(body), "Taken down by its publisher.")
				back += strings.Count(string(body), "It is there again, after its publisher had taken it down.")
			}
			want := map[bool]int{true: 1}[tt.takenDown]
			more := map[bool]int{true: 1}[tt.takenDown || tt.purged] // the withdrawal is told, too
			wantBack := map[bool]int{true: 1}[tt.told]
			if told != want || back != wantBack || len(digests) != 1+more+wantBack {
				t.Errorf("told %d times that it is gone and %d that it is back in %d digests, want %d and %d in %d",
					told, back, len(digests), want, wantBack, 1+more+wantBack)
			}
		})
	}
}
