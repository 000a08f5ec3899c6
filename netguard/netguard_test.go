package netguard

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	lan := Policy{Allow: []netip.Prefix{
		netip.MustParsePrefix("10.1.0.0/16"),
		netip.MustParsePrefix("fd00:1::/32"),
		netip.MustParsePrefix("fe80::/10"),
	}}
	only := Policy{Allow: append([]netip.Prefix{netip.MustParsePrefix("93.184.216.0/24")}, lan.Allow...), OnlyAllowed: true}
	for _, tt := range []struct {
		name   string
		policy Policy
		addr   string
		why    string // part of the reason; empty when the address may be dialled
	}{
		{"public", Policy{}, "93.184.216.34:443", ""},
		{"public IPv6", Policy{}, "[2606:2800:220:1:248:1893:25c8:1946]:443", ""},
		{"just below 10/8", Policy{}, "9.255.255.255:80", ""},
		{"just above 10/8", Policy{}, "11.0.0.0:80", ""},
		{"just below 100.64/10", Policy{}, "100.63.255.255:80", ""},
		{"just above 100.64/10", Policy{}, "100.128.0.0:80", ""},
		{"just above 172.16/12", Policy{}, "172.32.0.1:80", ""},
		{"just below 224/4", Policy{}, "223.255.255.254:80", ""},
		{"beside 192.0.0/24", Policy{}, "192.0.1.1:80", ""},
		{"beside 2001::/23", Policy{}, "[2001:200::1]:80", ""},
		{"beside 2002::/16", Policy{}, "[2003::1]:80", ""},
		{"an odd port", Policy{}, "93.184.216.34:8443", ""},

		{"this network", Policy{}, "0.0.0.0:80", "this network"},
		{"loopback", Policy{}, "127.0.0.1:80", "loopback"},
		{"all of loopback", Policy{}, "127.255.255.254:80", "loopback"},
		{"private 10", Policy{}, "10.0.0.1:80", "private"},
		{"private 172", Policy{}, "172.31.255.255:80", "private"},
		{"private 192", Policy{}, "192.168.1.1:80", "private"},
		{"provider's NAT", Policy{}, "100.64.0.1:80", "provider"},
		{"cloud metadata", Policy{}, "169.254.169.254:80", "metadata"},
		{"Alibaba's metadata", Policy{}, "100.100.100.200:80", "provider"},
		{"Oracle's metadata", Policy{}, "192.0.0.192:80", "protocol"},
		{"documentation 1", Policy{}, "192.0.2.1:80", "documentation"},
		{"documentation 2", Policy{}, "198.51.100.1:80", "documentation"},
		{"documentation 3", Policy{}, "203.0.113.1:80", "documentation"},
		{"6to4 relay", Policy{}, "192.88.99.1:80", "6to4"},
		{"AS112", Policy{}, "192.31.196.1:80", "AS112"},
		{"AMT", Policy{}, "192.52.193.1:80", "relay"},
		{"AS112 direct", Policy{}, "192.175.48.1:80", "AS112"},
		{"benchmarks", Policy{}, "198.19.255.255:80", "benchmarks"},
		{"multicast", Policy{}, "239.255.255.250:80", "multicast"},
		{"reserved", Policy{}, "240.0.0.1:80", "reserved"},
		{"broadcast", Policy{}, "255.255.255.255:80", "broadcast"},

		{"IPv6 unspecified", Policy{}, "[::]:80", "unspecified"},
		{"IPv6 loopback", Policy{}, "[::1]:80", "loopback"},
		{"IPv4 in IPv6 is IPv4", Policy{}, "[::ffff:127.0.0.1]:80", "loopback"},
		{"public IPv4 in IPv6 is IPv4", Policy{}, "[::ffff:93.184.216.34]:80", ""},
		{"IPv4-compatible", Policy{}, "[::7f00:1]:80", "IPv4"},
		{"IPv4-translated", Policy{}, "[::ffff:0:7f00:1]:80", "outside"},
		{"NAT64 of a public host (RFC 6052 §2.1)", Policy{}, "[64:ff9b::5db8:d822]:443", ""},
		{"NAT64 of a public host, as the text of §2.4", Policy{}, "[64:ff9b::93.184.216.34]:443", ""},
		{"NAT64 of loopback (RFC 6052 §3.1)", Policy{}, "[64:ff9b::7f00:1]:80", "a loopback address behind NAT64"},
		{"NAT64 of a private address", Policy{}, "[64:ff9b::10.0.0.1]:80", "a private address behind NAT64"},
		{"NAT64 of a provider's inner net", Policy{}, "[64:ff9b::100.64.0.1]:80", "provider"},
		{"NAT64 of cloud metadata", Policy{}, "[64:ff9b::169.254.169.254]:80", "metadata"},
		{"NAT64 of nothing", Policy{}, "[64:ff9b::]:80", "this network"},
		{"NAT64 of broadcast", Policy{}, "[64:ff9b::255.255.255.255]:80", "broadcast"},
		{"NAT64 of a public host, but for mail", Policy{}, "[64:ff9b::5db8:d822]:25", "smtp"},
		{"NAT64 in the first 64 bits only", Policy{}, "[64:ff9b:0:0:1::5db8:d822]:80", "outside"},
		{"another length of prefix: 93.184.216.34 in /64 (RFC 6052 §2.2)", Policy{}, "[64:ff9b:0:0:5d:b8d8:2200::]:80", "outside"},
		{"NAT64 of local use (RFC 8215)", Policy{}, "[64:ff9b:1::7f00:1]:80", "NAT64"},
		{"NAT64 of local use, of a public host", Policy{}, "[64:ff9b:1::5db8:d822]:80", "NAT64"},
		{"discard", Policy{}, "[100::1]:80", "outside"},
		{"Teredo", Policy{}, "[2001:0:4136:e378:8000:63bf:3fff:fdd2]:80", "protocol"},
		{"ORCHID", Policy{}, "[2001:10::1]:80", "protocol"},
		{"ORCHID v2", Policy{}, "[2001:20::1]:80", "protocol"},
		{"IPv6 documentation", Policy{}, "[2001:db8::1]:80", "documentation"},
		{"IPv6 documentation, the new", Policy{}, "[3fff::1]:80", "documentation"},
		{"6to4 of loopback", Policy{}, "[2002:7f00:1::]:80", "6to4"},
		{"segment routing", Policy{}, "[5f00::1]:80", "outside"},
		{"unique local", Policy{}, "[fd00:ec2::254]:80", "private"},
		{"link-local", Policy{}, "[fe80::1]:80", "link-local"},
		{"site-local", Policy{}, "[fec0::1]:80", "site-local"},
		{"IPv6 multicast", Policy{}, "[ff02::1]:80", "multicast"},
		{"never assigned", Policy{}, "[4000::1]:80", "outside"},
		{"IPv6 AS112", Policy{}, "[2620:4f:8000::1]:80", "AS112"},

		{"allowed", lan, "10.1.2.3:8080", ""},
		{"allowed as IPv4 in IPv6", lan, "[::ffff:10.1.2.3]:8080", ""},
		{"allowed IPv6", lan, "[fd00:1::9]:8080", ""},
		{"NAT64 of an allowed network is not that network", lan, "[64:ff9b::10.1.2.3]:80", "a private address behind NAT64"},
		{"NAT64 that is allowed itself", Policy{Allow: []netip.Prefix{netip.MustParsePrefix("64:ff9b::/96")}}, "[64:ff9b::10.1.2.3]:80", ""},
		{"only allowed: a public host behind NAT64", only, "[64:ff9b::5db8:d822]:80", "outside the networks"},
		{"beside what is allowed", lan, "10.2.0.1:80", "private"},
		{"a zone is never allowed", lan, "[fe80::1%lo]:80", "zone"},
		{"loopback is not allowed with it", lan, "127.0.0.1:80", "loopback"},
		{"mail on a public host", Policy{}, "93.184.216.34:25", "smtp"},
		{"a shell in an allowed network", lan, "10.1.2.3:22", "ssh"},
		{"Redis in an allowed network", lan, "10.1.2.3:6379", "redis"},
		{"only allowed: a private network that is", only, "10.1.2.3:8080", ""},
		{"only allowed: a public network that is", only, "93.184.216.34:80", ""},
		{"only allowed: as IPv4 in IPv6", only, "[::ffff:10.1.2.3]:8080", ""},
		{"only allowed: a public address", only, "93.184.217.34:80", "outside the networks"},
		{"only allowed: a public IPv6 address", only, "[2606:2800:220:1:248:1893:25c8:1946]:80", "outside the networks"},
		{"only allowed: a private address", only, "10.2.0.1:80", "outside the networks"},
		{"only allowed: a shell", only, "10.1.2.3:22", "ssh"},
		{"only allowed, and nothing is", Policy{OnlyAllowed: true}, "93.184.216.34:80", "outside the networks"},
		{"port zero", Policy{}, "93.184.216.34:0", "nothing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.policy.Check(netip.MustParseAddrPort(tt.addr))
			if tt.why == "" {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			var refused *RefusedError
			if !errors.As(err, &refused) {
				t.Fatalf("got %v, want a *RefusedError", err)
			}
			if !strings.Contains(refused.Why, tt.why) {
				t.Errorf("refused because of %q, want %q", refused.Why, tt.why)
			}
		})
	}
	if err := (Policy{}).Check(netip.AddrPort{}); err == nil {
		t.Error("the zero address is allowed")
	}
}

