package fetcher

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher/document"
)

// acceptFeed names the formats that are read, the richer before the plainer.
const acceptFeed = "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, " +
	"application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.1"

const (
	// fullReadAfter is how long 304s are believed. Then the body is read whole
	// once, since a server whose validators do not change with its feed would
	// hide every story for good.
	fullReadAfter = 3 * 24 * time.Hour
	// distrustMoveAfter is how many failures in a row make a learned redirect
	// forgotten and the configured URL asked again.
	distrustMoveAfter = 3
	// maxValidator bounds a validator that is kept; a longer one is not.
	maxValidator = 1 << 10
)

// poll is one call of Fetch.
type poll struct {
	c    *Client
	feed feed.Feed
	// configured is the feed's URL as its operator wrote it.
	configured *url.URL
	mark       func(ctx context.Context, parsing bool) error
	now        time.Time
	// res is what has come of the poll so far; res.State is the state to be.
	res Result
	// fresh is for how long the answer is, and after its Retry-After.
	fresh, after time.Duration
	visitor      visitor
	// conditional is whether the last request set conditions.
	conditional bool
}

// Fetch polls a feed once. It waits for the feed's host to have a turn, sends a
// request that costs the server little when nothing is new, and parses what
// came, unless it came before.
//
// mark is called before a document is parsed, and again when the parse came
// back: a death of the process in between is to be laid to this document. It may
// be nil. A feed
// whose State.Quarantined is read but not parsed (ReasonHostile)
// until it serves another document or a day has passed.
//
// The error is or wraps an *Error when the feed, its server or the network
// failed: the Result then holds the state to be stored, with the failure
// counted and the next check set. So it is, but for the failure, where the feed was
// put off: because its host wants no requests for now, or, with Options.PutOff,
// because it has no turn soon. Any other error is not the feed's: ctx ended
// or mark failed. The Result then holds the state as it was given.
//
// A panic is one failed poll, ReasonPanic.
func (c *Client) Fetch(ctx context.Context, f feed.Feed, st State, mark func(ctx context.Context, parsing bool) error) (Result, error) {
	p := &poll{c: c, feed: f, mark: mark, now: c.opt.Now()}
	p.visitor = visitor{feed: f.ID, due: cmp.Or(st.Due(), p.now), again: !st.PutOff.IsZero(), patient: !c.opt.PutOff}
	p.res.State = st
	p.res.State.FeedID = f.ID
	err := p.run(ctx)
	if err == nil {
		p.succeed()
		return p.res, nil
	}
	if fe, ok := errors.AsType[*Error](err); ok {
		if d, ok := errors.AsType[*delay](err); ok {
			return p.putOff(st, d), fe
		}
		if fe.Reason.unreached() && c.outage.miss(p.host(), p.now) {
			fe = failf(ReasonOffline, fe, "nothing can be reached from here, this feed as little as the others: %s", fe.Err)
		}
		p.fail(fe)
		return p.res, fe
	}
	return Result{Outcome: Failed, State: st, Bytes: p.res.Bytes}, wrap(err)
}

// run makes the poll and contains its panics.
func (p *poll) run(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = failf(ReasonPanic, nil, "a defect of newswatch ended the poll: %v", r)
		}
	}()
	st := &p.res.State
	configured, err := parseURL(p.feed.URL)
	if err != nil {
		return err
	}
	p.configured = configured
	*st = st.at(bare(configured).String())
	if st.Retired {
		return failf(ReasonGone, nil, "%s has said that the feed is gone for good; give it another url or remove it", configured.Host)
	}
	if st.URL != "" {
		learned, err := parseURL(st.URL)
		if err != nil {
			return err
		}
		a, err := p.request(ctx, learned)
		if a.status != http.StatusNotFound && a.status != http.StatusGone {
			return p.take(ctx, a, err)
		}
		st.URL = ""
	}
	a, err := p.request(ctx, configured)
	return p.take(ctx, a, err)
}

// request asks for the feed at u.
func (p *poll) request(ctx context.Context, u *url.URL) (*answer, error) {
	st := &p.res.State
	known := st.BodyHash != "" && p.now.Sub(st.LastFull) < fullReadAfter
	return p.c.get(ctx, request{
		url:       u,
		visitor:   &p.visitor,
		timeout:   p.c.opt.Timeout,
		redirects: maxRedirects,
		body:      p.c.opt.MaxBody,
		header: func(u *url.URL, h http.Header) {
			p.ask(u, h)
			p.conditional = known && u.String() == st.ValidFor
			if !p.conditional {
				return
			}
			setConditions(h, st.ETag, st.LastModified)
		},
		accept: p.accept,
	})
}

