package text

import (
	"math"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestFold(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"hyphen", "P-Hunt", "p hunt"},
		{"dot", "P.Hunt", "p hunt"},
		{"every hyphen", "P‐Hunt P‑Hunt P–Hunt P—Hunt P−Hunt P－Hunt", "p hunt p hunt p hunt p hunt p hunt p hunt"},
		{"soft hyphen", "ex\u00adploitation", "exploitation"},
		{"possessive", "Kerala's Kerala’s Keralaʼs", "kerala s kerala s kerala s"},
		{"section", "u/s 67-B, 67(B), 67 B, 67B", "u s 67 b 67 b 67 b 67b"},
		{"underscore", "p_hunt", "p hunt"},
		{"latin diacritics", "Pédophile SØREN Łódź Đorđe Straße æon", "pedophile soren lodz dorde strasse aeon"},
		{"decomposed", "Pe\u0301dophile", "pedophile"},
		{"vietnamese", "Việt Nam", "viet nam"},
		{"turkish", "İstanbul ıslak", "istanbul islak"},
		{"full width", "Ｐ－Ｈｕｎｔ　６７Ｂ", "p hunt 67b"},
		{"ligature", "traﬃcking", "trafficking"},
		{"mathematical letters", "𝐂𝐒𝐀𝐌 𝟟", "csam 7"},
		{"zero width", "CS\u200bA\u200dM\ufeff", "csam"},
		{"bidi marks", "\u202bCSAM\u202c", "csam"},
		{"cyrillic keeps its breve", "Йод и\u0306од", "йод йод"},
		{"greek sigma", "ΟΔΟΣ οδος", "οδοσ οδοσ"},
		{"bad bytes", "a\xffb\xc3", "a b"},
		{"fraction", "½ m²", "m2"},
		{"malayalam chillu", "ഓപ്പറേഷൻ ഓപ്പറേഷന്\u200d ഓപ്പറേഷന്", "ഓപ്പറേഷന് ഓപ്പറേഷന് ഓപ്പറേഷന്"},
		{"malayalam of", "ഹണ്ടിൻറെ ഹണ്ടിന്\u200dറെ ഹണ്ടിന്റെ", "ഹണ്ടിന്റെ ഹണ്ടിന്റെ ഹണ്ടിന്റെ"},
		{"malayalam two-part vowel", "ക\u0d46\u0d3e ക\u0d4a", "ക\u0d4a ക\u0d4a"},
		{"malayalam name", "ഓപ്പറേഷൻ പി.ഹണ്ടെന്ന", "ഓപ്പറേഷന് പി ഹണ്ടെന്ന"},
		{"hindi", "ऑपरेशन पी-हंट", "ऑपरेशन पी हंट"},
		{"hindi nukta", "बड\u093cा बड़ा फ़ोन फोन", "बडा बडा फोन फोन"},
		{"hindi digits", "धारा ६७बी", "धारा 67बी"},
		{"danda", "गिरफ्तार।पुलिस", "गिरफ्तार पुलिस"},
		{"telugu", "ఆపరేషన్ పీ-హంట్", "ఆపరేషన్ పీ హంట్"},
		{"tamil two-part vowel", "ப\u0bc6\u0bbe ப\u0bca", "ப\u0bca ப\u0bca"},
		{"tamil", "ஆபரேஷன் பி-ஹன்ட்", "ஆபரேஷன் பி ஹன்ட்"},
		{"kannada", "ಆಪರೇಷನ್ ಪಿ-ಹಂಟ್", "ಆಪರೇಷನ್ ಪಿ ಹಂಟ್"},
		{"bengali khanda ta", "ৎ ত্\u200d", "ত\u09cd ত\u09cd"},
		{"bengali two-part vowel", "ক\u09c7\u09be কো", "কো কো"},
		{"han", "児童ポルノ", "児 童 ホ\u309aル ノ"},
		{"thai", "เด็ก", "เ ด็ ก"},
		{"arabic tatweel", "كـتاب", "كتاب"},
		{"korean", "\u1112\u1161\u11ab글", "한글"},
		{"only marks", "\u0301 \u200d ", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Fold(tt.in)
			if tt.name == "han" { // the voiced mark composes with its letter
				tt.want = "児 童 ポ ル ノ"
			}
			if got != tt.want {
				t.Errorf("Fold(%q)\n got %q\nwant %q", tt.in, got, tt.want)
			}
			if again := Fold(got); again != got {
				t.Errorf("not idempotent: %q, then %q", got, again)
			}
		})
	}
}

// TestFoldEveryCharacter holds that folding is finished after one pass, whatever
// stands beside a character.
func TestFoldEveryCharacter(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z, unicode.Cf) ||
			unicode.In(r, unicode.Han, unicode.Hangul) && r%97 != 0 { // there are 100,000 of them, all alike
			continue
		}
		c := string(r)
		for _, s := range []string{c, "a" + c, c + "a", "ക" + c, "и" + c + "\u0308", "의" + c, "児" + c} {
			once := Fold(s)
			if twice := Fold(once); twice != once {
				t.Fatalf("Fold(%+q) = %+q, then %+q", s, once, twice)
			}
		}
	}
}

// TestFoldComposes holds that a word is the same whether its characters were
// written as one or as several, as Unicode has it.
func TestFoldComposes(t *testing.T) {
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		s := string(r)
		if d := norm.NFD.String(s); d != s && Fold(d) != Fold(s) {
			t.Errorf("%U: Fold(%+q) = %+q, Fold(%+q) = %+q", r, s, Fold(s), d, Fold(d))
		}
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"P-Hunt’s 67(B)", "ഓപ്പറേഷന്\u200d പി ഹണ്ടിൻറെ", "बड़ा ६७", "Pe\u0301\u200d", "児童ポルノ", "\xff\xc3", "ΐ ᾳ\u0345", "각\u11a8"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var b Buffer
		b.Add(s)
		last := int32(0)
		for _, tok := range b.Tokens() {
			if tok.Start < last || tok.End <= tok.Start || int(tok.End) > len(s) {
				t.Fatalf("token %+v after %d in %d bytes", tok, last, len(s))
			}
			last = tok.End
			w := b.Folded(tok)
			if len(w) == 0 || !utf8.Valid(w) || strings.ContainsRune(string(w), ' ') {
				t.Fatalf("folded word %q of %q", w, s)
			}
			if tok.Hash != Hash(w) {
				t.Fatalf("hash of %q", w)
			}
			// What a span shows is what was found.
			if got := Fold(s[tok.Start:tok.End]); got != string(w) {
				t.Fatalf("word %q of %q folds to %q by itself, want %q", s[tok.Start:tok.End], s, got, w)
			}
		}
		once := Fold(s)
		if twice := Fold(once); twice != once {
			t.Fatalf("Fold(%q) = %q, then %q", s, once, twice)
		}
	})
}

// TestMaxLen holds that the words of a monstrous text are found up to where an offset
// might not fit, and none beyond. The text here is a smaller one.
func TestMaxLen(t *testing.T) {
	const most = 1 << 16
	var b Buffer
	b.add("first"+strings.Repeat(" ", most-len("first")-len("last"))+"last beyond", most)
	if b.Len() != 2 || string(b.Folded(b.Tokens()[1])) != "last" || b.Tokens()[1].End != most {
		t.Errorf("%d words, %+v", b.Len(), b.Tokens())
	}
	if MaxLen > math.MaxInt32 {
		t.Errorf("an offset of %d is not held by 32 bits", MaxLen)
	}
}
