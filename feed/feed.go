// Package feed holds the two things that every other package speaks of: a
// feed that is watched, and an item that was read from it.
package feed

import "time"

// Kind says what sort of document a feed's URL leads to.
type Kind string

const (
	// KindFeed is RSS, RDF, Atom or JSON Feed; the document says which.
	KindFeed Kind = "feed"
	// KindSitemap is a sitemap, Google's for news or a plain one, or an index of
	// them; and what KindFeed is, where that stands at the URL.
	KindSitemap Kind = "sitemap"
)

// FullText says when an article's own page is read because the feed holds
// only a summary of it.
type FullText string

const (
	// FullTextAuto reads the page when the feed gave less than an article.
	FullTextAuto FullText = "auto"
	// FullTextAlways reads the page of every new item.
	FullTextAlways FullText = "always"
	// FullTextNever matches on what the feed gave.
	FullTextNever FullText = "never"
)

// Feed is one source, as the operator configured it.
type Feed struct {
	// ID is the operator's name for the feed. It goes into every ItemID, so a
	// changed ID makes every item of the feed new; a changed URL does not.
	ID string
	// URL is where the operator said the feed is. A redirect that was learned
	// is kept in the feed's state and never written over this.
	URL  string
	Name string
	Tags []string
	// Lang is a BCP 47 tag, and wins over what the document says; it may be
	// empty.
	Lang string
	// Every is a fixed time between two checks; zero means adaptive.
	Every    time.Duration
	FullText FullText
	Kind     Kind
}

// HasTag reports whether the feed carries the tag.
func (f Feed) HasTag(tag string) bool {
	for _, t := range f.Tags {
		if t == tag {
			return true
		}
	}
	return false
}
