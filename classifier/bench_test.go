package classifier

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/classifier/text"
)

// benchDocs are items to match, and the words to make rules of, the most
// frequent first.
type benchDocs struct {
	docs  []Doc
	bytes int
	words []string
}

func newBenchDocs(docs []Doc) benchDocs {
	b := benchDocs{docs: docs}
	count := map[string]int{}
	for _, d := range docs {
		b.bytes += len(d.Title) + len(d.Body)
		for w := range strings.FieldsSeq(text.Fold(d.Title + "\n" + d.Body)) {
			count[w]++
		}
	}
	for w := range count {
		b.words = append(b.words, w)
	}
	slices.SortFunc(b.words, func(x, y string) int {
		if count[x] != count[y] {
			return count[y] - count[x]
		}
		return strings.Compare(x, y)
	})
	return b
}

// generated makes English-like items: words of two to four syllables, whose
// frequencies follow Zipf's law.
func generated(items, words int) benchDocs {
	rnd := rand.New(rand.NewPCG(1, 2))
	syllables := strings.Fields("ba con der est fi gra hol ing jo ker lan mo ni or per qua ry sta ter un ver wo ex ly tion ment pre de re al")
	vocabulary := make([]string, 50_000)
	for i := range vocabulary {
		for range 2 + rnd.IntN(3) {
			vocabulary[i] += syllables[rnd.IntN(len(syllables))]
		}
	}
	zipf := rand.NewZipf(rnd, 1.2, 8, uint64(len(vocabulary)-1))
	docs := make([]Doc, items)
	for i := range docs {
		var b strings.Builder
		for n := range words {
			if n > 0 {
				b.WriteString([]string{" ", " ", " ", " ", " ", ", ", ". ", "\n"}[rnd.IntN(8)])
			}
			b.WriteString(vocabulary[zipf.Uint64()])
		}
		docs[i] = Doc{Title: b.String()[:60], Body: b.String()}
	}
	return newBenchDocs(docs)
}

// corpus reads items of the test corpus; ok is false where it is absent.
func corpus(tb testing.TB, file, lang string, most int) benchDocs {
	dir := os.Getenv("NEWSWATCH_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "corpus")
	}
	f, err := os.Open(filepath.Join(dir, "news-text", file))
	if err != nil {
		tb.Skipf("the corpus of news texts is not here: %v", err)
	}
	defer f.Close()
	var docs []Doc
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 16<<20)
	for sc.Scan() && len(docs) < most {
		var it struct{ Title, Body, Lang string }
		if err := json.Unmarshal(sc.Bytes(), &it); err != nil {
			tb.Fatal(err)
		}
		if it.Lang == lang {
			docs = append(docs, Doc{Title: it.Title, Body: it.Body, Lang: it.Lang})
		}
	}
	if len(docs) == 0 {
		tb.Skipf("no items in %s in %s", lang, file)
	}
	return newBenchDocs(docs)
}

// benchRules makes rules of the texts' own words, leaving out the most frequent:
// phrases, prefixes, and combinations.
func benchRules(words []string, n int) []Rule {
	rnd := rand.New(rand.NewPCG(3, 4))
	words = words[min(len(words)/10, 300):]
	pick := func() string { return words[rnd.IntN(len(words))] }
	rules := make([]Rule, n)
	for i := range rules {
		var q string
		switch i % 5 {
		case 0:
			q = fmt.Sprintf(`"%s %s"`, pick(), pick())
		case 1:
			q = fmt.Sprintf(`%s AND (%s OR "%s %s")`, pick(), pick(), pick(), pick())
		case 2:
			q = fmt.Sprintf(`"%s %s %s" OR "%s-%s"`, pick(), pick(), pick(), pick(), pick())
		case 3:
			q = fmt.Sprintf(`%s AND %s NOT %s`, pick(), pick(), pick())
		case 4:
			if w := pick(); len(w) >= 12 {
				q = fmt.Sprintf(`"%s %s*"`, pick(), w)
			} else {
				q = fmt.Sprintf(`"%s %s"`, pick(), w)
			}
		}
		rules[i] = Rule{ID: fmt.Sprintf("r%d", i), Query: Text(q)}
	}
	return rules
}

var sizes = []int{10, 1_000, 10_000, 100_000}

