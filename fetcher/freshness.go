package fetcher

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxDeltaSeconds is what a number of seconds that is too large stands for
// (RFC 9111 §1.2.2).
const maxDeltaSeconds = 1 << 31

// freshness reads for how long from now on an answer is fresh (RFC 9111 §4.2),
// and whether its validators may be kept. Sending them back for an answer that
// must not be stored, or one that is said to be stale at birth by the invalid
// "Expires: 0", brings a lasting 304 from servers that do not mean it; such a
// body is read whole and compared instead.
func freshness(h http.Header, now time.Time) (fresh time.Duration, storable bool) {
	cc := cacheControl(h)
	if _, no := cc["no-store"]; no {
		return 0, false
	}
	expires, hasExpires := h["Expires"]
	age, hasAge := cc["max-age"]
	if _, no := cc["no-cache"]; no {
		return 0, true
	}
	if hasAge { // wins over Expires, RFC 9111 §5.3
		fresh = deltaSeconds(age) - deltaSeconds(h.Get("Age"))
		return max(fresh, 0), true
	}
	if !hasExpires {
		return 0, true
	}
	if strings.TrimSpace(expires[0]) == "0" {
		return 0, false
	}
	until, err := http.ParseTime(expires[0])
	if err != nil {
		return 0, true // expired, RFC 9111 §5.3
	}
	from := now
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		from = date // by the server's own clock, RFC 9111 §4.2.1
	}
	// Bounded before the age is taken off: the difference between the ends of time
	// is the least number that there is.
	fresh = min(max(until.Sub(from), 0), maxDeltaSeconds*time.Second)
	return max(fresh-deltaSeconds(h.Get("Age")), 0), true
}

// cacheControl reads the directives of Cache-Control, names in lower case
// (RFC 9111 §5.2). Of a repeated one the first counts (§4.2.1).
func cacheControl(h http.Header) map[string]string {
	directives := make(map[string]string)
	for field := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, seen := directives[name]; !seen {
			directives[name] = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return directives
}

// deltaSeconds reads a number of seconds (RFC 9111 §1.2.2); what is none counts
// as zero.
func deltaSeconds(s string) time.Duration {
	s = strings.TrimSpace(s)
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if s != "" && (err != nil || n > maxDeltaSeconds) {
		n = maxDeltaSeconds
	}
	return time.Duration(n) * time.Second
}

// retryAfter reads Retry-After (RFC 9110 §10.2.3), seconds or a date. It is zero
// when there is none that lies ahead.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if d := deltaSeconds(v); d > 0 {
		return d
	}
	t, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	return min(max(t.Sub(now), 0), maxDeltaSeconds*time.Second)
}

const (
	// mostHeld is for how long an answer keeps everything of its host from being
	// asked. A feed waits longer for its own server's word, but who has a feed at a
	// host must not be able to silence its neighbours there.
	mostHeld = 15 * time.Minute
	// heldUnsaid is for how long a host is held that has had too many requests and
	// does not say until when.
	heldUnsaid = time.Minute
)

// holdFor is for how long nothing is asked of a host that has given this answer:
// one to whom there were too many requests (RFC 6585 §4), or that cannot answer and
// says for how long (RFC 9110 §15.6.4, §10.2.3). How it counts requests, for each
// address that is asked for or over the whole site, RFC 6585 leaves to the server.
func holdFor(status int, h http.Header, now time.Time) time.Duration {
	after := retryAfter(h, now)
	switch {
	case status == http.StatusTooManyRequests && after == 0:
		return heldUnsaid
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return min(after, mostHeld)
	}
	return 0
}

// heed holds the host of u if the answer asks for that. The jitter keeps replicas
// from coming back together.
func (c *Client) heed(u *url.URL, resp *http.Response) {
	if d := holdFor(resp.StatusCode, resp.Header, c.opt.Now()); d > 0 {
		c.turns.hold(hostKey(u), d+time.Duration(c.opt.Jitter()/10*float64(d)))
	}
}

// setConditions asks for a document only if it has changed. Both are sent: a
// server that knows the first must ignore the second (RFC 9110 §13.1.3), and many
// know the second only.
func setConditions(h http.Header, etag, lastModified string) {
	if etag != "" {
		h.Set("If-None-Match", etag)
	}
	if lastModified != "" {
		h.Set("If-Modified-Since", lastModified)
	}
}

// validator returns a header that names a version of the document, empty if
// there is none that is fit to be kept.
func validator(h http.Header, name string) string {
	if v := h.Get(name); len(v) <= maxValidator {
		return v
	}
	return ""
}
