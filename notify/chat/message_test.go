package chat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"golang.org/x/net/html"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/notifytest"
)

func body(t testing.TB, room string, d notify.Digest) object {
	t.Helper()
	r, err := New(Config{URL: rooms[room]})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := r.Body(d)
	if err != nil {
		t.Fatal(err)
	}
	var v object
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// dig follows keys and numbers of elements.
func dig(v any, path ...string) any {
	for _, k := range path {
		switch x := v.(type) {
		case object:
			v = x[k]
		case map[string]any:
			v = x[k]
		case []any:
			n, err := strconv.Atoi(k)
			if err != nil || n >= len(x) {
				return nil
			}
			v = x[n]
		}
	}
	return v
}

func str(v any, path ...string) string {
	s, _ := dig(v, path...).(string)
	return s
}

// text is what a message shows, in whatever form the service wants it.
func shown(room string, v object) string {
	var b strings.Builder
	var runs func(any)
	runs = func(v any) {
		switch x := v.(type) {
		case []any:
			for _, e := range x {
				runs(e)
			}
		case map[string]any:
			b.WriteString(str(x, "text"))
			runs(x["elements"])
			if x["inlines"] != nil {
				runs(x["inlines"])
				b.WriteByte('\n')
			}
		}
	}
	switch room {
	case "slack", "slack-api":
		runs(v["blocks"])
		return b.String()
	case "teams":
		runs(dig(v, "attachments", "0", "content", "body"))
		return b.String()
	case "discord":
		return str(v, "content")
	case "mattermost":
		return str(v, "attachments", "0", "text")
	case "telegram", "rocketchat":
		return str(v, "text")
	case "matrix":
		return str(v, "body")
	}
	return str(v, "message")
}

// shape is how long the stories of a digest are.
type shape struct {
	title, link, also int
	excerpt           bool
}

// long is a digest with more and longer stories than any service has room for.
func long(stories int, of shape) notify.Digest {
	d := notifytest.Digest()
	g := notify.Group{Rule: "r", Name: "Rule", Severity: classifier.High}
	for i := range stories {
		e := d.Groups[0].Entries[0]
		e.Title = fmt.Sprintf("story-%d- %s *_[x](y)", i, strings.Repeat("കേരള പൊലീസ് ", of.title))
		e.Link = "https://news.example/" + strings.Repeat("p/", of.link) + strconv.Itoa(i)
		e.Also = nil
		if !of.excerpt {
			e.Excerpt, e.Outlet, e.AlsoRules, e.Title = classifier.Excerpt{}, "", nil, fmt.Sprintf("story-%d-", i)
		}
		for j := range of.also {
			e.Also = append(e.Also, notify.Report{Title: "x", Outlet: "Outlet " + strconv.Itoa(j), Link: "https://other.example/" + strconv.Itoa(j)})
		}
		g.Entries = append(g.Entries, e)
	}
	d.Groups, d.Hits, d.Entries, d.MoreURL = []notify.Group{g}, stories, stories, "https://newswatch.example/hits"
	for range notify.MaxCoverageNames {
		d.Coverage.Failing = append(d.Coverage.Failing, notify.SourceNote{Feed: strings.Repeat("f", 100), Note: strings.Repeat("n", 200)})
	}
	d.Coverage.FailingCount = len(d.Coverage.Failing)
	for i := range notify.MaxNotices {
		d.Notices = append(d.Notices, notify.Notice{At: d.Sealed, Text: "notice " + strconv.Itoa(i) + strings.Repeat(" lost", 50)})
	}
	d.LeaveURL, d.ChangeURL = "https://newswatch.example/leave", "https://newswatch.example/change"
	return d
}

// TestLimits: whatever a digest holds, it is one message within the service's
// limits, of whole stories, in order, and what is left out is counted.
func TestLimits(t *testing.T) {
	number := regexp.MustCompile(`story-(\d+)-`)
	for room := range rooms {
		for _, c := range []struct {
			stories int
			shape
		}{
			{0, shape{}},
			{1, shape{15, 100, notify.MaxAlso, true}},
			{7, shape{15, 100, notify.MaxAlso, true}},
			{60, shape{15, 100, notify.MaxAlso, true}},
			{60, shape{15, 10, 0, true}},
			{150, shape{0, 0, 0, false}},
		} {
			stories := c.stories
			d := long(stories, c.shape)
			v := body(t, room, d)
			s := strings.ReplaceAll(strings.ReplaceAll(shown(room, v), "\\", ""), joiner, "")
			found := number.FindAllStringSubmatch(s, -1)
			for i, m := range found {
				if m[1] != strconv.Itoa(i) {
					t.Fatalf("%s: story %s is at place %d", room, m[1], i)
				}
			}
			if n := strings.Count(s, "Counter Child Sexual Exploitation Centre") + strings.Count(s, "Counter Child *Sexual Exploitation* Centre"); n != 0 && n != len(found) {
				t.Errorf("%s: %d titles and %d excerpts", room, len(found), n)
			}
			if left := stories - len(found); left > 0 && !strings.Contains(s, strconv.Itoa(left)+" more") && !strings.Contains(s, strconv.Itoa(left)+" stor") {
				t.Errorf("%s: %d of %d stories are shown, and the text does not say so: %s", room, len(found), stories, s[max(0, len(s)-900):])
			} else if left > 0 && !strings.Contains(fmt.Sprint(v), "newswatch.example/hits") {
				t.Errorf("%s: no way to the other stories", room)
			}
			if stories > 0 && len(found) == 0 {
				t.Errorf("%s: not one of %d long stories is told", room, stories)
			}
			if stories > 0 && (!strings.Contains(s, "feeds") || !strings.Contains(fmt.Sprint(v), "newswatch.example/leave")) {
				t.Errorf("%s: nothing of the coverage, or no way to leave", room)
			}
			raw, err := encode(v)
			if err != nil {
				t.Fatal(err)
			}
			length, most := len(raw), 200_000
			switch room {
			case "discord":
				length, most = units(str(v, "content")), 2000
			case "telegram":
				n := 0
				for tok := range tokensOf(str(v, "text")) {
					n += units(tok)
				}
				length, most = n, 4096
				if marks := strings.Count(str(v, "text"), "</"); marks > 100 {
					t.Errorf("telegram: %d entities", marks)
				}
			case "slack", "slack-api":
				length, most = units(s), 13_200
			case "teams":
				most = 28_000
			case "matrix":
				most = 60_000
			case "mattermost":
				length, most = units(shown(room, v)), 16_383
			case "rocketchat":
				length, most = units(shown(room, v)), 5000
			case "ntfy":
				length, most = len(str(v, "message")), 4096
			case "gotify":
				most = 100_000
			}
			if length > most {
				t.Errorf("%s: %d stories take %d of %d", room, stories, length, most)
			}
		}
	}
}

// TestLongStory: a story that leaves no room for anything, as its publisher may
// want, is told as short as it must be, and keeps out none of those below it.
func TestLongStory(t *testing.T) {
	for room := range rooms {
		for _, excerpt := range []string{"", strings.Repeat("#", classifier.MaxExcerpt)} {
			d := notifytest.Digest()
			e := d.Groups[0].Entries[0]
			e.Title = "first-" + strings.Repeat("#", 145)
			e.Link = "https://evil.example/" + strings.Repeat("p", 2000)
			e.Excerpt = classifier.Excerpt{Text: excerpt}
			second, third := d.Groups[0].Entries[0], d.Groups[0].Entries[0]
			second.Title, third.Title = "second-", "third-"
			d.Groups = d.Groups[:1]
			d.Groups[0].Entries = []notify.Entry{e, second, third}
			d.Hits, d.Entries, d.More = 3, 3, 0
			s := shown(room, body(t, room, d))
			for _, want := range []string{"first", "second"} {
				if !strings.Contains(s, want) {
					t.Errorf("%s, with %d bytes of excerpt: nothing of the %s story: %s", room, len(excerpt), want, s)
				}
			}
		}
	}
}

// tokensOf yields the text of a piece of HTML.
func tokensOf(s string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for z := html.NewTokenizer(strings.NewReader(s)); ; {
			switch z.Next() {
			case html.ErrorToken:
				return
			case html.TextToken:
				if !yield(string(z.Text())) {
					return
				}
			}
		}
	}
}

