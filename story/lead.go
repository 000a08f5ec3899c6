package story

import (
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/newswatch/newswatch/classifier"
)

const (
	// wider is how many times as long as an earlier report one must be to lead for it:
	// a few words more are an editor's, not more of the story.
	wider = 1.25
	// wholeReport is how many words are a report in full. What is longer leads for it
	// no more, or whoever writes most would lead.
	wholeReport = 400
)

// lead is which report leads a story: the widest of those that speak for their site.
func (g *grouping) lead(set []int) int {
	lead := -1
	for _, i := range g.voices(set) {
		if lead < 0 || float64(g.width(i)) > wider*float64(g.width(lead)) {
			lead = i
		}
	}
	return lead
}

func (g *grouping) width(i int) int { return min(g.accounts[i].words, wholeReport) }

// voices are the reports that may lead. A feed can give the link of another's page any
// words, so that only one feed speaks for a site that reports lead to: the site's own
// or, where there is none, the one through which the site's report was found first. A
// report that leads nowhere does not speak where another does.
func (g *grouping) voices(set []int) []int {
	speaks := make(map[string]classifier.Hit)
	sites := make([]string, len(set))
	for n, i := range set {
		h := g.hits[i]
		if sites[n] = siteOf(h.Item.Link); sites[n] == "" {
			continue
		}
		best, ok := speaks[sites[n]]
		if !ok || h.Own && !best.Own || h.Own == best.Own && h.Found.Before(best.Found) {
			speaks[sites[n]] = h
		}
	}
	if len(speaks) == 0 {
		return set
	}
	var out []int
	for n, i := range set {
		best, ok := speaks[sites[n]]
		if h := g.hits[i]; ok && (h.Own || !best.Own && h.Item.FeedID == best.Item.FeedID) {
			out = append(out, i)
		}
	}
	return out
}

// Own reports whether a link leads to the site that a feed comes from.
func Own(feedURL, link string) bool {
	site := siteOf(link)
	return site != "" && site == siteOf(feedURL)
}

// siteOf names who a link's host belongs to: the domain that was registered, under
// which all hosts are one owner's, by the public suffix list. It is "" where the link
// has no host.
func siteOf(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if _, err := netip.ParseAddr(host); err == nil {
		return host
	}
	if site, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return site
	}
	return host
}
