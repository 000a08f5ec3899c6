package fetcher

import (
	"cmp"
	"time"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher/document"
)

// State is what is remembered of a feed between two polls. The zero State, with
// only FeedID set, is a feed that was never polled.
type State struct {
	FeedID string `json:"feed"`
	// URL is where a permanent redirect (301, 308) has moved the feed; empty
	// means the configured URL. MovedTo is where the last poll was sent for good;
	// it becomes URL when the next poll is sent there too, since a redirect that
	// is seen once may be a slip or somebody's login page.
	URL     string `json:"url,omitempty"`
	MovedTo string `json:"moved_to,omitempty"`
	// ConfiguredURL is what the operator wrote at the last poll. When the operator
	// writes another, what was learned of the old one is dropped: the redirect,
	// the validators, the retirement and the failures. It holds no user info.
	ConfiguredURL string `json:"configured_url,omitempty"`

	// ETag and LastModified are the validators of the last 200, exactly as the
	// server wrote them (RFC 9110 §8.8); ValidFor is the URL that gave them, the
	// only one to which they are ever sent.
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
	ValidFor     string `json:"valid_for,omitempty"`
	// BodyHash is over the last body that was parsed, build dates left out.
	BodyHash string `json:"body_hash,omitempty"`
	// LastFull is when a body was last read whole, see fullReadAfter.
	LastFull time.Time `json:"last_full,omitzero"`

	// Sitemaps are the newest of what a sitemap index lists, at most maxSitemaps;
	// empty where the document is no index.
	Sitemaps []Sitemap `json:"sitemaps,omitempty"`

	// Title is what the document calls itself, for lists and for digests of
	// feeds that the operator gave no name.
	Title string `json:"title,omitempty"`
	// Items is the number of items in the last document that was parsed.
	Items int `json:"items,omitempty"`
	// Truncated says that it broke off; what was whole of it was read.
	Truncated bool `json:"truncated,omitempty"`
	// Pace is what that document tells of when to look again.
	Pace Pace `json:"pace,omitzero"`

	// Rhythm is how the feed publishes, learned across polls.
	Rhythm Rhythm `json:"rhythm,omitzero"`

	// Push is the hub that tells when the feed has news.
	Push Push `json:"push,omitzero"`

	// Reports are the items that were lately reported, the last first.
	Reports []Report `json:"reports,omitempty"`

	FirstSuccess time.Time `json:"first_success,omitzero"`
	LastPoll     time.Time `json:"last_poll,omitzero"`
	LastSuccess  time.Time `json:"last_success,omitzero"`
	// LastChange is when a poll last brought a document with other words in it,
	// and LastItem the date of the newest item ever seen, never later than the
	// poll that saw it.
	LastChange time.Time `json:"last_change,omitzero"`
	LastItem   time.Time `json:"last_item,omitzero"`
	NextCheck  time.Time `json:"next_check,omitzero"`
	// PutOff is since when the feed is due, where its host had no turn for it; the
	// zero time when it is not put off. NextCheck is then when it is tried again.
	PutOff time.Time `json:"put_off,omitzero"`

	// Health is how the feed does, judged at each poll.
	Health Health `json:"health,omitzero"`
	// Paused is since when the operator has it out of the queue; the zero time
	// when it is not.
	Paused time.Time `json:"paused,omitzero"`

	// Failures counts the polls that failed since the last that did not.
	Failures int `json:"failures,omitempty"`
	// LastError is the last failure in words, empty after a success. Reason is
	// its class, for metrics.
	LastError string `json:"last_error,omitempty"`
	Reason    Reason `json:"reason,omitempty"`
	// Retired is set by 410 Gone: the feed is not polled again until the
	// operator gives it another URL.
	Retired bool `json:"retired,omitempty"`
	// Poisoned counts, in a row, the times that the process died while it was
	// parsing the feed's document; see Store.MarkParsing. A parse that returns
	// sets it back to zero.
	Poisoned int `json:"poisoned,omitempty"`
	// Suspect is the document that is held to have been the cause.
	Suspect Suspect `json:"suspect,omitzero"`
}

