package daemon

import (
	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify"
)

// plan is one loaded configuration in the form the crews use. It is immutable:
// a reload makes another and swaps one pointer, so a poll or a delivery sees the
// old one or the new one and never a mixture.
type plan struct {
	path        string // of the file; empty for the embedded defaults
	config      configs.Config
	feeds       map[string]feed.Feed
	rules       *classifier.Ruleset
	subscribers map[string]notify.Recipient
}

// newPlan does everything of a reload that can fail, before anything live is
// touched.
func newPlan(loaded *configs.Loaded, via senders) (*plan, error) {
	pl := &plan{
		path:        loaded.Path,
		config:      loaded.Config,
		feeds:       make(map[string]feed.Feed, len(loaded.Feeds)),
		rules:       loaded.Rules,
		subscribers: make(map[string]notify.Recipient, len(loaded.Subscribers)),
	}
	for _, f := range loaded.Feeds {
		pl.feeds[f.ID] = f
	}
	for _, s := range loaded.Subscribers {
		n, err := via.notifier(loaded.Config, s)
		if err != nil {
			return nil, err
		}
		pl.subscribers[s.ID] = notify.Recipient{Subscriber: s.Subscriber, Notifier: n}
	}
	return pl, nil
}

func (pl *plan) feedIDs() []string {
	ids := make([]string, 0, len(pl.feeds))
	for id := range pl.feeds {
		ids = append(ids, id)
	}
	return ids
}
