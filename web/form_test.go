package web

import (
	"bytes"
	"net/url"
	"testing"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/subscription"
)

func TestSchedulesInPlainWordsComeBack(t *testing.T) {
	for _, o := range oftens {
		for _, hour := range []string{"0", "7", "12", "23"} {
			f := form{Often: o.ID, Hour: hour, Day: "6", Severity: "low", Timezone: "UTC"}
			var back form
			back.often(f.schedule())
			if back.schedule() != f.schedule() {
				t.Errorf("%s at %s is %q, and comes back as %q", o.ID, hour, f.schedule(), back.schedule())
			}
			if back.Often == "custom" {
				t.Errorf("%q is not said in plain words", f.schedule())
			}
		}
	}
	for _, spec := range []string{"30 7 * * 1-3", "0 7,8 * * *", "@every 2h"} {
		f := form{}
		if f.often(spec); f.schedule() != spec {
			t.Errorf("%q comes back as %q", spec, f.schedule())
		}
	}
}

// What was chosen is said by the names that it had on the form; a rule that is gone
// by its id.
func TestDescribe(t *testing.T) {
	cat := subscription.Catalogue{Rules: []subscription.Choice{{ID: "p-hunt", Name: "Operation P-Hunt"}}}
	for want, w := range map[string]store.Wishes{
		"Everything that the rules find.":                                           {},
		"What these rules find: Operation P-Hunt, gone; of severity high or above.": {Rules: []string{"p-hunt", "gone"}, Severity: classifier.High},
		"Everything that the rules find; on kerala, courts; in Malayalam, Hindi.":   {Tags: []string{"kerala", "courts"}, Languages: []string{"ml", "hi"}},
	} {
		w.Schedule = "immediate"
		if got := describe(w, cat); got[0] != want || got[1] != "As it happens." {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// FuzzForm: whatever is posted, a form comes of it that Check takes or refuses, and
// that a page can show without letting any of it out of its place.
func FuzzForm(f *testing.F) {
	f.Add("channel=email&email=ann%40example.org&often=daily&hour=7&timezone=UTC&agree=1&severity=low&rule=p-hunt&rule=x")
	f.Add("often=custom&custom=%00&hour=-1&rule=%ff&tag=%3Cscript%3E&often=weekly&day=9")
	f.Add("often=weekly&day=%22%3E%3Cscript%3E&timezone=../../x&channel=webhook&url=https://x&secret=whsec_")
	cat := subscription.Catalogue{Rules: []subscription.Choice{{ID: "p-hunt", Name: "P-Hunt"}}, Tags: []string{"kerala"}, Languages: []string{"ml"}, Timezone: "UTC"}
	f.Fuzz(func(t *testing.T, body string) {
		v, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		fm := decode(v)
		q, faults := subscription.Check(fm.request(), cat)
		if len(faults) == 0 {
			if back := formOf(q.Wishes); back.schedule() != q.Wishes.Schedule {
				t.Errorf("%q comes back as %q", q.Wishes.Schedule, back.schedule())
			}
			describe(q.Wishes, cat)
		}
		var page bytes.Buffer
		err = subscribePage().ExecuteTemplate(&page, "main", bare{subscribeBody{Faults: faults, Form: fm, Choices: offers(cat, fm)}})
		if err != nil || bytes.Contains(page.Bytes(), []byte("<script")) {
			t.Errorf("%v: %s", err, page.Bytes())
		}
	})
}

// bare is a page without a frame.
type bare struct{ Body any }
