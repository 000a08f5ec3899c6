package configs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify"
)

// dump prints everything that was read. It is what an operator's file came to,
// so a change of it is a change that operators see. Secrets show as their kind.
func dump(c *Loaded, warnings []Warning) string {
	var b strings.Builder
	secret := func(s Secret) string {
		if s.IsZero() {
			return "none"
		}
		return s.String()
	}
	fmt.Fprintf(&b, "data %s\n", c.Data)
	fmt.Fprintf(&b, "store %s path=%q addresses=%q master=%q db=%d tls=%t user=%q password=%s\n", c.Store.Engine, c.Store.Path,
		c.Store.Addresses, c.Store.Master, c.Store.DB, c.Store.TLS, c.Store.Username, secret(c.Store.Password))
	fmt.Fprintf(&b, "http %q %q token=%s subscriptions=%+v\n", c.HTTP.Listen, c.HTTP.PublicURL, secret(c.HTTP.AdminToken), c.Subscriptions)
	fmt.Fprintf(&b, "fetch %+v\n", c.Fetch)
	fmt.Fprintf(&b, "digest first_window=%s cap=%d when_empty=%s timezone=%s lang=%s guard=%t\n", c.Digest.FirstWindow, c.Digest.Cap, c.Digest.WhenEmpty,
		c.Digest.Timezone, c.Digest.Lang, c.Digest.ChildIdentityGuard)
	fmt.Fprintf(&b, "smtp %q %d %s %q password=%s from=%q\n", c.SMTP.Host, c.SMTP.Port, c.SMTP.TLS, c.SMTP.Username, secret(c.SMTP.Password), c.SMTP.From)
	if m := c.SMTP; m.Sender+m.ReplyTo+m.BounceTo+m.UnsubscribeMailto+m.DKIM.Domain != "" || m.VERP || m.Connections != 6 {
		fmt.Fprintf(&b, "smtp sender=%q reply_to=%q bounce_to=%q verp=%t unsubscribe_mailto=%q connections=%d dkim=%s._domainkey.%s key=%s\n",
			m.Sender, m.ReplyTo, m.BounceTo, m.VERP, m.UnsubscribeMailto, m.Connections, m.DKIM.Selector, m.DKIM.Domain, secret(m.DKIM.Key))
	}
	fmt.Fprintf(&b, "retention %+v\ninclude %q\nlog %+v\n", c.Retention, c.Include, c.Log)
	for _, f := range c.Feeds {
		fmt.Fprintf(&b, "feed %+v\n", f)
	}
	for _, s := range c.Subscribers {
		fmt.Fprintf(&b, "subscriber %s %s %+v schedule=%q timezone=%s lang=%s when_empty=%s cap=%d", s.ID, s.Channel.Kind(), s.Selection, s.Schedule, s.Timezone, s.Lang, s.WhenEmpty, s.Cap)
		switch ch := s.Channel.(type) {
		case WebhookChannel:
			fmt.Fprintf(&b, " secrets=%d", len(ch.Secrets))
		case FileChannel:
			fmt.Fprintf(&b, " dir=%s", ch.Dir)
		}
		b.WriteByte('\n')
	}
	for _, r := range c.Rules.Rules() {
		fmt.Fprintf(&b, "rule %s %s %q\n", r.ID, r.Severity, r.Tags)
	}
	fmt.Fprintf(&b, "files %q\n", c.Files)
	for _, w := range warnings {
		fmt.Fprintf(&b, "warning %s\n", w)
	}
	return b.String()
}

func TestGood(t *testing.T) {
	for name, text := range cases(t, ".good.yaml") {
		t.Run(name, func(t *testing.T) {
			c, warnings, err := loadFiles(with(name, text))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".good.txt", dump(c, warnings))
		})
	}
}

