package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify"
)

func TestWords(t *testing.T) {
	for text, want := range map[string][]string{
		"":                              nil,
		" - …":                          nil,
		"Police ARREST 12, in Kochi.":   {"police", "arrest", "12", "in", "kochi"},
		"P-Hunt":                        {"p", "hunt"},
		"STRASSE straße":                {"strasse", "strasse"},
		"cafe\u0301 café":               {"café", "café"},
		"പോലീസ് ന്യൂസ്":                 {"പോലീസ്", "ന്യൂസ്"},
		"क्\u200dष ज\u093cब्त":          {"क्\u200dष", "ज\u093cब्त"},
		"காவல்துறை":                     {"காவல்துறை"},
		"ﬁle\u00a0one":                  {"file", "one"},
		"\xff\xfeodd":                   {"odd"},
		"https://example.org/a_b?c=%20": {"https", "example", "org", "a", "b", "c", "20"},
	} {
		if got := Words(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestSplitKey(t *testing.T) {
	for key, want := range map[string]struct {
		id       string
		feed, ok bool
	}{
		FeedKey("a"):                {"a", true, true},
		SubscriberKey("feed/a"):     {"feed/a", false, true},
		FeedKey("subscriber/x/y"):   {"subscriber/x/y", true, true},
		"a":                         {"a", false, false},
		"":                          {"", false, false},
		strings.ToUpper("feed/a"):   {"FEED/A", false, false},
		FeedKey(""):                 {"", true, true},
		SubscriberKey("desk@x.org"): {"desk@x.org", false, true},
	} {
		if id, isFeed, ok := SplitKey(key); id != want.id || isFeed != want.feed || ok != want.ok {
			t.Errorf("%q: %q, %v, %v", key, id, isFeed, ok)
		}
	}
}

// TestHitWordsAreWords: what is found in ASCII is found by another way than Words.
func TestHitWordsAreWords(t *testing.T) {
	for _, s := range []string{"", " - ", "Police ARREST 12, in Kochi.", "P-Hunt\n[x] {Z} @a `b` z_", "9", "പോലീസ് in Kochi"} {
		want := ""
		for _, w := range Words(s) {
			want += " " + w
		}
		h := classifier.Hit{Item: feed.Item{Title: s}, Rules: []classifier.RuleMatch{{Excerpt: classifier.Excerpt{Text: s}}}}
		if got := HitWords(h); got != want+want {
			t.Errorf("%q: %q, want %q", s, got, want+want)
		}
	}
}

func TestEncodeComesBackAndRefusesDamage(t *testing.T) {
	h := classifier.Hit{Item: feed.Item{Title: strings.Repeat("കേരള പോലീസ് ", 100)}, Found: t0}
	b, err := Encode(h)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 300 {
		t.Errorf("%d bytes: it was not compressed", len(b))
	}
	var got classifier.Hit
	if err := Decode(b, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(h, got); d != "" {
		t.Error(d)
	}
	for name, bad := range map[string][]byte{
		"nothing": nil, "another kind": {9, '{', '}'}, "cut off": b[:len(b)/2], "not JSON": {plainJSON, '{'}, "not zstd": {zstdJSON, 1, 2, 3},
	} {
		if err := Decode(bad, &got); !errors.Is(err, errValue) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Encode(strings.Repeat("x", MaxValue)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	// A damaged value that unpacks to more than any value holds.
	bomb := compressor.EncodeAll(make([]byte, MaxValue+1), []byte{zstdJSON})
	if err := Decode(bomb, &got); !errors.Is(err, errValue) {
		t.Errorf("bomb: %v", err)
	}
}

// TestPackComesBackAndRefusesDamage packs values one after the other into the same
// buffer, as the SQLite engine does.
func TestPackComesBackAndRefusesDamage(t *testing.T) {
	hits := []classifier.Hit{
		{Item: feed.Item{Title: strings.Repeat("കേരള പോലീസ് ", 100), Lang: "ml"}, Found: t0, Rules: []classifier.RuleMatch{{Rule: "r", Severity: classifier.High}}},
		{Item: feed.Item{Title: strings.Repeat("long ", 40_000)}, Found: t0},
		{Item: feed.Item{Title: "The Paper"}},
	}
	var buf []byte
	for i, h := range hits {
		plain, err := Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		buf = Pack(buf, plain)
		if len(buf) > 600 && i != 1 {
			t.Errorf("%d bytes of %d: it was not compressed", len(buf), len(plain))
		}
		var got classifier.Hit
		if err := Decode(buf, &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(h, got); d != "" {
			t.Error(d)
		}
	}
	for name, bad := range map[string][]byte{
		"cut off": buf[:len(buf)-1], "nothing packed": {packedJSON}, "with other words": append([]byte{packedState}, buf[1:]...),
		"16 GiB": {packedJSON, 0x80, 0x80, 0x80, 0x80, 0x40, 0}, "an endless length": bytes.Repeat([]byte{packedJSON, 0xff}, 20),
	} {
		if err := Decode(bad, new(classifier.Hit)); !errors.Is(err, errValue) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Marshal(strings.Repeat("x", MaxValue)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
}

// TestWhatWasPackedCanBeRead fails when the words were changed under values that
// are stored.
func TestWhatWasPackedCanBeRead(t *testing.T) {
	for name, words := range map[string][]byte{
		"stateWords": []byte(stateWords), "stateWordsPacked": stateWordsPacked.Bytes(), "valueWords": valueWords.Bytes(),
	} {
		want := map[string]string{"stateWords": "f84b96bd", "stateWordsPacked": "565e1353", "valueWords": "bcdddb02"}[name]
		if sum := sha256.Sum256(words); hex.EncodeToString(sum[:4]) != want {
			t.Errorf("%s is %x: what was written with the first cannot be read; give the new one a kind of its own", name, sum[:4])
		}
	}
}

func TestWithoutItem(t *testing.T) {
	id := func(n int) feed.ItemID { return sighting(n).ID }
	d := notify.Digest{
		ID: "d", Hits: 5, Entries: 3,
		Groups: []notify.Group{
			{Rule: "r1", Entries: []notify.Entry{{Item: id(1), Title: "one", Excerpt: classifier.Excerpt{Text: "x"}, Found: t0}}},
			{Rule: "r2", Entries: []notify.Entry{
				{Item: id(2), Title: "two", Also: []notify.Report{{Item: id(3), Title: "three"}, {Item: id(4), Title: "four"}}},
				{Item: id(5), Title: "five", Earlier: notify.Earlier{Item: id(6), Title: "six"}},
			}},
		},
	}
	summary := func(d notify.Digest) (out []string) {
		for _, g := range d.Groups {
			for _, e := range g.Entries {
				s := g.Rule + " " + e.Title
				for _, r := range e.Also {
					s += "+" + r.Title
				}
				if e.Earlier.Title != "" {
					s += " after " + e.Earlier.Title
				}
				out = append(out, s)
			}
		}
		return out
	}
	for n, c := range map[int]struct {
		hits, entries int
		want          []string
	}{
		1: {4, 2, []string{"r2 two+three+four", "r2 five after six"}},
		2: {4, 3, []string{"r1 one", "r2 three+four", "r2 five after six"}},
		3: {4, 3, []string{"r1 one", "r2 two+four", "r2 five after six"}},
		5: {4, 2, []string{"r1 one", "r2 two+three+four"}},
		6: {5, 3, []string{"r1 one", "r2 two+three+four", "r2 five"}},
		9: {5, 3, summary(d)},
	} {
		got, found := WithoutItem(d, id(n))
		if found != (n != 9) || got.Hits != c.hits || got.Entries != c.entries || got.ID != d.ID || !slices.Equal(summary(got), c.want) {
			t.Errorf("without %d: %v, %d hits, %d entries, %q", n, found, got.Hits, got.Entries, summary(got))
		}
	}
	d.Entries, d.More = 10, 7
	if got, _ := WithoutItem(d, id(1)); got.Entries != 9 || got.Shown()+got.More != got.Entries {
		t.Errorf("of %d stories %d are shown, and %d more", got.Entries, got.Shown(), got.More)
	}
	if !slices.Equal(summary(d), []string{"r1 one", "r2 two+three+four", "r2 five after six"}) {
		t.Error("the digest itself was changed")
	}
}
