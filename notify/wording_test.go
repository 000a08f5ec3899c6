package notify

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestWordingsAreWhole: a phrase that a language lacks would leave a hole in a
// digest, and one with other verbs than English would print %!d(string).
func TestWordingsAreWhole(t *testing.T) {
	if !slices.Equal(Languages(), []string{"en", "hi", "ml"}) {
		t.Errorf("languages %q", Languages())
	}
	english := phrases(wordings["en"])
	for _, lang := range Languages() {
		for name, s := range phrases(wordings[lang]) {
			if s == "" {
				t.Errorf("%s has no %s", lang, name)
			}
			if got, want := verbs(s), verbs(english[name]); !slices.Equal(got, want) {
				t.Errorf("%s: %s has the verbs %q, English has %q", lang, name, got, want)
			}
		}
	}
}

// phrases are all strings of a wording, by the name of their field.
func phrases(w *wording) map[string]string {
	out := map[string]string{}
	var walk func(name string, v reflect.Value)
	walk = func(name string, v reflect.Value) {
		switch v.Kind() {
		case reflect.String:
			out[name] = v.String()
		case reflect.Array:
			for i := range v.Len() {
				walk(name+string(rune('a'+i)), v.Index(i))
			}
		case reflect.Struct:
			for i := range v.NumField() {
				walk(name+"."+v.Type().Field(i).Name, v.Field(i))
			}
		default:
			panic(name + " is neither a text nor made of texts")
		}
	}
	walk("", reflect.ValueOf(*w))
	return out
}

var verb = regexp.MustCompile(`%(\[\d\])?[ds]`)

func verbs(s string) []string {
	found := verb.FindAllString(s, -1)
	slices.Sort(found)
	return found
}

func TestDateFollowsLanguage(t *testing.T) {
	at := time.Date(2026, 8, 5, 7, 0, 0, 0, time.UTC)
	for lang, want := range map[string]string{
		"en": "5 Aug 2026, 07:00 UTC", "ml": "5 ഓഗ 2026, 07:00 UTC", "hi": "5 अग॰ 2026, 07:00 UTC", "tlh": "5 Aug 2026, 07:00 UTC",
	} {
		if got := (Digest{Lang: lang}).wording().dateTime(at); got != want {
			t.Errorf("%s: %q, want %q", lang, got, want)
		}
	}
}

// Where no other report is named, their count is a phrase of its own, in every
// rendering: "Also reported by: and 2 more" names none.
func TestOtherReportsWithoutNames(t *testing.T) {
	d := Digest{Groups: []Group{{Name: "r", Entries: []Entry{{Title: "a", Also: []Report{{Outlet: "b"}, {Outlet: "c"}}}}}}, Hits: 3, Entries: 1}
	for also, want := range map[int][2]string{0: {"Also in 2 other reports", ""}, 1: {"Also reported by:", "and 1 more"}, 2: {"Also reported by:", ""}} {
		trimmed := d.Trim(1, also)
		e := trimmed.Page().Groups[0].Entries[0]
		if e.AlsoReported != want[0] || e.AlsoMore != want[1] || len(e.Also) != also {
			t.Errorf("%d of 2: %q %q", also, e.AlsoReported, e.AlsoMore)
		}
		for name, s := range map[string]string{"text": Text(trimmed), "HTML": HTML(trimmed)} {
			if !strings.Contains(s, want[0]) || !strings.Contains(s, want[1]) {
				t.Errorf("%s: neither %q nor %q in %s", name, want[0], want[1], s)
			}
		}
	}
	trimmed := d.Trim(1, 0)
	for lang, want := range map[string]string{"ml": "മറ്റ് 2 റിപ്പോർട്ടുകളിലും", "hi": "2 और रिपोर्टों में भी"} {
		trimmed.Lang = lang
		if got := trimmed.Page().Groups[0].Entries[0].AlsoReported; got != want {
			t.Errorf("%s: %q", lang, got)
		}
	}
}

// TestWhatAReporterReads: a report of another year says so, a page that two feeds of
// an outlet list is named once, names of rules that hold commas are told apart, and
// what only its outlet may be told of has no "(no title)" for a headline.
func TestWhatAReporterReads(t *testing.T) {
	sealed := time.Date(2027, 1, 2, 1, 30, 0, 0, time.UTC)
	at := func(year int) time.Time { return time.Date(year, 12, 31, 20, 0, 0, 0, time.UTC) } // 1 January in Kolkata
	entry := Entry{
		Title: "Raids", Link: "https://a.example/1", Outlet: "A", Published: at(2019), Found: sealed, AlsoRules: []string{"Cases, arrests", "CSAM"},
		Also: []Report{{Outlet: "A", Link: "https://a.example/1"}, {Outlet: "A", Link: "https://a.example/2"}, {Outlet: "B"}, {Outlet: "B"}},
	}
	today := Entry{Title: "Raids", Outlet: "A", Published: at(2026), Found: sealed}
	d := Digest{Sealed: sealed, Timezone: "Asia/Kolkata", Groups: []Group{{Name: "r", Entries: []Entry{entry, today}}}, Corrections: []Correction{
		{Outlet: "A", Published: at(2019), Found: sealed, TakenDown: true}, {Outlet: "A", Link: "https://a.example/3", Found: sealed, Back: true},
	}}
	p := d.Page()
	e := p.Groups[0].Entries[0]
	if e.Byline != "A, 1 Jan 2020 01:30" || p.Groups[0].Entries[1].Byline != "A, 1 Jan 01:30" {
		t.Errorf("%q, %q", e.Byline, p.Groups[0].Entries[1].Byline)
	}
	if want := []PageReport{{"A", "https://a.example/2"}, {"B", ""}}; !slices.Equal(e.Also, want) {
		t.Errorf("also %+v", e.Also)
	}
	if e.AlsoRules != "Also found by: Cases, arrests; CSAM" {
		t.Error(e.AlsoRules)
	}
	if want := []PageCorrection{
		{"A", "", "1 Jan 2020 01:30", "Taken down by its publisher."},
		{"A", "https://a.example/3", "found 2 Jan 07:00", "It is there again, after its publisher had taken it down."},
	}; !slices.Equal(p.Corrections, want) {
		t.Errorf("corrections %+v", p.Corrections)
	}
}

// Where no feed is named, the count stands alone: "2 failing: and 2 more" names none.
func TestCountsWithoutNames(t *testing.T) {
	d := Digest{Coverage: Coverage{Failing: []SourceNote{{Feed: "a"}}, FailingCount: 2, SilentCount: 1}}.Brief(0)
	for lang, want := range map[string][2]string{
		"en": {"2 failing.", "1 unusually silent."},
		"ml": {"തകരാറിലായത് 2.", "പതിവില്ലാതെ നിശ്ശബ്ദം 1."},
		"hi": {"विफल 2।", "असामान्य रूप से मौन 1।"},
	} {
		d.Lang = lang
		if proof := d.Page().Proof; proof[1] != want[0] || proof[2] != want[1] {
			t.Errorf("%s: %q", lang, proof)
		}
	}
}
