package fetcher

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxRedirects is how many redirects are followed for one document, and
// maxURLBytes how long the address of one may be.
const (
	maxRedirects = 10
	maxURLBytes  = 4 << 10
)

// request is one document that is wanted.
type request struct {
	url *url.URL
	// header fills in the header of the request to u; it is asked again for
	// every redirect, so nothing is carried to another host by mistake.
	header func(u *url.URL, h http.Header)
	// visitor is the feed that is polled, if it may be put off; see turnstile.
	visitor *visitor
	// admit is asked before u is requested, without holding a turn; nil admits
	// everything.
	admit func(ctx context.Context, u *url.URL) error
	// accept looks at the answer before its body is read, and says whether it
	// is to be.
	accept func(a *answer) (read bool, err error)
	// timeout bounds all requests and the reading of the answer together.
	timeout time.Duration
	// redirects is how many are followed, and body how many bytes are read; cut
	// says that a longer body is cut there and not refused.
	redirects int
	body      int64
	cut       bool
}

// answer is what came at the end of all redirects.
type answer struct {
	way    trail
	status int
	header http.Header
	// body is what the answer holds, decompressed; nil if it was not read.
	body *bytes.Buffer
	// wire is how many bytes of the body came over the wire.
	wire int64
}

// bodies are buffers of answers that are done with.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxPooled is the largest buffer that is kept, so that one huge document does
// not take its memory for good.
const maxPooled = 1 << 20

// usualBody is what most documents fit into, so that a new buffer does not grow
// by doublings.
const usualBody = 64 << 10

// discard gives the body's memory back, for an answer that nothing refers to any
// more. It need not be called.
func (a *answer) discard() {
	if a.body.Cap() <= maxPooled {
		bodies.Put(a.body)
	}
	a.body = nil
}

// trail is the way from the URL that was asked for to the one that answered.
type trail struct {
	// final is the URL that answered, without user info and fragment.
	final *url.URL
	// redirects is how many were followed, lasting whether all of them were
	// permanent and none led from https to http.
	redirects int
	lasting   bool
}

// get requests a document and follows redirects. A turn at the host is held for
// each request while it is made and its body read, and for no longer. The error
// is or wraps an *Error where the server or the network was the cause, and is
// ctx's own where ctx ended; the answer then holds what there is of one.
//
// It works on the transport itself and not on an http.Client, which would send
// a Referer, carry headers along, and put whole URLs into its errors.
func (c *Client) get(ctx context.Context, req request) (*answer, error) {
	a := &answer{way: trail{lasting: true}}
	left := req.timeout
	var seen []string
	for u := bare(req.url); ; {
		if slices.Contains(seen, u.String()) {
			return a, failf(ReasonRedirect, nil, "%s redirects in a circle", u.Host)
		}
		seen = append(seen, u.String())
		if req.admit != nil {
			if err := req.admit(ctx, u); err != nil {
				return a, err
			}
		}
		if err := c.backlog.pass(ctx); err != nil {
			return a, err
		}
		leave, err := c.turns.enter(ctx, hostKey(u), req.visitor)
		if d, ok := errors.AsType[*delay](err); ok {
			return a, d.explain(u.Host)
		}
		if err != nil {
			return a, err
		}
		began := time.Now()
		next, err := func() (*redirect, error) {
			defer leave() // after a panic too
			return c.hop(ctx, left, req, u, a)
		}()
		if err != nil || next == nil {
			return a, err
		}
		left -= time.Since(began)
		if a.way.redirects++; a.way.redirects > req.redirects {
			return a, failf(ReasonRedirect, nil, "%s redirects more than %d times", req.url.Host, req.redirects)
		}
		// A redirect from https to http is followed, or feeds would be lost; but
		// then anybody on the way has a say in where it leads, so it does not last.
		downgrade := u.Scheme == "https" && next.to.Scheme == "http"
		a.way.lasting = a.way.lasting && next.permanent && !downgrade
		u = next.to
	}
}

// redirect is where an answer sends us.
type redirect struct {
	to        *url.URL
	permanent bool
}

