package configs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	yaml "go.yaml.in/yaml/v4"
)

// TestSecretNeverPrints tries every way in which Go turns a value into text,
// alone and inside a Config.
func TestSecretNeverPrints(t *testing.T) {
	const word = "hunter2"
	s := NewSecret(word)
	c := Config{SMTP: SMTP{Password: s}, HTTP: HTTP{AdminToken: s}, Store: Store{Password: s, URL: s}}
	sub := Subscriber{Channel: WebhookChannel{URL: s, Secrets: []Secret{s}}}
	mail := Subscriber{Channel: EmailChannel{Address: s}}
	var out bytes.Buffer
	inner := struct{ unexported Secret }{s} // fmt calls no method of what it cannot reach
	for _, v := range []any{inner, &inner, s, &s, c, &c, sub, mail, []Secret{s}, map[string]Secret{"a": s}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		j, err := json.Marshal(v)
		if err != nil {
			t.Errorf("json: %v", err)
		}
		out.Write(j)
		y, err := yaml.Marshal(v)
		if err != nil {
			t.Errorf("yaml: %v", err)
		}
		out.Write(y)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		fmt.Fprintln(&out, errors.New(fmt.Sprint(v)))
	}
	if strings.Contains(out.String(), word) || strings.Contains(out.String(), fmt.Sprintf("%x", word)) {
		t.Errorf("the secret was printed:\n%s", out.String())
	}
	if !strings.Contains(out.String(), hidden) {
		t.Error("nothing says that there is a secret")
	}
	if s.Reveal() != word || s.IsZero() || !(Secret{}).IsZero() || !s.Equal(NewSecret(word)) {
		t.Error("Reveal, IsZero or Equal is wrong")
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "15m": 15 * time.Minute, "24h": 24 * time.Hour, "30d": 30 * day, "2w": 14 * day, "365d": 365 * day,
		"1h30m": 90 * time.Minute, "1d12h": 36 * time.Hour, "1.5h": 90 * time.Minute, "250ms": 250 * time.Millisecond, "0s": 0,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%s = %s, %v; want %s", text, got, err, want)
		}
	}
	for text, hint := range map[string]string{
		"15": "15m", "1.5": "1.5h", "": "15m", "m": "15m", "15 m": "15m", "15M": "15m", "-5m": "15m", "1y": "15m", "5mm": "15m", "1..5h": "15m",
		"999999999w": "15m", "h5": "15m", "1h-5m": "15m",
	} {
		got, err := ParseDuration(text)
		if err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%q = %s, %v; want an error that hints at %s", text, got, err, hint)
		}
	}
	for _, d := range []time.Duration{time.Second, 90 * time.Minute, 24 * time.Hour, 30 * day, 250 * time.Millisecond} {
		if got, err := ParseDuration(formatDuration(d)); err != nil || got != d {
			t.Errorf("%s is printed as %s, which reads %s, %v", d, formatDuration(d), got, err)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{"10MiB": 10 << 20, "10MB": 10_000_000, "500KiB": 500 << 10, "2kB": 2000, "2KB": 2000, "7B": 7, "1.5GiB": 3 << 29} {
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("%s = %d, %v; want %d", text, got, err, want)
		}
	}
	for text, hint := range map[string]string{"10": "10MiB", "10mib": "10MiB", "10M": "10MB", "10 MiB": "10MiB", "-1MiB": "10MiB", "": "10MiB", "MiB": "10MiB", "9999999999GiB": "10MiB"} {
		got, err := parseSize(text)
		if err == nil || !strings.Contains(err.Hint, hint) {
			t.Errorf("%q = %d, %v; want an error that hints at %s", text, got, err, hint)
		}
	}
}

func TestExpand(t *testing.T) {
	env := func(name string) (string, bool) {
		v, ok := map[string]string{"A": "one", "EMPTY": "", "NESTED": "${A} $$", "YAML": "x: [y"}[name]
		return v, ok
	}
	for in, want := range map[string]string{
		"plain": "plain", "${A}": "one", "a${A}b${A}": "aonebone", "${B:-two}": "two", "${B:-}": "", "${EMPTY:-two}": "two", "${EMPTY}": "",
		"$A": "$A", "$": "$", "a$": "a$", "$$": "$", "$${A}": "${A}", "$$$${A}": "$${A}", "5$": "5$",
		"${NESTED}": "${A} $$", "${YAML}": "x: [y", "${B:-a:-b}": "a:-b",
	} {
		if got, err := expand(in, env); err != nil || got != want {
			t.Errorf("%q = %q, %v; want %q", in, got, err, want)
		}
	}
	for in, at := range map[string]int{"${B}": 0, "ab${B}": 2, "${": 0, "${}": 0, "${1A}": 0, "${A-b}": 0, "${A} ${ A}": 5} {
		if got, err := expand(in, env); err == nil || err.At != at {
			t.Errorf("%q = %q, %+v; want an error at %d", in, got, err, at)
		}
	}
}

