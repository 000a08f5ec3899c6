package subscription

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// TestLettersAreWhole: every language that digests come in has its letters, and each
// leads onward and out.
func TestLettersAreWhole(t *testing.T) {
	if got := slices.Sorted(maps.Keys(wordings)); !slices.Equal(got, notify.Languages()) {
		t.Errorf("letters in %q, digests in %q", got, notify.Languages())
	}
	subjects := make(map[string]bool)
	for lang := range wordings {
		for _, kind := range []string{letterConfirm, letterKnown} {
			subject, text := letter(lang, kind, "SITE", "ONWARD", "LEAVE")
			own, _, english := strings.Cut(text, "In English:")
			if subject == "" || subjects[subject] || strings.Contains(text, "%!") {
				t.Errorf("%s, %s: %q\n%s", lang, kind, subject, text)
			}
			subjects[subject] = true
			for _, link := range []string{"SITE", "ONWARD", "LEAVE"} {
				if strings.Count(own, "\n"+link+"\n") != 1 {
					t.Errorf("%s, %s: %s is not on one line of its own:\n%s", lang, kind, link, own)
				}
			}
			if english != (lang != "en") {
				t.Errorf("%s, %s: with English below: %t", lang, kind, english)
			}
		}
	}
	if subject, _ := letter("tlh", letterKnown, "", "", ""); subject != wordings["en"].knownSubject {
		t.Errorf("in a language that is not known: %q", subject)
	}
}

// A letter is in the language that was asked for; who is subscribed already is
// written to in its own, whatever the request says.
func TestALetterSpeaksTheReadersLanguage(t *testing.T) {
	b := newBench(t)
	ask := func(lang string) sent {
		q, faults := Check(Request{
			Channel: Email, Address: "ann@example.org", Agreed: true, Method: "page", Wishes: store.Wishes{Schedule: "0 7 * * *", Lang: lang},
		}, catalogue)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		b.ok(b.Ask(t.Context(), q))
		b.at = b.at.Add(time.Minute)
		letters := b.deliver()
		if len(letters) != 1 {
			t.Fatalf("%d letters", len(letters))
		}
		return letters[0]
	}
	first := ask("ml")
	if first.Subject != wordings["ml"].confirmSubject || !strings.Contains(first.Text, "If it was not you, do nothing") {
		t.Errorf("%q\n%s", first.Subject, first.Text)
	}
	_, err := b.Confirm(t.Context(), linkIn(t, first.Text, "confirm"))
	b.ok(err)
	if again := ask("hi"); again.Subject != wordings["ml"].knownSubject || !strings.Contains(again.Text, "/preferences/") {
		t.Errorf("%q\n%s", again.Subject, again.Text)
	}
}
