package netguard

import "net/netip"

// special is a range of the IANA special-purpose address registries (RFC 6890
// and its updates), or of multicast space, none of which a news feed lives in.
type special struct {
	prefix netip.Prefix
	what   string
}

// specials lists every such range. Ranges that the registries call globally
// reachable are here too where they lead to a sink or a relay and not to a
// host (AS112, AMT, 6to4): a request there is at best lost.
var specials = []special{
	{netip.MustParsePrefix("0.0.0.0/8"), "an address of \"this network\""},           // RFC 791 §3.2
	{netip.MustParsePrefix("10.0.0.0/8"), "a private address"},                       // RFC 1918
	{netip.MustParsePrefix("100.64.0.0/10"), "an address of a provider's inner net"}, // RFC 6598
	{netip.MustParsePrefix("127.0.0.0/8"), "a loopback address"},                     // RFC 1122 §3.2.1.3
	{netip.MustParsePrefix("169.254.0.0/16"), "a link-local or metadata address"},    // RFC 3927
	{netip.MustParsePrefix("172.16.0.0/12"), "a private address"},                    // RFC 1918
	{netip.MustParsePrefix("192.0.0.0/24"), "a protocol assignment"},                 // RFC 6890 §2.1
	{netip.MustParsePrefix("192.0.2.0/24"), "an address for documentation"},          // RFC 5737
	{netip.MustParsePrefix("192.31.196.0/24"), "an AS112 sink"},                      // RFC 7535
	{netip.MustParsePrefix("192.52.193.0/24"), "a multicast relay"},                  // RFC 7450
	{netip.MustParsePrefix("192.88.99.0/24"), "a 6to4 relay"},                        // RFC 7526
	{netip.MustParsePrefix("192.168.0.0/16"), "a private address"},                   // RFC 1918
	{netip.MustParsePrefix("192.175.48.0/24"), "an AS112 sink"},                      // RFC 7534
	{netip.MustParsePrefix("198.18.0.0/15"), "an address for benchmarks"},            // RFC 2544
	{netip.MustParsePrefix("198.51.100.0/24"), "an address for documentation"},       // RFC 5737
	{netip.MustParsePrefix("203.0.113.0/24"), "an address for documentation"},        // RFC 5737
	{netip.MustParsePrefix("224.0.0.0/4"), "a multicast address"},                    // RFC 1112
	{netip.MustParsePrefix("240.0.0.0/4"), "a reserved or broadcast address"},        // RFC 1112 §4, RFC 919

	{netip.MustParsePrefix("::/128"), "the unspecified address"},             // RFC 4291 §2.5.2
	{netip.MustParsePrefix("::1/128"), "a loopback address"},                 // RFC 4291 §2.5.3
	{netip.MustParsePrefix("::/96"), "an IPv4 address inside IPv6"},          // RFC 4291 §2.5.5.1
	{netip.MustParsePrefix("64:ff9b:1::/48"), "a NAT64 address"},             // RFC 8215
	{netip.MustParsePrefix("2001::/23"), "a protocol assignment"},            // RFC 2928; Teredo, ORCHID and others
	{netip.MustParsePrefix("2001:db8::/32"), "an address for documentation"}, // RFC 3849
	{netip.MustParsePrefix("2002::/16"), "an IPv4 address inside 6to4"},      // RFC 3056
	{netip.MustParsePrefix("2620:4f:8000::/48"), "an AS112 sink"},            // RFC 7534
	{netip.MustParsePrefix("3fff::/20"), "an address for documentation"},     // RFC 9637
	{netip.MustParsePrefix("fc00::/7"), "a private address"},                 // RFC 4193
	{netip.MustParsePrefix("fe80::/10"), "a link-local address"},             // RFC 4291 §2.5.6
	{netip.MustParsePrefix("fec0::/10"), "a site-local address"},             // RFC 3879
	{netip.MustParsePrefix("ff00::/8"), "a multicast address"},               // RFC 4291 §2.7
}

// globalUnicast is the only part of IPv6 that IANA gives out for public hosts
// (RFC 4291 §2.5.4); everything else is refused without being listed.
var globalUnicast = netip.MustParsePrefix("2000::/3")

// nat64 is the prefix behind which a translator puts all of IPv4 (RFC 6052 §2.1). In
// a network that has IPv6 only, its name server makes such an address for every
// host that has IPv4 only (RFC 6147). Other prefixes, that of local use included
// (RFC 8215), are their operator's own, and may lead anywhere.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// specialPurpose reports whether ip, which is not an IPv4 address in IPv6 form,
// is anything but a public unicast address, and what it is.
func specialPurpose(ip netip.Addr) (what string, is bool) {
	if !ip.IsValid() {
		return "not an address", true
	}
	if nat64.Contains(ip) {
		// The last four bytes are the IPv4 address (§2.2), and one that is not public
		// must not be there at all (§3.1).
		b := ip.As16()
		if what, is = specialPurpose(netip.AddrFrom4([4]byte(b[12:]))); is {
			what += " behind NAT64"
		}
		return what, is
	}
	for _, s := range specials {
		if s.prefix.Contains(ip) {
			return s.what, true
		}
	}
	if ip.Is6() && !globalUnicast.Contains(ip) {
		return "an address outside the public part of IPv6", true
	}
	return "", false
}

// otherProtocol names the protocol of a port on which HTTP is not spoken. A
// request to it could be read as a command by a server of that protocol. The
// list is that of the Fetch standard ("port blocking"), so a feed on such a port
// could not be opened in a browser either, with Redis and memcached, which often
// stand beside this program.
func otherProtocol(port uint16) (name string, is bool) {
	name, is = badPorts[port]
	return name, is
}

var badPorts = map[uint16]string{
	0: "nothing", 1: "tcpmux", 7: "echo", 9: "discard", 11: "systat", 13: "daytime",
	15: "netstat", 17: "qotd", 19: "chargen", 20: "ftp-data", 21: "ftp", 22: "ssh",
	23: "telnet", 25: "smtp", 37: "time", 42: "name", 43: "nicname", 53: "domain",
	69: "tftp", 77: "rje", 79: "finger", 87: "link", 95: "supdup", 101: "hostname",
	102: "iso-tsap", 103: "gppitnp", 104: "acr-nema", 109: "pop2", 110: "pop3",
	111: "sunrpc", 113: "auth", 115: "sftp", 117: "uucp-path", 119: "nntp", 123: "ntp",
	135: "epmap", 137: "netbios-ns", 139: "netbios-ssn", 143: "imap", 161: "snmp",
	179: "bgp", 389: "ldap", 427: "svrloc", 465: "submissions", 512: "exec",
	513: "login", 514: "shell", 515: "printer", 526: "tempo", 530: "courier",
	531: "chat", 532: "netnews", 540: "uucp", 548: "afp", 554: "rtsp", 556: "remotefs",
	563: "nntps", 587: "submission", 601: "syslog-conn", 636: "ldaps", 989: "ftps-data",
	990: "ftps", 993: "imaps", 995: "pop3s", 1719: "h323gatestat", 1720: "h323hostcall",
	1723: "pptp", 2049: "nfs", 3659: "apple-sasl", 4045: "npp", 4190: "sieve",
	5060: "sip", 5061: "sips", 6000: "x11", 6379: "redis", 6566: "sane-port",
	6665: "ircu", 6666: "ircu", 6667: "ircu", 6668: "ircu", 6669: "ircu",
	6679: "osaut", 6697: "ircs-u", 10080: "amanda", 11211: "memcache",
}
