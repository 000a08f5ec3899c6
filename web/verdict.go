package web

import (
	"fmt"
	"slices"
	"strings"
	"time"

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
func judge(st desk.Status, feeds []checkup, standings []store.Standing, deadLetters int, now time.Time) verdict {
	var v verdict
	tell := func(page, lead, text string) {
		v.Notes = append(v.Notes, note{Page: page, Lead: lead, Text: text})
	}
	n := map[health]int{}
	for _, c := range feeds {
		n[c.health]++
	}
	answering := len(feeds) - n[gone] - n[quarantined] - n[failing] - n[late] - n[paused] - n[unread]

	broken := !st.Ready
	for _, reason := range st.Reasons {
		tell("", "", sentence(reason))
	}
	switch {
	case len(feeds) == 0:
		broken = true
		tell("", "", "No feed is configured, so nothing is read. Feeds are listed in feeds.yaml.")
	case answering == 0 && n[unread] == 0:
		broken = true
		tell("feeds", "No feed", " can be read.")
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
	for _, h := range []health{gone, quarantined, failing, late, silent, paused} {
		if n[h] > 0 {
			tell("feeds", count(n[h], "feed is ", "feeds are ")+h.String(), ": "+named(feeds, h)+".")
		}
	}
	stuck, refusing := 0, 0
	for _, sub := range standings {
		switch {
		case sub.Paused == nil && sub.Attempts > 0:
			stuck++
		case sub.Paused != nil && sub.Paused.By == notify.ByReceiver:
			refusing++
		}
	}
	if refusing > 0 {
		tell("deliveries", count(refusing, "subscriber is", "subscribers are")+" paused", plural(refusing,
			": its receiver wants nothing more. Put its address right and resume it.",
			": their receivers want nothing more. Put their addresses right and resume them."))
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
	v.Line = fmt.Sprintf("%s of %s %s, %s in force, %s.",
		thousands(answering), count(len(feeds), "feed", "feeds"), plural(answering, "answers", "answer"),
		count(len(st.Rules), "rule is", "rules are"), upcoming(standings, now))
	return v
}

// named lists some feeds of one health.
func named(feeds []checkup, h health) string {
	var names []string
	for _, c := range feeds {
		if c.health == h {
			names = append(names, c.name())
		}
	}
	names, more := atMost(names, 3)
	list := strings.Join(names, ", ")
	if more > 0 {
		list += fmt.Sprintf(" and %s more", thousands(more))
	}
	return list
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
