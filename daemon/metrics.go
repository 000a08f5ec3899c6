package daemon

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/store"
)

// metrics are what the daemon counts. The names follow the conventions of
// Prometheus: a unit as suffix, _total for counters. Labels are closed sets or
// ids from the configuration, never anything from outside, and never a
// subscriber's address.
type metrics struct {
	polls         *prometheus.CounterVec
	pollSeconds   prometheus.Histogram
	pollLateness  prometheus.Histogram
	fetchedBytes  prometheus.Counter
	items         *prometheus.CounterVec
	articles      *prometheus.CounterVec
	hits          *prometheus.CounterVec
	deliveries    *prometheus.CounterVec
	leasesLost    *prometheus.CounterVec
	reloadOK      prometheus.Gauge
	reloadTime    prometheus.Gauge
	feeds         prometheus.Gauge
	feedsFailing  prometheus.Gauge
	feedsByHealth *prometheus.GaugeVec
	notices       *prometheus.CounterVec
	feedsLate     prometheus.Gauge
	deadLetters   prometheus.Gauge
	pending       prometheus.Gauge
	deliveryLag   prometheus.Gauge
	paused        prometheus.Counter
	letters       *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	with := promauto.With(reg)
	m := &metrics{
		polls: with.NewCounterVec(prometheus.CounterOpts{
			Name: "newswatch_polls_total",
			Help: "Polls of feeds by outcome (fetched, not_modified, failed, put_off) and, of those that failed or were put off, by reason.",
		}, []string{"outcome", "reason"}),
		pollSeconds: with.NewHistogram(prometheus.HistogramOpts{
			Name:    "newswatch_poll_duration_seconds",
			Help:    "Time from a feed's claim to its record.",
			Buckets: []float64{.01, .05, .1, .5, 1, 2.5, 5, 10, 30, 60, 120},
		}),
		pollLateness: with.NewHistogram(prometheus.HistogramOpts{
			Name:    "newswatch_poll_lateness_seconds",
			Help:    "Time from when a feed was due to when it was claimed and read, however often it was put off.",
			Buckets: []float64{1, 2, 5, 10, 30, 60, 300, 900},
		}),
		fetchedBytes: with.NewCounter(prometheus.CounterOpts{
			Name: "newswatch_fetched_bytes_total",
			Help: "Bytes of feed documents received.",
		}),
		items: with.NewCounterVec(prometheus.CounterOpts{
			Name: "newswatch_items_total",
			Help: "Items that were not known as they are, by novelty (new, edited).",
		}, []string{"novelty"}),
		articles: with.NewCounterVec(prometheus.CounterOpts{
			Name: "newswatch_articles_total",
			Help: "Article pages asked for because a feed gave only a summary, by result (read, failed).",
		}, []string{"result"}),
		hits: with.NewCounterVec(prometheus.CounterOpts{
			Name: "newswatch_hits_total",
			Help: "Hits that were reported, by rule.",
		}, []string{"rule"}),
		deliveries: with.NewCounterVec(prometheus.CounterOpts{
			Name: "newswatch_deliveries_total",
			Help: "Tries to deliver a digest by result (accepted, retried, buried) and, where it failed, by failure.",
		}, []string{"result", "failure"}),
		leasesLost: with.NewCounterVec(prometheus.CounterOpts{
			Name: "newswatch_leases_lost_total",
			Help: "Work that another holder took over, by queue.",
		}, []string{"queue"}),
		reloadOK: with.NewGauge(prometheus.GaugeOpts{
			Name: "newswatch_config_last_reload_successful",
			Help: "Whether the last attempt to load the configuration succeeded.",
		}),
		reloadTime: with.NewGauge(prometheus.GaugeOpts{
			Name: "newswatch_config_last_reload_success_timestamp_seconds",
			Help: "When the configuration in force was loaded.",
		}),
		feeds: with.NewGauge(prometheus.GaugeOpts{
			Name: "newswatch_feeds",
			Help: "Feeds in the configuration.",
		}),
		notices: with.NewCounterVec(prometheus.CounterOpts{
			Name: "newswatch_notices_total",
			Help: "What the operator was told of how the watch is kept, by kind (source_lost, source_silent, source_back, flood_held, offline, subscriber_paused, mail_returned, reload_failed).",
		}, []string{"kind"}),
		feedsByHealth: with.NewGaugeVec(prometheus.GaugeOpts{
			Name: "newswatch_feeds_by_health",
			Help: "Feeds by how they do (fine, unread, paused, temporary, silent, soft, hard).",
		}, []string{"health"}),
		feedsLate: with.NewGauge(prometheus.GaugeOpts{
			Name: "newswatch_feeds_late",
			Help: "Feeds that were due more than ten minutes ago, those among them that are put off included.",
		}),
		feedsFailing: with.NewGauge(prometheus.GaugeOpts{
			Name: "newswatch_feeds_failing",
			Help: "Feeds whose last poll failed.",
		}),
		pending: with.NewGauge(prometheus.GaugeOpts{
			Name: "newswatch_digests_pending",
			Help: "Digests that were sealed and not accepted yet.",
		}),
		deliveryLag: with.NewGauge(prometheus.GaugeOpts{
			Name: "newswatch_delivery_lag_seconds",
			Help: "For how long the longest waiting subscriber's turn has been due; 0 where none is.",
		}),
		deadLetters: with.NewGauge(prometheus.GaugeOpts{
			Name: "newswatch_dead_letters",
			Help: "Digests that could not be delivered and wait for an operator.",
		}),
		letters: with.NewCounterVec(prometheus.CounterOpts{
			Name: "newswatch_letters_total",
			Help: "Tries to send a letter to one who subscribes, by its kind and by why it failed.",
		}, []string{"kind", "failure"}),
		paused: with.NewCounter(prometheus.CounterOpts{
			Name: "newswatch_subscribers_paused_total",
			Help: "Subscribers that were paused because their receiver wants nothing more.",
		}),
	}
	for _, queue := range []string{"feeds", "subscribers"} {
		m.leasesLost.WithLabelValues(queue) // so that the first to be lost is an increase
	}
	return m
}

// observeReady adds the one gauge that is not stored when it changes: it must move
// while the store, and with it what fills the others, is away.
func observeReady(reg prometheus.Registerer, works func() bool) {
	promauto.With(reg).NewGaugeFunc(prometheus.GaugeOpts{
		Name: "newswatch_ready",
		Help: "Whether the store answers and takes what is written; while it does not, nothing is read or sent.",
	}, func() float64 {
		if works() {
			return 1
		}
		return 0
	})
}

// observePoll counts one poll.
func (m *metrics) observePoll(res fetcher.Result, reason fetcher.Reason, took time.Duration) {
	m.polls.WithLabelValues(string(res.Outcome), string(reason)).Inc()
	m.pollSeconds.Observe(took.Seconds())
	m.fetchedBytes.Add(float64(res.Bytes))
}

// observeStandings sets what is known of the queue of subscribers. Who is paused
// waits for nothing.
func (m *metrics) observeStandings(standings []store.Standing, now time.Time) {
	pending, lag := 0, time.Duration(0)
	for _, s := range standings {
		if s.Pending != "" {
			pending++
		}
		if s.Paused == nil {
			lag = max(lag, now.Sub(s.Next))
		}
	}
	m.pending.Set(float64(pending))
	m.deliveryLag.Set(lag.Seconds())
}