// hop makes one request. It returns where the answer redirects to, or nil when
// it does not and a holds it.
func (c *Client) hop(ctx context.Context, left time.Duration, req request, u *url.URL, a *answer) (*redirect, error) {
	hopCtx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	r, err := http.NewRequestWithContext(hopCtx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, failf(ReasonConfig, nil, "%s: the address cannot be requested", u.Host)
	}
	r.Header.Set("User-Agent", c.userAgent)
	r.Header.Set("Accept-Encoding", acceptEncoding)
	req.header(u, r.Header)
	resp, err := c.opt.Transport.RoundTrip(r)
	if err != nil {
		return nil, c.explain(ctx, u, req, err)
	}
	c.outage.reached()
	defer resp.Body.Close()
	c.heed(u, resp)
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusPermanentRedirect:
		to, err := location(u, resp.Header.Get("Location"))
		return &redirect{to: to, permanent: true}, err
	case http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect:
		to, err := location(u, resp.Header.Get("Location"))
		return &redirect{to: to}, err
	}
	a.way.final, a.status, a.header = u, resp.StatusCode, resp.Header
	read, err := req.accept(a)
	if !read || err != nil {
		return nil, err
	}
	a.body = bodies.Get().(*bytes.Buffer)
	a.body.Reset()
	a.body.Grow(usualBody)
	if a.wire, err = readBody(a.body, resp, u.Host, req.body, req.cut); err != nil {
		return nil, c.explain(ctx, u, req, err)
	}
	return nil, nil
}

// explain puts an error of the network into words, unless it is in words
// already, or the caller's own context was the cause.
func (c *Client) explain(ctx context.Context, u *url.URL, req request, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	return explainTransport(u.Host, req.timeout, err)
}

// location resolves a Location header (RFC 9110 §10.2.2).
func location(from *url.URL, ref string) (*url.URL, error) {
	switch {
	case ref == "":
		return nil, failf(ReasonRedirect, nil, "%s redirects without saying where to", from.Host)
	case len(ref) > maxURLBytes:
		return nil, failf(ReasonRedirect, nil, "%s redirects to an address of %d bytes", from.Host, len(ref))
	}
	to, err := from.Parse(ref)
	if err != nil {
		return nil, failf(ReasonRedirect, nil, "%s redirects to something that is not an address", from.Host)
	}
	if to.Scheme != "http" && to.Scheme != "https" {
		return nil, failf(ReasonRedirect, nil, "%s redirects to a %s: address; only http and https are followed", from.Host, to.Scheme)
	}
	if to.Hostname() == "" {
		return nil, failf(ReasonRedirect, nil, "%s redirects to an address without a host", from.Host)
	}
	// User info that a server sends is not ours to present.
	return bare(to), nil
}

// checkURL refuses what cannot be polled whatever answers.
func checkURL(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return failf(ReasonConfig, nil, "the url must begin with http:// or https://")
	case u.Hostname() == "":
		return failf(ReasonConfig, nil, "the url has no host")
	}
	return nil
}

// parseURL reads an address that is to be requested. The error quotes nothing of
// it, nor url.Parse's error, which may: "http://u:pa/ss@host" is to that a port
// named ":pa".
func parseURL(raw string) (*url.URL, error) {
	if len(raw) > maxURLBytes {
		return nil, failf(ReasonConfig, nil, "the url is %d bytes long; at most %d are sent", len(raw), maxURLBytes)
	}
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return nil, failf(ReasonConfig, nil, "the url cannot be read; look for a blank, a misplaced \"@\" or \":\", or a \"%%\" that stands alone")
	}
	if err := checkURL(u); err != nil {
		return nil, err
	}
	return u, nil
}

// bare is the URL without what is not sent in a request line: user info and
// fragment.
func bare(u *url.URL) *url.URL {
	v := *u
	v.User, v.Fragment, v.RawFragment = nil, "", ""
	return &v
}

// hostKey is the host as it is counted for politeness: without port, since the
// machine behind all ports is the same.
func hostKey(u *url.URL) string {
	return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
}

// sameOrigin compares scheme, host and port (RFC 6454 §5).
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && hostKey(a) == hostKey(b) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}
