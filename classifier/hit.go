package classifier

import (
	"time"

	"github.com/newswatch/newswatch/feed"
)

// Field is a part of an item that a rule can look into.
type Field string

const (
	FieldTitle  Field = "title"
	FieldLead   Field = "lead" // the feed's summary
	FieldBody   Field = "body" // the whole text
	FieldAuthor Field = "author"
	FieldTag    Field = "tag" // the publisher's categories
	FieldURL    Field = "url"
	FieldSite   Field = "site"   // the link's domain and its sub-domains
	FieldSource Field = "source" // the outlet or the feed's name
	FieldLang   Field = "lang"
)

// Match is a span that proves that a rule matched: bytes Start to End of the
// field's text as it was given.
type Match struct {
	Rule  string `json:"rule"`
	Field Field  `json:"field"`
	Start int    `json:"start"`
	End   int    `json:"end"`
	Text  string `json:"text"`
}

// Excerpt is the sentence that is shown for a rule, at most MaxExcerpt
// characters of it, with the spans (bytes of Text, in order, not overlapping)
// that the rule matched.
type Excerpt struct {
	Field Field    `json:"field,omitempty"`
	Text  string   `json:"text,omitempty"`
	Marks [][2]int `json:"marks,omitempty"`
}

// MaxExcerpt bounds an Excerpt, in characters: a digest cites, it does not
// republish.
const MaxExcerpt = 300

// RuleMatch is one rule that matched an item. It carries what a digest prints
// of the rule, so that a hit stays readable after the rule is gone.
type RuleMatch struct {
	Rule     string   `json:"rule"`
	Name     string   `json:"name,omitempty"`
	Severity Severity `json:"severity"`
	Tags     []string `json:"tags,omitempty"`
	Matches  []Match  `json:"matches,omitempty"`
	Excerpt  Excerpt  `json:"excerpt,omitzero"`
	Show     Show     `json:"show,omitempty"`
	// Seq is the place in the hit log at which this rule was first reported for
	// this item. The store gives it; zero means recorded but not reported.
	Seq int64 `json:"seq,omitempty"`
}

// Searched says which text of an item the rules were run on.
type Searched string

const (
	// SearchedFeed is the title, summary and content that the feed gave.
	SearchedFeed Searched = "feed"
	// SearchedArticle is the article's page, read in addition.
	SearchedArticle Searched = "article"
)

// Hit is an item and every rule that it matched. There is at most one for an
// item; an edited item updates it.
type Hit struct {
	// Item is without Content: a hit outlives the text that was searched.
	Item feed.Item `json:"item"`
	// Source is the feed's name as it was when the hit was found, and FeedTags
	// its tags.
	Source   string      `json:"source,omitempty"`
	FeedTags []string    `json:"feed_tags,omitempty"`
	Rules    []RuleMatch `json:"rules"`
	Searched Searched    `json:"searched"`
	// Ruleset is the version of the rules that found it.
	Ruleset string    `json:"ruleset"`
	Found   time.Time `json:"found"`
	// Sketch is what is kept of the text that was searched, so that it can be compared
	// with others'; package story makes and reads it, see story.SketchLen.
	Sketch []byte `json:"sketch,omitempty"`
	// Story groups the hits that tell the same story; equal keys are one story.
	Story string `json:"story,omitempty"`
	// Quiet hits were found in a feed's back catalogue. They can be searched,
	// and are never sent.
	Quiet bool `json:"quiet,omitempty"`
	// TakenDown is set when the publisher has taken the item away after it was found.
	TakenDown bool `json:"taken_down,omitempty"`
	// Own is set where the item's link leads to the site that its feed comes from. Any
	// feed can list another's page, under words of its own.
	Own bool `json:"own,omitempty"`
}

// Outlet is the name to print for where the hit was published.
func (h Hit) Outlet() string {
	if h.Item.Outlet != "" {
		return h.Item.Outlet
	}
	return h.Source
}
