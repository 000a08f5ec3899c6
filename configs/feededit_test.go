package configs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/newswatch/newswatch/feed"
)

// site writes a configuration of two files into a folder.
func configOf(t *testing.T, feeds string) *Loaded {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	write("newswatch.yaml", "include: {rules: [], subscribers: []}\n")
	if feeds != "" {
		write("feeds.yaml", feeds)
	}
	l, _, err := Load(filepath.Join(dir, "newswatch.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestAddFeeds(t *testing.T) {
	added := []feed.Feed{
		{URL: "https://a.example/feed?x=$1&y=2", Name: `The "A": & <b>, #1`, Tags: []string{"kerala", "2026"}, Lang: "ml"},
		{URL: "https://a.example/news-sitemap.xml", Kind: feed.KindSitemap, FullText: feed.FullTextNever},
	}
	lines := `- {id: a-example-feed-1f2b6a50, url: "https://a.example/feed?x=$$1&y=2", name: "The \"A\": & <b>, #1", tags: [kerala, "2026"], lang: "ml"}
- {id: a-example-news-sitemap-xml, url: "https://a.example/news-sitemap.xml", kind: sitemap, full_text: never}
`
	lines = strings.Replace(lines, "a-example-feed-1f2b6a50", feedID(added[0].URL), 1)
	indented := "  " + strings.Replace(lines, "\n- ", "\n  - ", 1)
	for _, tt := range []struct{ name, before, after string }{
		{
			"a list with comments", "# mine\nfeeds:\n  # Kerala\n  - {id: x, url: \"https://x.example/\"}  # the first\n  - https://y.example/\n  # - https://z.example/\n",
			"# mine\nfeeds:\n  # Kerala\n  - {id: x, url: \"https://x.example/\"}  # the first\n  - https://y.example/\n  # - https://z.example/\n" + indented,
		},
		{"no indentation, no last line break", "feeds:\n- https://x.example/", "feeds:\n- https://x.example/\n" + lines},
		{
			"a list of many lines", "feeds:\n    - url: https://x.example/\n      tags: [a,\n        b]\n\n\n",
			"feeds:\n    - url: https://x.example/\n      tags: [a,\n        b]\n\n\n    " + strings.Replace(lines, "\n- ", "\n    - ", 1),
		},
		{"an empty list", "feeds:\n", "feeds:\n" + indented},
		{"comments alone", "# nothing yet\n", "# nothing yet\nfeeds:\n" + indented},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := configOf(t, tt.before)
			e, err := l.AddFeeds("", added)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := os.ReadFile(e.Path); string(got) != tt.before {
				t.Fatal("the file was written before it was asked for")
			}
			if err := e.Write(); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(e.Path)
			if err != nil || string(got) != tt.after {
				t.Errorf("have\n%s\nwant\n%s", got, tt.after)
			}
			if st, _ := os.Stat(e.Path); st.Mode().Perm() != 0o640 {
				t.Errorf("the mode is %v", st.Mode())
			}
			after, _, err := Load(l.Path)
			if err != nil {
				t.Fatal(err)
			}
			f := after.Feeds[len(after.Feeds)-2]
			if f.URL != added[0].URL || f.Name != added[0].Name || f.Lang != "ml" || len(f.Tags) != 2 {
				t.Errorf("read back as %+v", f)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(e.Path), ".feeds-*")); len(left) > 0 {
				t.Errorf("%q were left", left)
			}
		})
	}
	t.Run("the default feeds stay", func(t *testing.T) {
		l := configOf(t, "")
		e, err := l.AddFeeds("", added)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Write(); err != nil || !e.Creates {
			t.Fatal(err)
		}
		after, _, err := Load(l.Path)
		if err != nil || len(after.Feeds) != len(l.Feeds)+2 || len(l.Feeds) == 0 {
			t.Errorf("%d feeds after %d (%v)", len(after.Feeds), len(l.Feeds), err)
		}
	})
}

func TestAddFeedsRefuses(t *testing.T) {
	one := []feed.Feed{{URL: "https://a.example/feed"}}
	for _, tt := range []struct {
		name, before string
		file         string
		add          []feed.Feed
		want         string
	}{
		{"a list in brackets", "feeds: [https://x.example/]\n", "", one, "add it by hand:\n  - {id: a-example-feed"},
		{"an address that is there", "feeds:\n  - https://a.example/feed\n", "", one, "the same URL"},
		{"an id that is there", "feeds:\n  - {id: a, url: https://x.example/}\n", "", []feed.Feed{{ID: "a", URL: "https://a.example/"}}, "id of another feed"},
		{"another file", "feeds:\n", "elsewhere.yaml", one, "not a file of feeds"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := configOf(t, tt.before)
			if _, err := l.AddFeeds(tt.file, tt.add); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	t.Run("a file that changes meanwhile", func(t *testing.T) {
		l := configOf(t, "feeds:\n")
		e, err := l.AddFeeds("", one)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(e.Path, []byte("feeds:\n  - https://other.example/\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := e.Write(); err == nil || !strings.Contains(err.Error(), "changed") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no configuration", func(t *testing.T) {
		l, _, err := Default()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.AddFeeds("", one); err == nil || !strings.Contains(err.Error(), "newswatch.yaml") {
			t.Errorf("got %v", err)
		}
	})
}

// FuzzAddFeeds: whatever a list calls a feed, what is written is read back as it.
func FuzzAddFeeds(f *testing.F) {
	f.Add("The A", "ml")
	f.Add("${HOME} \u2028 \" ' # : {", "yes")
	f.Fuzz(func(t *testing.T, name, tag string) {
		want := feed.Feed{URL: "https://a.example/", Name: strings.ToValidUTF8(name, "?"), Tags: []string{"x"}}
		if tag = Tag(tag); tag != "" {
			want.Tags[0] = tag
		}
		e := FeedEdit{Path: "feeds.yaml", before: []byte("feeds:\n"), Added: []feed.Feed{want}}
		if e.insert() != nil {
			return
		}
		got := elements(e.after)
		m, _ := got[0].(map[string]any)
		if m["url"] != want.URL || want.Name != "" && m["name"] != strings.ReplaceAll(want.Name, "$", "$$") {
			t.Errorf("%q became %v", name, m)
		}
	})
}
