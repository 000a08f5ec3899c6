package fetcher

import (
	"strings"
	"testing"
	"time"
)

// TestHostileDocuments sends documents that hurt whoever trusts them. Each is
// one failed poll, or a poll that read what there was, and the next feed of the
// same client is none the worse. What the documents do inside is tested where
// they are read, in package document.
func TestHostileDocuments(t *testing.T) {
	nested := func(open, end string, n int) string {
		return `<rss version="2.0"><channel><item><title>a</title>` + strings.Repeat(open, n) + strings.Repeat(end, n) + `</item></channel></rss>`
	}
	c, _ := newClient(t, Options{Timeout: time.Minute, Limits: patient})
	for _, tt := range []struct {
		name   string
		body   string
		reason Reason // empty when something must be read
	}{
		{"a million nested elements", nested("<a>", "</a>", 1_000_000), ReasonHostile},
		{"a million nested extensions", nested("<x:a>", "</x:a>", 500_000), ReasonHostile},
		{"nested namespaces", nested(`<a xmlns:b="c">`, "</a>", 20_000), ReasonHostile},
		{"two million elements", nested("<a/>", "", 2_000_000), ReasonHostile},
		{"a million comments", nested("<!---->", "", 1_000_000), ReasonHostile},
		{"nested JSON", `{"version":"https://jsonfeed.org/version/1.1","items":` + strings.Repeat("[", 1_000_000), ReasonHostile},
		{"JSON with null items", `{"version":"https://jsonfeed.org/version/1.1","title":"x","items":[null,{"id":"1","title":"a","authors":[null]}]}`, ""},
		{"entities that stand for themselves", `<!DOCTYPE rss [<!ENTITY a "&a;&a;">]>` + strings.Replace(rss("a"), `<?xml version="1.0" encoding="UTF-8"?>`, "", 1), ""},
		{"a page", "<!doctype html><html><head><title>x</title></head><body>Please log in</body></html>", ReasonNotAFeed},
		{"nothing", "", ReasonNotAFeed},
		{"blanks", strings.Repeat(" \n", 1<<20), ReasonNotAFeed},
		{"zeros", strings.Repeat("\x00", 1<<20), ReasonNotAFeed},
		{"a picture that calls itself a feed", "\x89PNG\r\n\x1a\n" + strings.Repeat("\x01", 1000), ReasonNotAFeed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, "127.0.0.1", sends(compressed(t, "gzip", tt.body), "Content-Encoding: gzip"))
			outcome := Fetched
			if tt.reason != "" {
				outcome = Failed
			}
			began := cpu(t)
			res := check(t, c, feedAt(s.URL), State{}, outcome, tt.reason)
			took := cpu(t) - began
			if took > 15*time.Second {
				t.Errorf("took %s", took)
			}
			t.Logf("%s, %s", took.Round(time.Millisecond), res.State.LastError)
			s.serve(sends(rss("b")))
			check(t, c, feedAt(s.URL), res.State, Fetched, "")
		})
	}
}
