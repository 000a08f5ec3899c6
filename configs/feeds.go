package configs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	yaml "go.yaml.in/yaml/v4"

	"github.com/newswatch/newswatch/feed"
)

// maxFeeds bounds a list that aliases or a generator made too long.
const maxFeeds = 200_000

// feedFile reads the feeds of one file.
func (l *loader) feedFile(doc *document, cfg *Config) {
	root := l.open(doc, doc.root, "", "feeds")
	for i, n := range l.elements(root, "feeds", maxFeeds) {
		if f, ok := l.feed(doc, n, fmt.Sprintf("feeds[%d]", i), cfg); ok {
			l.feeds = append(l.feeds, f)
		}
	}
}

// elements returns the nodes of a list of mappings.
func (l *loader) elements(s *section, key string, most int) []*yaml.Node {
	n := s.values[key]
	if n == nil {
		return nil
	}
	seq, ok := l.resolve(s.doc, n)
	switch {
	case !ok || isNull(seq):
		return nil
	case seq.Kind != yaml.SequenceNode:
		s.fail(key, "want a list, not "+describe(seq), "begin each of them with a hyphen: - {…}")
		return nil
	case len(seq.Content) > most:
		s.fail(key, fmt.Sprintf("more than %d of them", most), "")
		return nil
	}
	return seq.Content
}

// feed reads one feed: a mapping, or its URL alone.
func (l *loader) feed(doc *document, n *yaml.Node, name string, cfg *Config) (feed.Feed, bool) {
	f := feed.Feed{FullText: cfg.Fetch.FullText, Kind: feed.KindFeed}
	before := len(l.problems) + l.more
	target, ok := l.resolve(doc, n)
	if !ok {
		return f, false
	}
	at := n
	if target.Kind == yaml.ScalarNode && !isNull(target) {
		raw, ok := l.scalar(doc, n, name)
		if !ok {
			return f, false
		}
		if err := setURL(&f, raw); err != nil {
			l.failNode(doc, n, name+": "+err.Message, err.Hint)
			return f, false
		}
	} else {
		s := l.open(doc, n, name+".", "url", "id", "name", "tags", "lang", "every", "full_text", "kind")
		raw := ""
		switch {
		case s.text("url", &raw):
			if err := setURL(&f, raw); err != nil {
				s.fail("url", err.Message, err.Hint)
			}
		case !s.has("url") && !s.broken && !isNull(target):
			s.fail("", "a feed without a url", "add url: https://…")
		case isNull(target):
			l.failNode(doc, n, name+" is empty", "write - {url: https://…}, or take the hyphen out")
		}
		if s.has("url") {
			at = s.values["url"]
		}
		parsed(s, "id", &f.ID, parseID)
		s.text("name", &f.Name)
		f.Tags = l.tags(s)
		parsed(s, "lang", &f.Lang, parseLang)
		if s.duration("every", &f.Every, time.Millisecond, 366*day) && f.Every < cfg.Fetch.MinInterval {
			s.warn("every", fmt.Sprintf("%s is below fetch.min_interval, %s", formatDuration(f.Every), formatDuration(cfg.Fetch.MinInterval)),
				"write "+formatDuration(cfg.Fetch.MinInterval)+" or more, or lower fetch.min_interval")
		}
		choice(s, "full_text", &f.FullText, feed.FullTextAuto, feed.FullTextAlways, feed.FullTextNever)
		choice(s, "kind", &f.Kind, feed.KindFeed, feed.KindSitemap)
		if s.has("id") {
			if first, dup := l.once("feed", f.ID, doc, s.values["id"]); dup && f.ID != "" {
				s.fail("id", fmt.Sprintf("%s is the id of another feed, see %s", f.ID, first), "give each feed an id of its own")
			}
		}
	}
	if len(l.problems)+l.more > before {
		return f, false
	}
	if f.ID == "" {
		f.ID = feedID(f.URL)
		if first, dup := l.once("feed", f.ID, doc, at); dup {
			l.failNode(doc, at, fmt.Sprintf("%s: the id %s that its URL gives is that of another feed, see %s", name, f.ID, first), "give it an id of its own")
			return f, false
		}
	}
	if first, dup := l.once("url", f.URL, doc, at); dup {
		l.failNode(doc, at, fmt.Sprintf("%s: the same URL as in %s", name, first), "take one of the two out")
		return f, false
	}
	if first, dup := l.once("loose url", LooseURL(f.URL), doc, at); dup {
		l.warn(doc, at, fmt.Sprintf("%s: looks like the same feed as in %s", name, first), "take one of the two out")
	}
	return f, true
}

