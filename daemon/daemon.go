// Package daemon wires the parts together: it owns the two crews that walk the
// straight line, and start, reload and shutdown.
package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/netguard"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/redis"
	"github.com/newswatch/newswatch/store/sqlite"
	"github.com/newswatch/newswatch/subscription"
	"github.com/newswatch/newswatch/web/desk"
)

// deliveryHands bounds the digests that are sent at one time.
const deliveryHands = 16

// Options are what a daemon needs besides its configuration. Zero fields take
// defaults.
type Options struct {
	Version string
	Log     *slog.Logger
	// Load reads the configuration again; nil means that there is no reload.
	Load func() (*configs.Loaded, []configs.Warning, error)
	// Reload asks for a reload, as SIGHUP does.
	Reload <-chan os.Signal
	// Grace is how long a stop waits for what is in flight.
	Grace time.Duration
	// Lease is how long a killed process keeps its work from others; 30 s by
	// default.
	Lease time.Duration
	// Now is the clock.
	Now func() time.Time
	// Registry takes the metrics; by default the daemon has one of its own.
	Registry *prometheus.Registry
	// Listening is told the address of the pages once they are served; it may be
	// nil.
	Listening func(addr string)
	// putOff has feeds come back later for which their host has no turn soon.
	putOff bool
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Lease <= 0 {
		o.Lease = defaultLease
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	return o
}

// Daemon is a store, a configuration and the crews that work on them.
type Daemon struct {
	opt     Options
	store   store.Store
	fetch   *fetcher.Client
	senders *channels
	metrics *metrics
	roll    *subscription.Roll // nil where nobody can subscribe
	log     *slog.Logger
	now     func() time.Time
	started time.Time

	plan atomic.Pointer[plan]

	reloading sync.Mutex // one reload at a time
	mu        sync.Mutex // guards what follows
	lastLoad  desk.Reload
	warnings  []configs.Warning
	unsafe    []string // what the store says may lose what it keeps
	files     []string // of the configuration in force

	coverage coverage
	past     *past
	polls    *crew[*fetcher.State]
	turns    *crew[notify.Turn]
	push     *pusher // nil where no hub can reach us
	polled   func(Poll)
	pass     *pass // of Once
	offline  bool  // whether it was told; of gauges alone
	sent     func(notify.Result)
}

// New prepares a daemon on a store that the caller opened and will close. It
// starts nothing.
func New(loaded *configs.Loaded, st store.Store, opt Options) (*Daemon, error) {
	opt = opt.withDefaults()
	d := &Daemon{
		opt: opt, store: st, log: opt.Log, now: opt.Now, started: opt.Now(),
		metrics: newMetrics(opt.Registry),
		fetch:   newFetcher(loaded.Fetch, opt.Version, opt.Now, opt.putOff),
		senders: newChannels(loaded.Config, opt.Version),
	}
	d.senders.bounceKey = func() ([]byte, error) {
		ctx, cancel := context.WithTimeout(context.Background(), keyTimeout)
		defer cancel()
		return st.SigningKey(ctx)
	}
	pl, err := newPlan(loaded, d.senders)
	if err != nil {
		d.Close()
		return nil, err
	}
	d.plan.Store(pl)
	d.coverage = coverage{feeds: st, plan: d.plan.Load, now: d.now}
	d.past = newPast(st, d.now)
	d.roll = d.readers(loaded.Config)
	d.polls = d.pollCrew(loaded.Fetch.Concurrency)
	d.turns = d.turnCrew(loaded.HTTP)
	observeReady(opt.Registry, d.works)
	return d, nil
}

// Close frees what New made; the store stays open.
func (d *Daemon) Close() {
	d.fetch.Close()
	d.senders.close()
}

// pollCrew works off the queue of feeds.
func (d *Daemon) pollCrew(hands int) *crew[*fetcher.State] {
	p := &poller{
		fetch: d.fetch, journal: d.store, now: d.now, metrics: d.metrics, log: d.log,
		renew: func(ctx context.Context, st *fetcher.State) { d.push.renew(ctx, st) },
		done: func(out Poll) {
			if d.polled != nil {
				d.polled(out)
			}
		},
	}
	return &crew[*fetcher.State]{
		name:  "feeds",
		hands: hands,
		ttl:   d.opt.Lease,
		rest:  maxPause,
		claim: func(ctx context.Context, n int) ([]job[*fetcher.State], error) {
			claims, err := d.claimFeeds(ctx, n)
			jobs := make([]job[*fetcher.State], len(claims))
			for i := range claims {
				jobs[i] = job[*fetcher.State]{claims[i].Lease, &claims[i].State}
			}
			return jobs, err
		},
		renew: d.renew,
		work: func(ctx context.Context, l lease.Lease, st *fetcher.State) error {
			return p.poll(ctx, d.plan.Load(), l, *st)
		},
		release: func(ctx context.Context, l lease.Lease) error { return d.store.ReleaseFeeds(ctx, []lease.Lease{l}) },
		lost:    func() { d.metrics.leasesLost.WithLabelValues("feeds").Inc() },
		log:     d.log,
	}
}

// turnCrew works off the queue of subscribers.
func (d *Daemon) turnCrew(pages configs.HTTP) *crew[notify.Turn] {
	courier := d.courier(pages)
	return &crew[notify.Turn]{
		name:  "subscribers",
		hands: deliveryHands,
		ttl:   d.opt.Lease,
		rest:  maxPause,
		claim: func(ctx context.Context, n int) ([]job[notify.Turn], error) {
			turns, err := d.store.Claim(ctx, d.now(), n, d.opt.Lease)
			jobs := make([]job[notify.Turn], len(turns))
			for i, t := range turns {
				jobs[i] = job[notify.Turn]{t.Lease, t}
			}
			return jobs, err
		},
		renew: d.renew,
		work: func(ctx context.Context, _ lease.Lease, t notify.Turn) error {
			res, err := courier.Take(ctx, t)
			d.delivered(res)
			if res.Paused {
				// Even if the daemon was told to stop: nobody would say it later.
				d.tellPaused(context.WithoutCancel(ctx), res)
			}
			return err
		},
		release: func(ctx context.Context, l lease.Lease) error { return d.store.Release(ctx, l, d.now()) },
		lost:    func() { d.metrics.leasesLost.WithLabelValues("subscribers").Inc() },
		log:     d.log,
	}
}

// courier takes turns with the configuration that is in force at each.
func (d *Daemon) courier(pages configs.HTTP) *notify.Courier {
	return &notify.Courier{
		Log:       d.store,
		Now:       d.now,
		Recipient: d.recipient,
		Coverage:  d.coverage.between,
		Past:      d.past.get,
		MoreURL:   moreURL(pages),
	}
}

// delivered counts and logs the end of a turn in which something was sent or
// tried.
func (d *Daemon) delivered(res notify.Result) {
	switch res.Outcome {
	case notify.Released:
		if res.Untried && d.sent != nil {
			d.sent(res)
		}
		return
	case notify.Accepted:
		d.log.Info("digest sent", "subscriber", res.Subscriber, "digest", res.Digest, "entries", res.Entries, "tries", res.Tries)
	case notify.Retried:
		d.log.Warn("digest not accepted; it will be tried again", "subscriber", res.Subscriber, "digest", res.Digest,
			"failure", res.Failure, "reason", res.Reason, "tries", res.Tries, "next", res.Next)
	case notify.Buried:
		d.log.Error("digest given up: it is a dead letter", "subscriber", res.Subscriber, "digest", res.Digest,
			"failure", res.Failure, "reason", res.Reason, "tries", res.Tries)
		if res.Paused {
			d.metrics.paused.Inc()
		}
	default:
		return
	}
	d.metrics.deliveries.WithLabelValues(string(res.Outcome), string(res.Failure)).Inc()
	if d.sent != nil {
		d.sent(res)
	}
}

func (d *Daemon) renew(ctx context.Context, ls []lease.Lease) ([]lease.Lease, error) {
	return d.store.Renew(ctx, ls, d.now().Add(d.opt.Lease))
}

// enrol brings the store's queues in step with a plan.
func (d *Daemon) enrol(ctx context.Context, pl *plan) error {
	now := d.now()
	if err := d.store.SyncFeeds(ctx, pl.feedIDs(), now); err != nil {
		return err
	}
	subs := make([]store.Enrolment, 0, len(pl.subscribers))
	for id, s := range pl.subscribers {
		subs = append(subs, store.Enrolment{
			ID:       id,
			Next:     s.Subscriber.Schedule.Next(now),
			Schedule: s.Subscriber.Schedule.String(),
			Since:    now.Add(-pl.config.Digest.FirstWindow),
		})
	}
	if err := d.store.Enrol(ctx, subs, now); err != nil {
		return err
	}
	d.metrics.feeds.Set(float64(len(pl.feeds)))
	return nil
}

// pollMoved makes the feeds due to which the operator gave another URL since
// their last poll: one that was gone for good is not looked at again for a day
// otherwise. It reads every state, so it runs once, beside the crews.
func (d *Daemon) pollMoved(ctx context.Context, pl *plan) error {
	var moved []string
	for st, err := range store.AllStates(ctx, d.store, store.StateQuery{}) {
		if err != nil {
			return err
		}
		if f, ok := pl.feeds[st.FeedID]; ok && st.Moved(f.URL) {
			moved = append(moved, st.FeedID)
		}
	}
	return d.pollNow(ctx, moved)
}

// movedSince are the feeds whose URL is another in this plan than in the one
// before it.
func (pl *plan) movedSince(old *plan) []string {
	var moved []string
	for id, f := range pl.feeds {
		if before, ok := old.feeds[id]; ok && before.URL != f.URL {
			moved = append(moved, id)
		}
	}
	return moved
}

// pollNow makes feeds due; without any, none is.
func (d *Daemon) pollNow(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	return d.store.PollNow(ctx, ids, d.now())
}

// NewFetcher makes the client that the configuration asks for. now is its clock; nil is
// time.Now.
func NewFetcher(c configs.Fetch, version string, now func() time.Time) *fetcher.Client {
	return newFetcher(c, version, now, false)
}

func newFetcher(c configs.Fetch, version string, now func() time.Time, putOff bool) *fetcher.Client {
	transport := netguard.NewRenewing(func() *http.Transport {
		t := netguard.Policy{Allow: c.AllowNetworks}.Transport()
		// As many connections to a host are worth keeping as are used at one time.
		t.MaxIdleConnsPerHost = max(t.MaxIdleConnsPerHost, c.PerHost)
		return t
	})
	return fetcher.New(fetcher.Options{
		Product:     "newswatch/" + version,
		Contact:     c.Contact,
		Timeout:     c.Timeout,
		MaxBody:     c.MaxBody,
		Concurrency: c.Concurrency,
		PerHost:     c.PerHost,
		HostSpacing: c.HostSpacing,
		Interval:    c.Interval,
		MinInterval: c.MinInterval,
		MaxInterval: c.MaxInterval,
		PutOff:      putOff,
		Transport:   transport,
		Now:         now,
	})
}

// OpenStore opens the engine that the configuration names.
func OpenStore(ctx context.Context, c configs.Config) (store.Store, error) {
	switch c.Store.Engine {
	case configs.EngineSQLite:
		return sqlite.Open(ctx, c.Store.Path)
	case configs.EngineRedis, configs.EngineRedisSentinel, configs.EngineRedisCluster:
		return redis.Open(ctx, c.Store.URL.Reveal(), redis.Options{
			WaitReplicas: c.Store.WaitReplicas, AllowEviction: c.Store.AllowEviction,
		})
	default:
		return nil, fmt.Errorf("daemon: store.url: the engine %q is not known", c.Store.Engine)
	}
}
