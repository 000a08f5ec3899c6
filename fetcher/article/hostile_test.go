package article

import (
	"fmt"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"
)

var base = &url.URL{Scheme: "https", Host: "news.example", Path: "/story"}

// cpuTime is what this process has computed so far. The clock on the wall would
// tell of the machine's other work too.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestHostilePages: whatever a page of 2 MiB holds, it costs little time.
func TestHostilePages(t *testing.T) {
	const size = 2 << 20
	fill := func(unit string) string { return strings.Repeat(unit, size/len(unit)) }
	count := func(n int, unit func(i int) string) string {
		var b strings.Builder
		for i := 0; i < n && b.Len() < size; i++ {
			b.WriteString(unit(i))
		}
		return b.String()
	}
	some := func(n int, unit string) string { return strings.Repeat(unit, n) }
	prose := "<p>" + some(20, "One of the sentences of a story, with commas, and words. ") + "</p>"
	for name, page := range map[string]string{
		"nested div":                      fill("<div>"),
		"nested div, few":                 some(500, "<div>") + prose,
		"nested anchors":                  fill("<a href=/>"),
		"anchors, few":                    some(maxElements-10, "<a href=/>x"),
		"formatting":                      fill("<b><i><u>"),
		"formatting, reconstructed":       count(maxElements/2-10, func(i int) string { return fmt.Sprintf("<p><b class=%d>x", i) }),
		"formatting, misnested":           some(6000, "<b><p></b>x"),
		"tables":                          fill("<table><tr><td>"),
		"tables, foster-parented":         some(6000, "<table>x</table>"),
		"one table":                       "<table>" + some(9000, "<b>x"),
		"selects":                         fill("<select><option>"),
		"templates":                       fill("<template>"),
		"html with attributes":            count(maxElements-10, func(i int) string { return fmt.Sprintf("<html a%d=1>", i) }),
		"body with attributes":            count(maxElements-10, func(i int) string { return fmt.Sprintf("<body class=%d id=%d>", i, i) }),
		"attributes":                      "<p " + count(300_000, func(i int) string { return fmt.Sprintf("a%d ", i) }) + ">" + prose,
		"the same attribute":              "<p " + fill("class=a ") + ">" + prose,
		"a long attribute":                `<p class="` + fill("a ") + `">` + prose,
		"comments":                        fill("<!-- -->"),
		"an open comment":                 "<!--" + fill("-"),
		"an open tag":                     "<p " + fill("a"),
		"an open script":                  "<script>" + fill("<!--"),
		"entities":                        "<p>" + fill("&amp;"),
		"entities without end":            "<p>" + fill("&CounterClockwiseContourIntegra"),
		"null bytes":                      fill("\x00"),
		"one word":                        "<p>" + fill("a"),
		"blanks":                          "<p>" + fill(" \n"),
		"many paragraphs":                 some(maxElements-100, "<p>One, two, three and more words than that, to be taken for a text.</p>"),
		"divs of text":                    some(maxElements/2, "<div>One, two, three and more words than that,<br></div>"),
		"nested lists":                    some(200, "<ul><li>") + prose + some(200, "</ul>"),
		"wide tree of deep trees":         some(60, some(300, "<div>")+"One, two, three and more words than that, to be taken for text."+some(300, "</div>")),
		"spans in deep divs":              some(400, "<div>") + some(19_000, "<span>a, b</span>"),
		"spans in deep divs, without end": some(400, "<div>") + fill("<span>a, b</span>"),
		"br chains":                       some(19_000, "x<br><br>"),
		"headings":                        some(9_000, "<h2>One, two</h2>"),
		"svg":                             fill("<svg><g>"),
		"math":                            some(400, "<math><mi>") + prose,
		"linked data, nested":             `<script type="application/ld+json">{"articleBody":` + strings.Repeat("[", 200_000) + `</script>`,
		"linked data, many":               some(15_000, `<script type="application/ld+json">{"articleBody":"x"}</script>`),
		"utf-16":                          "\xfe\xff" + fill("\x00<\x00b\x00>"),
		"utf-16 cut off":                  "\xff\xfe<",
		"iso-2022-jp":                     `<meta charset=iso-2022-jp>` + fill("\x1b$B\x1b(B"),
		"classes to match":                count(9_000, func(i int) string { return "<div class='" + some(60, "comment ") + "'>text, text</div>" }),
		"data in nested tables":           some(100, "<table><tr><td>") + some(5_000, "<p>one, two, three</p>"),
		"everything hidden":               `<div style="display:none">` + some(500, prose),
		"frameset":                        "<frameset>" + fill("<frame>"),
		"plaintext":                       "<plaintext>" + fill("<p>a, b"),
		"isindex and other rarities":      fill("<isindex><keygen><menuitem><ruby><rt><rp>"),
	} {
		t.Run(name, func(t *testing.T) {
			began := cpuTime(t)
			a, err := Read(t.Context(), Page{Body: []byte(page), ContentType: "text/html", URL: base})
			text := a.Text
			took := cpuTime(t) - began
			if took > 2*time.Second*raceCost {
				t.Errorf("took %s", took)
			}
			if len(text) > maxTextBytes {
				t.Errorf("%d bytes of text", len(text))
			}
			if (text == "") != (err != nil) {
				t.Errorf("%d bytes of text with error %v", len(text), err)
			}
			t.Logf("%s, %d bytes, %v", took.Round(time.Millisecond), len(text), err)
		})
	}
}
