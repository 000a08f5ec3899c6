package document

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// corpus returns a folder of the test corpus, and skips the test where there is
// none: the corpus holds other people's documents and is no part of this
// repository.
func corpus(t testing.TB, name string) string {
	root := os.Getenv("NEWSWATCH_CORPUS")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	dir := filepath.Join(root, name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no corpus at %s (set NEWSWATCH_CORPUS)", dir)
	}
	return dir
}

// readLines calls each with every line of a JSON Lines file.
func readLines[T any](t testing.TB, file string, each func(T)) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 32<<20)
	for lines.Scan() {
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		each(v)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// rate counts agreements and remembers what did not agree.
type rate struct {
	good, all int
	bad       []string
}

func (r *rate) add(ok bool, what string) {
	r.all++
	if ok {
		r.good++
	} else {
		r.bad = append(r.bad, what)
	}
}

func (r *rate) share() float64 { return float64(r.good) / float64(max(r.all, 1)) }

func (r *rate) check(t *testing.T, name string, floor float64) {
	t.Helper()
	t.Logf("%-10s %d of %d = %.2f %%", name, r.good, r.all, 100*r.share())
	if r.share() < floor || testing.Verbose() {
		for i, what := range r.bad {
			if i == 40 {
				break
			}
			t.Logf("  %s: %s", name, what)
		}
	}
	if r.share() < floor {
		t.Errorf("%s: %.2f %% agree, want at least %.2f %%", name, 100*r.share(), 100*floor)
	}
}

type wantEntry struct {
	Title, Link, ID *string
	Published       *time.Time
}

type wantFeed struct {
	File    string
	Count   *int
	Title   *string
	Entries []wantEntry
}

// TestRealFeeds compares with what two independent parsers agree on, of feeds as
// they were captured.
func TestRealFeeds(t *testing.T) {
	dir := corpus(t, "feeds-real")
	var read, counts, feedTitles, titles, links, guids, dates rate
	readLines(t, filepath.Join(dir, "expected.jsonl"), func(want wantFeed) {
		body, err := os.ReadFile(filepath.Join(dir, want.File))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := Parse(t.Context(), Input{Body: body, FeedID: "x"})
		read.add(err == nil, want.File+": "+errText(err))
		if err != nil {
			return
		}
		if want.Count != nil {
			n := len(doc.Items) + doc.Dropped + doc.Repeats
			counts.add(n == *want.Count, want.File+sprint(": have %d (%d repeats), want %d", n, doc.Repeats, *want.Count))
		}
		if want.Title != nil {
			feedTitles.add(samePlain(doc.Title, *want.Title), want.File+sprint(": have %q, want %q", doc.Title, *want.Title))
		}
		if len(doc.Items) != len(want.Entries) {
			return
		}
		for i, e := range want.Entries {
			it := doc.Items[i]
			where := want.File + sprint(" #%d", i)
			if e.Title != nil {
				titles.add(samePlain(it.Title, *e.Title), where+sprint(": have %q, want %q", it.Title, *e.Title))
			}
			if e.Link != nil {
				l := CanonicalLink("", *e.Link)
				links.add(it.Link == l, where+sprint(": have %q, want %q", it.Link, l))
			}
			if e.ID != nil {
				guids.add(it.GUID == strings.TrimSpace(*e.ID) || it.GUID == "" && *e.ID == *orEmpty(e.Link), where+sprint(": have %q, want %q", it.GUID, *e.ID))
			}
			if e.Published != nil {
				p := saneDate(*e.Published, time.Time{})
				dates.add(it.Published.Equal(p) || it.Published.Truncate(time.Second).Equal(p.Truncate(time.Second)), where+sprint(": have %v, want %v", it.Published, *e.Published))
			}
		}
	})
	read.check(t, "read", 1)
	counts.check(t, "counts", 0.99)
	feedTitles.check(t, "feed title", 0.99)
	titles.check(t, "title", 0.99)
	links.check(t, "link", 0.99)
	guids.check(t, "guid", 0.99)
	dates.check(t, "published", 0.99)
}

func orEmpty(s *string) *string {
	if s == nil {
		s = new(string)
	}
	return s
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