// hostile are titles that try to become something else than text.
var hostile = []string{
	"@everyone look", "@here", "@channel", "@all", "<!channel>", "<!here|x>", "<@U123>", "<#C1>", "<@&99>", "<@!1>", "@someone", "＠everyone",
	"[win](https://evil.example)", "[a]: https://evil.example", "![x](https://evil.example/p.png)", "<https://evil.example|click>", "<https://evil.example>",
	"https://evil.example/x", "http://evil.example", "www.evil.example", "evil.example", "203.0.113.9", "tg://user?id=1", "mailto:a@evil.example", "//evil.example",
	"**bold**", "__u__", "*i*", "_i_", "~~s~~", "~s~", "||spoiler||", "`code`", "```\nblock", "> quote", "# head", "## head", "- item", "1. item", "* item", "+ item",
	"<b>x</b>", "<a href=\"https://evil.example\">x</a>", "<img src=x onerror=alert(1)>", "</a><a href='https://evil.example'>", "&lt;b&gt;", "&#x3c;b>", "<script>",
	":smile: :skull_and_crossbones:", "/leave now", "#tag", "$x^2$", "$$x$$", "{{x}}", "%s %d", "\\*x\\*", "x\\", "x\\\\", "](https://evil.example)", ")]([", "a](b", "[x][y]",
	"line\nbreak", "line\r\nSubject: x", "\u202eevil", "a\u0000b", "=?utf-8?q?x?=", "---", "===", "| a | b |", "<details>", "‹b›", "[[x]]", "<t:1700000000:R>", "</cmd:1>", "<:e:1>",
}

