package email

import (
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for _, tt := range []struct{ in, name, spec string }{
		{"desk@example.org", "", "desk@example.org"},
		{"  desk@example.org ", "", "desk@example.org"},
		{"<desk@example.org>", "", "desk@example.org"},
		{"newswatch <desk@example.org>", "newswatch", "desk@example.org"},
		{`"News, watch" <desk@example.org>`, "News, watch", "desk@example.org"},
		{"വാർത്ത <desk@example.org>", "വാർത്ത", "desk@example.org"},
		{"a.b+tag@example.org", "", "a.b+tag@example.org"},
		{"x_y-z=w@sub.example.co.in", "", "x_y-z=w@sub.example.co.in"},
		{"o'neil@example.org", "", "o'neil@example.org"},
		{"!#$%&'*+/=?^_`{|}~-@example.org", "", "!#$%&'*+/=?^_`{|}~-@example.org"},
		{"Desk@EXAMPLE.Org", "", "Desk@example.org"}, // the local part is the receiver's business (RFC 5321 §2.4)
		{"root@localhost", "", "root@localhost"},
		{"desk@münchen.example", "", "desk@xn--mnchen-3ya.example"},
		{"desk@xn--mnchen-3ya.example", "", "desk@xn--mnchen-3ya.example"},
		{"desk@उदाहरण.परीक्षा", "", "desk@xn--p1b6ci4b4b3a.xn--11b5bs3a9aj6g"},
		{"δοκιμή@example.org", "", "δοκιμή@example.org"},
		{"വാർത്ത@example.org", "", "വാർത്ത@example.org"},
		{strings.Repeat("a", 64) + "@example.org", "", strings.Repeat("a", 64) + "@example.org"},
		{"1@2.example", "", "1@2.example"},
	} {
		a, err := ParseAddress(tt.in)
		if err != nil || a.Name != tt.name || a.Spec() != tt.spec {
			t.Errorf("%q: got %q, %q, %v", tt.in, a.Name, a.Spec(), err)
		}
	}
}

var badAddresses = []string{
	"", " ", "@", "desk", "desk@", "@example.org", "desk@@example.org", "a@b@example.org",
	"a@x> NOTIFY=NEVER", "<a@x> NOTIFY=NEVER", "a@x>\r\nRCPT TO:<b@y", "a@x\r\nBcc: b@y", "a@x\n", "a\r@x", "a@x\x00", "a\x7f@x", "a@x\tSIZE=1",
	"a b@example.org", "a@exam ple.org", "a @example.org", "a@ example.org", `"a b"@example.org`, `"a"@example.org`, `a"b@example.org`,
	`a\@b@example.org`, `a\b@example.org`, "a(comment)@example.org", "a@example.org (comment)", "(x)a@example.org", "a@(x)example.org",
	"<@relay.example:a@example.org>", "@relay.example:a@example.org", "a%b@c:d@example.org", "group: a@example.org;", "a@example.org, b@example.org",
	"a@example.org;b@example.org", "a@example.org b@example.org", "<<a@example.org>>", "a@example.org>", "<a@example.org", "x <a@example.org> y",
	"<a@example.org> <b@example.org>", "x <> <a@example.org>", "<>", ".a@example.org", "a.@example.org", "a..b@example.org", ".@example.org",
	"a@.example.org", "a@example.org.", "a@example..org", "a@-example.org", "a@example-.org", "a@exa_mple.org", "a@example.org/x", "a@exam!ple.org",
	"a@[127.0.0.1]", "a@[IPv6:::1]", "a@127.0.0.1", "a@2130706433", "a@example.123", "a@" + strings.Repeat("a", 64) + ".org",
	"a@" + strings.Repeat("a.", 130) + "org", strings.Repeat("a", 65) + "@example.org", strings.Repeat("ä", 33) + "@example.org",
	"a\u202e@example.org", "a\u200b@example.org", "a\u2028@example.org", "a@exam\u200bple.org\u202e", "a☃@example.org", "＜a＞@example.org", "a\xff@example.org",
	"=?utf-8?q?x?= <a@example.org>", "b@evil.example <a@example.org>", `x\y <a@example.org>`, `x"y <a@example.org>`, "x\r\ny <a@example.org>",
	strings.Repeat("x", 101) + " <a@example.org>", "a@b:25", "mailto:a@example.org", "a,b@example.org", "a;b@example.org", "a:b@example.org", "a<b@example.org",
}

func TestParseAddressRefuses(t *testing.T) {
	if len(badAddresses) < 70 {
		t.Fatalf("only %d forms", len(badAddresses))
	}
	for _, s := range badAddresses {
		a, err := ParseAddress(s)
		if err == nil {
			t.Errorf("%q was taken for %q", s, a.Spec())
			continue
		}
		if len(s) > 5 && strings.Contains(err.Error(), s) {
			t.Errorf("the error repeats the address: %v", err)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range badAddresses {
		f.Add(s)
	}
	f.Add("newswatch <desk@example.org>")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAddress(s)
		if err != nil {
			return
		}
		if spec := a.Spec(); strings.ContainsAny(spec, " <>\r\n\t\"\\(),:;[]") || strings.Count(spec, "@") != 1 || len(spec) > 254 {
			t.Errorf("%q became %q", s, spec)
		}
		if b, err := ParseAddress(a.Spec()); err != nil || b.Spec() != a.Spec() {
			t.Errorf("%q: %q is not stable: %q, %v", s, a.Spec(), b.Spec(), err)
		}
	})
}
