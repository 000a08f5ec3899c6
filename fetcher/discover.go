package fetcher

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher/document"
	"github.com/newswatch/newswatch/fetcher/robots"
	"github.com/newswatch/newswatch/fetcher/signpost"
)

// maxCandidates bounds how many addresses are tried for one site, and
// maxLinked those that a page merely links to.
const (
	maxCandidates = 48
	maxLinked     = 20
)

// Via says how a feed was found.
type Via string

const (
	ViaAddress   Via = "the address itself"
	ViaAnnounced Via = "announced by the page"
	ViaRobots    Via = "named in robots.txt"
	ViaLinked    Via = "linked to on the page"
	ViaUsual     Via = "a usual place"
)

// Found is a feed of a site, which was read.
type Found struct {
	URL    string
	Kind   feed.Kind
	Format document.Kind
	Title  string
	// Lang is what the feed or most of its items say; it may be empty.
	Lang  string
	Items int
	// Newest is the date of the newest item, zero where none has one.
	Newest time.Time
	Via    Via

	hash string
}

// Discovery is what was found at a site.
type Discovery struct {
	// Found are the feeds, the likeliest to be wanted first.
	Found []Found
	// Tried is how many addresses were asked for a feed.
	Tried int
}

// candidate is an address that may be a feed's.
type candidate struct {
	url string
	via Via
}