// ask fills in what every request of the poll says. The operator's password is for
// the site that he wrote it for.
func (p *poll) ask(u *url.URL, h http.Header) {
	h.Set("Accept", acceptFeed)
	if p.configured.User != nil && sameOrigin(u, p.configured) {
		h.Set("Authorization", basicAuth(p.configured.User))
	}
}

// accept says whether the body of an answer is to be read.
func (p *poll) accept(a *answer) (bool, error) {
	switch a.status {
	case http.StatusOK, http.StatusNonAuthoritativeInfo:
		if media := mediaOf(a.header.Get("Content-Type")); media != "" {
			return false, failf(ReasonNotAFeed, nil, "%s sends %s, which is never read", a.way.final.Host, media)
		}
		return true, nil
	case http.StatusNotModified:
		if p.conditional {
			return false, nil
		}
	case http.StatusGone:
		// What is gone at the end of a redirect that does not last may be back
		// tomorrow, at the end of another. What is gone where we were sent for
		// good is asked for where the operator said first.
		p.res.State.Retired = a.way.lasting && p.res.State.URL == ""
	}
	p.after = retryAfter(a.header, p.now)
	return false, explainStatus(a.way.final.Host, a.status)
}

// take makes what it can of an answer.
func (p *poll) take(ctx context.Context, a *answer, err error) error {
	p.res.Bytes += a.wire
	if err != nil {
		return err
	}
	st := &p.res.State
	fresh, storable := freshness(a.header, p.now)
	p.fresh = fresh
	p.res.Outcome = NotModified
	if a.status != http.StatusNotModified {
		hash := document.Hash(a.body.Bytes())
		if hash != st.BodyHash {
			if err := p.parse(ctx, a, hash); err != nil {
				return err
			}
			p.res.Outcome = Fetched
			st.BodyHash, st.LastChange = hash, p.now
		}
		a.discard() // what was read of it are copies
		st.LastFull = p.now
		st.ETag, st.LastModified, st.ValidFor = "", "", ""
		if storable {
			st.ETag, st.LastModified = validator(a.header, "ETag"), validator(a.header, "Last-Modified")
		}
		if st.ETag != "" || st.LastModified != "" {
			st.ValidFor = a.way.final.String()
		}
	}
	st.learn(a.way)
	if len(st.Sitemaps) > 0 {
		return p.sitemaps(ctx)
	}
	return nil
}

// parse reads the document into the result, or what an index lists into the
// state.
func (p *poll) parse(ctx context.Context, a *answer, hash string) error {
	doc, err := p.read(ctx, a, hash)
	switch {
	case err != nil:
		return err
	case doc.Kind == document.KindSitemapIndex:
		p.res.Format = doc.Kind
		p.res.State.listSitemaps(doc.Children)
	default:
		p.res.State.Sitemaps = nil
		p.res.State.announced(a.header, a.way.final, doc.Hints)
		p.absorb(doc)
	}
	return nil
}

