package demo_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"keyturn/internal/web/demo"
)

func TestTheDemoAnswersOnlyItsOwnComputerAndNoProxy(t *testing.T) {
	t.Parallel()
	const local = "127.0.0.1:8080"
	for _, c := range []struct {
		name, host, header string
		want               int
	}{
		{"an address with a port", local, "", 204},
		{"an address without one", "127.0.0.1", "", 204},
		{"another loopback address", "127.0.0.2:8080", "", 204},
		{"the name", "localhost", "", 204},
		{"the name with a port", "localhost:65535", "", 204},
		{"the name in capitals", "LOCALHOST:8080", "", 204},
		{"IPv6", "[::1]", "", 204},
		{"IPv6 with a port", "[::1]:8080", "", 204},
		{"a name that resolves here", "rebound.example:8080", "", 403},
		{"a name that begins like ours", "localhost.example", "", 403},
		{"a name below ours", "app.localhost:8080", "", 403},
		{"our name with a dot", "localhost.:8080", "", 403},
		{"an address that begins like ours", "127.0.0.1.example", "", 403},
		{"an address of a network", "192.168.1.7:8080", "", 403},
		{"every address", "0.0.0.0:8080", "", 403},
		{"an address in one number", "2130706433:8080", "", 403},
		{"an address in brackets", "[127.0.0.1]:8080", "", 403},
		{"IPv4 in IPv6", "[::ffff:192.168.1.7]", "", 403},
		{"IPv6 without brackets", "::1", "", 403},
		{"IPv6 with a zone", "[::1%25eth0]:8080", "", 403},
		{"somebody before an @", "localhost@rebound.example", "", 403},
		{"a port that is a name", "localhost:rebound", "", 403},
		{"a port of nothing", "localhost:", "", 403},
		{"a port that there is not", "localhost:65536", "", 403},
		{"no host", "", "", 403},
		{"Forwarded", local, "Forwarded", 403},
		{"X-Forwarded-For", local, "X-Forwarded-For", 403},
		{"X-Forwarded-Host", local, "X-Forwarded-Host", 403},
		{"X-Forwarded-Proto", local, "X-Forwarded-Proto", 403},
		{"one of the family that nobody knows", local, "X-Forwarded-Tomorrow", 403},
		{"X-Real-IP", local, "X-Real-IP", 403},
		{"Via", local, "Via", 403},
		{"a header of another kind", local, "X-Requested-With", 204},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			guarded := demo.Guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusNoContent)
			}))
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/demo", nil)
			r.Host = c.host
			if c.header != "" {
				r.Header.Set(c.header, "")
			}
			w := httptest.NewRecorder()
			guarded.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("status %d, want %d", w.Code, c.want)
			}
			if c.want == 403 && (!strings.Contains(w.Body.String(), "This demo") || !strings.Contains(w.Body.String(), "Open it")) {
				t.Errorf("it says %q", w.Body)
			}
		})
	}
}
