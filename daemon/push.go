package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/websub"
)

// Hub takes a subscription's form; *fetcher.Client does.
type Hub interface {
	Subscribe(ctx context.Context, hub string, form url.Values) error
}

// pusher keeps the subscriptions at the hubs that feeds announce. Polling goes on
// beside it as if there were none: it is what nothing is lost by.
type pusher struct {
	keys     websub.Keyring
	callback string
	hub      Hub
	now      func() time.Time
	log      *slog.Logger
}

// listenToHubs lets polls ask for subscriptions from now on, and returns what
// answers the hubs; nil where nobody outside can reach this daemon.
func (d *Daemon) listenToHubs(ctx context.Context, c configs.HTTP) (http.Handler, error) {
	if c.PublicURL == "" {
		return nil, nil
	}
	key, err := d.store.SigningKey(ctx)
	if err != nil {
		return nil, fmt.Errorf("daemon: the key for hubs: %w", err)
	}
	keys := websub.NewKeyring(key)
	d.push = &pusher{keys: keys, callback: c.PublicURL + "/websub/", hub: d.fetch, now: d.now, log: d.log}
	return &websub.Receiver{
		Keys: keys,
		Known: func(id string) bool {
			_, ok := d.plan.Load().feeds[id]
			return ok
		},
		PollAt: func(ctx context.Context, id string, at time.Time) error {
			d.log.Debug("a hub says that a feed has news", "feed", id)
			return d.store.PollNow(ctx, []string{id}, at)
		},
		MaxBody: d.plan.Load().config.Fetch.MaxBody,
		Now:     d.now,
	}, nil
}

// renew asks a feed's hub for a subscription when it is time to. What comes of it is
// in the state, and is recorded with the poll; a failure is no failure of the feed.
func (p *pusher) renew(ctx context.Context, st *fetcher.State) {
	if p == nil || st.Push.Hub == "" || p.now().Sub(st.Push.Asked) < websub.RenewAfter {
		return
	}
	err := p.hub.Subscribe(ctx, st.Push.Hub, p.keys.Request(st.FeedID, st.Push.Topic, p.callback))
	if ctx.Err() != nil || errors.Is(err, fetcher.ErrNoTurn) {
		return // stopped, or not asked: that is for the next poll
	}
	if err != nil {
		p.log.Info("a hub did not take a subscription; the feed is polled", "feed", st.FeedID, "err", err)
	}
	st.Push.Asked, st.Push.Refused = p.now(), err != nil
}
