package oidc

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestABackChannelReachesNoPrivateAddress(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"127.0.0.1", "127.255.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "0.1.2.3", "100.64.0.1", "192.0.0.1", "198.18.0.1",
		"224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
		"64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001::1",
	} {
		if public(netip.MustParseAddr(text).Unmap()) {
			t.Errorf("%s is taken for public", text)
		}
	}
	for _, text := range []string{"1.1.1.1", "203.0.114.1", "2606:4700::1111", "::ffff:1.1.1.1"} {
		if !public(netip.MustParseAddr(text).Unmap()) {
			t.Errorf("%s is taken for private", text)
		}
	}
}

func TestABackChannelOnThisMachineIsToldInTheDemoAloneAndLeadsNowhere(t *testing.T) {
	t.Parallel()
	led := false
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { led = true }))
	t.Cleanup(target.Close)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("logout_token") != "token" {
			t.Errorf("told %v", r.Form)
		}
		w.Header().Set("Location", target.URL)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}))
	t.Cleanup(receiver.Close)
	if status, err := (&BackChannel{}).Post(t.Context(), receiver.URL, "token"); !errors.Is(err, errPrivate) || strings.Contains(err.Error(), receiver.URL) {
		t.Errorf("%d, %v", status, err)
	}
	if status, err := (&BackChannel{Private: true}).Post(t.Context(), receiver.URL, "token"); status != http.StatusTemporaryRedirect || err != nil || led {
		t.Errorf("%d, %v, led on: %t", status, err, led)
	}
}
