package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/notify"
)

// changes are what the operator is told of between two states of a feed. Each is
// named by the time at which it began, which is in the state: so a poll that is
// repeated, here or by another process, says nothing twice.
func changes(name string, before, after fetcher.State) []notify.Notice {
	var out []notify.Notice
	tell := func(kind notify.NoticeKind, began time.Time, format string, args ...any) {
		out = append(out, notify.Notice{
			ID: notify.NoticeID(kind, after.FeedID, began.UTC().Format(time.RFC3339Nano)), At: after.LastPoll,
			Kind: kind, Subject: after.FeedID, Text: name + fmt.Sprintf(format, args...),
		})
	}
	b, a := before.Health, after.Health
	switch {
	case b.Lost.IsZero() && !a.Lost.IsZero() && after.Retired:
		tell(notify.SourceLost, a.Lost, " is lost: %s. It is not polled until it has another url.", cause(after))
	case b.Lost.IsZero() && !a.Lost.IsZero():
		tell(notify.SourceLost, a.Lost, " is lost: it has failed for %s, %d times in a row: %s.",
			days(a.Lost.Sub(a.FailingSince)), after.Failures, cause(after))
	case !b.Lost.IsZero() && a.Lost.IsZero():
		tell(notify.SourceBack, b.Lost, " is back: it can be read again.")
	}
	switch quiet, usual := after.Silence(after.LastPoll); {
	case b.Silent.IsZero() && !a.Silent.IsZero():
		tell(notify.SourceSilent, a.Silent, " is silent: nothing new for %s, where it usually has something every %s.", days(quiet), each(usual))
	case !b.Silent.IsZero() && a.Silent.IsZero():
		tell(notify.SourceBack, b.Silent, " is back: it publishes again.")
	}
	return out
}

// cause is a failure in the fetcher's words, without a full stop.
func cause(s fetcher.State) string { return strings.TrimRight(s.LastError, ".") }

// flood is what the operator is told when a feed brings so much at once that the
// old of it is held back.
func flood(f feed.Feed, name string, fresh int, now time.Time) notify.Notice {
	return notify.Notice{
		ID: notify.NoticeID(notify.FloodHeld, f.ID, now.UTC().Format(time.RFC3339Nano)), At: now, Kind: notify.FloodHeld, Subject: f.ID,
		Text: fmt.Sprintf("%s brought %d new items at once, so those older than digest.first_window were recorded and not reported.", name, fresh),
	}
}

// tell logs and counts a notice. Whatever the operator is told goes through here,
// once the store has it.
func (m *metrics) tell(log *slog.Logger, n notify.Notice) {
	log.Warn("notice", "kind", n.Kind, "subject", n.Subject, "text", n.Text)
	m.notices.WithLabelValues(string(n.Kind)).Inc()
}

// post tells the operator of something that is no poll's. Where the store does not
// take it, the log has it.
func (d *Daemon) post(ctx context.Context, n notify.Notice) {
	if err := d.store.Post(ctx, n); err != nil {
		d.log.Error("a notice could not be stored", "kind", n.Kind, "subject", n.Subject, "text", n.Text, "err", err)
		return
	}
	d.metrics.tell(d.log, n)
}

// tellOffline says once that nothing can be reached. Replicas beside each other
// lose the network together: what they say within an hour is one notice.
func (d *Daemon) tellOffline(ctx context.Context) {
	since, offline := d.fetch.Offline()
	if !offline {
		d.offline = false
		return
	}
	if d.offline {
		return
	}
	d.offline = true
	d.post(ctx, notify.Notice{
		ID: notify.NoticeID(notify.Offline, since.UTC().Truncate(time.Hour).Format(time.RFC3339)), At: d.now(), Kind: notify.Offline,
		Text: "No feed can be reached since " + since.UTC().Format("15:04 UTC") + ": the network of newswatch seems to be down, not the feeds.",
	})
}

// tellReload says that a changed configuration was refused: once for each text of
// the refusal and day.
func (d *Daemon) tellReload(ctx context.Context, refused error) {
	now := d.now()
	first, _, _ := strings.Cut(refused.Error(), "\n")
	d.post(ctx, notify.Notice{
		ID: notify.NoticeID(notify.ReloadFailed, refused.Error(), now.UTC().Format(time.DateOnly)), At: now, Kind: notify.ReloadFailed,
		Text: "The changed configuration was refused, and the one before it is in force: " + first,
	})
}

// tellPaused says that a subscriber gets nothing more.
func (d *Daemon) tellPaused(ctx context.Context, res notify.Result) {
	d.post(ctx, paused(res.Subscriber, res.Digest, res.Reason, d.now()))
}

// paused tells of a pause; event is what makes it another than the one before.
func paused(id, event, reason string, now time.Time) notify.Notice {
	return notify.Notice{
		ID: notify.NoticeID(notify.SubscriberPaused, id, event), At: now, Kind: notify.SubscriberPaused, Subject: id,
		Text: "The subscriber " + id + " is paused: " + strings.TrimRight(reason, ".") + ". It gets nothing until it is resumed.",
	}
}
