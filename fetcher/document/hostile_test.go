package document

import (
	"errors"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/newswatch/newswatch/feed"
)

// nested returns n times open, then n times end.
func nested(n int, open, end string) string { return strings.Repeat(open, n) + strings.Repeat(end, n) }

func inItem(s string) string {
	return `<rss version="2.0"><channel><title>t</title><item><title>a story</title><guid>1</guid>` + s + `</item></channel></rss>`
}

// hostile are documents that cost gofeed alone seconds, gigabytes or the whole
// process, and kin of theirs. They are made here, because they are large.
var hostile = []struct {
	name string
	body func() string
	// err is what Parse has to say; nil is a document that is read all the same.
	err error
}{
	{"two million nested extension elements", func() string {
		return `<rss xmlns:x="urn:x"><channel><item>` + nested(2_000_000/8, "<x:a><x:b><x:a><x:b><x:a><x:b><x:a><x:b>", "")
	}, ErrHostile},
	{"three hundred nested elements of no use", func() string { return inItem(nested(300, "<x:a>", "</x:a>")) }, ErrHostile},
	{"three hundred nested groups", func() string { return inItem(nested(300, "<media:group>", "</media:group>")) }, ErrHostile},
	{"nested channels", func() string { return "<rss>" + nested(100_000, "<channel>", "</channel>") + "</rss>" }, ErrHostile},
	{"nested items", func() string { return "<rss><channel>" + nested(90_000, "<item>", "</item>") }, ErrBrokenOff},
	{"nested markup in a text", func() string {
		return inItem("<description>" + nested(900_000, "<div>", "</div>") + "</description>")
	}, nil},
	{"twenty thousand nested namespaces", func() string {
		var b strings.Builder
		b.WriteString("<rss><channel><item>")
		for i := range 20_000 {
			b.WriteString("<media:group xmlns:n" + sprint("%d", i) + `="urn:x">`)
		}
		return b.String()
	}, ErrHostile},
	{"twenty thousand namespaces on one element", func() string {
		var b strings.Builder
		b.WriteString("<rss")
		for i := range 20_000 {
			b.WriteString(sprint(` xmlns:n%d="u%d"`, i, i))
		}
		return b.String() + ">" + strings.Repeat("<channel/>", 20_000) + "</rss>"
	}, ErrHostile},
	{"a hundred namespaces on one element", func() string {
		var b strings.Builder
		b.WriteString("<rss")
		for i := range 100 {
			b.WriteString(sprint(` xmlns:n%d="u%d"`, i, i))
		}
		return b.String() + "><channel/></rss>"
	}, ErrHostile},
	{"a million comments that split a text", func() string {
		return inItem("<title>" + strings.Repeat("x<!---->", 1_000_000))
	}, ErrHostile},
	{"a hundred thousand comments that split a text", func() string {
		return inItem("<description>" + strings.Repeat("x<!---->", 100_000) + "</description>")
	}, nil},
	{"CDATA sections that split an extension's text", func() string {
		return inItem("<dc:creator>" + strings.Repeat("x<![CDATA[y]]>", 150_000) + "</dc:creator>")
	}, nil},
	{"ends of CDATA in an extension's text", func() string {
		return inItem("<dc:creator>" + strings.Repeat("]]&gt;", 500_000) + "</dc:creator>")
	}, nil},
	{"entities in an extension's text", func() string {
		return inItem("<dc:creator>" + strings.Repeat("&amp;", 640_000) + "</dc:creator>")
	}, nil},
	{"ampersands", func() string { return inItem("<description>" + strings.Repeat("&", 4<<20) + "</description>") }, nil},
	{"half a tag again and again in a text", func() string {
		return inItem("<description><![CDATA[" + strings.Repeat("<a ", 1<<20) + "]]></description>")
	}, nil},
	{"scripts never closed in a name", func() string {
		return inItem("<dc:creator><![CDATA[" + strings.Repeat("<script>", 1<<17) + "]]></dc:creator>")
	}, nil},
	{"frames never closed", func() string {
		return inItem("<description><![CDATA[" + strings.Repeat("<svg><iframe>", 1<<16) + "]]></description>")
	}, nil},
	{"1.4 million empty items", func() string { return "<rss><channel>" + strings.Repeat("<item/>", 1_400_000) }, ErrHostile},
	{"fifty thousand items", func() string {
		return "<rss><channel>" + strings.Repeat("<item><title>x</title></item>", 50_000) + "</channel></rss>"
	}, nil},
	{"ten thousand categories", func() string {
		var b strings.Builder
		for i := range 10_000 {
			b.WriteString(sprint("<category>%d</category><dc:creator>%d</dc:creator>", i, i))
		}
		return inItem(b.String())
	}, nil},
	{"white space without end", func() string { return "<rss><channel>" + strings.Repeat(" ", 12<<20) }, ErrBrokenOff},
	{"nothing but white space", func() string { return strings.Repeat("\n", 12<<20) }, ErrNotFeed},
	{"one tag without end", func() string { return "<rss><channel><item a='" + strings.Repeat("a", 1<<20) }, ErrHostile},
	{"attributes without end", func() string { return "<rss><channel><item " + strings.Repeat("a='' ", 10_000) + "/>" }, ErrHostile},
	{"quotes without end", func() string { return "<rss><channel>" + strings.Repeat(`<item a="`, 200_000) }, ErrHostile},
	{"comments without end", func() string { return "<rss><channel>" + strings.Repeat("<!-- >", 2<<20) }, ErrHostile},
	{"CDATA without end", func() string { return "<rss><channel>" + strings.Repeat("<![CDATA[", 1<<20) }, ErrBrokenOff},
	{"instructions without end", func() string { return "<rss><channel>" + strings.Repeat("<?a >", 2<<20) }, ErrHostile},
	{"doctypes without end", func() string { return strings.Repeat("<!DOCTYPE [", 1<<20) + "<rss>" }, ErrNotFeed},
	{"doctypes without end in the feed", func() string { return "<rss>" + strings.Repeat("<!DOCTYPE [>", 190_000) }, ErrBrokenOff},
	{"end tags of nothing", func() string { return "<rss><channel>" + strings.Repeat("</x>", 2<<20) }, ErrHostile},
	{"a billion laughs", func() string {
		var b strings.Builder
		b.WriteString(`<!DOCTYPE r [<!ENTITY a0 "` + strings.Repeat("ha", 400) + `">`)
		for i := range 20 {
			b.WriteString(sprint(`<!ENTITY a%d "%s">`, i+1, strings.Repeat(sprint("&a%d;", i), 10)))
		}
		return b.String() + "]>" + inItem("<description>"+strings.Repeat("&a20;&a0;", 100_000)+"</description>")
	}, nil},
	{"an external entity", func() string {
		return `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + inItem("<description>&x;</description>")
	}, nil},
	{"JSON nested a million deep", func() string {
		return `{"version":"https://jsonfeed.org/version/1","x":` + strings.Repeat("[", 1_000_000)
	}, ErrHostile},
	{"JSON nested three hundred deep", func() string {
		return `{"version":"https://jsonfeed.org/version/1","x":` + nested(300, "[", "]") + `,"items":[]}`
	}, ErrHostile},
	{"JSON objects nested in an item", func() string { return `{"version":"1","items":[` + strings.Repeat(`{"x":`, 500_000) }, ErrHostile},
	{"JSON of a million values", func() string { return `{"version":"1","items":[` + strings.Repeat(`0,`, 1_000_000) + "]}" }, ErrHostile},
	{"JSON with nothing in the item list", func() string { return `{"version":"https://jsonfeed.org/version/1","items":[null,null]}` }, nil},
	{"JSON with nobody among the authors", func() string {
		return `{"version":"https://jsonfeed.org/version/1","authors":[null],"items":[{"id":"1","title":"a","authors":[null],"author":null}]}`
	}, nil},
	{"JSON of one long string", func() string { return `{"version":"` + strings.Repeat("x", 12<<20) }, ErrNotFeed},
	{"JSON keys without end", func() string { return `{` + strings.Repeat(`"a":1,`, 1_000_000) }, ErrHostile},
	{"UTF-16 of nothing", func() string { return "\xFF\xFE" + strings.Repeat("\x00", 4<<20) }, ErrNotFeed},
	{"bytes that are no text", func() string { return strings.Repeat("\x81\x8D\x00", 1<<20) }, ErrNotFeed},
	{"combining marks without end", func() string { return inItem("<description>a" + strings.Repeat("\u0301", 500_000) + "</description>") }, nil},
	{"the same guid fifty thousand times", func() string {
		return "<rss><channel>" + strings.Repeat("<item><guid>1</guid></item>", 50_000) + "</channel></rss>"
	}, nil},
	{"a sitemap of a hundred and fifty thousand pages", func() string {
		return "<urlset>" + strings.Repeat("<url><loc>/a-b</loc><lastmod>2026-11-23</lastmod></url>", 150_000) + "</urlset>"
	}, nil},
	{"a sitemap of two million elements", func() string { return "<urlset>" + strings.Repeat("<url/>", 2_000_000) }, ErrHostile},
	{"a sitemap of nested pages", func() string { return "<urlset>" + strings.Repeat("<url>", 400_000) }, ErrBrokenOff},
	{"a sitemap of nested news", func() string { return "<urlset><url>" + strings.Repeat("<news:news>", 1000) }, ErrHostile},
	{"a sitemap of nested pictures", func() string { return "<urlset><url>" + strings.Repeat("<image:image>", 1000) }, ErrHostile},
	{"a sitemap with a title of twelve million bytes", func() string {
		return "<urlset><url><loc>/a</loc><news:news><news:title>" + strings.Repeat("&amp;", 12<<20/5) + "</news:title></news:news></url></urlset>"
	}, nil},
	{"a sitemap of one address without end", func() string { return "<urlset><url><loc>/" + strings.Repeat("a-", 6<<20) }, ErrBrokenOff},
	{"a sitemap of a thousand namespaces", func() string {
		var b strings.Builder
		b.WriteString("<urlset><url>")
		for i := range 1000 {
			b.WriteString(sprint(`<news:news xmlns:n%d="u">`, i))
		}
		return b.String()
	}, ErrHostile},
	{"an index of a hundred and fifty thousand sitemaps", func() string {
		var b strings.Builder
		b.WriteString("<sitemapindex>")
		for i := range 150_000 {
			b.WriteString(sprint("<sitemap><loc>/%d.xml</loc></sitemap>", i))
		}
		return b.String()
	}, nil},
	{"too large", func() string { return "<rss>" + strings.Repeat(" ", 17<<20) }, ErrHostile},
}

// TestHostile shows that no document costs more than a bounded time and memory.
// The bounds here are far above what is measured, for slow machines and the race
// detector; the seconds and gigabytes that these documents cost gofeed alone are
// further above.
func TestHostile(t *testing.T) {
	for _, c := range hostile {
		t.Run(c.name, func(t *testing.T) {
			body := []byte(c.body())
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := cpu(t)
			// Nor is a document hostile for that.
			doc, err := Parse(t.Context(), Input{Body: body, FeedID: "f", URL: "https://example.org/feed", Sitemap: true, Limits: Limits{Time: time.Minute}})
			took := cpu(t) - start // not what others make the machine wait
			runtime.ReadMemStats(&after)
			allocated := (after.TotalAlloc - before.TotalAlloc) >> 20
			t.Logf("%d kB: %v, %d MiB allocated, %v", len(body)>>10, took.Round(time.Millisecond/10), allocated, err)
			if !errors.Is(err, c.err) || c.err == nil && err != nil {
				t.Errorf("error is %v, want %v", err, c.err)
			}
			if took > 4*time.Second {
				t.Errorf("took %v", took)
			}
			if allocated > 256 {
				t.Errorf("allocated %d MiB", allocated)
			}
			if doc != nil {
				checkDocument(t, doc, DefaultLimits())
			}
		})
	}
}

// checkDocument checks what holds for every document, whatever it was made of.
func checkDocument(t testing.TB, doc *Document, lim Limits) {
	t.Helper()
	ids := make(map[feed.ItemID]bool)
	if len(doc.Items) > lim.Items {
		t.Errorf("%d items", len(doc.Items))
	}
	link := func(what, s string) {
		if s != "" && !strings.HasPrefix(s, "http://") && !strings.HasPrefix(s, "https://") {
			t.Errorf("%s is %q", what, s)
		}
	}
	line := func(what, s string, max int) {
		if len(s) > max {
			t.Errorf("%s has %d bytes", what, len(s))
		}
		if strings.ContainsAny(s, "\n\r\t\x00") || s != strings.TrimSpace(s) {
			t.Errorf("%s is not one line: %q", what, s)
		}
		if tagAt(s, 0) >= 0 {
			t.Errorf("%s holds markup: %q", what, s)
		}
	}
	plain := func(what, s string, max int) {
		if len(s) > max {
			t.Errorf("%s has %d bytes", what, len(s))
		}
		for _, r := range s {
			if r != '\n' && (classify(r) == drop || r < ' ') {
				t.Errorf("%s holds %U", what, r)
			}
		}
	}
	line("title", doc.Title, lim.TitleBytes)
	link("link", doc.Link)
	link("self", doc.Hints.Self)
	for _, hub := range doc.Hints.Hubs {
		link("hub", hub)
	}
	if len(doc.Children) > maxChildren {
		t.Errorf("%d children", len(doc.Children))
	}
	for _, c := range doc.Children {
		link("child", c.URL)
	}
	for _, it := range doc.Items {
		if ids[it.ID] {
			t.Errorf("id %v stands twice", it.ID)
		}
		ids[it.ID] = true
		if strings.ContainsFunc(it.GUID, func(r rune) bool { return !allowed(r) }) || len(it.GUID) > maxGUID {
			t.Errorf("guid is %q", it.GUID)
		}
		line("item title", it.Title, lim.TitleBytes)
		line("outlet", it.Outlet, maxName)
		link("item link", it.Link)
		plain("title", it.Title, lim.TitleBytes)
		plain("summary", it.Summary, lim.TextBytes)
		plain("content", it.Content, lim.TextBytes)
		for _, name := range append(append([]string(nil), it.Authors...), it.Categories...) {
			line("name", name, maxName)
		}
		if len(it.Authors) > maxNames || len(it.Categories) > maxNames {
			t.Errorf("%d authors, %d categories", len(it.Authors), len(it.Categories))
		}
	}
}

// cpu is the time of a processor that this process has used.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
