package configs

import (
	"strings"

	"github.com/newswatch/newswatch/notify/email"
)

// checkAddress holds an address to the part of RFC 5321 §4.1.2 that every mail
// server takes and nothing can hide in: Dot-string@Domain. Letters beyond ASCII
// may be in either (RFC 6531); a mail server must then speak SMTPUTF8. Quoted
// local parts, comments, address literals and source routes are refused, since
// what looks odd there can reach the wire as another SMTP command. Its error
// does not quote the address, which is somebody's.
func checkAddress(a string) *valueError {
	bad := func(msg string) *valueError { return &valueError{Message: msg, Hint: "write name@example.org"} }
	if hasUnicode(a) && strings.Count(a, "@") == 1 {
		addr, err := email.ParseAddress(a)
		if err != nil {
			return bad(strings.TrimPrefix(err.Error(), "email: "))
		}
		if addr.Name != "" || addr.Spec() == "" {
			return bad("not a bare address")
		}
		return nil
	}
	local, domain, ok := strings.Cut(a, "@")
	switch {
	case !ok:
		return bad("not an email address: there is no @ in it")
	case strings.Contains(domain, "@"):
		return bad("not an email address: there is more than one @ in it")
	case len(a) > 254:
		return bad("longer than an email address can be (254 characters)")
	case local == "" || len(local) > 64:
		return bad("what stands before the @ must have 1 to 64 characters")
	}
	for atom := range strings.SplitSeq(local, ".") {
		if atom == "" {
			return bad("two dots, or one at an end, before the @")
		}
		for _, c := range []byte(atom) {
			if !isAtext(c) {
				return bad("a character before the @ that plain addresses do not have")
			}
		}
	}
	if !isHost(domain) || strings.HasSuffix(domain, ".") || strings.Contains(domain, "_") || !strings.Contains(domain, ".") && domain != "localhost" {
		return bad("what stands after the @ is not the name of a domain")
	}
	return nil
}

// isAtext is RFC 5322 §3.2.3.
func isAtext(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}

// checkMailbox takes an address, or a display name and an address in angle
// brackets.
func checkMailbox(m string) *valueError {
	if name, rest, ok := strings.Cut(m, "<"); ok {
		addr, closed := strings.CutSuffix(rest, ">")
		name = strings.Trim(strings.TrimSpace(name), `"`)
		if !closed || strings.ContainsAny(name, "\"\\<>()[]:;@,") || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return &valueError{Message: "not a name and an address"}
		}
		m = addr
	}
	return checkAddress(m)
}
