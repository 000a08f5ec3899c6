package daemon

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/web"
	"github.com/newswatch/newswatch/web/desk"
)

const (
	// sweepEvery is how often what outlived its retention is deleted.
	sweepEvery = time.Hour
	// gaugeEvery is how often the gauges that need a look into the store are
	// brought up to date.
	gaugeEvery = 30 * time.Second
	// seenFor is how long an item's id is remembered after its feed ceased to
	// list it: longer than any feed was seen to bring an old item back.
	seenFor = 90 * 24 * time.Hour
)

// Run is the daemon from start to stop: it returns nil after ctx ended and all
// that was in flight has ended too. What was acquired is released in the reverse
// order.
func Run(ctx context.Context, loaded *configs.Loaded, opt Options) (err error) {
	opt = opt.withDefaults()
	begun := opt.Now()
	opt.Registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	// A part that fails stops the others.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	front, err := openFront(ctx, stop, loaded.HTTP, opt)
	if err != nil {
		return err
	}
	defer func() { stop(); err = errors.Join(err, front.wait()) }()

	st, err := awaitStore(ctx, loaded.Config, opt)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	opt.putOff = true
	d, err := New(loaded, st, opt)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.enrol(ctx, d.plan.Load()); err != nil {
		return err
	}
	d.loaded(loaded, nil, nil)
	if front != nil {
		hubs, err := d.listenToHubs(ctx, loaded.HTTP)
		if err != nil {
			return err
		}
		front.show(d.pages(loaded.HTTP, front.listener.Addr(), hubs))
	}
	d.serve(ctx, loaded, begun)
	return nil
}

// awaitStore opens the store. A server that is not there yet is waited for: it
// may well start at the same time. What waiting cannot mend is returned.
func awaitStore(ctx context.Context, c configs.Config, opt Options) (store.Store, error) {
	said := false
	for pause := 250 * time.Millisecond; ; pause = min(2*pause, maxPause) {
		st, err := OpenStore(ctx, c)
		if err == nil || c.Store.Engine == configs.EngineSQLite || !errors.Is(err, store.ErrUnavailable) {
			return st, err
		}
		if !said {
			opt.Log.Warn("the store cannot be reached: waiting for it", "err", err)
			said = true
		}
		if !wait(ctx, nil, pause) {
			return nil, err
		}
	}
}

// serve runs every long-lived part until ctx ends, and waits for all of them.
func (d *Daemon) serve(ctx context.Context, loaded *configs.Loaded, begun time.Time) {
	var parts sync.WaitGroup
	parts.Go(func() { d.polls.run(ctx, d.opt.Grace) })
	parts.Go(func() { d.turns.run(ctx, d.opt.Grace) })
	parts.Go(func() { d.letters(ctx) })
	parts.Go(func() { d.sweep(ctx) })
	parts.Go(func() { d.gauges(ctx) })
	parts.Go(func() { tendMemory(ctx) })
	parts.Go(func() { d.watchReload(ctx, begun) })
	parts.Go(func() {
		if err := d.pollMoved(ctx, d.plan.Load()); err != nil && ctx.Err() == nil {
			d.log.Warn("feeds that were given another url are polled at their next turn, not now", "err", err)
		}
	})

	pl := d.plan.Load()
	d.log.Info("watching", "version", d.opt.Version, "feeds", len(pl.feeds), "rules", len(pl.rules.Rules()),
		"ruleset", pl.rules.Version(), "subscribers", len(pl.subscribers), "store", loaded.Store.Engine)
	<-ctx.Done()
	d.log.Info("stopping: finishing what is in flight", "grace", d.opt.Grace)
	parts.Wait()
	d.log.Info("stopped")
}

// pages makes the handler of everything that is served.
func (d *Daemon) pages(c configs.HTTP, addr net.Addr, hubs http.Handler) http.Handler {
	return web.New(web.Options{
		Desk: desk.Desk{
			Store:  d.store,
			Status: d.status,
			Now:    d.now,
			Silent: Silence,
			Rules:  func() *classifier.Ruleset { return d.plan.Load().rules },
			Article: func(ctx context.Context, link string) (string, error) {
				a, err := d.fetch.Article(ctx, link)
				return strings.TrimSpace(a.Title + "\n\n" + a.Text), err
			},
			Preview: func(ctx context.Context, id string) (notify.Digest, error) {
				return preview(ctx, d.plan.Load(), d.store, id, time.Time{}, d.now())
			},
			Past:     d.past.get,
			Settings: func() []configs.Setting { return d.plan.Load().config.Settings() },
			Reload:   d.reload,
		},
		Metrics:       promhttp.HandlerFor(d.opt.Registry, promhttp.HandlerOpts{Registry: d.opt.Registry}),
		AdminToken:    c.AdminToken.Reveal(),
		ProxyHeader:   c.ProxyHeader,
		ProxyNetworks: c.ProxyNetworks,
		PublicURL:     c.PublicURL,
		Loopback:      isLoopback(addr),
		Location:      d.plan.Load().config.Digest.Timezone,
		Log:           d.log,
		Hubs:          hubs,
		Subscriptions: d.subscriptions(),
	})
}

