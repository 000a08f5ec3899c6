package robots

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAllows(t *testing.T) {
	for _, tt := range []struct {
		name string // what the row shows, with the section of RFC 9309
		file string
		path string
		want bool
	}{
		{"no file", "", "/a", true},
		{"everybody is kept out", "User-agent: *\nDisallow: /", "/a", false},
		{"an empty Disallow asks nothing", "User-agent: *\nDisallow:", "/a", true},
		{"a path beside the rule", "User-agent: *\nDisallow: /private", "/public", true},
		{"a rule is a prefix (§2.2.2)", "User-agent: *\nDisallow: /private", "/privateer", false},
		{"our group, not everybody's (§2.2.1)", "User-agent: *\nDisallow: /\n\nUser-agent: newswatch\nDisallow: /x", "/a", true},
		{"our group wins wherever it stands (§2.2.1)", "User-agent: newswatch\nDisallow: /a\n\nUser-agent: *\nDisallow:", "/a", false},
		{"our group may ask nothing", "User-agent: newswatch\nDisallow:\n\nUser-agent: *\nDisallow: /", "/a", true},
		{"names are compared without case (§2.2.1)", "User-agent: NewsWatch\nDisallow: /a", "/a", false},
		{"a version after the name (§2.2.1)", "User-agent: newswatch/2.0\nDisallow: /a", "/a", false},
		{"a shorter name is another crawler", "User-agent: news\nDisallow: /", "/a", true},
		{"a longer name is another crawler", "User-agent: newswatchers\nDisallow: /", "/a", true},
		{"two names, one group (§2.2.1)", "User-agent: other\nUser-agent: newswatch\nDisallow: /a", "/a", false},
		{"another's group before everybody's", "User-agent: other\nDisallow:\nUser-agent: *\nDisallow: /a", "/a", false},
		{"two groups of ours are one (§2.2.1)", "User-agent: newswatch\nDisallow: /a\n\nUser-agent: x\nDisallow: /\n\nUser-agent: newswatch\nDisallow: /b", "/b", false},
		{"a rule before any group is nobody's", "Disallow: /\nUser-agent: *\nDisallow: /b", "/a", true},
		{"an unknown line does not end the names (§2.2.4)", "User-agent: newswatch\nSitemap: https://example.org/s\nDisallow: /a", "/a", false},
		{"a line of nonsense is passed over (§2.2)", "User-agent: *\nCrawl-delay: x\nnonsense\nDisallow: /a", "/a", false},
		{"comments (§2.2.3)", "User-agent: * # all\nDisallow: /a # this", "/a", false},
		{"byte order mark", "\ufeffUser-agent: *\nDisallow: /a", "/a", false},
		{"carriage returns alone", "User-agent: *\rDisallow: /a", "/a", false},
		{"the longest rule decides (§2.2.2)", "User-agent: *\nDisallow: /\nAllow: /news", "/news/1", true},
		{"the longest rule decides, whatever the order", "User-agent: *\nAllow: /news\nDisallow: /news/private", "/news/private/1", false},
		{"of two as long the allowing one (§2.2.2)", "User-agent: *\nDisallow: /a\nAllow: /a", "/a", true},
		{"of two as long the allowing one, other order", "User-agent: *\nAllow: /a\nDisallow: /a", "/a", true},
		{"star (§2.2.3)", "User-agent: *\nDisallow: /a*z", "/abcz", false},
		{"star is anchored at the start", "User-agent: *\nDisallow: /a*z", "/x/a/z", true},
		{"star at the start", "User-agent: *\nDisallow: *.pdf", "/x/y.pdf", false},
		{"end (§2.2.3)", "User-agent: *\nDisallow: /*.gif$", "/x.gif", false},
		{"end does not match more", "User-agent: *\nDisallow: /*.gif$", "/x.gif?a", true},
		{"end without a star", "User-agent: *\nDisallow: /a$", "/a", false},
		{"end without a star does not match more", "User-agent: *\nDisallow: /a$", "/ab", true},
		{"star and end look for the last place", "User-agent: *\nDisallow: /*a$", "/aba", false},
		{"two stars in order", "User-agent: *\nDisallow: /*b*a", "/ab", true},
		{"the query is part of the path", "User-agent: *\nDisallow: /*?print", "/a?print=1", false},
		{"an encoded letter is the letter (§2.2.2)", "User-agent: *\nDisallow: /%7Ejoe", "/~joe/", false},
		{"encoded on our side", "User-agent: *\nDisallow: /~joe", "/%7ejoe/", false},
		{"beyond ASCII (§2.2.2)", "User-agent: *\nDisallow: /ツ", "/%E3%83%84", false},
		{"beyond ASCII on our side", "User-agent: *\nDisallow: /%E3%83%84", "/ツ", false},
		{"an encoded slash is none (§2.2.2)", "User-agent: *\nDisallow: /a%2Fb", "/a/b", true},
		{"a path without its slash", "User-agent: *\nDisallow: a", "/a", false},
		{"robots.txt itself (§2.2.2)", "User-agent: *\nDisallow: /", "/robots.txt", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Parse([]byte(tt.file), "newswatch").Allows(tt.path); got != tt.want {
				t.Errorf("Allows(%q) = %v with\n%s", tt.path, got, tt.file)
			}
		})
	}
}

// TestCostIsBounded asks the worst question that fits into a file and a URL.
func TestCostIsBounded(t *testing.T) {
	line := "Disallow: /" + strings.Repeat("*a", 500) + "b\n"
	file := "User-agent: *\n" + strings.Repeat(line, MaxBytes/len(line))
	rules := Parse([]byte(file), "newswatch")
	took := time.Hour
	for try := 0; took > time.Second && try < 3; try++ { // somebody else may have the machine
		began := time.Now()
		if !rules.Allows("/" + strings.Repeat("a", 4<<10)) {
			t.Error("no rule ends in what the path has")
		}
		took = time.Since(began)
	}
	if took > time.Second {
		t.Errorf("one question took %s", took)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("User-agent: *\nDisallow: /*a$\nAllow: /%7e", "/a?b")
	f.Add("0", "0\xdd%%666") // what comes of a decoding is not to be decoded again
	f.Add("User-agent: newswatch\nDisallow: %", "/%zz")
	f.Fuzz(func(t *testing.T, file, path string) {
		rules := Parse([]byte(file), "newswatch")
		rules.Allows(path)
		if got := normalize(normalize(path)); got != normalize(path) {
			t.Errorf("normalize is not stable: %q, %q", normalize(path), got)
		}
		for _, r := range rules.rules {
			if !r.allow && strings.Trim(r.pattern, "*") == "/" && len(rules.rules) == 1 && strings.HasPrefix(path, "/") &&
				path != "/robots.txt" && rules.Allows(path) {
				t.Errorf("%q allows %q", file, path)
			}
		}
	})
}

func TestSitemaps(t *testing.T) {
	file := "\xef\xbb\xbfSitemap: https://g.example/a.xml\r\nUser-agent: *\nDisallow: /x\nSITEMAP:https://g.example/b.xml # news\n sitemap : /c.xml\nSitemap:\nSitemap: https://g.example/a.xml\n"
	if got, want := Sitemaps([]byte(file)), []string{"https://g.example/a.xml", "https://g.example/b.xml", "/c.xml"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	var many strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&many, "Sitemap: /%d\n", i)
	}
	if got := Sitemaps([]byte(many.String())); len(got) != maxSitemaps {
		t.Errorf("%d sitemaps", len(got))
	}
}
