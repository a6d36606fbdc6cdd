package web

import (
	"net/http"
	"net/netip"
	"strings"
)

// Client returns the address that a request really came from: the connection's, or,
// if that is a trusted proxy, the rightmost address of X-Forwarded-For that is not one.
// What stands further left is hearsay of the client. It is the zero Addr if the
// connection has no address; an entry that is no address ends the search at the
// last one that was.
func (k *Kit) Client(r *http.Request) netip.Addr {
	client, ok := address(r.RemoteAddr)
	if !ok {
		return netip.Addr{}
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && k.isProxy(client); i-- {
		next, ok := address(strings.TrimSpace(hops[i]))
		if !ok {
			break
		}
		client = next
	}
	return client
}

func (k *Kit) isProxy(a netip.Addr) bool {
	for _, p := range k.proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// address reads an address with or without a port. IPv4 in IPv6 is IPv4, and a zone
// is dropped, so that one client has one form.
func address(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(s)
	if err != nil {
		both, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		a = both.Addr()
	}
	return a.Unmap().WithZone(""), true
}

// Network returns the network that limits count an address by: the address itself for
// IPv4, its /64 for IPv6, because one household has as many addresses there as it
// likes. It is the zero Prefix for the zero Addr.
func Network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// Forwarded says which request a trusted proxy asks about: the origin that its browser spoke
// to, from X-Forwarded-Proto and X-Forwarded-Host, each there once. ok is false where the
// connection is no trusted proxy's: of anybody else these headers are hearsay.
func (k *Kit) Forwarded(r *http.Request) (origin string, ok bool) {
	peer, ok := address(r.RemoteAddr)
	proto, host := r.Header.Values("X-Forwarded-Proto"), r.Header.Values("X-Forwarded-Host")
	if !ok || !k.isProxy(peer) || len(proto) != 1 || len(host) != 1 || strings.ContainsAny(proto[0]+host[0], ", ") {
		return "", false
	}
	return strings.ToLower(proto[0] + "://" + host[0]), true
}
