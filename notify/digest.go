package notify

import (
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
)

// Digest is one message to one subscriber. It is sealed once, with everything
// that a Notifier prints, and is the same at every try: same ID, same time,
// same words.
type Digest struct {
	// ID is deterministic: 32 hexadecimal digits made of the subscriber, the
	// window of the hit log and its beginning in time. It is the email's
	// Message-ID and the webhook's webhook-id.
	ID         string `json:"id"`
	Subscriber string `json:"subscriber"`
	// From and To bound the window of the hit log: From < seq <= To.
	From int64 `json:"from"`
	To   int64 `json:"to"`
	// Since and Until are the window in time, Sealed when it was closed.
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until"`
	Sealed   time.Time `json:"sealed"`
	Timezone string    `json:"timezone"`
	// Lang is the language that the digest is worded in, one of Languages; empty
	// is English. The reports stay as they are.
	Lang string `json:"lang,omitempty"`
	// Hits counts the reports in the window that the subscriber asked for,
	// Entries the stories they tell.
	Hits    int     `json:"hits"`
	Entries int     `json:"entries"`
	Groups  []Group `json:"groups"`
	// Corrections are of reports that earlier digests told of, at most
	// MaxCorrections of them; CorrectionsMore counts the rest.
	Corrections     []Correction `json:"corrections,omitempty"`
	CorrectionsMore int          `json:"corrections_more,omitempty"`
	// Notices are for operators: how the watch is kept, at most MaxNotices of them;
	// NoticesMore counts the rest.
	Notices     []Notice `json:"notices,omitempty"`
	NoticesMore int      `json:"notices_more,omitempty"`
	// More counts the entries that the cap left out.
	More     int      `json:"more,omitempty"`
	MoreURL  string   `json:"more_url,omitempty"`
	Coverage Coverage `json:"coverage"`
	// LeaveURL and ChangeURL are where its reader leaves, and changes what it is
	// sent. They are not sealed: they are made when it is sent, the same at every
	// try. Empty for a subscriber whom the operator configured.
	LeaveURL  string `json:"leave_url,omitempty"`
	ChangeURL string `json:"change_url,omitempty"`
	// Part is set where the log held more than one digest takes: what came after Until
	// follows at once, in another.
	Part bool `json:"part,omitempty"`
}

// Empty reports whether there is nothing to tell.
func (d Digest) Empty() bool { return d.Entries == 0 && d.corrected() == 0 && len(d.Notices) == 0 }

// corrected counts the corrections, listed or not.
func (d Digest) corrected() int { return len(d.Corrections) + d.CorrectionsMore }

// Group is the entries under one rule. An entry that several rules caught
// stands under the most severe of them and names the others.
type Group struct {
	Rule     string              `json:"rule"`
	Name     string              `json:"name"`
	Severity classifier.Severity `json:"severity"`
	Entries  []Entry             `json:"entries"`
}

// Entry is one story: its leading report, and who else tells it.
type Entry struct {
	Item      feed.ItemID        `json:"item"`
	Title     string             `json:"title"` // empty also where Show is link
	Link      string             `json:"link,omitempty"`
	Outlet    string             `json:"outlet,omitempty"`
	Lang      string             `json:"lang,omitempty"`
	Published time.Time          `json:"published,omitzero"`
	Found     time.Time          `json:"found"`
	Excerpt   classifier.Excerpt `json:"excerpt,omitzero"`
	// TakenDown is set where its publisher took it away before it was sent; then it has
	// no link.
	TakenDown bool `json:"taken_down,omitempty"`
	// Show is how much of the report its rules let be shown.
	Show classifier.Show `json:"show,omitempty"`
	// AlsoRules are the names of the other rules that caught it.
	AlsoRules []string `json:"also_rules,omitempty"`
	// Also is at most MaxAlso other reports; AlsoMore counts the rest.
	Also     []Report `json:"also,omitempty"`
	AlsoMore int      `json:"also_more,omitempty"`
	// Earlier is where the case that the story goes on with was first told of; see
	// story.Archive.
	Earlier Earlier `json:"earlier,omitzero"`
}

// Report is another outlet's report of an entry's story.
type Report struct {
	Item   feed.ItemID `json:"item"`
	Title  string      `json:"title,omitempty"`
	Link   string      `json:"link,omitempty"`
	Outlet string      `json:"outlet,omitempty"`
}

// Earlier is the first report of an entry's case, of some time ago.
type Earlier struct {
	Item      feed.ItemID `json:"item"`
	Title     string      `json:"title,omitempty"`
	Link      string      `json:"link,omitempty"`
	Outlet    string      `json:"outlet,omitempty"`
	Published time.Time   `json:"published"`
}

// Correction tells that a report which an earlier digest told of has another
// headline now, was taken down by its publisher, is back, or was withdrawn by the
// operator. One that was taken down has no link. One that was withdrawn names its item, so
// that a receiver can delete it too, and has no headline either.
type Correction struct {
	Item      feed.ItemID `json:"item"`
	Title     string      `json:"title,omitempty"` // now
	Was       string      `json:"was,omitempty"`   // empty where it is the same; both are where its rules show a link alone
	Link      string      `json:"link,omitempty"`
	Outlet    string      `json:"outlet,omitempty"`
	Published time.Time   `json:"published,omitzero"`
	Found     time.Time   `json:"found"`
	At        time.Time   `json:"at"` // when the change was seen
	TakenDown bool        `json:"taken_down,omitempty"`
	Withdrawn bool        `json:"withdrawn,omitempty"`
	// Back is set where it was taken down and is there again.
	Back bool `json:"back,omitempty"`
}

// Coverage proves that the watch was kept, so that an empty digest means that
// there was no news and not that something is broken.
type Coverage struct {
	Feeds   int `json:"feeds"`   // configured
	Checked int `json:"checked"` // read at least once within the window
	// Failing and Silent name feeds, with the reason in words; at most
	// MaxCoverageNames of each, the counts are whole.
	Failing      []SourceNote `json:"failing,omitempty"`
	FailingCount int          `json:"failing_count"`
	Silent       []SourceNote `json:"silent,omitempty"`
	SilentCount  int          `json:"silent_count"`
	Ruleset      string       `json:"ruleset"`
	Rules        int          `json:"rules"`
}

// MaxCoverageNames bounds the lists of feeds in a Coverage.
const MaxCoverageNames = 10

// SourceNote says what is wrong with one feed.
type SourceNote struct {
	Feed string `json:"feed"`
	Note string `json:"note"`
}