// TestDefaultsAgree: the commented file beside the code shows the defaults that
// hold without it, all of them.
func TestDefaultsAgree(t *testing.T) {
	shown, warnings, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range warnings {
		t.Errorf("warning: %s", w)
	}
	files := files{"configs/newswatch.yaml": ""}
	silent, _, err := load(files, "configs/newswatch.yaml", testEnv)
	if err != nil {
		t.Fatal(err)
	}
	a, b := *shown, *silent
	a.Files, b.Files, a.Path, b.Path = nil, nil, "", ""
	if got, want := dump(&a, nil), dump(&b, nil); got != want {
		t.Errorf("newswatch.yaml says\n%s\nwithout it\n%s", got, want)
	}
	if shown.Data != "data" || shown.Store.Path != filepath.Join("data", "newswatch.db") {
		t.Errorf("data = %q, store = %q: want data/ in the working directory", shown.Data, shown.Store.Path)
	}
	main, err := defaultFiles.ReadFile("newswatch.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(main, &tree); err != nil {
		t.Fatal(err)
	}
	for _, setting := range shown.Settings() {
		at, ok := any(tree), false
		for part := range strings.SplitSeq(setting.Key, ".") {
			section, _ := at.(map[string]any)
			if at, ok = section[part]; !ok {
				_, ok = section[part+"_file"]
			}
		}
		// What would be warned of beside the default store stands in a comment.
		if commented := "# " + strings.TrimPrefix(setting.Key, "store.") + ":"; !ok && !strings.Contains(string(main), commented) {
			t.Errorf("newswatch.yaml does not show %s", setting.Key)
		}
	}
}

// TestDefaultProduct: without a line of configuration there are feeds in the
// languages of the audience, a rule for each body and topic, and somebody who is
// told.
func TestDefaultProduct(t *testing.T) {
	c, _, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	langs := map[string]int{}
	for _, f := range c.Feeds {
		langs[f.Lang]++
		if f.ID == "" || f.Name == "" || len(f.Tags) == 0 || f.FullText != feed.FullTextAuto || f.Kind != feed.KindFeed {
			t.Errorf("feed is not fully described: %+v", f)
		}
	}
	for _, l := range []string{"en", "ml", "hi", "ta"} {
		if langs[l] == 0 {
			t.Errorf("no feed in %s", l)
		}
	}
	for _, id := range []string{
		"operation-p-hunt", "ccsec", "cyberdome", "counter-cse-centres", "csam", "cyber-police", "child-exploitation-arrests",
		"p2p-and-darknet", "pocso", "it-act-67b", "grooming-and-sextortion", "policy-law",
	} {
		r, ok := c.Rules.Rule(id)
		if !ok {
			t.Errorf("no rule %s", id)
		} else if len(r.MustMatch) < 3 || len(r.MustNotMatch) < 2 {
			t.Errorf("rule %s has %d texts it must match and %d it must not", id, len(r.MustMatch), len(r.MustNotMatch))
		}
	}
	if len(c.Subscribers) != 1 || c.Subscribers[0].Channel != (FileChannel{Dir: filepath.Join("data", "digests")}) {
		t.Errorf("subscribers = %+v, want one that gets files", c.Subscribers)
	}
	for _, f := range c.Files {
		if !strings.HasPrefix(f, "embedded:") {
			t.Errorf("the default read %s", f)
		}
	}
}

// TestRuleFilesStandAlone: each default rule file can be given to match --rules
// by itself.
func TestRuleFilesStandAlone(t *testing.T) {
	names, err := filepath.Glob("rules/*.yaml")
	if err != nil || len(names) < 4 {
		t.Fatalf("rule files: %q, %v", names, err)
	}
	for _, n := range names {
		rs, warnings, err := LoadRules(n)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, w := range warnings {
			t.Errorf("warning: %s", w)
		}
		if len(rs.Rules()) == 0 {
			t.Errorf("%s holds no rule", n)
		}
	}
	if _, _, err := LoadRules("rules/none-*.yaml"); err == nil {
		t.Error("a pattern without a match was taken")
	}
	if _, _, err := LoadRules("rules/none.yaml"); err == nil || !strings.Contains(err.Error(), "rules/none.yaml") {
		t.Errorf("a missing file: %v", err)
	}
}

func TestLoadFromDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "odd [name]*", "etc")
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
	}
	write("newswatch.yaml", "http: {admin_token_file: secrets/token}\nsmtp: {host: localhost, from: a@example.org, username: u, password_file: secrets/mail}\n"+
		"include: {feeds: [\"feeds/*.yaml\"], rules: [\"rules/*.yaml\"]}\n", 0o644)
	write("feeds/b.yaml", "feeds: [{id: b, url: \"https://b.example.org/\"}]\n", 0o644)
	write("feeds/a.yaml", "feeds: [{id: a, url: \"https://a.example.org/\"}]\n", 0o644)
	write("rules/r.yaml", "rules: [{id: r, any: [police]}]\n", 0o644)
	write("subscribers.yaml", "subscribers: [{id: s, file: {dir: out}}]\n", 0o644)
	write("secrets/token", "0123456789abcdef0123456789abcdef\n", 0o600)
	write("secrets/mail", "pass word\r\n", 0o644)

	c, warnings, err := Load(filepath.Join(dir, "newswatch.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.HTTP.AdminToken.Reveal(); got != "0123456789abcdef0123456789abcdef" {
		t.Errorf("token = %q: the line break belongs to the file", got)
	}
	if got := c.SMTP.Password.Reveal(); got != "pass word" {
		t.Errorf("password = %q", got)
	}
	if len(c.Feeds) != 2 || c.Feeds[0].ID != "a" {
		t.Errorf("feeds = %+v, want those of a.yaml first", c.Feeds)
	}
	if got, want := c.Store.Path, filepath.Join(filepath.Dir(dir), "data", "newswatch.db"); got != want {
		t.Errorf("store = %s, want %s", got, want)
	}
	if got, want := c.Subscribers[0].Channel, (FileChannel{Dir: filepath.Join(dir, "out")}); got != want {
		t.Errorf("channel = %+v, want %+v", got, want)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0].String(), "everybody on this machine can read") {
		t.Errorf("warnings = %v, want one about the password's file", warnings)
	}
}