func benchMatch(b *testing.B, docs benchDocs) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("rules=%d", n), func(b *testing.B) {
			rs, _, err := Compile(benchRules(docs.words, n), nil)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(docs.bytes / len(docs.docs)))
			b.ReportAllocs()
			hits, i := 0, 0
			for b.Loop() {
				hits += len(rs.Match(&docs.docs[i%len(docs.docs)]))
				i++
			}
			b.ReportMetric(float64(hits)/float64(b.N), "hits/op")
		})
	}
}

func BenchmarkMatch(b *testing.B) {
	b.Run("generated", func(b *testing.B) { benchMatch(b, generated(500, 400)) })
	b.Run("english", func(b *testing.B) { benchMatch(b, corpus(b, "bbc2005.jsonl", "en", 1000)) })
	b.Run("malayalam", func(b *testing.B) { benchMatch(b, corpus(b, "janmabhumi.jsonl", "ml", 1000)) })
}

// BenchmarkPeers runs the obvious ways to do the same work beside the engine, on
// phrases of two words: one regular expression for each rule, and
// strings.Contains for each term on the folded text.
func BenchmarkPeers(b *testing.B) {
	b.Run("generated", func(b *testing.B) { benchPeers(b, generated(100, 400), []int{10, 200, 2_000}) })
	b.Run("english", func(b *testing.B) { benchPeers(b, corpus(b, "bbc2005.jsonl", "en", 100), []int{10, 2_000}) })
	b.Run("malayalam", func(b *testing.B) { benchPeers(b, corpus(b, "janmabhumi.jsonl", "ml", 100), []int{10, 2_000}) })
}

func benchPeers(b *testing.B, docs benchDocs, sizes []int) {
	for _, n := range sizes {
		rules := benchRules(docs.words, 5*n)
		var terms []string
		kept := rules[:0]
		for i := 0; i < len(rules); i += 5 {
			kept = append(kept, rules[i])
			terms = append(terms, strings.Trim(rules[i].Query.Text, `"`))
		}
		perItem := int64(docs.bytes / len(docs.docs))
		run := func(name string, match func(*Doc)) {
			b.Run(fmt.Sprintf("terms=%d/%s", n, name), func(b *testing.B) {
				b.SetBytes(perItem)
				i := 0
				for b.Loop() {
					match(&docs.docs[i%len(docs.docs)])
					i++
				}
			})
		}
		rs, _, err := Compile(kept, nil)
		if err != nil {
			b.Fatal(err)
		}
		res := make([]*regexp.Regexp, n)
		for i, t := range terms {
			// There is no \b beside Malayalam letters: the words are looked for
			// wherever they stand.
			res[i] = regexp.MustCompile(`(?i)` + strings.ReplaceAll(t, " ", `[^\pL\pM\pN]+`))
		}
		found := 0
		run("engine", func(d *Doc) { found += len(rs.Match(d)) })
		run("contains", func(d *Doc) {
			folded := strings.ToLower(d.Title + "\n" + d.Body)
			for _, t := range terms {
				if strings.Contains(folded, t) {
					found++
				}
			}
		})
		run("regexp", func(d *Doc) {
			s := d.Title + "\n" + d.Body
			for _, re := range res {
				if re.MatchString(s) {
					found++
				}
			}
		})
	}
}

// BenchmarkCompile tells the time of a compilation, the most memory that it has in
// use at once, and what it keeps.
func BenchmarkCompile(b *testing.B) {
	docs := generated(200, 400)
	for _, n := range []int{1_000, 100_000} {
		rules := benchRules(docs.words, n)
		b.Run(fmt.Sprintf("rules=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				before := heap(true)
				done, peak := make(chan struct{}), make(chan uint64)
				go func() { peak <- highest(done) }()
				start := time.Now()
				rs, _, err := Compile(rules, nil)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(time.Since(start).Seconds(), "s/compile")
				close(done)
				b.ReportMetric(float64(<-peak-before)/1e6, "MB-peak")
				b.ReportMetric(float64(heap(true)-before)/1e6, "MB-kept")
				runtime.KeepAlive(rs)
			}
		})
	}
}

// heap is the memory of objects, in bytes, those that wait for the collector
// included unless it is run first.
func heap(collect bool) uint64 {
	if collect {
		runtime.GC()
	}
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// highest watches the heap until done.
func highest(done <-chan struct{}) (most uint64) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		most = max(most, heap(false))
		select {
		case <-done:
			return most
		case <-tick.C:
		}
	}
}