// TestRefusalSaysWhatWouldAllowIt shows what an operator reads.
func TestRefusalSaysWhatWouldAllowIt(t *testing.T) {
	err := Policy{}.Check(netip.MustParseAddrPort("192.168.1.7:8080"))
	const want = "netguard: refused to dial 192.168.1.7:8080: a private address is not public; 192.168.1.7/32 in fetch.allow_networks would allow it"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	err = Policy{}.Check(netip.MustParseAddrPort("93.184.216.34:25"))
	if err == nil || strings.Contains(err.Error(), "allow_networks") {
		t.Errorf("%v: no setting allows a port", err)
	}
}

// TestControlRefusesWhatItCannotRead covers what the dialer never passes today.
func TestControlRefusesWhatItCannotRead(t *testing.T) {
	for _, tt := range []struct{ network, address string }{
		{"udp4", "93.184.216.34:443"},
		{"unix", "/run/docker.sock"},
		{"tcp4", "example.org:80"},
		{"tcp4", ""},
		{"tcp4", "127.1:80"},
	} {
		if err := (Policy{}).control(t.Context(), tt.network, tt.address, nil); err == nil {
			t.Errorf("%s %q is let through", tt.network, tt.address)
		}
	}
}

func FuzzControl(f *testing.F) {
	f.Add("tcp4", "127.0.0.1:80")
	f.Add("tcp6", "[::ffff:a00:1%eth0]:80")
	f.Fuzz(func(t *testing.T, network, address string) {
		if (Policy{}).control(t.Context(), network, address, nil) != nil {
			return
		}
		ip := netip.MustParseAddrPort(address).Addr().Unmap()
		if ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() || ip.Zone() != "" {
			t.Errorf("%s may be dialled", address)
		}
	})
}
