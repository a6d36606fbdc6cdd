package webhook

import (
	"context"
	"net/http"
	"net/netip"

	"keyturn/internal/audit"
)

// Fits is whether an address may be registered.
func (w *Way) Fits(text string) bool { return w.fits(text) }

// Post makes one attempt, and says what the receiver answered and what failed.
func (w *Way) Post(ctx context.Context, to string) (status int, why string) {
	got := w.post(ctx, to, http.Header{}, []byte("{}"))
	return got.Status, got.Why
}

// Public says whether an address is one of the public internet.
func Public(a netip.Addr) bool { return public(a) }

// Meant are the kinds of events that something is said of.
func Meant() (all []audit.Kind) {
	for k := range meanings {
		all = append(all, k)
	}
	return all
}
