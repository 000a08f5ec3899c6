package article

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// sample is one page of the corpus, with what is known of its article.
type sample struct {
	File           string   `json:"file"`
	URL            string   `json:"url"`
	Suite          string   `json:"suite"`
	Charset        string   `json:"charset"`
	Expected       string   `json:"expected_text"`
	ExpectedPrefix string   `json:"expected_text_prefix"`
	MustContain    []string `json:"must_contain"`
	MustNotContain []string `json:"must_not_contain"`
}

func corpus(t testing.TB) (dir string, samples []sample) {
	t.Helper()
	dir = filepath.Join(cmp.Or(os.Getenv("NEWSWATCH_CORPUS"), "../../../shared/corpus"), "articles-html")
	f, err := os.Open(filepath.Join(dir, "manifest.jsonl"))
	if err != nil {
		t.Skipf("no corpus of article pages: %v", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var s sample
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		samples = append(samples, s)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return dir, samples
}

func readPage(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// words are a text's letters and digits in lower case, so that two renderings of
// one text compare equal.
func words(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
}

// overlap returns how many of the words of want are in got, and the other way
// round, counted with repeats.
func overlap(want, got string) (recall, precision float64) {
	w, g := words(want), words(got)
	count := make(map[string]int)
	for _, word := range w {
		count[word]++
	}
	common := 0
	for _, word := range g {
		if count[word] > 0 {
			count[word]--
			common++
		}
	}
	return float64(common) / float64(max(len(w), 1)), float64(common) / float64(max(len(g), 1))
}

func TestCorpus(t *testing.T) {
	dir, samples := corpus(t)
	var found, full, prefixes, begun, snippets, hits, noise, noiseHits int
	var recall, precision float64
	for _, s := range samples {
		u, err := url.Parse(cmp.Or(s.URL, "https://news.example/story"))
		if err != nil {
			t.Fatal(err)
		}
		contentType := "text/html"
		if s.Charset != "" {
			contentType += "; charset=" + s.Charset
		}
		a, err := Read(t.Context(), Page{Body: readPage(t, filepath.Join(dir, s.File)), ContentType: contentType, URL: u})
		text := a.Text
		if err != nil {
			t.Logf("%s: %v", s.File, err)
		} else {
			found++
		}
		if s.Expected != "" {
			r, p := overlap(s.Expected, text)
			recall += r
			precision += p
			full++
			if r < 0.7 || p < 0.7 {
				t.Logf("%s: recall %.2f, precision %.2f (%d bytes)", s.File, r, p, len(text))
			}
		}
		if s.ExpectedPrefix != "" {
			r, _ := overlap(s.ExpectedPrefix, text)
			prefixes++
			if r >= 0.9 {
				begun++
			}
		}
		got := strings.Join(words(text), " ")
		for _, m := range s.MustContain {
			snippets++
			if strings.Contains(got, strings.Join(words(m), " ")) {
				hits++
			}
		}
		for _, m := range s.MustNotContain {
			noise++
			if strings.Contains(got, strings.Join(words(m), " ")) {
				noiseHits++
			}
		}
	}
	recall, precision = recall/float64(full), precision/float64(full)
	t.Logf("%d of %d pages have text; recall %.3f, precision %.3f over %d whole texts; %d of %d snippets found, %d of %d that should not be; %d of %d beginnings",
		found, len(samples), recall, precision, full, hits, snippets, noiseHits, noise, begun, prefixes)
	// The floors are a little below what is measured, so that they hold for a
	// newer parser too and not for a broken one.
	if found < len(samples)*98/100 || recall < 0.90 || precision < 0.85 || hits < snippets*92/100 || noiseHits > noise*25/100 || begun < prefixes*80/100 {
		t.Error("worse than it was")
	}
}
