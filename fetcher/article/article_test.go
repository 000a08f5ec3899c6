package article

import (
	"context"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

const sentence = "Police said on Tuesday that forty-one people, among them two officials, were questioned and later released. "

func story(head, body string) string {
	return "<!doctype html><html><head>" + head + "<title>Raids</title></head><body><nav><a href=/>Home</a></nav><article><h1>Raids in the capital</h1><p>" +
		strings.Repeat(sentence, 3) + "</p>" + body + "<p>" + strings.Repeat(sentence, 3) + "</p></article><footer>All rights reserved</footer></body></html>"
}

func TestRead(t *testing.T) {
	encoded := func(s string, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	ascii := strings.Repeat("<!-- nothing but ASCII -->", 100)
	for _, tt := range []struct {
		name        string
		page        string
		contentType string
		has         string
		hasNot      string
	}{
		{"the article alone", story("", ""), "text/html", "forty-one people", "rights reserved"},
		{"paragraphs", story("", "<p>"+sentence+"A second<br>third.</p>"), "text/html", "released. A second\n\nthird.", "\n\n\n"},
		{"blanks", story("", "<p>"+sentence+"  one \t two\nthree  </p>"), "text/html", "one two three", "  "},
		{"entities", story("", "<p>"+sentence+"R&amp;D &lt;b&gt; &#2349; &nbsp;x</p>"), "text/html", "R&D <b> भ x", "&l"},
		{"no picture's words", story("", `<p>`+sentence+`<img alt="a child's face" src="/child.jpg"></p>`), "text/html", "questioned", "child"},
		{"no script", story("", "<script>var secret = '<p>x</p>'</script><p>"+sentence), "text/html", "questioned", "secret"},
		{"no style", story("<style>p{secret:1}</style>", "<style>secret</style>"), "text/html", "questioned", "secret"},
		{"no frame", story("", "<iframe src=x>secret</iframe>"), "text/html", "questioned", "secret"},
		{"no comment", story("", "<p>"+sentence+"<!-- secret --></p>"), "text/html", "questioned", "secret"},
		{"no form", story("", "<form><textarea>secret</textarea><select><option>other</select></form>"), "text/html", "questioned", "secret"},

		{"UTF-8 that says so", story("<meta charset=utf-8>", "<p>"+sentence+"കുട്ടികൾ</p>"), "text/html", "കുട്ടികൾ", ""},
		{"UTF-8 that says nothing, far behind ASCII", story(ascii, "<p>"+sentence+"कानून</p>"), "text/html", "कानून", ""},
		{"UTF-8 by HTTP", story("", "<p>"+sentence+"குற்றம்</p>"), "text/html; charset=UTF-8", "குற்றம்", ""},
		{"Latin-1 by HTTP", encoded(charmap.ISO8859_1.NewEncoder().String(story("", "<p>"+sentence+"naïve</p>"))), "text/html; charset=iso-8859-1", "naïve", ""},
		{"Latin-1 by declaration", encoded(charmap.ISO8859_1.NewEncoder().String(story("<meta charset=iso-8859-1>", "<p>"+sentence+"naïve</p>"))), "text/html", "naïve", ""},
		{"Windows-1252 that says nothing", encoded(charmap.Windows1252.NewEncoder().String(story("", "<p>"+sentence+"“naïve”</p>"))), "text/html", "“naïve”", ""},
		{"UTF-16 with a mark", encoded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(story("", "<p>"+sentence+"naïve</p>"))), "text/html", "naïve", ""},
		{"a mark against HTTP", "\ufeff" + story("", "<p>"+sentence+"naïve</p>"), "text/html; charset=iso-8859-1", "naïve", ""},
		{"an unknown charset", story("", "<p>"+sentence+"naïve</p>"), "text/html; charset=x-nonsense", "naïve", ""},

		{"the text for search engines, where there is no other", `<div id=app></div><script type="application/ld+json">{"@graph":[{"@type":"NewsArticle","articleBody":"` +
			strings.Repeat(sentence, 5) + `\nSecond &amp; <b>last</b>."}]}</script>`, "text/html", "released.\n\nSecond & last .", "app"},
		{"not the text for search engines, where there is another", story(`<script type="application/ld+json">{"articleBody":"`+sentence+`secret"}</script>`, ""), "text/html", "questioned", "secret"},
		{"broken text for search engines", story(`<script type="application/ld+json">{"articleBody":"secret</script>`, ""), "text/html", "questioned", "secret"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := Read(t.Context(), Page{Body: []byte(tt.page), ContentType: tt.contentType, URL: base})
			got := a.Text
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(got, tt.has) {
				t.Errorf("%q is not in %q", tt.has, got)
			}
			if tt.hasNot != "" && strings.Contains(got, tt.hasNot) {
				t.Errorf("%q is in %q", tt.hasNot, got)
			}
			if got != strings.TrimSpace(got) || !utf8.ValidString(got) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// TestReduce shows what the parser gets to see.
func TestReduce(t *testing.T) {
	for _, tt := range []struct{ name, page, want string }{
		{"attributes that are of use", `<p CLASS=a id="b&quot;" onclick=x data-y=1 hidden>t</p>`, `<p class="a" id="b&#34;" hidden="">t</p>`},
		{"each attribute once", `<p class=a class=b>t`, `<p class="a">t`},
		{"no endless attribute", `<p class="` + strings.Repeat("a", maxAttribute+1) + `" id=b>t`, `<p id="b">t`},
		{"no media", `<picture><source src=a><img src=b alt=c></picture><video poster=d><track src=e>t</video><embed src=f>`, "t"},
		{"no address of a picture", `<a href=/x src=/y srcset=/z style="background:url(/w)">t</a>`, `<a href="/x" style="background:url(/w)">t</a>`},
		{"no script, style, frame or form", `<script>a</script><style>b</style><iframe>c</iframe><textarea>d</textarea><noscript>t</noscript>`, "<noscript>t</noscript>"},
		{"no comment and no doctype", "<!doctype html><!-- a -->t", "t"},
		{"html and body twice and no more", "<html a=1><body class=b><html class=c><body>t", `<html><body class="b">t`},
		{"text that looks like markup", "1 &lt; 2 &amp;amp; <3", "1 &lt; 2 &amp;amp; &lt;3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, _, err := reduce(t.Context(), []byte(tt.page))
			if err != nil || string(got) != tt.want {
				t.Errorf("got  %s (%v)\nwant %s", got, err, tt.want)
			}
		})
	}
	page := []byte(strings.Repeat("<br>", maxElements))
	if _, _, err := reduce(t.Context(), page); err != nil {
		t.Errorf("as many elements as are allowed: %v", err)
	}
	if _, _, err := reduce(t.Context(), append(page, "<br>"...)); !errors.Is(err, ErrHostile) {
		t.Errorf("one element too many: %v", err)
	}
}

func TestTitle(t *testing.T) {
	for _, tt := range []struct{ head, want string }{
		{`<meta property="og:title" content="Raids &amp; arrests">`, "Raids & arrests"},
		{`<meta property="og:title" content="` + strings.Repeat("x", 1000) + `">`, ""},
		{"", ""},
	} {
		a, err := Read(t.Context(), Page{Body: []byte(story(tt.head, "")), ContentType: "text/html", URL: base})
		if err != nil || tt.want != "" && a.Title != tt.want || len(a.Title) > maxTitleBytes {
			t.Errorf("%.80s: the title is %q (%v), want %q", tt.head, a.Title, err, tt.want)
		}
	}
}

func TestNoText(t *testing.T) {
	for _, page := range []string{"", " ", "<html></html>", "<img src=x alt=words>", "<script>words</script>", "\x00", "<!-- words -->"} {
		if got, err := Read(t.Context(), Page{Body: []byte(page), URL: base}); !errors.Is(err, ErrNoText) || got != (Article{}) {
			t.Errorf("%q: got %q, %v", page, got, err)
		}
	}
}

func TestContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Read(ctx, Page{Body: []byte(story("", "")), URL: base}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// FuzzRead puts pages together from pieces, which finds more than random bytes
// do: each byte of the input stands for one piece.
func FuzzRead(f *testing.F) {
	pieces := []string{
		"<p>", "</p>", "<div>", "</div>", "<b>", "</b>", "<a href=/>", "</a>", "<table>", "<tr>", "<td>", "</table>",
		"<script>", "</script>", `<script type="application/ld+json">`, `{"articleBody":"`, `"}`, "<style>", "</style>", "<!--", "-->", "<!doctype html>",
		"<html a=1>", "<body class=x>", "<head>", "</head>", "<svg>", "</svg>", "<math>", "<template>", "</template>", "<noscript>", "</noscript>",
		"<select>", "<option>", "<textarea>", "</textarea>", "<title>", "</title>", "<frameset>", "<img alt=secret src=x>",
		"<ul>", "<li>", "<br>", "<h1>", "</h1>", "<article>", "</article>", "<p class=comment>", "<div style=display:none>", "<p hidden>",
		"&amp;", "&lt;", "&#0;", "&#x10ffff;", "&", "<", ">", "\"", "\x00", "\xff", " ", "\n", "ക", "word, word ", sentence, sentence + sentence,
	}
	f.Add([]byte{0, 66, 66, 66, 1})
	f.Add([]byte{14, 15, 66, 16, 13})
	f.Add([]byte{0, '%', '(', '0', '0'}) // a title in the middle of the page
	f.Add([]byte{0x82, 0x7f})            // a stray byte in UTF-8
	f.Fuzz(func(t *testing.T, soup []byte) {
		if len(soup) > 2000 {
			return
		}
		var b strings.Builder
		for _, c := range soup {
			b.WriteString(pieces[int(c)%len(pieces)])
		}
		a, err := Read(t.Context(), Page{Body: []byte(b.String()), ContentType: "text/html", URL: base})
		text := a.Text
		if errors.Is(err, ErrPanic) {
			t.Fatal(err)
		}
		if !utf8.ValidString(text) || len(text) > maxTextBytes || (text == "") != (err != nil) || strings.Contains(text, "secret") {
			t.Errorf("got %q, %v", text, err)
		}
	})
}