func hostileDigest(title string) notify.Digest {
	d := notifytest.Digest()
	d.Groups[0].Name = title
	e := d.Groups[0].Entries[0]
	e.Title, e.Outlet, e.AlsoRules = title, title, []string{title}
	e.Link = "https://news.example/a(b)*c_d?x=[y]&z=`w`|v"
	e.Excerpt = classifier.Excerpt{Text: title + " " + title, Marks: [][2]int{{0, len(title)}}}
	e.Also = []notify.Report{{Title: title, Outlet: title, Link: "https://other.example/)x"}}
	d.Groups[0].Entries = []notify.Entry{e}
	d.Coverage.Failing = []notify.SourceNote{{Feed: title, Note: title}}
	return d
}

// ours are the only places that a link of such a digest may lead to.
var ours = []string{"https://news.example/a(b)*c_d?x=[y]&z=`w`|v", "https://other.example/)x"}

func TestHostileTitles(t *testing.T) {
	harmless := make(map[string]string)
	for room := range rooms {
		harmless[room] = shown(room, body(t, room, hostileDigest("harmless")))
	}
	for _, title := range hostile {
		d := hostileDigest(title)
		for room := range rooms {
			v := body(t, room, d)
			s := shown(room, v)
			for _, ping := range []string{"@everyone", "@here", "@channel", "@all", "@someone", "evil.example", "tg://", "203.0.113.9", ":smile:", "\u202e", "\x00"} {
				if strings.Contains(s, ping) {
					t.Errorf("%s: %q becomes %q", room, title, s)
					break
				}
			}
			switch room {
			case "telegram":
				checkHTML(t, room, title, str(v, "text"))
			case "matrix":
				checkHTML(t, room, title, str(v, "formatted_body"))
			case "discord", "mattermost":
				if room == "discord" && discordTag.MatchString(s) {
					t.Errorf("discord: %q becomes %q", title, s)
				}
				checkMarkdown(t, room, title, s, harmless[room])
			case "rocketchat":
				checkRocket(t, title, s)
			case "slack", "slack-api":
				if got := str(v, "text"); strings.ContainsAny(got, "<>") {
					t.Errorf("slack: the notification is %q", got)
				}
			}
		}
	}
}

// discordTag is what Discord reads as a mention, an emoji or a time.
var discordTag = regexp.MustCompile(`(^|[^\\])<[@#:t/]`)

// checkHTML: nothing but our own elements, and no link but to the reports.
func checkHTML(t *testing.T, room, title, s string) {
	t.Helper()
	for z := html.NewTokenizer(strings.NewReader(s)); ; {
		kind := z.Next()
		if kind == html.ErrorToken {
			return
		}
		tok := z.Token()
		switch kind {
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken, html.CommentToken, html.DoctypeToken:
			if !slices.Contains([]string{"a", "b", "br"}, tok.Data) {
				t.Errorf("%s: %q makes <%s> in %s", room, title, tok.Data, s)
			}
			for _, a := range tok.Attr {
				if a.Key != "href" || !leadsToUs(a.Val) {
					t.Errorf("%s: %q makes %s=%q", room, title, a.Key, a.Val)
				}
			}
		case html.TextToken, html.ErrorToken:
		}
	}
}

