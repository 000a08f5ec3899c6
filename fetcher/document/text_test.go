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
