package demo

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"keyturn/internal/locale"
)

// Guard keeps a demo on the computer where it runs: it passes on only what was asked of
// a loopback name or address, with any port, and through no proxy. Everything else gets
// 403 and a sentence. The name is looked at because any page of the web may have its own
// name resolved to 127.0.0.1 (DNS rebinding); the headers, because a tunnel to the demo
// would show everybody's password to the world.
func Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !loopback(r.Host):
			refuse(w, locale.Say(locale.DemoGuardHost))
		case forwarded(r.Header):
			refuse(w, locale.Say(locale.DemoGuardForwarded))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// loopback says whether a Host is this computer: localhost, or an address that is
// loopback, IPv6 in brackets, with or without a port.
func loopback(host string) bool {
	name, port, err := net.SplitHostPort(host)
	switch {
	case err == nil:
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
	case strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]"):
		name = host[1 : len(host)-1]
	case strings.Contains(host, ":"):
		return false
	default:
		name = host
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(name)
	// Brackets are for IPv6 alone (RFC 3986 section 3.2.2).
	return err == nil && ip.IsLoopback() && ip.Zone() == "" && ip.Is6() == strings.HasPrefix(host, "[")
}

// forwarded says whether a proxy has left its mark.
func forwarded(h http.Header) bool {
	for name := range h {
		switch name = strings.ToLower(name); name {
		case "forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip":
			return true
		default:
			if strings.HasPrefix(name, "x-forwarded") {
				return true
			}
		}
	}
	return false
}

func refuse(w http.ResponseWriter, sentence string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusForbidden)
	_, _ = io.WriteString(w, sentence+"\n") // the client has gone away
}
