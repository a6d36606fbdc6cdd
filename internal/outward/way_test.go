package outward_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"keyturn/internal/outward"
)

// notPublic are addresses that lead to something of the vendor's own, or to nobody.
var notPublic = []string{
	"127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254",
	"192.168.0.1", "192.168.255.255", "169.254.169.254", "169.254.0.1", "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.0.192",
	"192.0.2.7", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.9", "192.88.99.1", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255",
	"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::10.0.0.1",
	"fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "fdff::1", "ff02::1",
	"64:ff9b::a00:1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::1", "2002:a00:1::", "2001::1", "2001:db8::1", "2001:0:5ef5:79fb::1", "3fff::1", "100::1",
}

func TestOnlyAddressesOfThePublicInternetAreCalled(t *testing.T) {
	t.Parallel()
	// Nobody listens where these lead, and nobody is asked: the guard answers first.
	public, err := url.Parse("https://signin.example")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range notPublic {
		if outward.Public(netip.MustParseAddr(text)) {
			t.Errorf("%s counts as public", text)
		}
		// A name that leads there.
		if got := outward.NewWay(public, found(text), nil).Post(t.Context(), "https://hooks.example/", nil, nil); got.Why != outward.Address {
			t.Errorf("a name that leads to %s: %q", text, got.Why)
		}
		// The address itself.
		literal := "https://" + text + "/"
		if strings.Contains(text, ":") {
			literal = "https://[" + strings.ReplaceAll(text, "%", "%25") + "]/"
		}
		way := outward.NewWay(public, found(), nil)
		if way.Fits(literal) {
			t.Errorf("%s may be registered", literal)
		}
		if got := way.Post(t.Context(), literal, nil, nil); got.Why != outward.Address {
			t.Errorf("%s is called: %q", literal, got.Why)
		}
	}
	for _, text := range []string{"1.1.1.1", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "2606:4700:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8"} {
		if !outward.Public(netip.MustParseAddr(text)) {
			t.Errorf("%s does not count as public", text)
		}
	}
}

func TestANameThatAlsoLeadsInsideIsCalledAtNoAddressInside(t *testing.T) {
	t.Parallel()
	var called atomic.Bool
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Store(true) }))
	t.Cleanup(inside.Close)
	_, port, err := net.SplitHostPort(inside.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	public, err := url.Parse("https://signin.example")
	if err != nil {
		t.Fatal(err)
	}
	got := outward.NewWay(public, found("::ffff:127.0.0.1", "127.0.0.1"), nil).Post(t.Context(), "https://hooks.example:"+port+"/", nil, nil)
	if got.Why != outward.Address || called.Load() {
		t.Errorf("%q, called: %t", got.Why, called.Load())
	}
}

func TestWhatCanBeRegistered(t *testing.T) {
	t.Parallel()
	live, err := url.Parse("https://signin.example")
	if err != nil {
		t.Fatal(err)
	}
	trial, err := url.Parse("http://localhost:8080")
	if err != nil {
		t.Fatal(err)
	}
	way, loop := outward.NewWay(live, outward.DNS, nil), outward.NewWay(trial, outward.DNS, nil)
	for _, text := range []string{"https://hooks.example/keyturn", "https://hooks.example:8443/a?b=c", "https://1.1.1.1/"} {
		if !way.Fits(text) || !loop.Fits(text) {
			t.Errorf("%s is refused", text)
		}
	}
	for _, text := range []string{"http://127.0.0.1:9/", "http://localhost:9/", "https://[::1]:9/"} {
		if way.Fits(text) || !loop.Fits(text) {
			t.Errorf("%s: %t beside a live product, %t in a trial", text, way.Fits(text), loop.Fits(text))
		}
	}
	for _, text := range []string{
		"", "hooks.example", "http://hooks.example/", "ftp://hooks.example/", "//hooks.example/", "https:///path", "https:hooks.example",
		"https://user@hooks.example/", "https://user:pass@hooks.example/", "https://hooks.example/#part", "https://hooks.example:0/",
		"https://hooks.example:65536/", "https://hooks.example:/", "https://hooks.example/a b", "https://hooks.example/\n", "https://hooks.example\\@evil.example/",
		"https://" + strings.Repeat("a", 600) + ".example/", "https://hööks.example/", "javascript:alert(1)",
	} {
		if way.Fits(text) || loop.Fits(text) {
			t.Errorf("%q may be registered", text)
		}
	}
}

func TestARedirectIsNoSuccessAndIsNotFollowed(t *testing.T) {
	t.Parallel()
	var called atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Store(true) }))
	t.Cleanup(other.Close)
	first := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	t.Cleanup(first.Close)
	trial, err := url.Parse("http://localhost:8080")
	if err != nil {
		t.Fatal(err)
	}
	got := outward.NewWay(trial, outward.DNS, nil).Post(t.Context(), first.URL, nil, nil)
	if got.Status != http.StatusTemporaryRedirect || got.Why != outward.Redirect || called.Load() {
		t.Errorf("%d %q, followed: %t", got.Status, got.Why, called.Load())
	}
}

func found(all ...string) outward.LookUp {
	return func(context.Context, string) (addrs []netip.Addr, _ error) {
		for _, text := range all {
			addrs = append(addrs, netip.MustParseAddr(text))
		}
		return addrs, nil
	}
}
