// Package notifytest holds what every Notifier is tested for, and a digest to
// test it with.
package notifytest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify"
)

// Failed checks a failed delivery: it is a *notify.DeliveryError of the class and
// permanence wanted, and neither its text nor any of its causes' shows one of the
// secrets, as it is, in capitals, or encoded on its way to the wire.
func Failed(t testing.TB, err error, want notify.Failure, permanent bool, secrets ...string) {
	t.Helper()
	if err == nil {
		t.Error("the delivery did not fail")
		return
	}
	de, ok := errors.AsType[*notify.DeliveryError](err)
	if !ok {
		t.Errorf("%T is not a DeliveryError: %v", err, err)
		return
	}
	if de.Failure != want || de.Permanent != permanent {
		t.Errorf("got %s, permanent %t; want %s, %t: %v", de.Failure, de.Permanent, want, permanent, err)
	}
	seen := strings.ToLower(texts(err))
	for _, s := range secrets {
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s), base64.StdEncoding.EncodeToString([]byte(s))} {
			if strings.Contains(seen, strings.ToLower(form)) {
				t.Errorf("the error shows a secret as %q: %v", form, err)
			}
		}
	}
}

// texts is everything that a log could print of an error.
func texts(err error) string {
	s := fmt.Sprintf("%v\n%+v\n", err, err)
	if cause := errors.Unwrap(err); cause != nil {
		s += texts(cause)
	}
	if joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err); ok {
		for _, cause := range joined.Unwrap() {
			s += texts(cause)
		}
	}
	return s
}

// Digest is a small digest in English, Malayalam, Hindi and Tamil, the same at
// every call.
func Digest() notify.Digest {
	sealed := time.Date(2026, 11, 23, 1, 30, 0, 0, time.UTC)
	item := func(n string) feed.ItemID { return feed.NewItemID("test", n, "", "") }
	return notify.Digest{
		ID: "0123456789abcdef0123456789abcdef", Subscriber: "desk",
		From: 10, To: 17, Since: sealed.Add(-13 * time.Hour), Until: sealed, Sealed: sealed, Timezone: "Asia/Kolkata",
		Hits: 5, Entries: 3,
		Groups: []notify.Group{{
			Rule: "operation-p-hunt", Name: "Operation P-Hunt", Severity: classifier.High,
			Entries: []notify.Entry{{
				Item: item("1"), Title: "Kerala police arrest 41 in Operation P-Hunt raids across the state's fourteen districts",
				Link: "https://news.example/kerala/p-hunt?id=1", Outlet: "The Example Express", Lang: "en",
				Published: sealed.Add(-78 * time.Minute), Found: sealed.Add(-70 * time.Minute),
				Excerpt: classifier.Excerpt{
					Field: classifier.FieldLead,
					Text:  "The Counter Child Sexual Exploitation Centre led Operation P-Hunt in all districts on Sunday, and seized phones and hard disks.",
					Marks: [][2]int{{49, 65}},
				},
				AlsoRules: []string{"Arrests", "CSAM"},
				Also: []notify.Report{
					{Item: item("2"), Title: "P-Hunt: 41 held", Link: "https://other.example/p-hunt", Outlet: "Other Daily"},
					{Item: item("3"), Title: "Kerala police arrest 41", Link: "https://third.example/a"},
				},
			}, {
				Item: item("4"), Title: "ഓപ്പറേഷൻ പി ഹണ്ട്: സംസ്ഥാനത്ത് 41 പേർ അറസ്റ്റിൽ", Lang: "ml",
				Link: "https://ml.example/news/41", Outlet: "ഉദാഹരണ വാർത്ത", Found: sealed.Add(-time.Hour),
				Excerpt: classifier.Excerpt{Field: classifier.FieldTitle, Text: "ഓപ്പറേഷൻ പി ഹണ്ട്: സംസ്ഥാനത്ത് 41 പേർ അറസ്റ്റിൽ", Marks: [][2]int{{0, len("ഓപ്പറേഷൻ പി ഹണ്ട്")}}},
			}},
		}, {
			Rule: "pocso", Name: "POCSO पॉक्सो", Severity: classifier.Medium,
			Entries: []notify.Entry{{
				Item: item("5"), Title: "ऑपरेशन पी-हंट: केरल पुलिस ने 41 लोगों को गिरफ्तार किया; போக்சோ சட்டத்தில் வழக்கு",
				Lang: "hi", Outlet: "उदाहरण समाचार", Published: sealed.Add(-3 * time.Hour), Found: sealed.Add(-time.Hour),
			}},
		}},
		Coverage: notify.Coverage{
			Feeds: 61, Checked: 59, FailingCount: 2, SilentCount: 1, Rules: 12, Ruleset: "9f2c4e",
			Failing: []notify.SourceNote{{Feed: "Example Radio", Note: "HTTP 503 since 21 Nov"}, {Feed: "Europol", Note: "certificate expired"}},
			Silent:  []notify.SourceNote{{Feed: "District Police", Note: "nothing for 9 days"}},
		},
	}
}
