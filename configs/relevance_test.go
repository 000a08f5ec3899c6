package configs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
)

// judged is an item of which somebody who did not know the rules said whether it
// is relevant: headlines invented for the purpose, in testdata/relevance-invented.jsonl,
// and ids of captured news, in testdata/relevance-corpus.jsonl. Rules may be tuned on
// the half whose set is "tuned"; of the other, "unseen", only totals are ever
// looked at.
type judged struct {
	ID         string `json:"id"`
	File       string `json:"file"` // of captured news, without .jsonl
	Title      string `json:"title"`
	Lede       string `json:"lede"`
	Lang       string `json:"lang"`
	Set        string `json:"set"`
	Relevant   bool   `json:"relevant"`
	Borderline bool   `json:"borderline"`
}

func (j judged) doc() classifier.Doc {
	return classifier.Doc{Title: j.Title, Lead: j.Lede, Lang: j.Lang}
}

func judgements(t *testing.T, name string) []judged {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var out []judged
	for line := range strings.Lines(string(data)) {
		var j judged
		if err := json.Unmarshal([]byte(line), &j); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out = append(out, j)
	}
	if len(out) < 500 {
		t.Fatalf("%s: %d items only", name, len(out))
	}
	return out
}

// sides are the scores of one set, with the items on which people could differ and
// without them.
type sides struct{ all, clear score }

func (s *sides) add(got bool, j judged) {
	s.all.add(got, j.Relevant)
	if !j.Borderline {
		s.clear.add(got, j.Relevant)
	}
}

// hold fails where a score fell below its floor, which is a little below what was
// measured (docs/rules.md).
func (s sides) hold(t *testing.T, name string, precision, recall float64) {
	t.Helper()
	for _, c := range []struct {
		name string
		s    score
	}{{name, s.all}, {name + ", clear", s.clear}} {
		t.Logf("%-24s precision %.3f  recall %.3f  (%d found, %d wrong, %d missed)", c.name, c.s.precision(), c.s.recall(), c.s.found, c.s.wrong, c.s.missed)
	}
	if s.clear.precision() < precision || s.clear.recall() < recall {
		t.Errorf("%s: want at least precision %.2f and recall %.2f", name, precision, recall)
	}
}

// TestRelevanceOfInvented measures the default rules on invented headlines.
func TestRelevanceOfInvented(t *testing.T) {
	rs := defaultRules(t)
	scores := map[string]*sides{"tuned": {}, "unseen": {}}
	for _, j := range judgements(t, "relevance-invented.jsonl") {
		doc := j.doc()
		got := len(rs.Match(&doc)) > 0
		scores[j.Set].add(got, j)
		if j.Set == "tuned" && got != j.Relevant && !j.Borderline {
			t.Logf("found %v: %s | %s", got, j.Title, j.Lede)
		}
	}
	scores["tuned"].hold(t, "tuned", 0.98, 0.98)
	scores["unseen"].hold(t, "unseen", 0.97, 0.92)
}

// TestRelevanceOfCaptured measures them on captured news.
func TestRelevanceOfCaptured(t *testing.T) {
	dir := corpus(t, "news-text")
	rs := defaultRules(t)
	want := map[string]map[string]judged{}
	for _, j := range judgements(t, "relevance-corpus.jsonl") {
		if want[j.File] == nil {
			want[j.File] = map[string]judged{}
		}
		want[j.File][j.ID] = j
	}
	scores := map[string]*sides{"tuned": {}, "unseen": {}}
	for file, ids := range want {
		readLines(t, filepath.Join(dir, file), func(l labelled) {
			j, ok := ids[l.ID]
			if !ok {
				return
			}
			// As the daemon does with what a feed sends whole.
			doc := classifier.NewDoc(feed.Item{Title: l.Title, Summary: l.Lede, Content: l.Body, Lang: l.Lang}, feed.Feed{})
			got := len(rs.Match(&doc)) > 0
			scores[j.Set].add(got, j)
			if j.Set == "tuned" && got != j.Relevant && !j.Borderline {
				t.Logf("found %v: %s (%s %s)", got, doc.Title, j.File, j.ID)
			}
		})
	}
	scores["tuned"].hold(t, "tuned", 0.95, 0.95)
	scores["unseen"].hold(t, "unseen", 0.94, 0.96)
}
