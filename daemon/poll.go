package daemon

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/fetcher/article"
	"github.com/newswatch/newswatch/fetcher/document"
	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/story"
)

const (
	// shortContent is the number of bytes below which what a feed gives is taken
	// for a summary, and the article's page is read.
	shortContent = 600
	// articleBudget bounds the time one poll spends on article pages. Items that
	// are left when it is spent are matched on what the feed gave: a slow site
	// must not hold up its own news.
	articleBudget = time.Minute
	// floodItems is the number of new items in one poll from which a feed that
	// was read before is suspected of having renumbered its back catalogue.
	floodItems = 50
)

// Fetcher reads feeds and articles; *fetcher.Client does.
type Fetcher interface {
	Fetch(ctx context.Context, f feed.Feed, st fetcher.State, mark func(ctx context.Context, parsing bool) error) (fetcher.Result, error)
	Article(ctx context.Context, link string) (article.Article, error)
	Absent(ctx context.Context, link string) (bool, error)
}

// Journal is what a poll needs of the store.
type Journal interface {
	MarkParsing(ctx context.Context, l lease.Lease, parsing bool) error
	ReleaseFeeds(ctx context.Context, ls []lease.Lease) error
	Unseen(ctx context.Context, feedID string, seen []store.Sighting) ([]store.Novelty, error)
	Record(ctx context.Context, b store.Batch) ([]classifier.Hit, error)
	Hit(ctx context.Context, id feed.ItemID) (classifier.Hit, error)
}

// Poll is what one poll came to, for progress and for the sums of "once".
type Poll struct {
	Feed    feed.Feed
	Outcome fetcher.Outcome
	Err     error // of a poll that failed or was put off
	Items   int
	New     int
	// Hits are those of new items, quiet ones too, and those of edited items that
	// are news: which match for the first time, or match another rule.
	Hits []classifier.Hit
}

// poller takes one feed down the straight line: fetch, unseen, full text,
// classify, record.
type poller struct {
	fetch   Fetcher
	journal Journal
	now     func() time.Time
	metrics *metrics
	log     *slog.Logger
	// renew keeps a feed's subscription at its hub.
	renew func(ctx context.Context, st *fetcher.State)
	// done is told of every poll that was recorded; it may be nil.
	done func(Poll)
}

