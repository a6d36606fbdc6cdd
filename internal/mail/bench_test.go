package mail

import (
	"fmt"
	"testing"
)

// BenchmarkSend compares a kept connection with dialling for each letter, on real
// sockets. The goal is a ratio of at least 1.4 (in the clear; TLS makes it larger).
func BenchmarkSend(b *testing.B) {
	server, root := identity(b, "relay.example")
	for _, way := range []struct {
		name string
		tls  bool
	}{{"clear", false}, {"starttls", true}} {
		one := newOffice(b)
		if way.tls {
			one.server.TLSConfig = server
		}
		r := relayAt(b, one.listen(b))
		if way.tls {
			s := sealed(b, r.host, root)
			s.port, s.serverName = r.port, "relay.example"
			r = s
		}
		for _, kind := range []struct {
			name string
			per  int
		}{{"dialled", 1}, {"reused", 1 << 30}} {
			b.Run(way.name+"/"+kind.name, func(b *testing.B) {
				desk := carrier(b, Options{MaxPerConnection: kind.per}, r)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					got, err := desk.Send(b.Context(), letter(fmt.Sprintf("k%d", i)))
					if err != nil || !got.Accepted {
						b.Fatalf("got %+v, %v", got, err)
					}
				}
			})
		}
	}
}