func TestUnreadableFiles(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := Load(filepath.Join(dir, "none.yaml")); err == nil || !strings.Contains(err.Error(), "none.yaml:1:1: cannot read the file: no such file") {
		t.Errorf("missing: %v", err)
	}
	if _, _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("folder: %v", err)
	}
	big := filepath.Join(dir, "big.yaml")
	if err := os.WriteFile(big, []byte(strings.Repeat("#\n", maxFile/2+1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load(big); err == nil || !strings.Contains(err.Error(), "larger than 10 MiB") {
		t.Errorf("huge: %v", err)
	}
	many := base()
	many["etc/newswatch.yaml"] = "include: {feeds: [\"f/*.yaml\"]}\n"
	for i := range maxFiles + 5 {
		many[fmt.Sprintf("etc/f/%04d.yaml", i)] = ""
	}
	if _, _, err := loadFiles(many); err == nil || !strings.Contains(err.Error(), "more than 1000 files") {
		t.Errorf("many: %v", err)
	}
}

// TestUnreadableParts: a part that cannot be read is reported where it is named,
// once, and what depends on it is not.
func TestUnreadableParts(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"newswatch.yaml":         "http: {admin_token_file: big}\nsmtp: {password_file: rules}\n",
		"feeds.yaml":             "",
		"subscribers.yaml":       "",
		"rules/b.yaml":           "rules: [{id: b, any: [\"@csam\"]}]\n",
		"rules/a.yaml/keep.yaml": "",
		"big":                    strings.Repeat("x", maxSecret+1),
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := Load(filepath.Join(dir, "newswatch.yaml"))
	if err == nil {
		t.Fatal("loaded")
	}
	for _, want := range []string{"the file is too large for a secret", "smtp.password_file: not a file", "a.yaml: cannot read the file: not a regular file"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %q in\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "concept") {
		t.Errorf("the concept may be in the file that could not be read:\n%v", err)
	}
}

func TestFind(t *testing.T) {
	t.Chdir(t.TempDir())
	if p, ok := Find(); ok && !strings.HasPrefix(p, "/etc/") {
		t.Errorf("found %s in an empty folder", p)
	}
	for _, p := range []string{"configs/newswatch.yaml", "newswatch.yaml"} {
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if got, ok := Find(); !ok || got != p {
			t.Errorf("Find() = %q, %v; want %s", got, ok, p)
		}
	}
}

// TestAllErrorsAtOnce: an operator mends a file in one go.
func TestAllErrorsAtOnce(t *testing.T) {
	f := base()
	f["etc/newswatch.yaml"] = "fetch: {timeout: 5, intervall: 1m}\nsmtp: {port: x}\n"
	f["etc/feeds.yaml"] = "feeds:\n  - {url: ftp://x/}\n  - {url: \"https://y.example.org/\", lang: tamil}\n"
	f["etc/subscribers.yaml"] = "subscribers:\n  - {id: a, file: {}, rules: [csma], schedule: now}\n"
	_, _, err := loadFiles(f)
	if err == nil {
		t.Fatal("loaded")
	}
	golden(t, "all-at-once.txt", err.Error()+"\n")
}

// TestBrokenRulesDoNotMislead: while the rules cannot be read, a subscriber's
// rule is not called unknown.
func TestBrokenRulesDoNotMislead(t *testing.T) {
	f := base()
	f["etc/rules/base.yaml"] = "rules:\n  - {id: mine, query: '('}\n"
	f["etc/subscribers.yaml"] = "subscribers:\n  - {id: a, file: {}, rules: [mine]}\n"
	_, _, err := loadFiles(f)
	if err == nil || strings.Contains(err.Error(), "there is no rule") {
		t.Errorf("error = %v", err)
	}
	f = base()
	f["etc/feeds.yaml"] = "feeds:\n  - {url: ftp://x/, tags: [mine]}\n"
	f["etc/subscribers.yaml"] = "subscribers:\n  - {id: a, file: {}, tags: [mine]}\n"
	if _, _, err := loadFiles(f); err == nil || strings.Contains(err.Error(), "there is no tag") {
		t.Errorf("error = %v", err)
	}
}

// TestBounds: a few bytes that stand for very many end in a message. Without the
// bounds this test does not come to an end.
func TestBounds(t *testing.T) {
	var aliased strings.Builder
	for i := range maxVisits / maxList {
		fmt.Fprintf(&aliased, "  - {url: \"https://a.example.org/%d\", tags: *t}\n", i+1)
	}
	list := "[" + strings.Repeat("a,", maxList-1) + "a]"
	for name, text := range map[string]string{
		"aliased lists": "feeds:\n  - &f {url: \"https://a.example.org/0\", tags: &t " + list + "}\n" +
			aliased.String(),
		"long list":  "feeds: [{url: \"https://a.example.org/\", tags: [" + strings.Repeat("a,", maxList) + "a]}]\n",
		"cycle":      "feeds: &x [*x]\n",
		"deep":       "feeds: " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + "\n",
		"deep alias": "feeds: [&a {url: &b {url: *a}}]\n",
		"all wrong":  "feeds:\n" + strings.Repeat("  - 5\n", 300_000),
	} {
		f := base()
		f["etc/feeds.yaml"] = text
		_, _, err := loadFiles(f)
		switch {
		case err == nil:
			t.Errorf("%s: loaded", name)
		case name == "aliased lists" && !strings.Contains(err.Error(), "the configuration is too large"):
			t.Errorf("%s: %.300s", name, err)
		case len(err.Error()) > 1<<16:
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
	}
}

func TestScheduleIsInItsZone(t *testing.T) {
	f := base()
	f["etc/subscribers.yaml"] = "subscribers: [{id: a, file: {}, schedule: \"0 7 * * *\", timezone: Asia/Kolkata}]\n"
	c, _, err := loadFiles(f)
	if err != nil {
		t.Fatal(err)
	}
	s := c.Subscribers[0]
	next := s.Schedule.Next(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC))
	if want := time.Date(2026, 1, 2, 1, 30, 0, 0, time.UTC); !next.Equal(want) {
		t.Errorf("next = %s, want %s", next, want)
	}
	if s.WhenEmpty != notify.Skip || s.Cap != 40 {
		t.Errorf("when_empty = %s, cap = %d: want the digest's defaults", s.WhenEmpty, s.Cap)
	}
}

// TestPlainWebhook: digests go over a network in the clear only where the
// operator named that network.
func TestPlainWebhook(t *testing.T) {
	for _, tt := range []struct {
		name, url, allow string
		ok               bool
	}{
		{"https", "https://cases.example.org/token", "[]", true},
		{"no network is named", "http://cases.example.org/token", "[]", false},
		{"a name, which may lead into one", "HTTP://cases.example.org/token", "[10.0.0.0/8]", true},
		{"an address inside", "http://10.1.2.3/token", "[10.0.0.0/8]", true},
		{"an address inside, as IPv6", "http://[::ffff:10.1.2.3]/token", "[10.0.0.0/8]", true},
		{"an address outside", "http://192.0.2.1/token", "[10.0.0.0/8]", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tree := with("subscribers", "subscribers: [{id: a, webhook: {url: \""+tt.url+"\", secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}}]\n")
			tree["etc/newswatch.yaml"] += "fetch: {allow_networks: " + tt.allow + "}\n"
			loaded, _, err := loadFiles(tree)
			if (err == nil) != tt.ok {
				t.Fatalf("%v", err)
			}
			if !tt.ok {
				if strings.Contains(err.Error(), "token") || !strings.Contains(err.Error(), "fetch.allow_networks") {
					t.Errorf("%v", err)
				}
				return
			}
			if got, want := loaded.Subscribers[0].Channel.(WebhookChannel).Plain(), !strings.HasPrefix(tt.url, "https"); got != want {
				t.Errorf("in the clear: %v, want %v", got, want)
			}
		})
	}
}