// read parses a document, in its turn.
func (p *poll) read(ctx context.Context, a *answer, hash string) (*document.Document, error) {
	st := &p.res.State
	host := a.way.final.Host
	if st.quarantine(hash, p.now) {
		return nil, failf(ReasonHostile, nil, "%s: the document has killed newswatch %d times; it is in quarantine until the feed changes or a day has passed", host, st.Poisoned)
	}
	size := a.body.Len()
	if st.Poisoned > 0 {
		// Alone, so that the next death is laid to nobody who was only near.
		size = alone
	}
	done, err := p.c.parseTurn(ctx, size)
	if err != nil {
		return nil, err
	}
	defer done()
	if p.mark != nil {
		if err := p.mark(ctx, true); err != nil {
			return nil, fmt.Errorf("mark before parsing: %w", err)
		}
	}
	doc, err := document.Parse(ctx, document.Input{
		Body:        a.body.Bytes(),
		ContentType: a.header.Get("Content-Type"),
		URL:         a.way.final.String(),
		FeedID:      p.feed.ID,
		Lang:        p.feed.Lang,
		Sitemap:     p.feed.Kind == feed.KindSitemap,
		Limits:      p.c.opt.Limits,
		Now:         p.now,
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if p.mark != nil {
		if err := p.mark(ctx, false); err != nil {
			return nil, fmt.Errorf("mark after parsing: %w", err)
		}
	}
	st.survive()
	if err != nil {
		return nil, explainDocument(host, err)
	}
	return doc, nil
}

// absorb takes what a document holds into the result.
func (p *poll) absorb(doc *document.Document) {
	st := &p.res.State
	p.res.Items, p.res.Dropped, p.res.Format = doc.Items, doc.Dropped, doc.Kind
	st.Title, st.Items, st.Truncated = doc.Title, len(doc.Items), doc.Truncated
	st.Pace = paceOf(doc.Items, doc.Hints, p.now)
	st.learnRhythm(doc.Items, p.now)
}

// host is whom the feed is asked of.
func (p *poll) host() string {
	u, err := parseURL(p.feed.URL)
	if err != nil {
		return ""
	}
	return hostKey(u)
}

// succeed completes the state of a poll that did not fail.
func (p *poll) succeed() {
	st := &p.res.State
	if st.FirstSuccess.IsZero() {
		st.FirstSuccess = p.now
	}
	st.LastPoll, st.LastSuccess = p.now, p.now
	st.Failures, st.LastError, st.Reason = 0, "", ""
	st.PutOff = time.Time{}
	st.judgeGood(p.now)
	st.NextCheck = nextCheck(p.now, p.feed.Every, p.c.bounds(), *st, p.fresh, p.c.opt.Jitter())
}

// fail completes the state of a poll that failed.
func (p *poll) fail(fe *Error) {
	st := &p.res.State
	p.res.Outcome, p.res.Items, p.res.Dropped = Failed, nil, 0
	st.LastPoll, st.PutOff = p.now, time.Time{}
	if fe.Reason != ReasonOffline || st.Failures == 0 {
		st.Failures++ // while the fault is here, the feed is not put off
	}
	st.LastError, st.Reason = fe.Err.Error(), fe.Reason
	if st.Failures >= distrustMoveAfter {
		st.URL, st.MovedTo = "", ""
	}
	st.NextCheck = backoff(p.now, st.Failures, p.feed.Every, p.c.bounds(), p.after, p.c.opt.Jitter())
	if st.Quarantined() {
		st.NextCheck = later(st.NextCheck, p.now.Add(quarantineRetry))
	}
	st.judgeBad(fe, p.after, p.now)
	if st.Retired {
		// Not asked again; but looked at, in case the operator has changed the URL.
		st.NextCheck = p.now.Add(p.c.opt.MaxInterval)
	}
}

// putOff is what comes of a poll that was none: st is as it was but for the next
// check.
func (p *poll) putOff(st State, d *delay) Result {
	st.FeedID, st.PutOff, st.NextCheck = p.feed.ID, p.visitor.due, p.c.opt.Now().Add(d.wait)
	return Result{Outcome: PutOff, State: st, Bytes: p.res.Bytes}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (c *Client) bounds() bounds {
	return bounds{interval: c.opt.Interval, min: c.opt.MinInterval, max: c.opt.MaxInterval}
}

// explainDocument makes an *Error of a document that could not be read.
func explainDocument(host string, err error) *Error {
	reason := ReasonParse
	switch {
	case errors.Is(err, document.ErrNotFeed):
		reason = ReasonNotAFeed
	case errors.Is(err, document.ErrHostile):
		reason = ReasonHostile
	case errors.Is(err, document.ErrPanic):
		reason = ReasonPanic
	}
	return failf(reason, err, "%s: %s", host, strings.TrimPrefix(err.Error(), "document: "))
}

// basicAuth is the header of RFC 7617 §2.
func basicAuth(user *url.Userinfo) string {
	password, _ := user.Password()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password))
}

// mediaOf names the kind of media that a Content-Type announces, empty if it is
// none. Pictures, sound and film are never read.
func mediaOf(contentType string) string {
	kind, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(contentType)), "/")
	switch kind {
	case "image":
		return "a picture"
	case "audio":
		return "sound"
	case "video":
		return "film"
	}
	return ""
}
