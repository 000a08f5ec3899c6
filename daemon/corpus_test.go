package daemon_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
)

// corpus is where captured feeds lie beside a checkout that has them.
func corpus(t *testing.T, sub string) string {
	t.Helper()
	dir := os.Getenv("NEWSWATCH_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "corpus")
	}
	dir = filepath.Join(dir, sub)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no corpus of captured documents: %v", err)
	}
	return dir
}

// TestRealFeedsTwice serves captured feeds from loopback and makes two passes
// over them: the first reads nearly all, the second finds nothing new.
func TestRealFeedsTwice(t *testing.T) {
	dir := corpus(t, "feeds-real/xml")
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no documents in %s: %v", dir, err)
	}
	docs := map[string][]byte{}
	for _, n := range names {
		if docs["/"+filepath.Base(n)], err = os.ReadFile(n); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := docs[r.URL.Path]
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("ETag", fmt.Sprintf(`"%d"`, len(body)))
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	}))
	defer server.Close()

	cfg := loopbackConfig(t)
	cfg.Fetch.PerHost = 32
	for path := range docs {
		cfg.Feeds = append(cfg.Feeds, feed.Feed{
			ID: strings.Trim(strings.ReplaceAll(path, ".", "-"), "/"), URL: server.URL + path,
			Kind: feed.KindFeed, FullText: feed.FullTextNever,
		})
	}
	st := openStore(t, cfg)
	var failed []string
	pass := func(name string) daemon.Summary {
		failed = nil
		d := newDaemon(t, cfg, st)
		sum, err := d.Once(t.Context(), daemon.OnceOptions{Polled: func(p daemon.Poll) {
			if p.Outcome == fetcher.Failed {
				failed = append(failed, fmt.Sprintf("%s: %v", p.Feed.ID, p.Err))
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		sort.Strings(failed)
		var mem runtime.MemStats
		runtime.ReadMemStats(&mem)
		t.Logf("%s pass: %+v; %d MiB from the system\n%s", name, sum, mem.Sys>>20, strings.Join(failed, "\n"))
		return sum
	}

	first := pass("first")
	if want := len(docs) * 99 / 100; first.Fetched < want {
		t.Errorf("first pass read %d of %d documents, want at least %d", first.Fetched, len(docs), want)
	}
	second := pass("second")
	if second.NewItems != 0 || second.Hits != 0 {
		t.Errorf("second pass found %d new items and %d hits in documents that did not change", second.NewItems, second.Hits)
	}
	if want := first.Fetched + first.NotModified; second.NotModified != want {
		t.Errorf("second pass: %d not modified, want %d", second.NotModified, want)
	}
}