// TestAddresses follows RFC 5321 §4.1.2 and RFC 5322 §3.2.3, less what no
// ordinary mailbox needs and an attacker does.
func TestAddresses(t *testing.T) {
	for _, a := range []string{
		"desk@example.org", "a@b.co", "first.last@example.org", "a+tag@sub.example.org", "o'brien@example.org", "!#$%&*/=?^_`{|}~-@example.org",
		"1@example.org", "a@xn--bcher-kva.example", "root@localhost", "ä@b.org", "a@bücher.example", "വാർത്ത@വാർത്ത.example", strings.Repeat("a", 64) + "@example.org",
	} {
		if err := checkAddress(a); err != nil {
			t.Errorf("%s: %v", a, err)
		}
	}
	for _, a := range []string{
		"", "@", "a", "a@", "@b.org", "a@@b.org", "a@b@c.org", ".a@b.org", "a.@b.org", "a..b@c.org", "a b@c.org", " a@b.org", "a@b.org ", "a@b", "a@-b.org", "a@b-.org",
		"a@b..org", "a@.b.org", "a@b.org.", "a@b_c.org", "a@[127.0.0.1]", "a@[IPv6:::1]", `"a b"@c.org`, `"a"@c.org`, "a(comment)@c.org", "<a@b.org>", "A <a@b.org>",
		"a@x> NOTIFY=NEVER", "a@b.org>\r\nRCPT TO:<c@d.org", "a\r\nBcc: c@d.org@b.org", "a@b.org\n", "a@b.org\x00", "a,b@c.org", "a;b@c.org", "a:b@c.org", `a\@c.org`,
		"@relay.org:a@b.org", "ä b@c.org", "ä@b.org>", "ä@@b.org", "Ä <ä@b.org>", "a@b.org\u202e", "a@b.org,c@d.org", "mailto:a@b.org", "a%b@c.org\t",
		strings.Repeat("a", 65) + "@example.org", "a@" + strings.Repeat("b", 64) + ".org", "a@" + strings.Repeat("b.", 130) + "org",
	} {
		if err := checkAddress(a); err == nil {
			t.Errorf("%q was taken", a)
		} else if len(a) > 3 && strings.Contains(err.Message+err.Hint, a) {
			t.Errorf("%q is told by its own error", a)
		}
	}
	for m, ok := range map[string]bool{
		"a@b.org": true, "News <a@b.org>": true, `"News desk" <a@b.org>`: true, "<a@b.org>": true,
		"News <a@b.org": false, "News a@b.org": false, "News <a@b.org> x": false, "A\r\nBcc: x <a@b.org>": false, "A <b <a@b.org>": false, "A, B <a@b.org>": false,
	} {
		if err := checkMailbox(m); (err == nil) != ok {
			t.Errorf("%q: %v, want ok=%v", m, err, ok)
		}
	}
}

