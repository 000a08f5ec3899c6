package document

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "A plain sentence.", "A plain sentence."},
		{"paragraphs", "<p>One.</p><p>Two.</p>", "One.\n\nTwo."},
		{"lines", "One<br>Two<br/>Three", "One\nTwo\nThree"},
		{"a list", "<ul><li>One</li><li>Two</li></ul>", "One\nTwo"},
		{"words in bold", "P-<b>Hunt</b> and <i>CCSE</i>.", "P-Hunt and CCSE."},
		{"white space", "  a \n\t b&nbsp;&nbsp;c ", "a b c"},
		{"paragraphs of plain text", "One\nline.\n\nTwo.", "One line.\n\nTwo."},
		{"preformatted", "<pre>a\n b</pre>", "a\nb"},
		{"references", "AT&amp;T caf&eacute; &#8217;x&#x2019; &copy;", "AT&T café ’x’ ©"},
		{"references escaped twice", "AT&amp;amp;T &amp;quot;x&amp;quot; it&amp;#8217;s", `AT&T "x" it’s`},
		{"HTML escaped twice", "&lt;p&gt;One.&lt;/p&gt;&lt;p&gt;Two&amp;nbsp;x.&lt;/p&gt;", "One.\n\nTwo x."},
		{"code that is shown", "<p>Use &lt;b&gt; for bold.</p>", "Use <b> for bold."},
		{"script and style", "a<script>alert('<p>')</script>b<style>p{}</style>c", "abc"},
		{"a picture's text", `a <img src="x" alt="the child's name"> b`, "a b"},
		{"frames, drawings, templates", "a<iframe>x</iframe><svg><text>x</text></svg><template>x</template><video>x</video>b", "ab"},
		{"a frame closed as XHTML closes it", `a <iframe src="x"/> b <script src="x"/> c`, "a b c"},
		{"an object never closed", "safe<object data='x'> text", "safe text"},
		{"a script never closed", "safe <script>text", "safe text"},
		{"the rest as plain text", "a<plaintext><b>c</b>", "ac"},
		{"controls and overrides", "a\u202Eb\u0007c\u2066d\uFEFFe\u0085f", "abcde f"},
		{"joiners that Malayalam needs", "അവന്\u200D", "അവന്\u200D"},
		{"composed", "cafe\u0301", "café"},
		{"less than", "a < b and c > d", "a < b and c > d"},
		{"a table", "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"},
		{"cut in the middle of a tag", "One <a href=\"http", "One"},
		{"comments", "a<!-- x -->b<!DOCTYPE x>c", "abc"},
	} {
		if got := Text(c.in, 1<<10); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// FuzzStripPlain holds what is made of plain markup against what a tokenizer makes
// of it. Half of the parts that it is composed of are not plain.
func FuzzStripPlain(f *testing.F) {
	parts := []string{
		"words in a row", " ", "\n", "\n\n", "a  b", "&amp;", "&lt;p&gt;", "&nbsp;", "&copy", "ക്ഷ", "\u202e", "\x00", "\u0085",
		"<p>", "</p>", "<br>", "<br/>", "<br />", `<a href="https://paper.example/?a=1&b=2">`, "</a>", `<img src='x' alt="">`, "<td>", "<td/>", `<td a="/">`, "</td>",
		"<h1>", `<p class="a" hidden>`, `<p a = "b">`, "<p a=b>", `<p "a">`, `<p a="b"c="d">`, `<p a=">">`, "<P>", "<o:p>", "<p/", "<p", "< p>", "</ p>", "</p >", "</p a='b'>",
		"<td a/>", "<pre>", "</pre>", "<script>", "</script>", "<title>", "<!-- x -->", "<?x?>", "</>", "\r\n", "\f", "<p\f>", `<p a="`, "<1>", "<p1>", "<=>",
	}
	f.Add([]byte{0, 13, 0, 14})
	for i := range parts {
		for j := range parts {
			f.Add([]byte{0, byte(i), 3, byte(j), 2, 0})
		}
	}
	f.Fuzz(func(t *testing.T, order []byte) {
		var b strings.Builder
		for _, c := range order {
			b.WriteString(parts[int(c)%len(parts)])
		}
		for _, max := range []int{1 << 10, 3} {
			text, tags, ok := stripPlain(b.String(), max)
			if !ok {
				continue
			}
			if want, wantTags := stripAny(b.String(), max); text != want || tags != wantTags {
				t.Errorf("%q: %q, %v, want %q, %v", b.String(), text, tags, want, wantTags)
			}
		}
	})
}

// TestMostMarkupIsPlain fails when stripPlain gives up on what newspapers write.
func TestMostMarkupIsPlain(t *testing.T) {
	for _, s := range []string{
		`<p>One &amp; two.</p><img src="https://img.example/1.jpg" alt="" width="300"/><p><a href='https://paper.example/?a=b'>More</a></p>`,
		"Words.<br/><br />\n<div class=\"a b\" data-x=\"1\"><b>bold</b></div>",
	} {
		if _, tags, ok := stripPlain(s, 1<<10); !ok || !tags {
			t.Errorf("%q is not plain", s)
		}
	}
}

func TestTextIsCutBetweenCharacters(t *testing.T) {
	for max := range 40 {
		got := Text("<p>"+strings.Repeat("കുട്ടി ", 10), max)
		if len(got) > max || !utf8.ValidString(got) {
			t.Errorf("at %d: %q", max, got)
		}
	}
}

func TestTitle(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"A headline", "A headline"},
		{" A\n headline ", "A headline"},
		{"<b>A</b> headline<br>in two lines", "A headline in two lines"},
		{"&lt;b&gt;A&lt;/b&gt; headline", "A headline"},
		{"&amp;lt;b&amp;gt;A&amp;lt;/b&amp;gt; headline", "A headline"},
		{"AT&T", "AT&T"},
		{"AT&amp;T", "AT&T"},
		{"AT&amp;amp;T", "AT&T"},
		{"Q&A; more", "Q&A; more"},
		{"&copyright; x", "&copyright; x"},
		{"a < b", "a < b"},
		{"x<y", "x<y"},
		{"1 < 2 > 0", "1 < 2 > 0"},
		{"I <3 you", "I <3 you"},
		{"&lt;3", "<3"},
		{"Police &#8216;raid&#8217;", "Police ‘raid’"},
		{"a<script>alert(1)</script>b", "ab"},
		{"a<!-- x -->b", "ab"},
		{"a<!--", "a"},
		{"<img src=x onerror=alert(1)>", ""},
		{"<<b>script>alert(1)<</b>/script>", ""},
		{"&", "&"},
		{"", ""},
	} {
		if got := Title(c.in, 1<<10); got != c.want {
			t.Errorf("%q is %q, want %q", c.in, got, c.want)
		}
	}
	if got := Title(strings.Repeat("a &amp;", 200), 64); len(got) > 64 {
		t.Errorf("%d bytes", len(got))
	}
}
