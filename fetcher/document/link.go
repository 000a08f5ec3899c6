package document

import (
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

// maxLink is the length beyond which an address is nobody's article.
const maxLink = 4 << 10

// CanonicalLink returns the one form of an address under which it is compared
// and shown: absolute, http or https, the host in lower case and ASCII (RFC
// 5890), without user, default port, tracking parameters, and fragment. The
// order of the parameters is kept, for some sites give it a meaning. ref is
// resolved against base (RFC 3986 §5). Everything else, javascript: and data:
// above all, is the empty string.
//
// The fragment stays where it names the page rather than a place in it: sites
// that are one page with a script address their articles as #/story/7, #!story
// or #s/7. A fragment counts as such when it holds a '/' or begins with '!'.
func CanonicalLink(base, ref string) string {
	return newLinker(base).link(ref, false)
}

// linker resolves the links of one document.
type linker struct{ base *url.URL }

func newLinker(base string) linker {
	u, err := url.Parse(strings.TrimSpace(base))
	if err != nil || u.Host == "" {
		return linker{base: &url.URL{}}
	}
	return linker{base: u}
}

// link is CanonicalLink with the base already read. With allFragments the
// fragment stays whatever it looks like.
func (l linker) link(ref string, allFragments bool) string {
	u := l.resolve(ref)
	if u == nil || u.Scheme != "http" && u.Scheme != "https" || u.Opaque != "" {
		return ""
	}
	host, ok := asciiHost(u.Hostname())
	if !ok {
		return ""
	}
	if port := u.Port(); port != "" && !(u.Scheme == "http" && port == "80") && !(u.Scheme == "https" && port == "443") {
		host += ":" + port
	}
	u.Host, u.User = host, nil
	if u.Path == "" {
		u.Path = "/"
	}
	u.RawQuery, u.ForceQuery = dropTracking(u.RawQuery), false
	if !allFragments && !strings.Contains(u.Fragment, "/") && !strings.HasPrefix(u.Fragment, "!") ||
		strings.HasPrefix(u.Fragment, ":~:") {
		u.Fragment, u.RawFragment = "", ""
	}
	s := u.String()
	if len(s) > maxLink {
		return ""
	}
	return s
}

// address is what ref leads to, absolute, http or https, and otherwise as it is
// written: for what is asked of a server in the words that it gave us.
func (l linker) address(ref string) string {
	u := l.resolve(ref)
	if u == nil || u.Scheme != "http" && u.Scheme != "https" || u.Opaque != "" {
		return ""
	}
	if _, ok := asciiHost(u.Hostname()); !ok {
		return ""
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	if s := u.String(); len(s) <= maxLink {
		return s
	}
	return ""
}

// resolve reads ref as a person would who finds it in a feed, or returns nil.
func (l linker) resolve(ref string) *url.URL {
	ref = tidy(ref)
	if ref == "" {
		return nil
	}
	u, err := url.Parse(ref)
	if err != nil {
		// A '%' that begins no escape, as in "100%-sure", is the usual fault.
		if u, err = url.Parse(escapePercent(ref)); err != nil {
			return nil
		}
	}
	return l.base.ResolveReference(u)
}

// tidy removes what line breaks and copying have put into an address: white
// space around it, controls within (WHATWG URL §4.4), a missing scheme.
func tidy(ref string) string {
	ref = strings.TrimSpace(ref)
	if len(ref) > maxLink {
		return ""
	}
	clean := true
	for i := range len(ref) {
		clean = clean && ref[i] > ' ' && ref[i] != 0x7F
	}
	if !clean {
		var b strings.Builder
		for i := range len(ref) {
			switch c := ref[i]; {
			case c == ' ':
				b.WriteString("%20")
			case c > ' ' && c != 0x7F:
				b.WriteByte(c)
			}
		}
		ref = b.String()
	}
	if rest, ok := strings.CutPrefix(ref, "feed:"); ok && strings.HasPrefix(rest, "http") {
		return rest
	}
	if strings.HasPrefix(ref, "www.") {
		return "http://" + ref
	}
	return ref
}

func escapePercent(ref string) string {
	var b strings.Builder
	for i := range len(ref) {
		b.WriteByte(ref[i])
		if ref[i] == '%' && !(i+2 < len(ref) && isHex(ref[i+1]) && isHex(ref[i+2])) {
			b.WriteString("25")
		}
	}
	return b.String()
}

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

// asciiHost returns the host in lower case and ASCII.
func asciiHost(host string) (string, bool) {
	host = strings.TrimSuffix(host, ".")
	ascii := true
	for i := range len(host) {
		c := host[i]
		ascii = ascii && c < 0x80
		if c <= ' ' || strings.IndexByte(`"<>\^{|}%`+"`", c) >= 0 {
			return "", false
		}
	}
	switch {
	case host == "":
		return "", false
	case strings.Contains(host, ":"):
		return "[" + strings.ToLower(host) + "]", true
	case ascii:
		return strings.ToLower(host), true
	}
	host, err := idna.Lookup.ToASCII(host)
	return host, err == nil && host != ""
}

// dropTracking removes the parameters that say how a reader came to the page and
// not which page it is. What stays is not re-encoded.
func dropTracking(query string) string {
	if query == "" {
		return ""
	}
	dropped := false
	for part := range strings.SplitSeq(query, "&") {
		if isTracking(part) {
			dropped = true
			break
		}
	}
	if !dropped {
		return query
	}
	var kept []string
	for part := range strings.SplitSeq(query, "&") {
		if part != "" && !isTracking(part) {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "&")
}

func isTracking(part string) bool {
	key, value, _ := strings.Cut(part, "=")
	key = strings.ToLower(strings.TrimPrefix(key, "amp;"))
	if tracking[key] {
		return true
	}
	for _, prefix := range trackingPrefixes {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	switch key {
	case "ref", "source", "src", "from", "via", "cmp", "partner":
		// These mean many things; with this value they mean the feed itself.
		value = strings.ToLower(value)
		return strings.HasPrefix(value, "rss") || value == "feed" || value == "atom"
	}
	return false
}

var trackingPrefixes = []string{"utm_", "mtm_", "pk_", "piwik_", "matomo_", "at_", "ns_", "itm_", "hsa_", "guce_", "oly_", "vero_", "fb_"}

// tracking are the parameters that trackers, mailers and advertisers add.
var tracking = func() map[string]bool {
	m := make(map[string]bool)
	for key := range strings.FieldsSeq(`
		fbclid gclid gclsrc dclid gbraid wbraid msclkid yclid ysclid twclid ttclid igshid igsh mibextid srsltid
		mc_cid mc_eid _hsenc _hsmi hsctatracking mkt_tok ml_subscriber ml_subscriber_hash _openstat wickedid
		rb_clickid s_cid s_kwcid li_fat_id epik spm xtor wt_mc wt_zmc wt.mc_id wt.rss_f wt.tsrc cmpid ito
		smid smtyp ncid ocid sc_cid soc_src soc_trk trk trkcampaign trkinfo guccounter
		_ga _gl _ke __s __twitter_impression action_object_map action_type_map ref_src ref_url ftag`) {
		m[key] = true
	}
	return m
}()
