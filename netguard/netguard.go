// Package netguard decides which network addresses newswatch may dial, so that
// no feed, redirect or webhook can make it speak to the inside of a network.
//
// The decision is made on the address that is about to be connected to, after
// names are resolved and inside the dialer. A check of the URL beforehand would
// have to understand every odd way to write an address as the resolver does,
// and would fall to a name that answers a public address to the check and
// another to the dialer.
package netguard

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// DialTimeout bounds the resolving of a name and the connecting to one of its
// addresses, together.
const DialTimeout = 10 * time.Second

// Policy says what may be dialled: public unicast addresses, unless OnlyAllowed
// is set, and the networks in Allow. The zero Policy allows public addresses only.
type Policy struct {
	// Allow lists networks that are not public and may be dialled all the
	// same. IPv4 networks are in IPv4 form.
	Allow []netip.Prefix
	// OnlyAllowed refuses public addresses too, so that nothing but the networks
	// in Allow is dialled: for what must not leave them, such as plain HTTP.
	OnlyAllowed bool
	// Resolver looks names up; nil means the system's.
	Resolver *net.Resolver
}

// RefusedError says which address was not dialled and why.
type RefusedError struct {
	// Addr is what would have been dialled, as "address:port".
	Addr string
	// Why is the reason, such as "a loopback address".
	Why string
	// Network is what fetch.allow_networks would have to list for the address to
	// be allowed; it is not valid where no setting allows it.
	Network netip.Prefix
}

// Error names the address, the reason, and the setting that would allow it.
func (e *RefusedError) Error() string {
	if !e.Network.IsValid() {
		return fmt.Sprintf("netguard: refused to dial %s: %s", e.Addr, e.Why)
	}
	return fmt.Sprintf("netguard: refused to dial %s: %s is not public; %s in fetch.allow_networks would allow it", e.Addr, e.Why, e.Network)
}

// Check returns a *RefusedError when the address may not be dialled.
//
// An IPv6 address with a zone is always refused: it is one of this machine's
// own links, and a netip.Prefix cannot name it. So is a port on which another
// protocol than HTTP is spoken, in allowed networks too, where most is to be
// lost.
func (p Policy) Check(addr netip.AddrPort) error {
	ip := addr.Addr().Unmap()
	if ip.Zone() != "" {
		return &RefusedError{Addr: addr.String(), Why: "an address with a zone is on a link of this machine"}
	}
	if name, bad := otherProtocol(addr.Port()); bad {
		return &RefusedError{Addr: addr.String(), Why: "the port is that of " + name}
	}
	why, special := specialPurpose(ip)
	if !special && !p.OnlyAllowed {
		return nil
	}
	for _, network := range p.Allow {
		if network.Contains(ip) {
			return nil
		}
	}
	if p.OnlyAllowed {
		// Not to be cured by listing one more network, as a rule: so none is named.
		return &RefusedError{Addr: addr.String(), Why: "the address is outside the networks in fetch.allow_networks"}
	}
	return &RefusedError{Addr: addr.String(), Why: why, Network: netip.PrefixFrom(ip, ip.BitLen())}
}

// Dialer returns a dialer that connects only to what the policy allows. Its
// errors are or wrap a *RefusedError where the policy was the reason.
func (p Policy) Dialer() *net.Dialer {
	return &net.Dialer{
		Timeout: DialTimeout,
		// Whoever dials bounds what he waits for. Probes would cost four system calls
		// for each of the connections, most of which serve one request.
		KeepAlive:      -1,
		Resolver:       p.Resolver,
		ControlContext: p.control,
	}
}

// control judges an address that the dialer has resolved, just before the
// socket connects. What it cannot read it refuses.
func (p Policy) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return &RefusedError{Addr: address, Why: "only TCP is spoken, not " + network}
	}
	addr, err := netip.ParseAddrPort(address)
	if err != nil {
		return &RefusedError{Addr: address, Why: "that is not an address"}
	}
	return p.Check(addr)
}
