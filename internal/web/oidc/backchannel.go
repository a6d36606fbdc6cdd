package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// tellWait is how long a client may take to answer.
const tellWait = 5 * time.Second

// BackChannel tells clients of sessions that ended. It follows nothing, and reaches no
// private address, whatever a name resolves to.
type BackChannel struct {
	// Private allows this machine and private networks: for the demo and for tests.
	Private bool
}

// Post posts one logout token, and gives the status of the answer.
func (b *BackChannel) Post(ctx context.Context, address, token string) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, tellWait)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(url.Values{"logout_token": {token}}.Encode()))
	if err != nil {
		return 0, errAddress
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w, err := b.client().Do(r)
	if err != nil {
		if wrapped := (&url.Error{}); errors.As(err, &wrapped) {
			err = wrapped.Err // without the address
		}
		return 0, fmt.Errorf("post to a back channel: %w", err)
	}
	_, _ = io.CopyN(io.Discard, w.Body, 64<<10)
	return w.StatusCode, w.Body.Close()
}

var (
	errAddress = errors.New("the back channel has no address that can be called")
	errPrivate = errors.New("an address of this machine or of a private network")
)

func (b *BackChannel) client() *http.Client {
	dialer := &net.Dialer{Timeout: tellWait, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("read an address: %w", err)
		}
		if !b.Private && !public(at.Addr().Unmap()) {
			return errPrivate
		}
		return nil
	}}
	return &http.Client{
		Transport:     &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true, TLSHandshakeTimeout: tellWait},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// notPublic are what IsPrivate and its like leave out: shared, benchmarking, translated and
// reserved addresses (RFC 6890).
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"),
}

func public(at netip.Addr) bool {
	for _, p := range notPublic {
		if p.Contains(at) {
			return false
		}
	}
	return at.IsGlobalUnicast() && !at.IsPrivate() && !at.IsLoopback()
}
