package hyperscan

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/classifier/text"
)

func TestCount(t *testing.T) {
	d, err := Compile([]string{"p hunt", "police", "raid"})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if n, err := d.Count("Police in operation P Hunt; police"); n != 2 || err != nil {
		t.Errorf("%d literals, %v", n, err)
	}
}

// BenchmarkLiterals finds the same two-word phrases with both engines. The C one
// is given the bytes and counts; the classifier folds and splits the text, and
// reports each match with its excerpt.
func BenchmarkLiterals(b *testing.B) {
	for _, in := range []struct{ name, file, lang string }{{"english", "bbc2005.jsonl", "en"}, {"malayalam", "janmabhumi.jsonl", "ml"}} {
		docs, words, bytes := corpus(b, in.file, in.lang, 1000)
		for _, n := range []int{1_000, 10_000} {
			rnd := rand.New(rand.NewPCG(5, 6))
			literals, rules := make([]string, n), make([]classifier.Rule, n)
			for i := range literals {
				literals[i] = words[rnd.IntN(len(words))] + " " + words[rnd.IntN(len(words))]
				rules[i] = classifier.Rule{ID: fmt.Sprintf("r%d", i), Query: classifier.Text(`"` + literals[i] + `"`)}
			}
			b.Run(fmt.Sprintf("%s/terms=%d/classifier", in.name, n), func(b *testing.B) {
				rs, _, err := classifier.Compile(rules, nil)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(bytes / len(docs)))
				for i := 0; b.Loop(); i++ {
					rs.Match(&docs[i%len(docs)])
				}
			})
			b.Run(fmt.Sprintf("%s/terms=%d/hyperscan", in.name, n), func(b *testing.B) {
				d, err := Compile(literals)
				if err != nil {
					b.Fatal(err)
				}
				defer d.Close()
				texts := make([]string, len(docs))
				for i, doc := range docs {
					texts[i] = doc.Title + "\n" + doc.Body
				}
				b.SetBytes(int64(bytes / len(docs)))
				for i := 0; b.Loop(); i++ {
					if _, err := d.Count(texts[i%len(texts)]); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// corpus reads items of the test corpus, and their words without the 300 that are
// the most frequent.
func corpus(b *testing.B, file, lang string, most int) (docs []classifier.Doc, words []string, bytes int) {
	dir := os.Getenv("NEWSWATCH_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	f, err := os.Open(filepath.Join(dir, "news-text", file))
	if err != nil {
		b.Skipf("the corpus of news texts is not here: %v", err)
	}
	defer f.Close()
	count := map[string]int{}
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 16<<20)
	for sc.Scan() && len(docs) < most {
		var it struct{ Title, Body, Lang string }
		if err := json.Unmarshal(sc.Bytes(), &it); err != nil {
			b.Fatal(err)
		}
		if it.Lang != lang {
			continue
		}
		docs = append(docs, classifier.Doc{Title: it.Title, Body: it.Body})
		bytes += len(it.Title) + len(it.Body)
		for w := range strings.FieldsSeq(text.Fold(it.Title + "\n" + it.Body)) {
			count[w]++
		}
	}
	for w := range count {
		words = append(words, w)
	}
	slices.SortFunc(words, func(x, y string) int {
		if count[x] != count[y] {
			return count[y] - count[x]
		}
		return strings.Compare(x, y)
	})
	return docs, words[min(len(words)/10, 300):], bytes
}
