package web

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/web/desk"
)

// maxDetail bounds the text of a refused configuration, in characters: the log
// and "newswatch check" have all of it.
const maxDetail = 2000

// verdict is the state of the watch in words.
type verdict struct {
	// Level is kept, look, starting or broken, for the stylesheet.
	Level    string
	Headline string
	Line     string
	Notes    []note
}

// note is one thing that needs a look: a sentence that begins with Lead, which
// is the link to the page that shows more of it.
type note struct {
	Lead, Text string
	// Detail is the text of a failure, line by line as it was written.
	Detail string
	// Page is the path below the top, without a slash; it may be empty.
	Page string
}

// judge puts the state of everything into one headline, one line, and a note for
// each thing that needs a look.
func judge(st desk.Status, feeds condition, standings []store.Standing, deadLetters int, now time.Time) verdict {
	var v verdict
	tell := func(page, lead, text string) {
		v.Notes = append(v.Notes, note{Page: page, Lead: lead, Text: text})
	}
	// Between a reload and the next step of the queue, and where replicas differ, the
	// queue holds others than the configuration.
	total := len(st.Feeds)
	failures, paused := feeds.count(fetcher.Failing...), feeds.count(fetcher.Paused)
	unread := feeds.count(fetcher.Unread) + max(0, total-feeds.Feeds)
	answering := max(0, total-failures-paused-unread)

	broken := !st.Ready
	for _, reason := range st.Reasons {
		tell("", "", sentence(reason))
	}
	switch {
	case total == 0:
		broken = true
		tell("", "", "No feed is configured, so nothing is read. Feeds are listed in feeds.yaml.")
	case answering == 0 && unread == 0:
		broken = true
		tell("feeds", "No feed", " can be read.")
	case feeds.Late > 0 && feeds.Late >= total-paused-feeds.count(fetcher.Hard):
		broken = true
		tell("feeds", "No feed", " is read when it should be.")
	}
	if len(st.Rules) == 0 {
		broken = true
		tell("", "", "No rule is in force, so nothing can be found. Rules are in the files of include.rules.")
	}
	if !st.LastReload.At.IsZero() && !st.LastReload.OK {
		v.Notes = append(v.Notes, note{
			Text:   fmt.Sprintf("The configuration was refused %s ago. What was in force before it still is.", span(now.Sub(st.LastReload.At))),
			Detail: cut(st.LastReload.Error, maxDetail),
		})
	}
	dead, deadOnes := feeds.lasting(fetcher.Hard)
	bad, badOnes := feeds.lasting(fetcher.Soft, fetcher.Temporary)
	for _, some := range []struct {
		n     int
		feeds []desk.Feed
		word  fetcher.Grade
		page  string
	}{
		{dead, deadOnes, fetcher.Hard, "feeds?grade=hard"},
		{bad, badOnes, fetcher.Soft, "feeds"},
		{feeds.count(fetcher.Silent), feeds.silent, fetcher.Silent, "feeds?grade=silent"},
		{paused, feeds.paused, fetcher.Paused, "feeds?grade=paused"},
	} {
		if some.n > 0 {
			tell(some.page, count(some.n, "feed is ", "feeds are ")+health(some.word).String(), ": "+names(some.feeds, some.n)+".")
		}
	}
	if feeds.Late > 0 && !broken {
		tell("feeds", count(feeds.Late, "feed is", "feeds are")+" late", plural(feeds.Late, ": it", ": they")+
			" should have been checked more than "+span(lateAfter)+" ago.")
	}
	stuck, refusing, overdue := 0, 0, 0
	for _, sub := range standings {
		switch {
		case sub.Paused == nil && sub.Attempts > 0:
			stuck++
		case sub.Paused != nil && sub.Paused.By == notify.ByReceiver:
			refusing++
		case sub.Paused == nil && now.Sub(sub.Next) > lateAfter:
			overdue++
		}
	}
	if refusing > 0 {
		tell("subscribers", count(refusing, "subscriber is", "subscribers are")+" paused", plural(refusing,
			": its receiver wants nothing more. Put its address right and resume it.",
			": their receivers want nothing more. Put their addresses right and resume them."))
	}
	if overdue > 0 {
		tell("subscribers", count(overdue, "subscriber is", "subscribers are")+" late", plural(overdue, ": its turn", ": their turns")+
			" should have come more than "+span(lateAfter)+" ago.")
	}
	if stuck > 0 {
		tell("deliveries", count(stuck, "digest was", "digests were")+" not accepted yet", plural(stuck, " and is", " and are")+" tried again.")
	}
	if deadLetters > 0 {
		tell("deliveries", count(deadLetters, "digest", "digests")+" could not be delivered",
			plural(deadLetters, " and waits for you to send or drop it.", " and wait for you to send or drop them."))
	}
	for _, warning := range st.Warnings {
		// A warning about a file shows the line that it is about below it.
		remark, lines, _ := strings.Cut(warning, "\n")
		v.Notes = append(v.Notes, note{Text: sentence(remark), Detail: cut(lines, maxDetail)})
	}

	switch {
	case broken:
		v.Level, v.Headline = "broken", "The watch is not kept"
	case answering == 0:
		v.Level, v.Headline = "starting", "The watch is starting"
	case len(v.Notes) == 1:
		v.Level, v.Headline = "look", "The watch is kept, but one thing needs a look"
	case len(v.Notes) > 1:
		v.Level, v.Headline = "look", fmt.Sprintf("The watch is kept, but %d things need a look", len(v.Notes))
	default:
		v.Level, v.Headline = "kept", "The watch is kept"
	}
	again := ""
	if n := failures - dead - bad; n > 0 {
		again = fmt.Sprintf(", %s failed the last time and %s tried again", thousands(n), plural(n, "is", "are"))
	}
	v.Line = fmt.Sprintf("%s of %s %s%s, %s in force, %s.",
		thousands(answering), count(total, "feed", "feeds"), plural(answering, "answers", "answer"), again,
		count(len(st.Rules), "rule is", "rules are"), upcoming(standings, now))
	return v
}

// upcoming says when the next digest is due.
func upcoming(standings []store.Standing, now time.Time) string {
	if len(standings) == 0 {
		return "nobody is subscribed"
	}
	standings = slices.DeleteFunc(slices.Clone(standings), func(sub store.Standing) bool { return sub.Paused != nil })
	if len(standings) == 0 {
		return "every subscriber is paused"
	}
	next := standings[0].Next
	for _, sub := range standings {
		if sub.Next.Before(next) {
			next = sub.Next
		}
	}
	if wait := next.Sub(now); wait >= time.Minute {
		return "the next subscriber's turn is in " + span(wait)
	}
	return "a subscriber's turn is now"
}
