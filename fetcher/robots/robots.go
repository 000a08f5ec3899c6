// Package robots reads robots.txt (RFC 9309): which paths of a site a crawler is
// asked to leave alone. It is pure: fetching and keeping the file is the
// caller's.
package robots

import (
	"bytes"
	"slices"
	"strings"
)

// MaxBytes is how much of a file is read (RFC 9309 §2.5).
const MaxBytes = 500 << 10

// maxRules and maxPattern bound what one crawler's group may cost at every
// question that is asked of it. Rules beyond them are not read.
const (
	maxRules   = 10_000
	maxPattern = 2 << 10
)

// Rules are what a file asks of one crawler. The zero Rules asks nothing.
type Rules struct {
	rules []rule
}

type rule struct {
	pattern string // escaped as by normalize
	allow   bool
}

// Parse reads what a file asks of the crawler with the given product token,
// such as "newswatch". Lines that make no sense are passed over, as is a byte
// order mark (§2.2); nothing is an error.
func Parse(file []byte, token string) Rules {
	if len(file) > MaxBytes {
		file = file[:MaxBytes]
	}
	file = bytes.TrimPrefix(file, []byte("\xef\xbb\xbf"))
	var own, others Rules
	var named bool        // a group names the token
	var isOwn, isAny bool // the group that is being read is for us, for everybody
	inAgents := false     // the last rule or user-agent line was a user-agent line
	for line := range strings.FieldsFuncSeq(string(file), func(r rune) bool { return r == '\n' || r == '\r' }) {
		line, _, _ = strings.Cut(line, "#")
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "user-agent":
			if !inAgents {
				isOwn, isAny = false, false
			}
			inAgents = true
			// Groups for the same crawler are read as one (§2.2.1).
			if strings.EqualFold(productToken(value), token) {
				isOwn, named = true, true
			}
			isAny = isAny || value == "*"
		case "allow", "disallow":
			inAgents = false
			allow := strings.EqualFold(strings.TrimSpace(key), "allow")
			if isOwn {
				own.add(value, allow)
			}
			if isAny {
				others.add(value, allow)
			}
		}
	}
	if named {
		return own
	}
	return others
}

// maxSitemaps bounds how many sitemaps a file may name.
const maxSitemaps = 100

// Sitemaps returns the addresses of the sitemaps that a file names, for
// everybody and wherever the lines stand (RFC 9309 §2.2.4, sitemaps.org).
func Sitemaps(file []byte) []string {
	if len(file) > MaxBytes {
		file = file[:MaxBytes]
	}
	file = bytes.TrimPrefix(file, []byte("\xef\xbb\xbf"))
	var out []string
	for line := range strings.FieldsFuncSeq(string(file), func(r rune) bool { return r == '\n' || r == '\r' }) {
		key, value, ok := strings.Cut(line, ":")
		if !ok || !strings.EqualFold(strings.TrimSpace(key), "sitemap") {
			continue
		}
		value, _, _ = strings.Cut(value, " #")
		if value = strings.TrimSpace(value); value != "" && len(value) <= maxPattern && !slices.Contains(out, value) {
			if out = append(out, value); len(out) == maxSitemaps {
				break
			}
		}
	}
	return out
}

// Size is about how many bytes of memory the rules take.
func (r Rules) Size() int {
	n := 0
	for _, rule := range r.rules {
		n += len(rule.pattern) + 24
	}
	return n
}

// productToken is the part of a user-agent line that is compared: letters, "-"
// and "_" (§2.2.1). What follows, such as a version, is not part of the name.
func productToken(s string) string {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && s[i] != '-' && s[i] != '_' {
			return s[:i]
		}
	}
	return s
}

// add adds one rule. One without a path, "Disallow:", asks nothing.
func (r *Rules) add(pattern string, allow bool) {
	if pattern == "" || len(pattern) > maxPattern || len(r.rules) >= maxRules {
		return
	}
	if pattern[0] != '/' && pattern[0] != '*' {
		pattern = "/" + pattern
	}
	r.rules = append(r.rules, rule{pattern: normalize(pattern), allow: allow})
}

// Allows reports whether the path, with its query if it has one, may be
// fetched. The longest rule that matches decides; of two that are as long, the
// one that allows (§2.2.2). robots.txt itself always may.
func (r Rules) Allows(path string) bool {
	if path == "/robots.txt" {
		return true
	}
	path = normalize(path)
	allowed, length := true, -1
	for _, rule := range r.rules {
		n := len(rule.pattern)
		if n < length || n == length && (allowed || !rule.allow) {
			continue
		}
		if matches(rule.pattern, path) {
			allowed, length = rule.allow, n
		}
	}
	return allowed
}

// matches reports whether the pattern matches a prefix of the path. "*" stands
// for any characters and "$" at the end of the pattern for the end of the path
// (§2.2.3). It looks for the parts between stars from left to right and takes
// the first place of each, so it never goes back but for the last.
func matches(pattern, path string) bool {
	whole := strings.HasSuffix(pattern, "$")
	pattern = strings.TrimSuffix(pattern, "$")
	first, rest, starred := strings.Cut(pattern, "*")
	if !strings.HasPrefix(path, first) {
		return false
	}
	path = path[len(first):]
	if !starred {
		return !whole || path == ""
	}
	for {
		part, next, more := strings.Cut(rest, "*")
		if !more {
			if whole {
				return strings.HasSuffix(path, part)
			}
			return strings.Contains(path, part)
		}
		i := strings.Index(path, part)
		if i < 0 {
			return false
		}
		path, rest = path[i+len(part):], next
	}
}

// normalize writes a path so that two spellings of one compare equal (§2.2.2):
// bytes beyond ASCII, and a "%" that encodes nothing, are percent-encoded,
// needless encodings are undone, and the digits of the others are capitals.
func normalize(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' && i+2 < len(s) {
			if hi, lo := unhex(s[i+1]), unhex(s[i+2]); hi >= 0 && lo >= 0 {
				i += 2
				if v := byte(hi<<4 | lo); unreserved(v) {
					b.WriteByte(v)
				} else {
					escape(&b, v)
				}
				continue
			}
		}
		if c < 0x80 && c != '%' {
			b.WriteByte(c)
		} else {
			escape(&b, c)
		}
	}
	return b.String()
}

func escape(b *strings.Builder, c byte) {
	const digits = "0123456789ABCDEF"
	b.WriteByte('%')
	b.WriteByte(digits[c>>4])
	b.WriteByte(digits[c&15])
}

// unreserved characters mean the same whether they are encoded or not
// (RFC 3986 §2.3).
func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
