package subscription

import (
	"slices"
	"strings"
	"testing"
	_ "time/tzdata" // the tests name zones that a machine may lack

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

func TestAddresses(t *testing.T) {
	for in, want := range map[string]string{
		// What people have.
		"ann@example.org": "ann@example.org", " ann@example.org ": "ann@example.org", "Ann.Lee@Example.ORG": "Ann.Lee@example.org",
		"ann+news@example.org": "ann+news@example.org", "a@b.co": "a@b.co", "o'brien@example.ie": "o'brien@example.ie",
		"x_y-z@mail.example.co.in": "x_y-z@mail.example.co.in", "1234@example.org": "1234@example.org",
		"ann@münchen.example": "ann@xn--mnchen-3ya.example", "ann@XN--MNCHEN-3YA.example": "ann@xn--mnchen-3ya.example",
		"മലയാളം@example.org": "മലയാളം@example.org", "अजय@डाटा.भारत": "अजय@xn--c2bd1gb.xn--h2brj9c",
		"!#$%&'*+-/=?^_`{|}~@example.org":        "!#$%&'*+-/=?^_`{|}~@example.org",
		strings.Repeat("a", 64) + "@example.org": strings.Repeat("a", 64) + "@example.org",
		"ann@a-b.example":                        "ann@a-b.example", "ann@1a.example": "ann@1a.example", "ann@example.museum": "ann@example.museum",

		// What nobody has, or what would change its meaning on the way.
		"": "", " ": "", "ann": "", "@": "", "ann@": "", "@example.org": "", "ann@@example.org": "", "ann@b@example.org": "",
		"Ann <ann@example.org>": "", "<ann@example.org>": "", "ann@example.org>": "", "<ann@example.org": "",
		"ann@example.org, ben@example.org": "", "ann@example.org;ben@example.org": "", "ann@example.org ben@example.org": "",
		"ann@example.org\r\nBcc: ben@example.org": "", "ann@example.org\nRCPT TO:<ben@example.org>": "", "ann\r@example.org": "",
		"ann@example.org\x00": "", "\x00@example.org": "", "ann\t@example.org": "", "an n@example.org": "", "ann@exam ple.org": "",
		`"ann"@example.org`: "", `"a b"@example.org`: "", `ann\@b@example.org`: "", "ann(x)@example.org": "", "ann@example.org(x)": "",
		"ann@x> NOTIFY=NEVER": "", "ann@example.org SIZE=1": "", "@a.example:ann@example.org": "", "ann%b@example.org@relay.example": "",
		".ann@example.org": "", "ann.@example.org": "", "a..n@example.org": "", "ann@.example.org": "", "ann@example..org": "",
		"ann@example.org.": "", "ann@-example.org": "", "ann@example-.org": "", "ann@exa_mple.org": "",
		"ann@localhost": "", "ann@mail": "", "ann@mail.local": "", "ann@host.internal": "", "ann@x.localhost": "", "ann@x.test": "", "ann@x.invalid": "",
		"ann@127.0.0.1": "", "ann@[127.0.0.1]": "", "ann@[IPv6:::1]": "", "ann@::1": "", "ann@1.2.3": "", "ann@2130706433": "",
		"ann@x.onion": "", "ann@1.0.0.127.in-addr.arpa": "", "ann@printer.lan": "", "ann@nas.home": "",
		"mailto:ann@example.org": "", "ann@example.org?cc=ben@example.org": "", "ann@https://example.org": "", "ann@example.org/x": "", "ann@example.org:25": "",
		"ann\u200b@example.org": "", "ann@exam\u200bple.org": "", "\u202eann@example.org": "", "ann@example\u3002org": "ann@example.org",
		"=?utf-8?q?ann?=@example.org":            "=?utf-8?q?ann?=@example.org",
		strings.Repeat("a", 65) + "@example.org": "", "ann@" + strings.Repeat("a", 64) + ".example": "", "ann@" + strings.Repeat("a.", 130) + "org": "",
		"\xff\xfe@example.org": "", "ann@\xff.org": "", "😀@example.org": "",
	} {
		got, why := mailbox(in)
		if got != want || (why == "") != (want != "") {
			t.Errorf("%q is read as %q (%s), want %q", in, got, why, want)
		}
	}
}

func TestEndpoints(t *testing.T) {
	for in, want := range map[string]string{
		"https://example.org/hook": "https://example.org/hook", " https://EXAMPLE.org/Hook?k=V ": "https://example.org/Hook?k=V",
		"https://example.org:8443": "https://example.org:8443", "https://198.51.100.7/x": "https://198.51.100.7/x",
		"http://example.org": "", "ftp://example.org": "", "https://": "", "https:example.org": "", "//example.org": "", "example.org": "",
		"https://u:p@example.org": "", "https://example.org/#x": "", "https://localhost/x": "", "https://127.0.0.1": "", "https://10.0.0.1": "",
		"https://[::1]/": "", "https://169.254.169.254/latest": "", "https://exam ple.org": "", "https://example.org/a\r\nb": "",
		"https://example.org/" + strings.Repeat("a", 2000): "", "javascript:alert(1)": "", "": "",
	} {
		if got, why := endpoint(in); got != want || (why == "") != (want != "") {
			t.Errorf("%q is read as %q (%s), want %q", in, got, why, want)
		}
	}
}

var catalogue = Catalogue{
	Rules: []Choice{{"p-hunt", "Operation P-Hunt"}, {"csam", "CSAM"}}, Tags: []string{"kerala", "europe"}, Languages: []string{"en", "ml"}, Timezone: "Asia/Kolkata",
}

func TestCheck(t *testing.T) {
	good := func() Request {
		return Request{Channel: Email, Address: "ann@example.org", Agreed: true, Method: "page"}
	}
	q, faults := Check(good(), catalogue)
	if len(faults) > 0 || q.Wishes.Schedule != "0 7 * * *" || q.Wishes.Timezone != "Asia/Kolkata" || q.Wishes.WhenEmpty != notify.Skip {
		t.Fatalf("%+v, %v", q.Wishes, faults)
	}
	for want, change := range map[string]func(*Request){
		"agree":      func(q *Request) { q.Agreed = false },
		"channel":    func(q *Request) { q.Channel = "file" },
		"address":    func(q *Request) { q.Address = "ann" },
		"secret":     func(q *Request) { q.Channel, q.Address, q.Secret = Webhook, "https://example.org/x", "whsec_c2hvcnQ=" },
		"rules":      func(q *Request) { q.Wishes.Rules = []string{"p-hunt", "nothing"} },
		"tags":       func(q *Request) { q.Wishes.Tags = []string{"<script>"} },
		"languages":  func(q *Request) { q.Wishes.Languages = []string{"english language"} },
		"severity":   func(q *Request) { q.Wishes.Severity = -1 },
		"timezone":   func(q *Request) { q.Wishes.Timezone = "../../etc/passwd" },
		"schedule":   func(q *Request) { q.Wishes.Schedule = "* * * * *" },
		"when_empty": func(q *Request) { q.Wishes.WhenEmpty = "always" },
		"lang":       func(q *Request) { q.Wishes.Lang = "fr" },
	} {
		q := good()
		change(&q)
		_, faults := Check(q, catalogue)
		if len(faults) == 0 || !slices.ContainsFunc(faults, func(f Fault) bool { return f.Field == want }) {
			t.Errorf("%s: %v", want, faults)
		}
	}
	// Each look at the log costs the store a write, for every stranger.
	for spec, good := range map[string]bool{"immediate": true, "immediate 10m": true, "immediate 30s": true, "immediate 1s": false} {
		if _, faults := CheckWishes(store.Wishes{Schedule: spec}, catalogue); good != (len(faults) == 0) {
			t.Errorf("%s: %v", spec, faults)
		}
	}
	many := make([]string, maxChosen+1)
	if _, faults := CheckWishes(store.Wishes{Rules: many}, catalogue); len(faults) == 0 {
		t.Error("more rules than can be chosen are taken")
	}
	w, faults := CheckWishes(store.Wishes{Rules: []string{"p-hunt", "csam", "p-hunt"}, Schedule: "*/30 7 1 1 *"}, catalogue)
	if !slices.Equal(w.Rules, []string{"csam", "p-hunt"}) {
		t.Errorf("rules %q", w.Rules)
	}
	if len(faults) != 1 || faults[0].Field != "schedule" {
		t.Errorf("a schedule that comes twice within an hour once a year: %v", faults)
	}
}