// Report is an item of the feed that was reported, for as long as it is looked after
// whether its publisher takes it down. What it said and where it is stands in its hit
// alone, which a purge removes.
type Report struct {
	Item      feed.ItemID `json:"item"`
	Published time.Time   `json:"published,omitzero"`
	Found     time.Time   `json:"found"`
	// Missing is set where the feed's document does not list it, though it lists
	// older ones. Checked is when its page was asked for then, and Absent how often on
	// end the site said that there is none.
	Missing bool      `json:"missing,omitempty"`
	Checked time.Time `json:"checked,omitzero"`
	Absent  int       `json:"absent,omitempty"`
	// Down is since when it counts as taken down, and is looked for in case it comes
	// back.
	Down time.Time `json:"down,omitzero"`
}

// Baselined reports whether the feed was read before, so that what is new in it
// is news and not its back catalogue.
func (s State) Baselined() bool { return !s.FirstSuccess.IsZero() }

// Due is when the feed is due, or has been since, however often it was put off.
func (s State) Due() time.Time { return cmp.Or(s.PutOff, s.NextCheck) }

// Moved reports whether the operator has given the feed another URL since it was
// last polled.
func (s State) Moved(configured string) bool {
	u, err := parseURL(configured)
	return err == nil && s.ConfiguredURL != "" && s.ConfiguredURL != bare(u).String()
}

// Suspect is a document in quarantine: it is not parsed until the feed serves
// another, or until Since is a day ago.
type Suspect struct {
	Hash  string    `json:"hash"`
	Since time.Time `json:"since"`
	// Deaths is State.Poisoned as it was when the document was put here. A
	// higher count now means that trying it again killed the process again.
	Deaths int `json:"deaths"`
}

// Outcome is what one poll came to.
type Outcome string

const (
	// Fetched is a document that was read; it may still hold nothing new.
	Fetched Outcome = "fetched"
	// NotModified is a 304, or a body that differs only in build dates.
	NotModified Outcome = "not_modified"
	// Failed is a poll that brought nothing; the error says why.
	Failed Outcome = "failed"
	// PutOff is a poll that was not made: the feed comes back later.
	PutOff Outcome = "put_off"
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
	// Format is what the document is, where it was read.
	Format document.Kind
	// Bytes is how much came over the wire, for metrics.
	Bytes int64
}

// quarantineAfter is how many deaths in a row put a document into quarantine. One
// or two may be a coincidence: a power cut, a kill, a holder that was cut off from
// the store while it was parsing. To be wrong costs the feed's news for a day, and
// one death more costs a restart.
const quarantineAfter = 3

// quarantineFor is how long a document stays there; after it, it is tried once
// more, since a newer version of this program may bear it.
const quarantineFor = 24 * time.Hour

// quarantineRetry is the least time between two looks at a feed whose document is
// there, to see whether it serves another.
const quarantineRetry = time.Hour

// Quarantined reports whether the feed's document has killed the process too often
// to be parsed.
func (s State) Quarantined() bool { return s.Poisoned >= quarantineAfter }

// quarantine reports whether a body with this hash must not be parsed at now,
// and records it as the suspect if that is news.
func (s *State) quarantine(hash string, now time.Time) bool {
	if !s.Quarantined() {
		return false
	}
	if s.Poisoned > s.Suspect.Deaths {
		s.Suspect = Suspect{Hash: hash, Since: now, Deaths: s.Poisoned}
		return true
	}
	return s.Suspect.Hash == hash && now.Sub(s.Suspect.Since) < quarantineFor
}

// survive records that a parse returned, whatever it returned.
func (s *State) survive() {
	s.Poisoned = 0
	s.Suspect = Suspect{}
}

// at returns the state as it applies to the configured URL: what was learned of
// another is left out.
func (s State) at(configured string) State {
	if s.ConfiguredURL == configured {
		return s
	}
	if s.ConfiguredURL != "" {
		s.URL, s.MovedTo = "", ""
		s.ETag, s.LastModified, s.ValidFor, s.BodyHash = "", "", "", ""
		s.Sitemaps = nil
		s.Retired = false
		s.Failures, s.LastError, s.Reason = 0, "", ""
	}
	s.ConfiguredURL = configured
	return s
}

// learn takes note of where a poll that did not fail was sent.
func (s *State) learn(way trail) {
	final := way.final.String()
	switch {
	case way.redirects == 0, !way.lasting:
		s.MovedTo = ""
	case final == s.ConfiguredURL:
		s.URL, s.MovedTo = "", "" // sent back to where the operator said
	case final == s.MovedTo:
		s.URL, s.MovedTo = final, ""
	default:
		s.MovedTo = final
	}
}
