package fetcher

import (
	"time"

	"github.com/newswatch/newswatch/feed"
)

// State is what is remembered of a feed between two polls. The zero State, with
// only FeedID set, is a feed that was never polled.
type State struct {
	FeedID string `json:"feed"`
	// URL is where a permanent redirect (301, 308) has moved the feed; empty
	// means the configured URL. ConfiguredURL is what the operator wrote when it
	// was learned: when the operator writes another, the learned one is dropped.
	URL           string `json:"url,omitempty"`
	ConfiguredURL string `json:"configured_url,omitempty"`

	// ETag and LastModified are the validators of the last 200, exactly as the
	// server wrote them (RFC 9110 §8.8).
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
	// BodyHash is over the last body that was parsed, build dates left out.
	BodyHash string `json:"body_hash,omitempty"`

	// Title is what the document calls itself, for lists and for digests of
	// feeds that the operator gave no name.
	Title string `json:"title,omitempty"`
	// Items is the number of items in the last document that was parsed.
	Items int `json:"items,omitempty"`

	FirstSuccess time.Time `json:"first_success,omitzero"`
	LastPoll     time.Time `json:"last_poll,omitzero"`
	LastSuccess  time.Time `json:"last_success,omitzero"`
	// LastChange is when a poll last brought a new item, and LastItem the date
	// of the newest item ever seen.
	LastChange time.Time `json:"last_change,omitzero"`
	LastItem   time.Time `json:"last_item,omitzero"`
	NextCheck  time.Time `json:"next_check,omitzero"`

	// Failures counts the polls that failed since the last that did not.
	Failures int `json:"failures,omitempty"`
	// LastError is the last failure in words, empty after a success. Reason is
	// its class, for metrics.
	LastError string `json:"last_error,omitempty"`
	Reason    Reason `json:"reason,omitempty"`
	// Retired is set by 410 Gone: the feed is not polled again until the
	// operator gives it another URL.
	Retired bool `json:"retired,omitempty"`
	// Poisoned marks a feed whose document was being parsed when the process
	// died; see Store.MarkParsing. It counts such deaths in a row.
	Poisoned int `json:"poisoned,omitempty"`
}

// Baselined reports whether the feed was read before, so that what is new in it
// is news and not its back catalogue.
func (s State) Baselined() bool { return !s.FirstSuccess.IsZero() }

// Outcome is what one poll came to.
type Outcome string

const (
	// Fetched is a document that was read; it may still hold nothing new.
	Fetched Outcome = "fetched"
	// NotModified is a 304, or a body that differs only in build dates.
	NotModified Outcome = "not_modified"
	// Failed is a poll that brought nothing; the error says why.
	Failed Outcome = "failed"
)

// Result is one poll. State is always filled in, after a failure too: it holds
// the next check, the failure count and the reason.
type Result struct {
	Outcome Outcome
	State   State
	// Items are in the document's order, without repeats. Dropped counts those
	// beyond the limit.
	Items   []feed.Item
	Dropped int
	// Bytes is how much came over the wire, for metrics.
	Bytes int64
}

// Reason is the closed set of classes of failure. It labels metrics, so it
// never holds anything from outside.
type Reason string

const (
	ReasonDNS         Reason = "dns"
	ReasonRefused     Reason = "address_refused" // not public, and not allowed
	ReasonConnect     Reason = "connect"
	ReasonTLS         Reason = "tls"
	ReasonTimeout     Reason = "timeout"
	ReasonRedirect    Reason = "redirect" // a loop, too many, or to where we do not go
	ReasonGone        Reason = "gone"     // 410
	ReasonNotFound    Reason = "not_found"
	ReasonForbidden   Reason = "forbidden" // 401, 402, 403, 451
	ReasonRateLimited Reason = "rate_limited"
	ReasonClient      Reason = "client_error" // other 4xx
	ReasonServer      Reason = "server_error" // 5xx
	ReasonTooLarge    Reason = "too_large"
	ReasonBody        Reason = "body" // broken compression, wrong length, cut off
	ReasonNotAFeed    Reason = "not_a_feed"
	ReasonHostile     Reason = "hostile" // the guard refused the document
	ReasonParse       Reason = "parse"
	ReasonPanic       Reason = "panic"
	ReasonConfig      Reason = "config" // the URL itself cannot be polled
)

// Error is a failed poll. Its text is fit for an operator and holds no secret:
// user info and query are cut out of every URL in it.
type Error struct {
	Reason Reason
	Status int // the HTTP status, or zero
	Err    error
}

func (e *Error) Error() string { return "fetcher: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
