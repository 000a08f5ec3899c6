package fetcher

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/newswatch/newswatch/fetcher/article"
)

// maxPage bounds an article's page in bytes, on the wire and after
// decompression.
const maxPage = 2 << 20

// Article reads the page that a link leads to and returns the article on
// it. Only HTML is read, and only
// where the site's robots.txt lets us (RFC 9309): unlike a feed, nobody put the
// page there for programs. Turns at the host are shared with feeds. What was
// read within the last hour is not read again, nor what failed within ten minutes.
//
// The error is an *Error, or wraps ctx's own. A panic is ReasonPanic.
func (c *Client) Article(ctx context.Context, link string) (found article.Article, err error) {
	defer func() {
		if r := recover(); r != nil {
			found, err = article.Article{}, failf(ReasonPanic, nil, "a defect of newswatch ended the reading of an article: %v", r)
		}
	}()
	u, err := parseURL(link)
	if err != nil {
		return article.Article{}, err
	}
	return c.articles.get(ctx, bare(u).String(), c.opt.Now(), func() (article.Article, error) { return c.article(ctx, u) })
}

// Absent asks a site whether the page that a link leads to is there no more: it
// answers 404 or 410 (RFC 9110 §15.5.5, §15.5.11). Nothing of the page is read, and
// nothing that was read before is believed; otherwise it is asked for as Article
// does. The error is an *Error, or wraps ctx's own.
func (c *Client) Absent(ctx context.Context, link string) (bool, error) {
	u, err := parseURL(link)
	if err != nil {
		return false, err
	}
	a, err := c.get(ctx, request{
		url:       bare(u),
		timeout:   c.opt.Timeout,
		redirects: maxRedirects,
		header:    func(_ *url.URL, h http.Header) { h.Set("Accept", "text/html, application/xhtml+xml") },
		admit:     c.admit,
		accept:    func(*answer) (bool, error) { return false, nil },
	})
	switch {
	case err != nil:
		return false, wrap(err)
	case a.status == http.StatusNotFound || a.status == http.StatusGone:
		return true, nil
	case a.status/100 != 2:
		return false, explainStatus(a.way.final.Host, a.status)
	}
	return false, nil
}

// article reads the page at u.
func (c *Client) article(ctx context.Context, u *url.URL) (article.Article, error) {
	a, err := c.get(ctx, request{
		url:       bare(u),
		timeout:   c.opt.Timeout,
		redirects: maxRedirects,
		body:      maxPage,
		header: func(_ *url.URL, h http.Header) {
			h.Set("Accept", "text/html, application/xhtml+xml")
		},
		admit: c.admit,
		accept: func(a *answer) (bool, error) {
			if a.status != http.StatusOK && a.status != http.StatusNonAuthoritativeInfo {
				return false, explainStatus(a.way.final.Host, a.status)
			}
			if !isHTML(a.header.Get("Content-Type")) {
				return false, failf(ReasonNotAnArticle, nil, "%s sends something other than a page; it was not read", a.way.final.Host)
			}
			return true, nil
		},
	})
	if err != nil {
		return article.Article{}, wrap(err)
	}
	done, err := c.parseTurn(ctx, a.body.Len())
	if err != nil {
		return article.Article{}, wrap(err)
	}
	defer done()
	found, err := article.Read(ctx, article.Page{
		Body:        a.body.Bytes(),
		ContentType: a.header.Get("Content-Type"),
		URL:         a.way.final,
	})
	if err != nil {
		if ctx.Err() != nil {
			return article.Article{}, wrap(ctx.Err())
		}
		reason := ReasonNotAnArticle
		switch {
		case errors.Is(err, article.ErrHostile):
			reason = ReasonHostile
		case errors.Is(err, article.ErrPanic):
			reason = ReasonPanic
		}
		return article.Article{}, failf(reason, err, "%s: %s", a.way.final.Host, strings.TrimPrefix(err.Error(), "article: "))
	}
	return found, nil
}

// isHTML reports whether a Content-Type is that of a page. One that is missing
// is not: it could be a picture's.
func isHTML(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return false
	}
	return media == "text/html" || media == "application/xhtml+xml"
}
