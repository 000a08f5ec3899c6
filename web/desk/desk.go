// Package desk is what an operator can look up and do, without a form to it: the
// pages and the API are its two faces, and so can do the same.
package desk

import (
	"context"
	"iter"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/guard"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/story"
)

// Store is the part of store.Store that an operator has to do with.
type Store interface {
	// Ping reports whether the engine can be written to.
	Ping(ctx context.Context) error
	Counts(ctx context.Context) (store.Counts, error)

	States(ctx context.Context, q store.StateQuery) ([]fetcher.State, error)
	State(ctx context.Context, id string) (fetcher.State, error)
	Census(ctx context.Context, late time.Time) (store.Census, error)
	PauseFeeds(ctx context.Context, ids []string, paused bool, now time.Time) error
	PollNow(ctx context.Context, ids []string, now time.Time) error

	Hits(ctx context.Context, q store.HitQuery) ([]classifier.Hit, error)
	Hit(ctx context.Context, id feed.ItemID) (classifier.Hit, error)
	Tally(ctx context.Context, edges []time.Time) (store.Tally, error)
	Stored(ctx context.Context, id feed.ItemID) (store.StoredItem, error)
	StoredItems(ctx context.Context, since time.Time) iter.Seq2[store.StoredItem, error]
	Purge(ctx context.Context, id feed.ItemID, now time.Time) error

	LatestNotices(ctx context.Context, before int64, limit int) ([]notify.Notice, error)

	Standings(ctx context.Context) ([]store.Standing, error)
	SendNow(ctx context.Context, ids []string, now time.Time) error
	Pause(ctx context.Context, subscriber string, p notify.Pause) error
	Resume(ctx context.Context, subscriber string, now time.Time) error
	DeadLetters(ctx context.Context) ([]notify.DeadLetter, error)
	Resend(ctx context.Context, digestID string, now time.Time) error
	Drop(ctx context.Context, digestID string) error
	Deliveries(ctx context.Context, subscriber string, limit int) ([]notify.Delivery, error)
}

// Desk is the daemon as an operator reaches it. Store, Status and Now are
// required; a nil func means that this cannot be done here.
type Desk struct {
	Store  Store
	Status func() Status
	// Now is the clock.
	Now func() time.Time
	// Silent says in words for how long a feed whose grade is fetcher.Silent has
	// published nothing; a nil func, or an empty answer, says no more than that.
	Silent func(s fetcher.State, now time.Time) string
	// Rules returns the rules in force.
	Rules func() *classifier.Ruleset
	// Article reads the page that a link leads to, by the guarded client.
	Article func(ctx context.Context, link string) (string, error)
	// Preview builds the digest that a subscriber would get now. It wraps
	// store.ErrNotFound where there is no such subscriber.
	Preview func(ctx context.Context, subscriber string) (notify.Digest, error)
	// Past gives the reports among which the beginnings of cases are looked for.
	Past func(context.Context) (*story.Archive, error)
	// Settings are the configuration in force, with secrets hidden.
	Settings func() []configs.Setting
	// Reload loads the configuration anew. Its error is shown to the operator who
	// asked.
	Reload func(context.Context) error
}

// Status is what the daemon knows of itself. Whoever gets it never writes to it,
// so a snapshot may be shared by all requests.
type Status struct {
	Version string
	Started time.Time
	// Ready is false while the daemon cannot do its work; Reasons says why, one
	// sentence each. /readyz shows them to anyone who can reach it, so they hold
	// no address, path or secret.
	Ready   bool
	Reasons []string

	ConfigPath string
	LastReload Reload

	// Ruleset is the version of the rules in force.
	Ruleset string
	Rules   []Rule
	// Feeds are those of the configuration, by id.
	Feeds map[string]feed.Feed
	// Schedules are the canonical texts of the subscribers' schedules, by the
	// subscriber's id.
	Schedules map[string]string
	// Warnings are what the operator should look at though the daemon runs, one
	// sentence each.
	Warnings []string
	// PutOffLate is how many feeds are late that are put off, which the store does not
	// count among those that are.
	PutOffLate int
	// Unguarded turns off what keeps back sentences that could identify a child.
	Unguarded bool
}

// Shown is a hit as it may leave the house: without its longer text, and without
// what could identify a child.
func (st Status) Shown(h classifier.Hit) classifier.Hit {
	if st.Unguarded {
		return h
	}
	return guard.Hit(h)
}

// Rule is what is said of a rule: its id, and its name for people.
type Rule struct {
	ID   string
	Name string
}

// Reload is the last attempt to load the configuration; the zero Reload means
// that there was none since the start.
type Reload struct {
	At time.Time
	OK bool
	// Error is the loader's whole text, with places in files, when not OK.
	Error string
}
