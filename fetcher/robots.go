package fetcher

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/newswatch/newswatch/fetcher/robots"
)

const (
	// robotsToken is our name in a robots.txt.
	robotsToken = "newswatch"
	// robotsFor is how long a robots.txt is believed (RFC 9309 §2.4), and
	// robotsRetry how long one that could not be had keeps us out.
	robotsFor   = 24 * time.Hour
	robotsRetry = 10 * time.Minute
	// robotsTimeout bounds the reading of one, and robotsRedirects how many
	// redirects are followed to it (§2.3.1.2).
	robotsTimeout   = 10 * time.Second
	robotsRedirects = 5
	// maxOrigins and maxRuleBytes bound what is kept.
	maxOrigins   = 4096
	maxRuleBytes = 8 << 20
)

// robotsCache keeps the rules of the sites that were lately asked for articles.
type robotsCache struct {
	mu      sync.Mutex
	origins map[string]*robotsEntry
	bytes   int
}

// robotsEntry is one site's rules. Who has its lock is reading them.
type robotsEntry struct {
	lock  chan struct{} // holds a token when free
	until time.Time
	rules robots.Rules
	// denied is why nothing may be read, when the rules could not be had.
	denied *Error
	size   int // as accounted for, under robotsCache.mu
}

// admit returns an *Error if the site's robots.txt asks not to read u, or if it
// cannot be had because the site is out of reach (RFC 9309 §2.3.1.4).
func (c *Client) admit(ctx context.Context, u *url.URL) error {
	origin := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/robots.txt"}
	e := c.robots.entry(origin.String())
	select {
	case <-e.lock:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { e.lock <- struct{}{} }()
	if now := c.opt.Now(); !now.Before(e.until) {
		rules, denied, err := c.readRobots(ctx, origin)
		if err != nil {
			return err
		}
		e.rules, e.denied, e.until = rules, denied, now.Add(robotsFor)
		if denied != nil {
			e.until = now.Add(robotsRetry)
		}
		c.robots.keep(origin.String(), e)
	}
	if e.denied != nil {
		return e.denied
	}
	if !e.rules.Allows(u.RequestURI()) {
		return failf(ReasonRobots, nil, "%s asks in its robots.txt that the page not be read by programs", u.Host)
	}
	return nil
}

// readRobots reads a robots.txt. denied says why the site is not to be read when
// the file could not be had; err is ctx's own, or says that it was not asked for.
func (c *Client) readRobots(ctx context.Context, origin *url.URL) (rules robots.Rules, denied *Error, err error) {
	a, err := c.get(ctx, request{
		url:       origin,
		timeout:   min(robotsTimeout, c.opt.Timeout),
		redirects: robotsRedirects,
		body:      robots.MaxBytes,
		cut:       true,
		header:    func(_ *url.URL, h http.Header) { h.Set("Accept", "text/plain, */*;q=0.1") },
		accept: func(a *answer) (bool, error) {
			switch {
			case a.status == http.StatusOK:
				return true, nil
			case a.status == http.StatusTooManyRequests, a.status >= 500:
				return false, explainStatus(a.way.final.Host, a.status)
			}
			return false, nil // there is none, and all may be read (§2.3.1.3)
		},
	})
	if err == nil {
		if a.body != nil {
			rules = robots.Parse(a.body.Bytes(), robotsToken)
			a.discard()
		}
		return rules, nil, nil
	}
	fe, ok := errors.AsType[*Error](err)
	switch {
	case !ok, fe.Reason == ReasonHeld:
		return rules, nil, err
	case fe.Reason == ReasonRedirect:
		return rules, nil, nil // counts as there being none (§2.3.1.2)
	}
	denied = failf(fe.Reason, fe, "robots.txt of %s cannot be had, so nothing is read there: %s", origin.Host, fe.Err)
	denied.Status = fe.Status
	return rules, denied, nil
}

// entry returns the entry of an origin, a new one if there is none.
func (rc *robotsCache) entry(origin string) *robotsEntry {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	if e := rc.origins[origin]; e != nil {
		return e
	}
	if len(rc.origins) >= maxOrigins {
		rc.evict()
	}
	e := &robotsEntry{lock: make(chan struct{}, 1)}
	e.lock <- struct{}{}
	rc.origins[origin] = e
	return e
}

// keep accounts for an entry that was just read, and makes room for it.
func (rc *robotsCache) keep(origin string, e *robotsEntry) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	if rc.origins[origin] != e {
		return // thrown out in the meantime
	}
	size := e.rules.Size()
	rc.bytes += size - e.size
	e.size = size
	for rc.bytes > maxRuleBytes && len(rc.origins) > 1 {
		rc.evict()
	}
}

// evict throws out one entry, whichever the map comes to first. Whoever is using
// it goes on to do so.
func (rc *robotsCache) evict() {
	for origin, e := range rc.origins {
		rc.bytes -= e.size
		delete(rc.origins, origin)
		return
	}
}
