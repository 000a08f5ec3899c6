package email

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Address is a mailbox that may be written into an envelope and a header as it
// stands.
type Address struct {
	// Name is shown beside the address; it may be empty.
	Name string
	// Local and Domain are the two sides of the @. Domain is in ASCII.
	Local, Domain string
}

const (
	maxLocal   = 64  // RFC 5321 §4.5.3.1.1
	maxAddress = 254 // RFC 5321 §4.5.3.1.3, less the angle brackets
	maxName    = 100
)

// ParseAddress reads `local@domain` or `Name <local@domain>`. The grammar is
// much smaller than that of RFC 5322: no quoted local parts, comments, routes,
// groups or address literals. What it refuses, nobody writes on purpose, and some
// of it (`a@x> NOTIFY=NEVER`, "a b"@x) changes its meaning on the way to the wire.
// Errors do not repeat the address.
func ParseAddress(s string) (Address, error) {
	var a Address
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
		return a, errors.New("email: the address holds a control character")
	}
	spec := strings.TrimSpace(s)
	if rest, ok := strings.CutSuffix(spec, ">"); ok {
		i := strings.IndexByte(rest, '<')
		if i < 0 {
			return a, errors.New("email: the address has a > without a <")
		}
		name, err := displayName(rest[:i])
		if err != nil {
			return a, err
		}
		a.Name, spec = name, rest[i+1:]
	}
	i := strings.LastIndexByte(spec, '@')
	if i < 0 {
		return a, errors.New("email: the address has no @")
	}
	a.Local = spec[:i]
	if err := checkLocal(a.Local); err != nil {
		return a, err
	}
	domain, err := asciiDomain(spec[i+1:])
	if err != nil {
		return a, err
	}
	a.Domain = domain
	if len(a.Spec()) > maxAddress {
		return a, fmt.Errorf("email: the address is longer than %d bytes", maxAddress)
	}
	return a, nil
}

// Spec is the address without its name.
func (a Address) Spec() string { return a.Local + "@" + a.Domain }

// header is the address with its name, as it stands in a header.
func (a Address) header() string { return (&mail.Address{Name: a.Name, Address: a.Spec()}).String() }

// International reports whether the address needs a server that speaks SMTPUTF8
// (RFC 6531).
func (a Address) International() bool { return !isASCII(a.Local) }

func displayName(s string) (string, error) {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	switch {
	case utf8.RuneCountInString(s) > maxName:
		return "", fmt.Errorf("email: the name before the address is longer than %d characters", maxName)
	// A raw encoded word would be decoded by the reader into another name.
	case strings.ContainsAny(s, `"\<>@`), strings.Contains(s, "=?"):
		return "", errors.New(`email: the name before the address holds one of " \ < > @ =?`)
	}
	return s, nil
}

// checkLocal accepts a dot-atom (RFC 5322 §3.2.3) of ASCII or, as RFC 6532 §3.2
// extends it, of other letters and digits.
func checkLocal(s string) error {
	if s == "" || len(s) > maxLocal {
		return fmt.Errorf("email: what stands before the @ has 0 or more than %d bytes", maxLocal)
	}
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" {
			return errors.New("email: a dot before the @ stands at an end or beside another")
		}
		for _, r := range atom {
			if r < utf8.RuneSelf && !isAtext(byte(r)) {
				return fmt.Errorf("email: %q may not stand before the @", r)
			}
			if r >= utf8.RuneSelf && !unicode.In(r, unicode.L, unicode.M, unicode.N) {
				return errors.New("email: a character before the @ is neither a letter nor a digit")
			}
		}
	}
	return nil
}

func isAtext(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}

// asciiDomain returns a host name in lower-case ASCII (RFC 5890).
func asciiDomain(s string) (string, error) {
	ascii, err := idna.Lookup.ToASCII(s)
	if err != nil || ascii == "" || len(ascii) > 253 {
		return "", errors.New("email: what stands after the @ is not a domain")
	}
	labels := strings.Split(strings.ToLower(ascii), ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return "", errors.New("email: what stands after the @ is not a domain")
		}
		for i := range len(l) {
			if c := l[i]; !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-') {
				return "", errors.New("email: what stands after the @ is not a domain")
			}
		}
	}
	// An address of four numbers is a literal without its brackets.
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return "", errors.New("email: what stands after the @ is a number, not a domain")
	}
	return strings.Join(labels, "."), nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
