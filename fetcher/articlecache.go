package fetcher

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/newswatch/newswatch/fetcher/article"
)

// What is kept of articles: a story is often in several feeds of a site, and comes
// back when it is edited. A text is believed as long as its feed is not likely to
// bring a correction of it, and a failure until the site may have got over it.
const (
	articleFor      = time.Hour
	articleRetry    = 10 * time.Minute
	maxArticles     = 2048
	maxArticleBytes = 4 << 20
)

// articleCache keeps the articles that were lately read, those used longest ago
// thrown out first.
type articleCache struct {
	mu     sync.Mutex
	byLink map[string]*list.Element // of *articleEntry
	used   *list.List               // the latest first
	bytes  int
}

// articleEntry is one article. Who has its lock is reading it.
type articleEntry struct {
	link  string
	lock  chan struct{} // holds a token when free
	until time.Time
	found article.Article
	err   *Error
	size  int // as accounted for, under articleCache.mu
}

func newArticleCache() articleCache {
	return articleCache{byLink: make(map[string]*list.Element), used: list.New()}
}

// get returns the article at the link, as it was lately read or else by read.
// Whoever asks for one that is being read waits for it. An error that is not an
// *Error, such as a context's, is nobody else's.
func (ac *articleCache) get(ctx context.Context, link string, now time.Time, read func() (article.Article, error)) (article.Article, error) {
	if ctx.Err() != nil { // or a failure that is known would be told in its place
		return article.Article{}, wrap(ctx.Err())
	}
	e := ac.entry(link)
	select {
	case <-e.lock:
	case <-ctx.Done():
		return article.Article{}, wrap(ctx.Err())
	}
	defer func() { e.lock <- struct{}{} }()
	if !now.Before(e.until) {
		found, err := read()
		failed, ofSite := errors.AsType[*Error](err)
		if err != nil && (!ofSite || failed.Reason == ReasonHeld) {
			return article.Article{}, err // nothing was learned of the page
		}
		e.found, e.err, e.until = found, failed, now.Add(articleFor)
		if failed != nil {
			e.until = now.Add(articleRetry)
		}
		ac.keep(e)
	}
	if e.err != nil {
		return article.Article{}, e.err
	}
	return e.found, nil
}

// entry returns the entry of a link, a new one if there is none.
func (ac *articleCache) entry(link string) *articleEntry {
	ac.mu.Lock()
	defer ac.mu.Unlock()
	if el := ac.byLink[link]; el != nil {
		ac.used.MoveToFront(el)
		return el.Value.(*articleEntry)
	}
	e := &articleEntry{link: link, lock: make(chan struct{}, 1)}
	e.lock <- struct{}{}
	ac.byLink[link] = ac.used.PushFront(e)
	ac.evict()
	return e
}

// keep accounts for an entry that was just read, and makes room for it.
func (ac *articleCache) keep(e *articleEntry) {
	ac.mu.Lock()
	defer ac.mu.Unlock()
	if el := ac.byLink[e.link]; el == nil || el.Value.(*articleEntry) != e {
		return // thrown out in the meantime
	}
	size := len(e.found.Text) + len(e.found.Title) + len(e.link)
	ac.bytes += size - e.size
	e.size = size
	ac.evict()
}

// evict throws out what is too much, but not the latest. Whoever is using one goes
// on to do so.
func (ac *articleCache) evict() {
	for ac.used.Len() > 1 && (ac.used.Len() > maxArticles || ac.bytes > maxArticleBytes) {
		e := ac.used.Remove(ac.used.Back()).(*articleEntry)
		ac.bytes -= e.size
		delete(ac.byLink, e.link)
	}
}
