package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/newswatch/newswatch/web/desk"
)

// gate decides who may ask for what. With a token, the token opens everything.
// Without one, only this machine may look, and only by a name that no other site
// can point at it.
type gate struct {
	token      [sha256.Size]byte
	hasToken   bool
	loopback   bool
	publicHost string
	// proxyHeader names who was let through by a proxy in proxyNetworks.
	proxyHeader   string
	proxyNetworks []netip.Prefix
	// feeds makes the keys of output feeds.
	feeds []byte
}

func newGate(o Options) gate {
	g := gate{loopback: o.Loopback, hasToken: o.AdminToken != "", proxyHeader: o.ProxyHeader, proxyNetworks: o.ProxyNetworks}
	if g.hasToken {
		g.token = sha256.Sum256([]byte(o.AdminToken))
		g.feeds = mac([]byte(o.AdminToken), "newswatch output feeds")
	}
	if u, err := url.Parse(o.PublicURL); err == nil {
		g.publicHost = strings.ToLower(u.Hostname())
	}
	return g
}

// refusal is an answer to a request that may not be answered.
type refusal struct {
	status    int
	challenge bool // ask for the token
	title     string
	advice    string
}

var (
	needToken = &refusal{
		status: http.StatusUnauthorized, challenge: true,
		title:  "This page needs the operator's token",
		advice: "Sign in with any user name and the token of http.admin_token_file as the password, or send it as Authorization: Bearer.",
	}
	noToken = &refusal{
		status: http.StatusForbidden,
		title:  "These pages are not open to the network yet",
		advice: "newswatch listens beyond this machine and has no token to ask for. Set http.admin_token_file to a file with a long random token, or http.listen to 127.0.0.1:8080.",
	}
	notByProxy = &refusal{
		status: http.StatusForbidden,
		title:  "This page is reached through the proxy that signs you in",
		advice: "The request does not carry the header of http.proxy_header, or does not come from http.proxy_networks.",
	}
	strangeHost = &refusal{
		status: http.StatusForbidden,
		title:  "This name does not lead to these pages",
		advice: "Without a token, newswatch answers only to localhost, to a loopback address, and to the host of http.public_url, so that no other site can read it through your browser. Set http.admin_token_file to use any name.",
	}
)

// check returns why the request may not be answered, or nil.
func (g gate) check(a access, r *http.Request) *refusal {
	switch {
	case a == open:
		return nil
	case a == reader && g.keyed(r):
		return nil
	case a == machine && g.loopback && local(r.Host), g.vouched(r):
		return nil
	case g.hasToken:
		if !g.presented(r) {
			return needToken
		}
		return nil
	case g.proxyHeader != "":
		// A proxy on this machine may well name it localhost: what it let through
		// unsigned must not look like the machine itself.
		return notByProxy
	case !g.loopback:
		return noToken
	case local(r.Host) || g.public(r.Host):
		return nil
	default:
		return strangeHost
	}
}

// presented reports whether the request carries the token, as a bearer (RFC 6750
// §2.1) or as the password of any user (RFC 7617), which is what makes a browser
// ask for it. Hashing first makes the time of the comparison independent of the
// token's length as well as of its letters.
func (g gate) presented(r *http.Request) bool {
	given := ""
	if _, password, ok := r.BasicAuth(); ok {
		given = password
	} else if scheme, rest, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		given = strings.TrimSpace(rest)
	}
	sum := sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(sum[:], g.token[:]) == 1
}

// vouched reports whether a proxy that is known has let the request through, and
// said for whom.
func (g gate) vouched(r *http.Request) bool {
	if g.proxyHeader == "" || r.Header.Get(g.proxyHeader) == "" {
		return false
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && slices.ContainsFunc(g.proxyNetworks, func(n netip.Prefix) bool { return n.Contains(from.Addr().Unmap()) })
}

// feedKey opens one output feed, since feed readers cannot send a header: it is
// made of the token, the path and the search, so that whoever is given one feed
// can read no other. It is empty where there is no token. A new token ends all
// keys.
func (g gate) feedKey(path string, params url.Values) string {
	if !g.hasToken {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(mac(g.feeds, path+"?"+desk.QueryOf(params).Encode())[:16])
}

// keyed reports whether the request carries the key of the feed that it asks for.
func (g gate) keyed(r *http.Request) bool {
	want := g.feedKey(r.URL.Path, r.URL.Query())
	return want != "" && hmac.Equal([]byte(r.URL.Query().Get("key")), []byte(want))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// local reports whether a Host header names this machine in a way that DNS has no
// say in: a site that points its own name at 127.0.0.1 still sends its own name.
func local(hostport string) bool {
	host := strings.ToLower(hostOnly(hostport))
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

func (g gate) public(hostport string) bool {
	return g.publicHost != "" && strings.ToLower(hostOnly(hostport)) == g.publicHost
}

// hostOnly takes the port and the brackets off a Host header.
func hostOnly(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
}