// Discover finds the feeds and sitemaps of the site that an address belongs to:
// those that the page there announces or links to, those that robots.txt names,
// and those in the usual places, as far as robots.txt lets us guess. Each is
// judged by being read as a poll would. An address that is a feed's finds that
// alone. try is told of every address that is asked, from several
// goroutines; it may be nil.
//
// The error is an *Error where the address cannot be read at all, or ctx's own.
func (c *Client) Discover(ctx context.Context, address string, try func(url string)) (*Discovery, error) {
	u, err := parseURL(address)
	if err != nil {
		return nil, err
	}
	if found, err := c.probe(ctx, candidate{u.String(), ViaAddress}); err == nil {
		return &Discovery{Found: []Found{found}, Tried: 1}, nil
	} else if !isReason(err, ReasonNotAFeed) {
		return nil, err
	}
	candidates, err := c.candidates(ctx, u)
	if err != nil {
		return nil, err
	}
	found := make([]*Found, len(candidates))
	var group errgroup.Group
	group.SetLimit(4) // the turns at the host bound it further
	for i, cand := range candidates {
		group.Go(func() error {
			if try != nil {
				try(cand.url)
			}
			f, err := c.probe(ctx, cand)
			if err == nil {
				found[i] = &f
			}
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, wrap(err)
	}
	d := &Discovery{Tried: 1 + len(candidates)}
	seen := make(map[string]bool)
	for _, f := range found {
		// Sites answer several addresses with the same feed; the first was the
		// likeliest.
		if f == nil || seen[f.URL] || seen[f.hash] {
			continue
		}
		seen[f.URL], seen[f.hash] = true, true
		d.Found = append(d.Found, *f)
	}
	slices.SortStableFunc(d.Found, func(a, b Found) int {
		return cmp.Or(cmp.Compare(merit(a), merit(b)), cmp.Compare(order(a.Via), order(b.Via)))
	})
	return d, nil
}

// merit puts feeds without items last, and plain sitemaps before them.
func merit(f Found) int {
	switch {
	case f.Items == 0:
		return 2
	case f.Kind == feed.KindSitemap && f.Title == "":
		return 1
	}
	return 0
}

func order(v Via) int {
	return slices.Index([]Via{ViaAddress, ViaAnnounced, ViaRobots, ViaUsual, ViaLinked}, v)
}

func isReason(err error, reason Reason) bool {
	fe, ok := errors.AsType[*Error](err)
	return ok && fe.Reason == reason
}

// candidates collects the addresses that may be a feed's, each once.
func (c *Client) candidates(ctx context.Context, u *url.URL) ([]candidate, error) {
	page, err := c.page(ctx, u)
	if err != nil {
		return nil, err
	}
	var list []candidate
	seen := make(map[string]bool)
	add := func(via Via, most int, urls []string) {
		for _, s := range urls[:min(most, len(urls))] {
			if len(list) < maxCandidates && !seen[s] {
				seen[s] = true
				list = append(list, candidate{s, via})
			}
		}
	}
	at := page.way.final
	announced, linked := signpost.Links(page.body.Bytes(), at)
	add(ViaAnnounced, maxLinked, announced)
	sitemaps, err := c.namedSitemaps(ctx, at)
	if err != nil {
		return nil, err
	}
	add(ViaRobots, maxLinked, sitemaps)
	add(ViaLinked, maxLinked, linked)
	for _, s := range signpost.Usual(at) {
		guess, err := parseURL(s)
		if err != nil {
			continue
		}
		// Nobody pointed us there, so it is for robots.txt to say.
		if err := c.admit(ctx, guess); err == nil {
			add(ViaUsual, 1, []string{s})
		} else if ctx.Err() != nil {
			return nil, wrap(ctx.Err())
		}
	}
	return list, nil
}

// page reads the page that is to tell of its feeds.
func (c *Client) page(ctx context.Context, u *url.URL) (*answer, error) {
	a, err := c.get(ctx, request{
		url: u, timeout: c.opt.Timeout, redirects: maxRedirects, body: maxPage, cut: true,
		header: func(_ *url.URL, h http.Header) { h.Set("Accept", "text/html, application/xhtml+xml") },
		admit:  c.admit,
		accept: func(a *answer) (bool, error) {
			if a.status != http.StatusOK {
				return false, explainStatus(a.way.final.Host, a.status)
			}
			if !isHTML(a.header.Get("Content-Type")) {
				return false, failf(ReasonNotAFeed, nil, "%s sends neither a feed nor a page", a.way.final.Host)
			}
			return true, nil
		},
	})
	if err != nil {
		return nil, wrap(err)
	}
	return a, nil
}

// namedSitemaps returns what the site's robots.txt names; none where there is
// none.
func (c *Client) namedSitemaps(ctx context.Context, u *url.URL) ([]string, error) {
	at := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/robots.txt"}
	a, err := c.get(ctx, request{
		url: at, timeout: min(robotsTimeout, c.opt.Timeout), redirects: robotsRedirects, body: robots.MaxBytes, cut: true,
		header: func(_ *url.URL, h http.Header) { h.Set("Accept", "text/plain, */*;q=0.1") },
		accept: func(a *answer) (bool, error) { return a.status == http.StatusOK, nil },
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil, wrap(ctx.Err())
		}
		return nil, nil
	}
	if a.body == nil {
		return nil, nil
	}
	var out []string
	for _, s := range robots.Sitemaps(a.body.Bytes()) {
		if to, err := a.way.final.Parse(s); err == nil && checkURL(to) == nil {
			out = append(out, bare(to).String())
		}
	}
	a.discard()
	return out, nil
}

// probe reads an address as a poll does.
func (c *Client) probe(ctx context.Context, cand candidate) (Found, error) {
	res, err := c.Fetch(ctx, feed.Feed{ID: "discovered", URL: cand.url, Kind: feed.KindSitemap}, State{}, nil)
	if err != nil {
		return Found{}, err
	}
	f := Found{
		URL: cand.url, Kind: feed.KindFeed, Format: res.Format, Title: res.State.Title, Lang: mainLang(res.Items),
		Items: len(res.Items) + res.Dropped, Newest: res.State.LastItem, Via: cand.via, hash: res.State.BodyHash,
	}
	if res.Format == document.KindSitemap || res.Format == document.KindSitemapIndex {
		f.Kind = feed.KindSitemap
	}
	if res.State.MovedTo != "" {
		f.URL = res.State.MovedTo
	}
	return f, nil
}

// mainLang is the language that most items are said to be in.
func mainLang(items []feed.Item) string {
	count, best := make(map[string]int), ""
	for _, it := range items {
		if count[it.Lang]++; it.Lang != "" && count[it.Lang] > count[best] {
			best = it.Lang
		}
	}
	if count[best]*2 < len(items) {
		return ""
	}
	return best
}
