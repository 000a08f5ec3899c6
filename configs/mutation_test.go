package configs

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// private are the words of the good files that no error may repeat.
var private = []string{"s3cret-s3cret", "0123456789abcdef", "MfKQ9r8GKYqrTwjU", "desk@example.org", "nameless@", "T0/B0", "p%40ss", "pass-word", "older key"}

// badValues are put in the place of every value.
var badValues = []string{
	"", `""`, "~", "[]", "{}", "[[a]]", "{a: b}", "-1", "0", "1e99", "99999999999999999999", "true", "no", "0x1F", "2001-01-01",
	"${UNSET_VARIABLE}", "${", "$$", "*alias", "&anchor x", "!!binary aGk=", "!custom x", "'open", "\"\\x00\"", "\"\\r\\nInjected: x\"", "|\n    block\n    text",
	"കേരളം", "../../../../etc/passwd", "https://", "http://[::1", "a@b@c", "%zz", "@every 0s", "TZ=", "\u2028", "💥", strings.Repeat("a", 5000),
}

var (
	keyValue = regexp.MustCompile(`([A-Za-z_]+)(:\s+)("[^"]*"|'[^']*'|\[[^\]]*\]|\{[^}]*\}|[^\s,{}\[\]]+)`)
	keyOnly  = regexp.MustCompile(`[A-Za-z_]+:`)
)

// mutations returns what becomes of a good file by one mistake each. tried counts
// the values that each key was given, over all files.
func mutations(text string, tried map[string]int) map[string]string {
	out := map[string]string{}
	lines := strings.SplitAfter(text, "\n")
	join := func(ls ...[]string) string { return strings.Join(slices.Concat(ls...), "") }
	for i, l := range lines {
		out[fmt.Sprintf("drop line %d", i+1)] = join(lines[:i], lines[i+1:])
		out[fmt.Sprintf("double line %d", i+1)] = join(lines[:i+1], lines[i:])
		out[fmt.Sprintf("cut line %d", i+1)] = join(lines[:i], []string{l[:len(l)/2]})
		out[fmt.Sprintf("tab in line %d", i+1)] = join(lines[:i], []string{"\t" + l}, lines[i+1:])
		out[fmt.Sprintf("indent line %d", i+1)] = join(lines[:i], []string{"   " + l}, lines[i+1:])
		out[fmt.Sprintf("stray byte in line %d", i+1)] = join(lines[:i], []string{"\xff" + l}, lines[i+1:])
	}
	for _, loc := range keyOnly.FindAllStringIndex(text, -1) {
		key := text[loc[0] : loc[1]-1]
		for _, name := range []string{key + "x", strings.ToUpper(key), key[:len(key)-1], "<<"} {
			out[fmt.Sprintf("rename %s at %d to %s", key, loc[0], name)] = text[:loc[0]] + name + text[loc[1]-1:]
		}
		out[fmt.Sprintf("unquote colon of %s at %d", key, loc[0])] = text[:loc[1]-1] + text[loc[1]:]
	}
	for _, loc := range keyValue.FindAllStringSubmatchIndex(text, -1) {
		for _, v := range badValues {
			const often = 2 // a key that is in many files is the same key
			if tried[text[loc[2]:loc[3]]+v]++; tried[text[loc[2]:loc[3]]+v] > often {
				continue
			}
			out[fmt.Sprintf("%s at %d = %.20q", text[loc[2]:loc[3]], loc[0], v)] = text[:loc[6]] + v + text[loc[7]:]
		}
	}
	return out
}

// TestMutations makes every single mistake in the good files. Whatever it is,
// the answer is a configuration or an error with a place, never a panic, and
// never a word of a secret or an address.
func TestMutations(t *testing.T) {
	tried, refused, values := 0, 0, map[string]int{}
	good := cases(t, ".good.yaml")
	for _, name := range slices.Sorted(maps.Keys(good)) {
		text := good[name]
		for what, mutant := range mutations(text, values) {
			tried++
			_, warnings, err := loadFiles(with(name, mutant))
			if err != nil {
				refused++
			}
			checkAnswer(t, name+": "+what, mutant, warnings, err)
		}
	}
	t.Logf("%d mutants, %d refused", tried, refused)
	if tried < 200 || refused < tried/2 {
		t.Errorf("%d mutants of which %d were refused: the mutations have lost their bite", tried, refused)
	}
}

func checkAnswer(t *testing.T, name, text string, warnings []Warning, err error) {
	t.Helper()
	var all []Problem
	if err != nil {
		es, ok := errors.AsType[*Errors](err)
		if !ok {
			t.Errorf("%s: error is a %T", name, err)
			return
		}
		all = es.Problems
	}
	for _, p := range append(all, warnings...) {
		s := p.String()
		if !firstLine.MatchString(s) {
			t.Errorf("%s: no file:line:column in %q", name, s)
		}
		for _, word := range private {
			if strings.Contains(s, word) {
				t.Errorf("%s: tells %q:\n%s\nof\n%s", name, word, s, text)
			}
		}
		if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }) {
			t.Errorf("%s: a control character in %q", name, s)
		}
	}
}

func FuzzLoad(f *testing.F) {
	roles := slices.Sorted(maps.Keys(base()))
	for _, suffix := range []string{".good.yaml", ".bad.yaml"} {
		for name, text := range cases(f, suffix) {
			role, _, _ := strings.Cut(name, "-")
			for i, r := range roles {
				if strings.Contains(r, role) || role == "server" && strings.Contains(r, "newswatch") {
					f.Add(uint8(i), text)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, role uint8, text string) {
		files := base()
		files[roles[int(role)%len(roles)]] = text
		c, warnings, err := loadFiles(files)
		if (c == nil) == (err == nil) {
			t.Fatalf("configuration %v and error %v", c, err)
		}
		var all []Problem
		if es, ok := errors.AsType[*Errors](err); ok {
			all = es.Problems
		} else if err != nil {
			t.Fatalf("error is a %T", err)
		}
		for _, p := range append(all, warnings...) {
			if !firstLine.MatchString(p.String()) {
				t.Errorf("no file:line:column in %q", p)
			}
		}
		if err != nil {
			return
		}
		// What was taken can be worked with.
		seen := map[string]bool{}
		for _, fd := range c.Feeds {
			if fd.ID == "" || seen[fd.ID] || !strings.HasPrefix(fd.URL, "http") {
				t.Errorf("feed %+v", fd)
			}
			seen[fd.ID] = true
		}
		for _, s := range c.Subscribers {
			if s.ID == "" || s.Channel == nil || s.Schedule == nil || s.Timezone == nil || s.Cap < 1 {
				t.Errorf("subscriber %+v", s)
			}
		}
		if c.Fetch.MinInterval > c.Fetch.MaxInterval || c.Fetch.Interval < c.Fetch.MinInterval || c.Fetch.MinInterval <= 0 || c.Fetch.Concurrency < 1 {
			t.Errorf("fetch %+v", c.Fetch)
		}
	})
}