func TestFeedIDs(t *testing.T) {
	for raw, want := range map[string]string{
		"https://www.example.org/rss":        "example-org-rss",
		"https://example.org/rss":            "example-org-rss",
		"https://Example.org/RSS":            "example-org-rss",
		"http://feeds.example.org/a/b.xml":   "feeds-example-org-a-b-xml",
		"https://example.org/":               "example-org",
		"https://example.org/?q=a":           "example-org-" + shortHash("https://example.org/?q=a"),
		"https://example.org:8443/rss":       "example-org-rss-" + shortHash("https://example.org:8443/rss"),
		"https://example.org/%E0%B4%95/x":    "example-org-x-" + shortHash("https://example.org/%E0%B4%95/x"),
		"https://2001.example.org/-/_/..rss": "2001-example-org-rss",
	} {
		if got := feedID(raw); got != want {
			t.Errorf("%s = %q, want %q", raw, got, want)
		}
	}
	long := feedID("https://example.org/" + strings.Repeat("long/", 40))
	if _, err := parseID(long); err != nil || len(long) > 60 {
		t.Errorf("a long URL's id is %q: %v", long, err)
	}
	// Ids are kept in stores: they must not change from one release to the next.
	if got, want := feedID("https://news.google.com/rss/search?q=POCSO"), "news-google-com-rss-search-628c4e0d"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestZones(t *testing.T) {
	zones := strings.Fields(zoneList)
	if len(zones) < 300 {
		t.Fatalf("%d zones", len(zones))
	}
	for _, z := range zones {
		if _, err := parseZone(z); err != nil {
			t.Errorf("%s is suggested and refused: %v", z, err)
		}
	}
}

func TestRedact(t *testing.T) {
	for _, c := range []struct {
		line    string
		private bool
		want    string
	}{
		{`password: hunter2`, false, `password: <secret>`},
		{`smtp: {password: "hunter2", port: x}`, false, `smtp: {password: <secret>, port: x}`},
		{`passwd: hunter2`, false, `passwd: <secret>`},
		{`PASSWORD = hunter2`, false, `PASSWORD = <secret>`},
		{`password "hunter2"`, false, `password <secret>`},
		{`store: {url: "redis://me:hunter2@host/0"}`, false, `store: {url: "redis://<secret>@host/0"}`},
		{`  - {id: a, email: hunter2@example.org}`, true, `  - {id: a, email: <secret>}`},
		{`  # write to hunter2@example.org`, true, `  # write to <address>`},
		{`  - {webhook: {url: "https://h.example.org/hunter2?t=hunter2"}}`, true, `  - {webhook: {url: "https://h.example.org/…"}}`},
		{`  - {url: "https://h.example.org/rss?q=a"}`, false, `  - {url: "https://h.example.org/rss?q=a"}`},
		{`  - {name: "Daily Mail", tags: [uk]}`, false, `  - {name: "Daily Mail", tags: [uk]}`},
		{`  any: ["@csam", police]`, false, `  any: ["@csam", police]`},
	} {
		got, _ := redact(c.line, 1, c.private)
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.line, got, c.want)
		}
	}
	// The caret stays on what it pointed at.
	line := `{password: "a very long secret indeed", port: x}`
	got, caret := redact(line, strings.Index(line, "x}")+1, false)
	if got[caret-1] != 'x' {
		t.Errorf("caret at %q of %s", got[caret-1:], got)
	}
	// A secret that goes on below its key is hidden whole.
	doc := &document{lines: splitLines("smtp:\n  password: |\n    hunter2\n    more\n  port: x\n")}
	doc.hidden = secretLines(doc.lines)
	for i, want := range []string{"smtp:", "  password: <secret>", hidden, hidden, "  port: x"} {
		if got, _ := doc.show(i+1, 1); got != want && !(i == 1 && !strings.Contains(got, "hunter2")) {
			t.Errorf("line %d = %q, want %q", i+1, got, want)
		}
	}
}

func TestCaretUnderWideText(t *testing.T) {
	// Combining marks take no room of their own; a tab keeps its width.
	line, indent := window("\tkey: ഹണ്ട് x", 13)
	if line != "\tkey: ഹണ്ട് x" || indent != "\t"+strings.Repeat(" ", 9) {
		t.Errorf("%q\n%q", line, indent)
	}
	long := strings.Repeat("a", 300) + "X" + strings.Repeat("b", 300)
	line, indent = window(long, 301)
	if len([]rune(line)) > 130 || []rune(line)[len([]rune(indent))] != 'X' {
		t.Errorf("%q\n%q", line, indent)
	}
}

// TestOpenToAll: who is told to chmod a file must be able to.
func TestOpenToAll(t *testing.T) {
	for _, tt := range []struct {
		file string
		mode os.FileMode
		want bool
	}{
		{"/etc/newswatch/token", 0o644, true},
		{"/etc/newswatch/token", 0o600, false},
		{"/run/secrets/admin_token", 0o444, false},
		{"/run/secrets-of-mine", 0o644, true},
	} {
		if got := openToAll(tt.file, tt.mode); got != tt.want {
			t.Errorf("openToAll(%s, %o) = %v", tt.file, tt.mode, got)
		}
	}
}
