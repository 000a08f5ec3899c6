// Package document turns the bytes of a feed document into items, whatever they
// hold. It is pure: it opens no connection and reads no clock.
//
// The bytes pass four stages, each of which leaves the next less to fear. The
// charset is settled and stray bytes are repaired; the document is read once
// by a scanner that bounds everything and writes a new, small, well-formed
// document; gofeed parses that one and never sees the original; what gofeed
// found is translated to feed.Item as plain text.
package document

import (
	"errors"
	"fmt"
	"time"

	"github.com/newswatch/newswatch/feed"
)

// Input is one document and what is known of it.
type Input struct {
	// Body is the document after decompression. It is not modified.
	Body []byte
	// ContentType is the HTTP header of that name; its charset parameter is
	// believed after a byte order mark and before the document itself.
	ContentType string
	// URL is where the document came from, and the base of its relative links.
	URL string
	// FeedID goes into every item's ID.
	FeedID string
	// Lang is the operator's word on the language. It wins over the document.
	Lang string
	// Sitemap says that sitemaps and indexes of them are read too; otherwise they
	// are ErrNotFeed.
	Sitemap bool
	// Limits bound the work; a zero field takes its default.
	Limits Limits
	// Now judges dates: one more than a day after it is a mistake, and unknown.
	// The zero time judges none to be too late.
	Now time.Time
}

// Limits bound what one document may cost and what may come of it. A zero field
// means its default, see DefaultLimits.
type Limits struct {
	// Bytes is the size of the document once it is UTF-8.
	Bytes int
	// Items is how many are kept; those beyond are counted in Document.Dropped.
	Items int
	// TitleBytes and TextBytes cut a title, and each of summary and content, at
	// a character's boundary.
	TitleBytes int
	TextBytes  int
	// Depth is how deep elements, or JSON values, may nest.
	Depth int
	// Namespaces is how many declarations may be in force at once.
	Namespaces int
	// Elements is how many a document may have, or how many JSON values.
	Elements int
	// Pieces is how many comments, CDATA sections and processing instructions a
	// document may have: each splits a text in two.
	Pieces int
	// TagBytes is the length of one tag outside an item's text, and Attributes
	// the number of its attributes.
	TagBytes   int
	Attributes int
	// RunBytes is how much of one element's text is read; the rest of a longer
	// one is left out.
	RunBytes int
	// Time is how long a parse may take before it is given up as hostile.
	Time time.Duration
}

// DefaultLimits returns the limits that a zero Limits means.
func DefaultLimits() Limits {
	return Limits{
		Bytes:      16 << 20,
		Items:      2000,
		TitleBytes: 1 << 10,
		TextBytes:  256 << 10,
		Depth:      128,
		Namespaces: 64,
		Elements:   200_000,
		Pieces:     200_000,
		TagBytes:   64 << 10,
		Attributes: 256,
		RunBytes:   1 << 20,
		Time:       5 * time.Second,
	}
}

// Kind is the family of formats that a document belongs to.
type Kind string

const (
	KindRSS  Kind = "rss"
	KindRDF  Kind = "rdf"
	KindAtom Kind = "atom"
	KindJSON Kind = "json"
	// KindSitemap is a list of a site's pages, with Google's news extension or
	// without; its items are pages. KindSitemapIndex lists sitemaps.
	KindSitemap      Kind = "sitemap"
	KindSitemapIndex Kind = "sitemapindex"
)

// Document is what was read.
type Document struct {
	Kind Kind
	// Version is as the document says, such as "2.0" or "1.1"; often empty.
	Version string
	Title   string
	// Link is the site that the feed belongs to, in the form of CanonicalLink.
	Link string
	// Lang is a BCP 47 tag in lower case, or empty.
	Lang string
	// Charset is the encoding that the bytes were read in, such as "utf-8".
	Charset string
	// Items are in the document's order, without repeats, each ID once.
	Items []feed.Item
	// Dropped counts the items beyond Limits.Items.
	Dropped int
	// Repeats counts the items that were left out because the same item stands
	// in the document already, or because there was nothing in them.
	Repeats int
	// Truncated says that the document ended in the middle; its complete items
	// were read.
	Truncated bool
	Hints     Hints
	// Children are what a sitemap index lists, the newest first, at most a
	// thousand; it has no items.
	Children []Child
}

// Hints are what a document says of when to read it again.
type Hints struct {
	// TTL is RSS <ttl>, zero where there is none.
	TTL time.Duration
	// UpdateEvery is sy:updatePeriod divided by sy:updateFrequency (RSS 1.0
	// syndication module), zero where there is none; UpdateBase is
	// sy:updateBase.
	UpdateEvery time.Duration
	UpdateBase  time.Time
	// SkipHours are hours of the day, 0 to 23 in GMT, and SkipDays days of the
	// week in which the publisher asks not to be read (RSS 2.0).
	SkipHours []int
	SkipDays  []time.Weekday
	// Hubs and Self are WebSub's discovery links (W3C WebSub §4).
	Hubs []string
	Self string
}

// The classes of failure. Every error of Parse matches exactly one of them with
// errors.Is, except that a context's own error is returned as it is.
var (
	// ErrNotFeed is a document of another kind; the error says which.
	ErrNotFeed = errors.New("not a feed")
	// ErrHostile is a document beyond a bound; see BoundError.
	ErrHostile = errors.New("beyond a bound")
	// ErrMalformed is a feed that could not be read, for all the repairs.
	ErrMalformed = errors.New("cannot be parsed")
	// ErrBrokenOff is a feed that ends in the middle, before its first whole item.
	ErrBrokenOff = errors.New("the document breaks off before its first whole item")
	// ErrPanic is a defect of ours or of the parser, contained.
	ErrPanic = errors.New("the parser panicked")
)

// BoundError says which of the Limits a document broke. It matches ErrHostile.
type BoundError struct {
	// Bound is the limit's name in words, such as "depth".
	Bound string
	// Limit is what it was.
	Limit int64
}

func (e *BoundError) Error() string {
	return fmt.Sprintf("document: %v: %s is limited to %d", ErrHostile, e.Bound, e.Limit)
}

// Unwrap makes a BoundError match ErrHostile.
func (e *BoundError) Unwrap() error { return ErrHostile }