// sweep deletes what outlived its retention, at the start and then every hour.
func (d *Daemon) sweep(ctx context.Context) {
	for {
		c := d.plan.Load().config.Retention
		swept, err := d.store.Sweep(ctx, d.now(), store.Retention{Hits: c.Hits, Items: c.Items, MaxItems: c.MaxItems, Seen: seenFor})
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			d.log.Error("old records could not be deleted", "err", err)
		case swept != (store.Swept{}):
			d.log.Info("deleted old records", "hits", swept.Hits, "items", swept.Items, "seen", swept.Seen,
				"feeds", swept.Feeds, "subscribers", swept.Subscribers, "readers", swept.Readers, "dead_letters", swept.DeadLetters)
		}
		if !wait(ctx, nil, sweepEvery) {
			return
		}
	}
}

// gauges keeps the gauges in step with the store.
func (d *Daemon) gauges(ctx context.Context) {
	for {
		d.askStore(ctx)
		d.tellOffline(ctx)
		if r, err := d.coverage.current(ctx); err == nil {
			failing := 0
			for _, g := range fetcher.Grades {
				d.metrics.feedsByHealth.WithLabelValues(g.String()).Set(float64(r.Grades[g]))
			}
			for _, g := range fetcher.Failing {
				failing += r.Grades[g]
			}
			d.metrics.feedsFailing.Set(float64(failing))
			d.metrics.feedsLate.Set(float64(r.Late + d.putOffLate()))
		}
		if n, err := d.store.Counts(ctx); err == nil {
			d.metrics.deadLetters.Set(float64(n.DeadLetters))
		}
		if standings, err := d.store.Standings(ctx); err == nil {
			d.metrics.observeStandings(standings, d.now())
		}
		if !wait(ctx, nil, gaugeEvery) {
			return
		}
	}
}

// askStore asks the store whether it is set up to keep what it is given, and logs
// what is new of the answer.
func (d *Daemon) askStore(ctx context.Context) {
	w, ok := d.store.(store.Warner)
	if !ok {
		return
	}
	now, err := w.Warnings(ctx)
	if err != nil {
		return // the crews tell of a store that does not answer
	}
	d.mu.Lock()
	before := d.unsafe
	d.unsafe = now
	d.mu.Unlock()
	for _, text := range now {
		if !slices.Contains(before, text) {
			d.log.Warn("the store may lose what it keeps", "why", text)
		}
	}
}

// putOffLate counts the late feeds that the store's census cannot tell from those
// that are not due: their hosts have had no turn for them.
func (d *Daemon) putOffLate() int { return d.fetch.Waiting(d.now().Add(-lateAfter)) }

// works reports whether the store gives out the work and takes what comes of it.
func (d *Daemon) works() bool { return d.polls.lastFault() == nil && d.turns.lastFault() == nil }

// status is what the pages and /readyz tell of the daemon.
func (d *Daemon) status() desk.Status {
	pl := d.plan.Load()
	s := desk.Status{
		Version:    d.opt.Version,
		Started:    d.started,
		Ready:      true,
		ConfigPath: pl.path,
		Ruleset:    pl.rules.Version(),
		Feeds:      pl.feeds,
		Schedules:  make(map[string]string, len(pl.subscribers)),
		Unguarded:  !pl.config.Digest.ChildIdentityGuard,
		PutOffLate: d.putOffLate(),
	}
	for _, r := range pl.rules.Rules() {
		s.Rules = append(s.Rules, desk.Rule{ID: r.ID, Name: r.Name})
	}
	for id, sub := range pl.subscribers {
		s.Schedules[id] = sub.Subscriber.Schedule.String()
	}
	if !d.works() {
		s.Ready = false
		s.Reasons = []string{"the store does not answer, or does not take what is written"}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s.LastReload = d.lastLoad
	for _, w := range d.warnings {
		s.Warnings = append(s.Warnings, w.String())
	}
	s.Warnings = append(s.Warnings, d.unsafe...)
	return s
}
