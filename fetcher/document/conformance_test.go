package document

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html/charset"
)

type expectation struct {
	File        string
	Group       string
	Profile     string
	Malformed   *bool
	BaseURL     string            `json:"base_url"`
	HTTPHeaders map[string]string `json:"http_headers"`
	Checks      []struct {
		Path  string
		Value json.RawMessage
	}
	Want struct {
		Entries         map[string]map[string]json.RawMessage
		FeedTitle       *string `json:"feed_title"`
		FeedLink        *string `json:"feed_link"`
		FeedLanguage    *string `json:"feed_language"`
		FeedDescription *string `json:"feed_description"`
	}
}

// leftOut are the cases that a reader of text alone has no answer to, or another.
var leftOut = map[string]string{
	"rss_empty_document.xml":                  "there is no feed in it",
	"channel_href_map_link.xml":               "CDF is no format of today",
	"http_content_language.xml":               "the header is the fetcher's, and the operator's word is better",
	"http_entry_id_base_content_location.xml": "an id is compared as it is written (RFC 4287 §4.2.6.1)",
	"entry_author_map_author.xml":             "an author is a name, without the address",
	"entry_created_multiple_values.xml":       "of two dates the first is taken, not the last",
	"item_description_and_summary.xml":        "of two summaries the description is taken, and none is content",
	"item_madeup_tags_element.xml":            "no publisher has such an element",
	"itunes_item_category_nested.xml":         "a podcast shop's shelf says nothing of the item",
	"entry_title_crazy.xml":                   "a page in a title: what a script holds is left out",
	"entry_summary_iframe.xml":                "what a frame holds is left out",
}

// TestConformance runs the cases of the feedparser suite that say something of an
// item's text, title, link, author, categories or dates.
func TestConformance(t *testing.T) {
	dir := corpus(t, "feeds-conformance")
	var readable rate
	fields := map[string]*rate{}
	field := func(name string) *rate {
		if fields[name] == nil {
			fields[name] = &rate{}
		}
		return fields[name]
	}
	readLines(t, filepath.Join(dir, "expectations.jsonl"), func(e expectation) {
		if leftOut[filepath.Base(e.File)] != "" {
			return
		}
		body, err := os.ReadFile(filepath.Join(dir, e.File))
		if err != nil {
			t.Fatal(err)
		}
		in := Input{Body: body, FeedID: "x", URL: e.BaseURL}
		for k, v := range e.HTTPHeaders {
			if strings.EqualFold(k, "content-type") {
				in.ContentType = v
			}
			if strings.EqualFold(k, "content-location") && strings.HasPrefix(v, "http") {
				in.URL = v
			}
		}
		// The cases are of one element each, so most items have nothing that could
		// name them; they are looked at before those are left out.
		tr, err := read(t.Context(), in, DefaultLimits())
		readable.add(err == nil, e.File+": "+errText(err))
		if err != nil {
			return
		}
		doc := tr.doc
		for _, c := range tr.items {
			doc.Items = append(doc.Items, c.item)
		}
		for _, check := range e.Checks {
			var label string
			if check.Path == "encoding" && json.Unmarshal(check.Value, &label) == nil && e.Profile == "illformed" {
				_, name := charset.Lookup(label)
				field("charset").add(doc.Charset == name, e.File+sprint(": have %q, want %q", doc.Charset, name))
			}
		}
		if e.Want.FeedTitle != nil {
			field("feed_title").add(samePlain(doc.Title, *e.Want.FeedTitle), e.File+sprint(": have %q, want %q", doc.Title, *e.Want.FeedTitle))
		}
		if e.Want.FeedLink != nil {
			l := CanonicalLink(e.BaseURL, *e.Want.FeedLink)
			field("feed_link").add(doc.Link == l, e.File+sprint(": have %q, want %q", doc.Link, l))
		}
		if e.Want.FeedLanguage != nil {
			field("feed_language").add(doc.Lang == language(*e.Want.FeedLanguage), e.File+sprint(": have %q, want %q", doc.Lang, *e.Want.FeedLanguage))
		}
		for n, want := range e.Want.Entries {
			i, _ := strconv.Atoi(n)
			for name, rawValue := range want {
				var value string
				if json.Unmarshal(rawValue, &value) != nil {
					value = string(rawValue)
				}
				what := e.File + "[" + n + "] " + name
				if i >= len(doc.Items) {
					field(name).add(false, what+sprint(": no item, want %q", value))
					continue
				}
				it := doc.Items[i]
				switch name {
				case "title":
					field(name).add(samePlain(it.Title, value), what+sprint(": have %q, want %q", it.Title, value))
				case "summary":
					field(name).add(samePlain(it.Summary, value) || samePlain(it.Content, value), what+sprint(": have %q, want %q", it.Summary, value))
				case "content":
					field(name).add(samePlain(it.Content, value), what+sprint(": have %q, want %q", it.Content, value))
				case "link":
					l := CanonicalLink(e.BaseURL, value)
					field(name).add(it.Link == l, what+sprint(": have %q, want %q", it.Link, l))
				case "id":
					field(name).add(it.GUID == value, what+sprint(": have %q, want %q", it.GUID, value))
				case "author":
					field(name).add(strings.Join(it.Authors, ", ") == value, what+sprint(": have %q, want %q", it.Authors, value))
				case "tags":
					tags := map[string]string{}
					if err := json.Unmarshal(rawValue, &tags); err != nil {
						t.Fatal(err)
					}
					ok := true
					for n, tag := range tags {
						i, _ := strconv.Atoi(n)
						ok = ok && i < len(it.Categories) && it.Categories[i] == tag
					}
					field(name).add(ok, what+sprint(": have %q, want %s", it.Categories, value))
				case "published", "updated", "created":
					when, _ := parseDate(value, time.Time{})
					field(name).add(when.Equal(it.Published) || when.Equal(it.Updated), what+sprint(": have %v %v, want %s", it.Published, it.Updated, value))
				}
			}
		}
	})
	readable.check(t, "read", 1)
	for name, r := range fields {
		r.check(t, name, 1)
	}
}

// samePlain compares with an expectation that is sanitised HTML, as text.
func samePlain(have, want string) bool {
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
	return have == want || squeeze(have) == squeeze(Title(want, 1<<10)) || squeeze(have) == squeeze(Text(want, 1<<18))
}
