// Package fetcher turns a feed's URL into items, politely and safely, and an
// article's link into its text.
//
// One Client does all of it, so that what is owed to a server is counted over
// every feed and article that lives there. It keeps nothing of a feed between
// two polls: that is State, which the caller stores.
package fetcher

import (
	"context"
	"math"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/newswatch/newswatch/fetcher/document"
	"github.com/newswatch/newswatch/netguard"
)

// Options are what a Client is made of. A zero field takes its default.
type Options struct {
	// Product and Contact make the User-Agent, "newswatch/1.2 (+contact)".
	// Product is "newswatch" with a version; Contact is a URL or an address at
	// which a publisher can complain, and may be empty.
	Product string
	Contact string
	// Timeout bounds one poll, from the first request over all redirects to the
	// last byte; time spent waiting for a turn is not counted. Default 30 s.
	Timeout time.Duration
	// MaxBody bounds a feed document in bytes, on the wire and after
	// decompression. Default 10 MiB.
	MaxBody int64
	// Concurrency bounds the requests under way, PerHost those to one host, both
	// over feeds, articles and robots.txt together. Defaults 64 and 2.
	Concurrency int
	PerHost     int
	// HostSpacing is the least time between the beginnings of two requests to one
	// host, this machine excepted; zero means none.
	HostSpacing time.Duration
	// Interval is the first guess at the time between two polls; MinInterval and
	// MaxInterval bound what is made of it. Defaults 15 min, 5 min, 24 h.
	Interval    time.Duration
	MinInterval time.Duration
	MaxInterval time.Duration
	// PutOff makes Fetch return at once where the queue of the feed's host is long, for
	// who has other feeds to poll meanwhile; see Client.Fetch.
	PutOff bool
	// Transport carries the requests. It must not follow redirects, decompress
	// or use a proxy; netguard.Policy.Transport makes the right one. The default
	// reaches public addresses only. The Client closes its idle connections.
	Transport http.RoundTripper
	// Limits bound the parsing of a document.
	Limits document.Limits
	// Now is the clock that dates polls. Default time.Now.
	Now func() time.Time
	// Jitter returns numbers from [0,1) that spread the polls. Default random.
	Jitter func() float64
}

// Client polls feeds and reads articles. It is safe for concurrent use.
type Client struct {
	opt       Options
	userAgent string
	turns     *turnstile
	// parsing bounds the bytes of feeds and pages that are being parsed at one
	// time, since a parse takes a multiple of its document in memory. The turn is
	// waited for here, before a poll is marked as parsing: a document that waits
	// when another kills the process must not be blamed for it.
	parsing      *semaphore.Weighted
	parsingBytes int64
	backlog      backlog
	robots       robotsCache
	articles     articleCache
	outage       outage
}

// New returns a Client.
func New(opt Options) *Client {
	setDefault(&opt.Product, "newswatch")
	setDefault(&opt.Timeout, 30*time.Second)
	setDefault(&opt.MaxBody, 10<<20)
	setDefault(&opt.Concurrency, 64)
	setDefault(&opt.PerHost, 2)
	setDefault(&opt.Interval, 15*time.Minute)
	setDefault(&opt.MinInterval, 5*time.Minute)
	setDefault(&opt.MaxInterval, 24*time.Hour)
	opt.MaxInterval = max(opt.MaxInterval, opt.MinInterval)
	if opt.Limits.Bytes == 0 { // what may be read may be parsed
		opt.Limits.Bytes = max(document.DefaultLimits().Bytes, int(opt.MaxBody))
	}
	if opt.Transport == nil {
		opt.Transport = netguard.Policy{}.Transport()
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Jitter == nil {
		opt.Jitter = rand.Float64
	}
	c := &Client{
		opt:          opt,
		userAgent:    userAgent(opt.Product, opt.Contact),
		turns:        newTurnstile(opt.Concurrency, opt.PerHost, opt.HostSpacing),
		parsingBytes: max(opt.MaxBody, 16<<20),
		backlog:      backlog{most: parsers()},
		robots:       robotsCache{origins: make(map[string]*robotsEntry)},
		articles:     newArticleCache(),
	}
	c.parsing = semaphore.NewWeighted(c.parsingBytes)
	return c
}

func setDefault[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// Close closes the connections that are kept for another request. It does not
// wait for requests under way; their contexts end those.
func (c *Client) Close() {
	if t, ok := c.opt.Transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// userAgent builds the header of RFC 9110 §10.1.5. What could end the comment or
// the header is left out of it.
func userAgent(product, contact string) string {
	clean := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r <= ' ' || r > '~' || strings.ContainsRune(`()\"`, r) {
				return -1
			}
			return r
		}, s)
	}
	ua := clean(product)
	if contact = clean(contact); contact != "" {
		ua += " (+" + contact + ")"
	}
	return ua
}

// alone is the size of a document that is parsed while no other is.
const alone = math.MaxInt

// parsers is how many documents may be parsed at one time: more than there are cores,
// because each is marked in the store meanwhile.
func parsers() int { return max(8, 2*runtime.GOMAXPROCS(0)) }

// parseTurn waits until a document of n bytes may be parsed. Those that are small
// are counted too, since none is done sooner for being parsed beside fifty others,
// and all of them would be in memory at once.
func (c *Client) parseTurn(ctx context.Context, n int) (done func(), err error) {
	w := min(max(int64(n), c.parsingBytes/int64(parsers())), c.parsingBytes)
	c.backlog.join()
	defer c.backlog.leave()
	if err := c.parsing.Acquire(ctx, w); err != nil {
		return nil, err
	}
	return func() { c.parsing.Release(w) }, nil
}
