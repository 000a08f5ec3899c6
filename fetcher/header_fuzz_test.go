package fetcher

import (
	"net/http"
	"testing"
	"time"
)

// FuzzHeaders: whatever a server writes into the headers that steer a poll, the
// next one is within the operator's bounds, and a redirect leads to http or
// https, to a host, and carries no credentials.
func FuzzHeaders(f *testing.F) {
	f.Add("max-age=600, no-cache", "Fri, 31 Dec 9999 23:59:59 GMT", "99999999999999999999", "120", "//u:p@example.org/x#y")
	f.Add(`private="a, max-age=1"`, "0", "-1", "Fri, 31 Dec 1999 23:59:59 GMT", "javascript:alert(1)")
	f.Add("max-age=18446744073709551615", "", "", "1e9", "http://[::1%25lo]:1/")
	f.Fuzz(func(t *testing.T, cacheControl, expires, age, retry, ref string) {
		h := http.Header{"Cache-Control": {cacheControl}, "Expires": {expires}, "Age": {age}, "Retry-After": {retry}}
		fresh, _ := freshness(h, start)
		if fresh < 0 || fresh > maxDeltaSeconds*time.Second {
			t.Errorf("fresh for %s", fresh)
		}
		for _, next := range []time.Time{
			nextCheck(start, 0, defaults, State{}, fresh, 0.9),
			backoff(start, 3, 0, defaults, retryAfter(h, start), 0.9),
		} {
			if d := next.Sub(start); d < defaults.min || d > defaults.max {
				t.Errorf("next check after %s", d)
			}
		}
		u, err := location(mustURL(t, "https://example.org/feed"), ref)
		if err == nil && (u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "") {
			t.Errorf("redirected to %q", u)
		}
		if err != nil {
			if _, err := parseURL(ref); err == nil && len(ref) > 0 && len(ref) <= maxURLBytes {
				t.Errorf("%q may be configured and not redirected to", ref)
			}
		}
	})
}