// poll takes one feed that is due down the line. Until Record, nothing is changed.
// The error is the store's; what is wrong with the feed is recorded in its state.
func (p *poller) poll(ctx context.Context, pl *plan, l lease.Lease, st fetcher.State) error {
	f, ok := pl.feeds[st.FeedID]
	if !ok {
		// The configuration changed between the claim and now.
		return p.journal.ReleaseFeeds(ctx, []lease.Lease{l})
	}
	begun := p.now()
	res, fetchErr := p.fetch.Fetch(ctx, f, st, func(ctx context.Context, parsing bool) error {
		return p.journal.MarkParsing(ctx, l, parsing)
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	failure, ofFeed := errors.AsType[*fetcher.Error](fetchErr)
	if fetchErr != nil && !ofFeed {
		// The store failed, not the feed: its state is as it was.
		return fetchErr
	}
	if res.Outcome == fetcher.PutOff {
		return p.putOff(ctx, f, l, res, failure)
	}
	if due := st.Due(); !due.IsZero() {
		p.metrics.pollLateness.Observe(begun.Sub(due).Seconds())
	}

	if fetchErr == nil && p.renew != nil {
		p.renew(ctx, &res.State)
	}
	b := store.Batch{Lease: l, State: res.State}
	out := Poll{Feed: f, Outcome: res.Outcome, Err: fetchErr, Items: len(res.Items)}
	if res.Outcome == fetcher.Fetched {
		if err := p.classify(ctx, pl, f, st, res, &b, &out); err != nil {
			return err
		}
	}
	if fetchErr == nil {
		if err := p.takedowns(ctx, pl, f, res, &b); err != nil {
			return err
		}
	}
	b.Notices = append(b.Notices, changes(pl.nameOf(res.State), st, res.State)...)
	reported, err := p.journal.Record(ctx, b)
	if err != nil {
		return err
	}
	for _, h := range reported {
		if !slices.ContainsFunc(out.Hits, func(o classifier.Hit) bool { return o.Item.ID == h.Item.ID }) {
			out.Hits = append(out.Hits, h)
		}
	}
	for _, n := range b.Notices {
		p.metrics.tell(p.log, n)
	}
	p.report(f, st, res, failure, reported, p.now().Sub(begun))
	if p.done != nil {
		p.done(out)
	}
	return nil
}

// putOff records when a feed comes back for which its host had no turn.
func (p *poller) putOff(ctx context.Context, f feed.Feed, l lease.Lease, res fetcher.Result, why *fetcher.Error) error {
	if _, err := p.journal.Record(ctx, store.Batch{Lease: l, State: res.State}); err != nil {
		return err
	}
	p.metrics.polls.WithLabelValues(string(res.Outcome), string(why.Reason)).Inc()
	p.metrics.fetchedBytes.Add(float64(res.Bytes))
	p.log.Debug("a feed is put off", "feed", f.ID, "reason", why.Reason, "until", res.State.NextCheck)
	if p.done != nil {
		p.done(Poll{Feed: f, Outcome: res.Outcome, Err: why})
	}
	return nil
}

// classify finds what is new in a document, and what of it the rules match.
func (p *poller) classify(ctx context.Context, pl *plan, f feed.Feed, before fetcher.State, res fetcher.Result, b *store.Batch, out *Poll) error {
	b.Seen = make([]store.Sighting, len(res.Items))
	for i, it := range res.Items {
		b.Seen[i] = store.Sighting{ID: it.ID, Fingerprint: it.Fingerprint()}
	}
	novelties, err := p.journal.Unseen(ctx, f.ID, b.Seen)
	if err != nil {
		return err
	}
	now := p.now()
	fresh, edited := 0, 0
	for _, n := range novelties {
		switch n {
		case store.New:
			fresh++
		case store.Edited:
			edited++
		}
	}
	b.Items = make([]store.StoredItem, 0, fresh+edited)
	quiet := backCatalogue(f, before, fresh, len(res.Items), now.Add(-pl.config.Digest.FirstWindow))
	if quiet.flood {
		b.Notices = append(b.Notices, flood(f, pl.nameOf(res.State), fresh, now))
	}
	articlesUntil := time.Now().Add(articleBudget)
	for i, it := range res.Items {
		n := novelties[i]
		if n != store.New && n != store.Edited {
			continue
		}
		hush := quiet.covers(it)
		searched := classifier.SearchedFeed
		if n == store.New && !hush && wantsArticle(f, it, pl.config.Fetch.FullText) && time.Now().Before(articlesUntil) {
			if page, err := p.article(ctx, it.Link, articlesUntil); err == nil && len(page.Text) > len(it.Content) {
				it.Content, searched = page.Text, classifier.SearchedArticle
				if f.Kind == feed.KindSitemap && it.Title == document.TitleOf(it.Link) {
					it.Title = cmp.Or(page.Title, it.Title) // it had none of its own
				}
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		b.Items = append(b.Items, store.StoredItem{Item: it, Searched: searched, Stored: now})
		p.metrics.items.WithLabelValues(noveltyName(n)).Inc()
		if n == store.New {
			out.New++
		}
		doc := classifier.NewDoc(it, f)
		matches := pl.rules.Match(&doc)
		if len(matches) == 0 {
			if n == store.Edited { // what was told of it may have to be put right
				it.Content = ""
				b.Hits = append(b.Hits, classifier.Hit{Item: it, Found: now})
			}
			continue
		}
		h := classifier.Hit{
			Item: it, Source: cmp.Or(f.Name, res.State.Title, f.ID), FeedTags: f.Tags, Rules: matches,
			Searched: searched, Ruleset: pl.rules.Version(), Found: now, Quiet: hush,
			Own: story.Own(f.URL, it.Link),
		}
		// The whole text is kept with the item, for a shorter time than the hit.
		h.Sketch = story.Sketch(it)
		h.Item.Content = ""
		h.Story = story.Key(h)
		b.Hits = append(b.Hits, h)
		if n == store.New {
			out.Hits = append(out.Hits, h)
		}
	}
	return nil
}

// article reads an article's page within the poll's budget.
func (p *poller) article(ctx context.Context, link string, until time.Time) (article.Article, error) {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	page, err := p.fetch.Article(ctx, link)
	result := "read"
	if err != nil {
		result = "failed"
		p.log.Debug("the article's page could not be read; matching on the feed's text", "err", err)
	}
	p.metrics.articles.WithLabelValues(result).Inc()
	return page, err
}

// report counts a recorded poll, and logs it at the level it deserves: a feed that
// begins to fail, or is back, is worth a line; one that goes on failing is not. Nor is
// one that is out of reach because all are, which is a notice of its own.
func (p *poller) report(f feed.Feed, before fetcher.State, res fetcher.Result, failure *fetcher.Error, reported []classifier.Hit, took time.Duration) {
	var reason fetcher.Reason
	if failure != nil {
		reason = failure.Reason
	}
	p.metrics.observePoll(res, reason, took)
	failed := before.Failures > 0 && before.Reason != fetcher.ReasonOffline
	switch {
	case failure == nil && failed:
		p.log.Info("a feed can be read again", "feed", f.ID, "failures", before.Failures)
	case failure != nil && (failed || reason == fetcher.ReasonOffline):
		p.log.Debug("a feed failed, as it did or as all do", "feed", f.ID, "reason", reason, "failures", res.State.Failures)
	case failure != nil:
		p.log.Warn("a feed failed", "feed", f.ID, "reason", reason, "err", failure, "next_check", res.State.NextCheck)
	}
	for _, h := range reported {
		for _, r := range h.Rules {
			p.metrics.hits.WithLabelValues(r.Rule).Inc()
		}
		p.log.Info("hit", "feed", f.ID, "item", h.Item.ID, "rules", ruleIDs(h))
	}
}

// hushing says which items of a poll are recorded without being reported.
type hushing struct {
	flood    bool
	baseline bool
	// archive says that the document lists all that its site ever published.
	archive bool
	before  time.Time
}

// backCatalogue decides what of a document is old. All that a feed holds at
// first sight is a baseline, reported at most as far back as the first window.
// So is what a known feed brings when most of a long document is new at once: it
// has changed its guids, not published a year of news in a minute.
func backCatalogue(f feed.Feed, before fetcher.State, fresh, items int, oldest time.Time) hushing {
	return hushing{
		baseline: !before.Baselined(),
		flood:    before.Baselined() && fresh >= floodItems && fresh*5 >= items*4,
		archive:  f.Kind == feed.KindSitemap,
		before:   oldest,
	}
}

// covers reports whether the item is recorded quietly. An item without a date
// cannot be shown to be old: in a baseline it is reported, since to miss a
// story is worse than to be told of an old one; in a flood and in an archive it
// is not.
func (h hushing) covers(it feed.Item) bool {
	if !h.baseline && !h.flood {
		return false
	}
	if it.Time().IsZero() {
		return h.flood || h.archive
	}
	return it.Time().Before(h.before)
}

// wantsArticle decides whether an item's page is read before the rules run.
func wantsArticle(f feed.Feed, it feed.Item, byDefault feed.FullText) bool {
	if it.Link == "" {
		return false
	}
	switch cmp.Or(f.FullText, byDefault) {
	case feed.FullTextAlways:
		return true
	case feed.FullTextNever:
		return false
	default:
		return len(it.Content) < shortContent
	}
}

func noveltyName(n store.Novelty) string {
	if n == store.New {
		return "new"
	}
	return "edited"
}

func ruleIDs(h classifier.Hit) []string {
	ids := make([]string, len(h.Rules))
	for i, r := range h.Rules {
		ids[i] = r.Rule
	}
	return ids
}
