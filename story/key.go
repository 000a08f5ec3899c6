package story

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/classifier/text"
)

const (
	// A title joins stories only when this much of it says what happened.
	// "Live updates" and "Police arrest man" do not.
	minWords   = 4
	minLetters = 24
	// maxOutletWords bounds what after the last bar of a title is taken for the
	// name of its outlet.
	maxOutletWords = 4
)

// filler are the folded words that say nothing of what happened. A title is
// telling by its other words.
var filler = set(`a an and are as at by for from in is of on or s the to with
	all best breaking brief briefing briefs bulletin coverage daily day digest edition evening explained exclusive
	happened headline headlines here hour hourly important know latest live morning need news night now photo photos
	picture pictures read round roundup stories story things this today todays tonight top update updates up video
	videos watch week weekly what world you your
	january february march april may june july august september october november december
	jan feb mar apr jun jul aug sep sept oct nov dec
	monday tuesday wednesday thursday friday saturday sunday`)

func set(words string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// titleKey returns the folded title without its outlet, or "" where the title is
// too short or too general to tell one story from another.
func titleKey(h classifier.Hit) string {
	key := text.Fold(headline(h))
	telling, letters := 0, 0
	for _, w := range strings.Fields(key) {
		if filler[w] || strings.Trim(w, "0123456789") == "" {
			continue
		}
		telling++
		letters += utf8.RuneCountInString(w)
	}
	if telling < minWords || letters < minLetters {
		return ""
	}
	return key
}

// headline is the title without the name of its outlet, which aggregators put
// behind it: "Raids in Kochi - The Hindu". Behind a dash only a name that is
// known to be the outlet's is taken off, since titles use dashes themselves;
// behind a bar any few words.
func headline(h classifier.Hit) string {
	title := strings.TrimSpace(h.Item.Title)
	for _, sep := range []string{" - ", " – ", " — ", " | ", " :: ", " » "} {
		i := strings.LastIndex(title, sep)
		if i <= 0 {
			continue
		}
		tail := text.Fold(title[i+len(sep):])
		bar := strings.ContainsAny(sep, "|:»") && len(strings.Fields(tail)) <= maxOutletWords
		if bar || isOutlet(tail, h) {
			return strings.TrimSpace(title[:i])
		}
	}
	return title
}

func isOutlet(folded string, h classifier.Hit) bool {
	if folded == "" {
		return false
	}
	if folded == text.Fold(h.Item.Outlet) || folded == text.Fold(h.Source) {
		return true
	}
	u, err := url.Parse(h.Item.Link)
	if err != nil {
		return false
	}
	// "The Hindu" is thehindu.com, "Onmanorama" is english.onmanorama.com.
	joined := strings.ReplaceAll(folded, " ", "")
	for label := range strings.SplitSeq(strings.ToLower(u.Hostname()), ".") {
		if label == joined || label == "the"+joined || "the"+label == joined {
			return true
		}
	}
	return strings.ToLower(u.Hostname()) == strings.ReplaceAll(folded, " ", ".")
}

// linkKey returns what two links to the same page share: no scheme, no www, no
// fragment, no slash at the end. It is "" for a site's front page, which is not
// an article.
func linkKey(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.Host == "" {
		return ""
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	if path == "" && u.RawQuery == "" {
		return ""
	}
	key := strings.TrimPrefix(strings.ToLower(u.Host), "www.") + path
	if u.RawQuery != "" {
		key += "?" + u.RawQuery
	}
	return key
}