// leadsToUs: whole, and nowhere else.
func leadsToUs(link string) bool {
	plain, err := url.PathUnescape(link)
	return err == nil && slices.Contains(ours, plain)
}

// The markdown of Discord and Mattermost is close to GitHub's, with links made of
// bare addresses, of which goldmark is an implementation.
var markdown = goldmark.New(goldmark.WithExtensions(extension.GFM))

// checkMarkdown: a title that a Markdown parser reads becomes text: the page has
// the same elements as that of a harmless title.
func checkMarkdown(t *testing.T, room, title, s, harmless string) {
	t.Helper()
	count := func(s string) map[string]int {
		var page bytes.Buffer
		// A message begins a line wherever there is one.
		if err := markdown.Convert([]byte(strings.ReplaceAll(s, "\n", "\n\n")), &page); err != nil {
			t.Fatal(err)
		}
		n := make(map[string]int)
		for z := html.NewTokenizer(&page); ; {
			kind := z.Next()
			if kind == html.ErrorToken {
				return n
			}
			if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
				continue
			}
			tok := z.Token()
			n[tok.Data]++
			for _, a := range tok.Attr {
				if a.Key == "href" && !leadsToUs(a.Val) {
					t.Errorf("%s: %q leads to %s", room, title, a.Val)
				}
			}
		}
	}
	got, want := count(s), count(harmless)
	for _, n := range []map[string]int{got, want} {
		delete(n, "p")
		// A number and a point begin a list, ours too.
		delete(n, "ol")
		delete(n, "li")
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %q makes %v, a harmless title %v, of\n%s", room, title, got, want, s)
	}
}

// rocketMarkup is what Rocket.Chat reads as markup: what is not escaped of it must
// be ours.
var rocketMarkup = regexp.MustCompile("(^|[^\\\\])([_~`#<>|$]|\\[[^\\]]*\\]\\()")

func checkRocket(t *testing.T, title, s string) {
	t.Helper()
	for _, m := range rocketMarkup.FindAllStringIndex(s, -1) {
		rest := s[m[0]:]
		if i := strings.Index(rest, "]("); i >= 0 && strings.Contains(rest[:i], "[") && (strings.HasPrefix(rest[i+2:], "https://news.example/a") || strings.HasPrefix(rest[i+2:], "https://other.example/%29x")) {
			continue
		}
		if strings.HasPrefix(rest[1:], "_d?x") { // within our own link
			continue
		}
		t.Errorf("rocketchat: %q leaves %.60q", title, rest)
	}
}

func FuzzMessage(f *testing.F) {
	f.Add("@everyone [x](https://evil.example) <b>&amp;")
	f.Fuzz(func(t *testing.T, title string) {
		d := hostileDigest(title)
		for room := range rooms {
			v := body(t, room, d)
			if s := shown(room, v); strings.Contains(s, "@everyone") || strings.Contains(s, "://evil") {
				t.Errorf("%s: %q becomes %q", room, title, s)
			}
			if room == "telegram" {
				checkHTML(t, room, title, str(v, "text"))
			}
		}
	})
}

// Where a case began is told where there is room; a story goes before it.
func TestEarlier(t *testing.T) {
	for room := range rooms {
		for _, words := range []int{3, 3000} {
			d := notifytest.Digest().Trim(1, 0)
			d.Groups[0].Entries[0].Earlier = notify.Earlier{Title: strings.Repeat("begin ", words), Link: "https://first.example/1", Published: d.Sealed}
			r, err := New(Config{URL: rooms[room]})
			if err != nil {
				t.Fatal(err)
			}
			body, err := r.Body(d)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(body), "Kerala police arrest 41") {
				t.Errorf("%s: the story gave way to where it began", room)
			}
			if told := strings.Contains(string(body), "https://first.example/1"); told != (words == 3) && (words == 3 || room == "discord") {
				t.Errorf("%s: with %d words, the beginning is told: %t", room, words, told)
			}
		}
	}
}
