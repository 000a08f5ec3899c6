package web

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/story"
	"github.com/newswatch/newswatch/web/desk"
)

func TestShort(t *testing.T) {
	for _, tt := range []struct {
		in   string
		max  int
		want string
	}{
		{"", 5, ""},
		{"abc", 5, "abc"},
		{"abcde", 5, "abcde"},
		{"abcdef", 5, "abcd…"},
		{"a\r\n\tb  c", 9, "a b c"},
		{"ഹണ്ട് ഹണ്ട്", 5, "ഹണ്ട…"},
		{"a\u202eb\u2066c\u2069", 9, "abc"},
		{"ക\u200dഷ\u200cണ", 9, "ക\u200dഷ\u200cണ"}, // joiners are spelling
		{"bad\xffbyte\x00", 20, "badbyte"},
	} {
		if got := short(tt.in, tt.max); got != tt.want {
			t.Errorf("short(%q, %d) = %q, want %q", tt.in, tt.max, got, tt.want)
		}
	}
}

func TestSentence(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "nothing new": "Nothing new.", "Done.": "Done.", "ഒന്ന്": "ഒന്ന്.",
		"smtp.host is not set": "smtp.host is not set.", "configs/feeds.yaml:3:1: twice": "configs/feeds.yaml:3:1: twice.",
		strings.Repeat("ab ", 300): "A" + strings.Repeat("ab ", 80)[1:maxError-1] + "…",
	} {
		if got := sentence(in); got != want {
			t.Errorf("sentence(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestLang(t *testing.T) {
	for in, want := range map[string]string{
		"en": "en", "ml": "ml", "zh-hant-tw": "zh-hant-tw", "sl-rozaj-biske": "sl-rozaj-biske",
		"": "", "e": "", "en_US": "", "en us": "", `en" onclick="x`: "", "english language": "", "-en": "",
	} {
		if got := lang(in); got != want {
			t.Errorf("lang(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWebLink(t *testing.T) {
	for in, want := range map[string]bool{
		"https://news.example/a?b=c#d":       true,
		"http://[2001:db8::1]:8080/":         true,
		"HTTPS://news.example/":              true,
		"":                                   false,
		"/relative":                          false,
		"//news.example/":                    false,
		"javascript:alert(1)":                false,
		"https:news.example":                 false,
		"https://":                           false,
		"https://bank.example@evil.example/": false,
		"ftp://news.example/":                false,
		"https://news.example/" + strings.Repeat("x", maxLink): false,
	} {
		if got := webLink(in) != ""; got != want {
			t.Errorf("webLink(%.60q): %v, want %v", in, got, want)
		}
	}
}

func TestMoments(t *testing.T) {
	kolkata, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	m := moments{noon, kolkata}
	if got, want := m.of(noon.Add(-90*time.Second)), (moment{"2026-11-23T11:58:30Z", "23 Nov 2026, 17:28", "1 min ago"}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for ago, want := range map[time.Duration]string{
		30 * time.Second: "just now", 0: "just now", -30 * time.Second: "in a moment",
		89 * time.Minute: "89 min ago", 90 * time.Minute: "1 h ago", 47 * time.Hour: "47 h ago", 48 * time.Hour: "2 days ago",
		-5 * time.Minute: "in 5 min", -7 * time.Hour: "in 7 h",
	} {
		if got := m.of(noon.Add(-ago)).Near; got != want {
			t.Errorf("%s: %q, want %q", ago, got, want)
		}
	}
	if got := m.of(time.Time{}); got != (moment{Near: "never"}) {
		t.Errorf("the zero time: %+v", got)
	}
}

func TestMarked(t *testing.T) {
	p := func(parts ...string) (out []piece) {
		for _, s := range parts {
			mark := strings.HasPrefix(s, "[")
			out = append(out, piece{strings.Trim(s, "[]"), mark})
		}
		return out
	}
	for _, tt := range []struct {
		name  string
		text  string
		marks [][2]int
		max   int
		want  []piece
	}{
		{"none", "one two", nil, 99, p("one two")},
		{"two", "one two", [][2]int{{0, 3}, {4, 7}}, 99, p("[one]", " ", "[two]")},
		{"overlapping", "one two", [][2]int{{0, 5}, {3, 7}}, 99, p("[one t]", "wo")},
		{"out of order", "one two", [][2]int{{4, 7}, {0, 3}}, 99, p("one ", "[two]")},
		{"beyond the end", "one", [][2]int{{1, 4}}, 99, p("one")},
		{"negative, empty, backwards", "one", [][2]int{{-1, 2}, {1, 1}, {2, 1}}, 99, p("one")},
		{"inside a character", "ക", [][2]int{{0, 1}, {1, 3}}, 99, p("ക")},
		{"cut in a mark", "one two three", [][2]int{{4, 13}}, 7, p("one ", "[tw…]")},
		{"cut before a mark", "one two", [][2]int{{4, 7}}, 3, p("on…")},
	} {
		if diff := cmp.Diff(tt.want, marked(tt.text, tt.marks, tt.max)); diff != "" {
			t.Errorf("%s: -want +got\n%s", tt.name, diff)
		}
	}
}

// FuzzMarked: whatever the marks are, the words stay the same, bounded, and
// valid.
func FuzzMarked(f *testing.F) {
	f.Add("ഓപ്പറേഷൻ പി ഹണ്ട്", 0, 24, 25, 31)
	f.Add("one two", 0, 3, 4, 7)
	f.Add("\xff\xfe", -1, 1, 1, 9)
	f.Fuzz(func(t *testing.T, s string, a, b, c, d int) {
		pieces := marked(s, [][2]int{{a, b}, {c, d}}, 300)
		got := text(pieces)
		if n := utf8.RuneCountInString(got); n > 300 || !utf8.ValidString(got) {
			t.Fatalf("%d characters: %q", n, got)
		}
		if utf8.RuneCountInString(s) <= 300 && got != clean(s) {
			t.Fatalf("%q became %q", s, got)
		}
	})
}

// TestRemark has a row for each trouble, and for which of two is told.
func TestRemark(t *testing.T) {
	read := fetcher.State{LastSuccess: noon.Add(-time.Minute), NextCheck: noon.Add(time.Minute), Health: fetcher.Health{Grade: fetcher.Fine}}
	with := func(change func(*fetcher.State)) fetcher.State {
		s := read
		change(&s)
		return s
	}
	for _, tt := range []struct {
		name  string
		state fetcher.State
		quiet string
		want  string
	}{
		{"read", read, "", ""},
		{"read, and silent since", read, "Nothing for a week.", ""},
		{"read as far as it goes", with(func(s *fetcher.State) { s.Truncated = true }), "", "Its document breaks off. What was whole of it was read."},
		{"never claimed", fetcher.State{}, "", "It waits for its first check."},
		{"one failure", with(func(s *fetcher.State) { s.Failures, s.Reason = 1, fetcher.ReasonTLS }), "", "Failed once: the secure connection cannot be trusted. It is tried again."},
		{"two failures", with(func(s *fetcher.State) { s.Failures = 2 }), "", "Failed 2 times in a row: the cause is not known. It is tried again."},
		{"never read", fetcher.State{Failures: 1, Reason: fetcher.ReasonNotFound}, "", "Failed once: the server has no such page."},
		{"three failures", with(func(s *fetcher.State) { s.Failures, s.Reason = 3, "new_reason" }), "", "Failed 3 times in a row: new_reason."},
		{"lost", with(func(s *fetcher.State) { s.Failures, s.Health.Lost = 40, noon.Add(-3*day) }), "", "Failed 40 times in a row: the cause is not known. It has been lost for 3 days."},
		{"silent", with(func(s *fetcher.State) { s.Health.Grade = fetcher.Silent }), "nothing for a week", "Nothing for a week."},
		{"a poll in hand", with(func(s *fetcher.State) { s.NextCheck = noon.Add(-lateAfter) }), "", ""},
		{"late", with(func(s *fetcher.State) { s.NextCheck = noon.Add(-3 * time.Hour) }), "", "It should have been checked 3 h ago."},
		{"put off for a moment", with(func(s *fetcher.State) { s.PutOff = noon.Add(-lateAfter) }), "", ""},
		{"put off for long", with(func(s *fetcher.State) { s.PutOff = noon.Add(-3 * time.Hour) }), "", "It should have been checked 3 h ago. Its host has had no turn for it."},
		{"failing is no surprise when late", with(func(s *fetcher.State) { s.NextCheck = noon.Add(-3 * time.Hour); s.Failures = 4 }), "", "Failed 4 times in a row: the cause is not known."},
		{"killed its reader twice", with(func(s *fetcher.State) { s.Poisoned = 2 }), "", ""},
		{"killed its reader too often", with(func(s *fetcher.State) { s.Poisoned, s.Failures = 3, 9 }), "", "newswatch died 3 times while it read this document, so the document is not read for now."},
		{"gone", with(func(s *fetcher.State) { s.Retired, s.Failures, s.NextCheck = true, 1, time.Time{} }), "", "The server says that this feed is gone for good. It is not polled until it has another URL."},
		{"gone, and paused", with(func(s *fetcher.State) { s.Retired, s.Paused = true, noon.Add(-time.Hour) }), "", "Paused 60 min ago. It is not polled until it is resumed."},
	} {
		if got := remark(tt.state, tt.quiet, noon); got != tt.want {
			t.Errorf("%s: %q; want %q", tt.name, got, tt.want)
		}
	}
}

// TestGradesHaveWords: each grade has words and a level, and none the words of another.
func TestGradesHaveWords(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range fetcher.Grades {
		w := healthWords[g]
		if w.words == "" || w.level == "" || seen[w.words] {
			t.Errorf("%s: %+v", g, w)
		}
		seen[w.words] = true
	}
}

// TestReasonWords: each class of failure has words of its own.
func TestReasonWords(t *testing.T) {
	said := map[string]bool{}
	for reason, words := range reasonWords {
		if said[words] || words == "" {
			t.Errorf("%s: %q is said of another too", reason, words)
		}
		said[words] = true
	}
	if len(reasonWords) != 21 {
		t.Errorf("%d classes have words", len(reasonWords))
	}
}

// TestJudge: the headline is no better than the state of the watch.
func TestJudge(t *testing.T) {
	some := []desk.Rule{{ID: "a", Name: "A"}}
	state := func(g fetcher.Grade, failures int) fetcher.State {
		return fetcher.State{LastSuccess: noon.Add(-day), Failures: failures, NextCheck: noon.Add(time.Minute), Health: fetcher.Health{Grade: g}}
	}
	healthy, unread, silent := state(fetcher.Fine, 0), fetcher.State{NextCheck: noon}, state(fetcher.Silent, 0)
	hiccup, failing, dead := state(fetcher.Soft, 1), state(fetcher.Temporary, 3), state(fetcher.Hard, 9)
	late := healthy
	late.NextCheck = noon.Add(-time.Hour)
	resting := healthy
	resting.Paused = noon
	of := func(states ...fetcher.State) []fetcher.State { return states }
	refusing := []store.Standing{{Subscriber: "a", Paused: &notify.Pause{By: notify.ByReceiver}, Next: noon}}
	onLeave := []store.Standing{{Subscriber: "a", Attempts: 1, Paused: &notify.Pause{By: notify.ByOperator}, Next: noon}}
	trying := []store.Standing{{Subscriber: "a", Attempts: 1, Next: noon.Add(time.Hour)}}
	forgotten := []store.Standing{{Subscriber: "a", Next: noon.Add(-time.Hour)}, {Subscriber: "b", Next: noon.Add(-time.Minute)}}
	for _, tt := range []struct {
		name  string
		st    desk.Status
		feeds []fetcher.State
		subs  []store.Standing
		dead  int
		level string
		notes int
		line  string
	}{
		{"all is well", desk.Status{Ready: true, Rules: some}, of(healthy), nil, 0, "kept", 0, "1 of 1 feed answers, 1 rule is in force, nobody is subscribed."},
		{"a hiccup is the weather", desk.Status{Ready: true, Rules: some}, of(healthy, hiccup, unread), nil, 0, "kept", 0, "1 of 3 feeds answers, 1 failed the last time and is tried again, 1 rule"},
		{"not ready", desk.Status{Reasons: []string{"It stops."}, Rules: some}, of(healthy), nil, 0, "broken", 1, ""},
		{"no rules", desk.Status{Ready: true}, of(healthy), nil, 0, "broken", 1, "0 rules are in force"},
		{"no feeds", desk.Status{Ready: true, Rules: some}, nil, nil, 0, "broken", 1, "0 of 0 feeds answer"},
		{"no feed can be read", desk.Status{Ready: true, Rules: some}, of(failing, dead), nil, 0, "broken", 3, "0 of 2 feeds answer, 1 rule"},
		{"some fail", desk.Status{Ready: true, Rules: some}, of(healthy, failing, dead, hiccup), nil, 0, "look", 2, "1 of 4 feeds answers, 1 failed the last time"},
		{"one is paused", desk.Status{Ready: true, Rules: some}, of(healthy, resting), nil, 0, "look", 1, "1 of 2 feeds answers"},
		{"one is late", desk.Status{Ready: true, Rules: some}, of(healthy, late), nil, 0, "look", 1, "2 of 2 feeds answer"},
		{"one is late that is put off", desk.Status{Ready: true, Rules: some, PutOffLate: 1}, of(healthy, healthy), nil, 0, "look", 1, "2 of 2 feeds answer"},
		{"all are late", desk.Status{Ready: true, Rules: some}, of(late, late, resting), nil, 0, "broken", 2, ""},
		{"weather everywhere", desk.Status{Ready: true, Rules: some}, append(slices.Repeat(of(hiccup), maxFailing+1), healthy), nil, 0, "look", 1, "1 of 102 feeds answers, 1 rule"},
		{"none was read yet", desk.Status{Ready: true, Rules: some}, of(unread, unread), nil, 0, "starting", 0, ""},
		{"one died in silence", desk.Status{Ready: true, Rules: some}, of(healthy, silent), nil, 0, "look", 1, "2 of 2 feeds answer"},
		{"a digest is tried again", desk.Status{Ready: true, Rules: some}, of(healthy), trying, 0, "look", 1, "the next subscriber's turn is in 60 min"},
		{"a turn was not taken", desk.Status{Ready: true, Rules: some}, of(healthy), forgotten, 0, "look", 1, "a subscriber's turn is now"},
		{"a receiver wants no more", desk.Status{Ready: true, Rules: some}, of(healthy), refusing, 0, "look", 1, ""},
		{"an operator paused one", desk.Status{Ready: true, Rules: some}, of(healthy), onLeave, 0, "kept", 0, "every subscriber is paused"},
		{"dead letters", desk.Status{Ready: true, Rules: some}, of(healthy), nil, 2, "look", 1, ""},
		{"a reload failed", desk.Status{Ready: true, Rules: some, LastReload: desk.Reload{At: noon, Error: "x"}}, of(healthy), nil, 0, "look", 1, ""},
		{"a reload went well", desk.Status{Ready: true, Rules: some, LastReload: desk.Reload{At: noon, OK: true}}, of(healthy), nil, 0, "kept", 0, ""},
		{"a warning", desk.Status{Ready: true, Rules: some, Warnings: []string{"Look."}}, of(healthy), nil, 0, "look", 1, ""},
	} {
		m := &memory{states: tt.feeds}
		tt.st.Feeds = map[string]feed.Feed{}
		for i := range m.states {
			m.states[i].FeedID = fmt.Sprintf("feed-%03d", i)
			tt.st.Feeds[m.states[i].FeedID] = feed.Feed{}
		}
		feeds, err := serverOf(m, tt.st).condition(t.Context(), noon)
		if err != nil {
			t.Fatal(err)
		}
		v := judge(tt.st, feeds, tt.subs, tt.dead, noon)
		if v.Level != tt.level || len(v.Notes) != tt.notes || !strings.Contains(v.Line, tt.line) {
			t.Errorf("%s: %s, %d notes, %q", tt.name, v.Level, len(v.Notes), v.Line)
		}
	}
}

// TestStory: the earliest report leads, each outlet is named once, and a long
// list is cut with a count.
func TestStory(t *testing.T) {
	told := story.Story{Lead: report(0, 11*time.Hour, "Outlet A", "en", "Title.", "S.")}
	for i := range 10 {
		told.Also = append(told.Also,
			report(2*i+1, time.Duration(10-i)*time.Hour, "Outlet "+string(rune('A'+i)), "en", "Title.", "S."),
			report(2*i+2, time.Duration(10-i)*time.Hour, "Outlet B", "en", "Again.", "S."))
	}
	v := moments{noon, time.UTC}.story(told)
	if v.Outlet != "Outlet A" || len(v.Also) != maxAlso || v.AlsoMore != 9-maxAlso || v.Also[0].Outlet != "Outlet B" {
		t.Errorf("%s leads, then %v and %d more", v.Outlet, v.Also, v.AlsoMore)
	}
}

// TestHitExcerpt: the sentence of the most severe rule is shown, and a headline
// that proves the match is marked where it stands.
func TestHitExcerpt(t *testing.T) {
	h := report(1, time.Hour, "A", "en", "Raids by Cyberdome", "S.")
	h.Rules = []classifier.RuleMatch{
		{Rule: "low", Severity: classifier.Low, Excerpt: classifier.Excerpt{Text: "A low one."}},
		{Rule: "none", Severity: classifier.Critical},
		{Rule: "high", Severity: classifier.High, Excerpt: classifier.Excerpt{Text: "A high one.", Marks: [][2]int{{2, 6}}}},
	}
	m := moments{noon, time.UTC}
	if got := text(m.hit(h).Excerpt); got != "A high one." {
		t.Errorf("shown: %q", got)
	}
	h.Rules[2].Excerpt = classifier.Excerpt{Text: h.Item.Title, Marks: [][2]int{{9, 18}}}
	v := m.hit(h)
	if diff := cmp.Diff([]piece{{"Raids by ", false}, {"Cyberdome", true}}, v.Title); diff != "" || v.Excerpt != nil {
		t.Errorf("%v, said twice as %v", v.Title, v.Excerpt)
	}
	h.Item.Title, h.Rules[2].Excerpt.Text = " ", ""
	if got := text(m.hit(h).Title); got != "(no title)" {
		t.Errorf("a link without a text: %q", got)
	}
}