func setURL(f *feed.Feed, raw string) *valueError {
	u, err := parseURL(strings.TrimSpace(raw))
	if err != nil {
		return err
	}
	u.Fragment = ""
	f.URL = u.String()
	return nil
}

// tags reads a list of tags: words that rules and subscribers can name.
func (l *loader) tags(s *section) []string {
	es, _ := s.list("tags")
	var out []string
	for _, e := range es {
		id, err := parseID(e.text)
		if err != nil {
			l.failNode(s.doc, e.node, s.path+"tags: "+err.Message, err.Hint)
			continue
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// parseID reads the id of a feed or a subscriber, or a tag. It goes into URLs,
// file names and metric labels.
func parseID(t string) (string, *valueError) {
	const most = 64
	ok := t != "" && len(t) <= most && t[0] != '-' && t[0] != '.' && t[0] != '_'
	for _, c := range []byte(t) {
		ok = ok && (c == '-' || c == '_' || c == '.' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z')
	}
	if ok {
		return t, nil
	}
	hint := "write letters, digits and hyphens, at most 64"
	if s := slug(t); s != "" && len(s) <= most {
		hint = "write " + s
	}
	return "", &valueError{Message: fmt.Sprintf("%q cannot be an id", clip(t)), Hint: hint}
}

// parseLang reads a BCP 47 tag and returns it in lower case.
func parseLang(t string) (string, *valueError) {
	if t == "" {
		return "", nil
	}
	if _, err := language.Parse(t); err != nil {
		hint := "write a code such as en, ml, hi, ta or en-in"
		if c := languageNames[strings.ToLower(t)]; c != "" {
			hint = "write " + c
		}
		return "", &valueError{Message: fmt.Sprintf("%q is not a language", clip(t)), Hint: hint}
	}
	return strings.ToLower(strings.ReplaceAll(t, "_", "-")), nil
}

// languageNames are the names that people write for a code.
var languageNames = map[string]string{
	"english": "en", "malayalam": "ml", "hindi": "hi", "tamil": "ta", "telugu": "te", "kannada": "kn",
	"bengali": "bn", "bangla": "bn", "marathi": "mr", "gujarati": "gu", "punjabi": "pa", "odia": "or", "oriya": "or",
	"urdu": "ur", "german": "de", "french": "fr", "spanish": "es", "hungarian": "hu", "dutch": "nl", "eng": "en",
}

// feedID derives an id from a feed's URL alone, so that it stays the same
// whatever else is in the list and in whatever order: the host and the path in
// words, and a hash where they leave out a part that tells feeds apart.
func feedID(raw string) string {
	const most = 48
	u, err := url.Parse(raw)
	if err != nil {
		return "feed-" + shortHash(raw)
	}
	host := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	id := slug(host + " " + u.Path)
	lossy := u.RawQuery != "" || u.User != nil || u.Port() != "" || strings.ContainsRune(u.EscapedPath(), '%') || hasUnicode(host)
	if len(id) > most {
		id, lossy = strings.TrimRight(id[:most], "-"), true
	}
	if lossy {
		id += "-" + shortHash(raw)
	}
	return strings.TrimLeft(id, "-")
}

func shortHash(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:4])
}

// slug is s in lower case with a hyphen for everything that is not a letter or
// a digit of ASCII.
func slug(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimRight(b.String(), "-")
}

// LooseURL is equal for addresses that nearly always lead to the same feed: with
// http or https, with www. or without, with a last slash or without.
func LooseURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	return strings.TrimPrefix(strings.ToLower(u.Host), "www.") + strings.TrimRight(u.Path, "/") + "?" + u.RawQuery
}
