package fetcher

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/newswatch/newswatch/feed"
)

// TestRealFeeds polls real documents twice. The second pass must find nothing
// new, whether the server says so (every other one does) or sends it all again.
func TestRealFeeds(t *testing.T) {
	dir := filepath.Join(cmp.Or(os.Getenv("NEWSWATCH_CORPUS"), "../../shared/corpus"), "feeds-real", "xml")
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Skipf("no corpus of feeds in %s", dir)
	}
	docs := make([][]byte, len(files))
	for i, f := range files {
		if docs[i], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	s := newSite(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		var i int
		fmt.Sscanf(r.URL.Path, "/%d", &i)
		w.Header().Set("Content-Type", "application/xml")
		if i%2 == 0 {
			tag := fmt.Sprintf(`"%x"`, sha256.Sum256(docs[i]))
			w.Header().Set("ETag", tag)
			if r.Header.Get("If-None-Match") == tag {
				w.WriteHeader(http.StatusNotModified)
				return
			}
		}
		w.Write(docs[i])
	})
	c, _ := newClient(t, Options{})
	var mu sync.Mutex
	states := make([]State, len(docs))
	pass := func() (outcomes map[Outcome]int, items int) {
		outcomes = make(map[Outcome]int)
		var wg sync.WaitGroup
		for i := range docs {
			wg.Go(func() {
				res, err := c.Fetch(t.Context(), feed.Feed{ID: fmt.Sprint(i), URL: fmt.Sprintf("%s/%d", s.URL, i)}, states[i], nil)
				mu.Lock()
				defer mu.Unlock()
				outcomes[res.Outcome]++
				items += len(res.Items)
				states[i] = res.State
				if err != nil {
					t.Logf("%s: %v", filepath.Base(files[i]), err)
				}
			})
		}
		wg.Wait()
		return outcomes, items
	}
	first, items := pass()
	t.Logf("first pass: %v, %d items", first, items)
	if first[Fetched] < len(docs)*98/100 {
		t.Errorf("only %d of %d documents could be read", first[Fetched], len(docs))
	}
	second, items := pass()
	t.Logf("second pass: %v, %d items", second, items)
	if second[Fetched] != 0 || second[NotModified] != first[Fetched] || items != 0 {
		t.Errorf("the second pass found something new: %v, %d items", second, items)
	}
}
