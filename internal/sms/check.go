package sms

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// Health is how one provider stands, for whoever runs the product.
type Health struct {
	// Name is the provider's name, and Place its host.
	Name, Place string
	// Receipts is the address that its delivery receipts have to be sent to by a rule in
	// the provider's own settings. It has a secret in it. Empty where nothing has to be
	// set up, or no receipts are asked for.
	Receipts string
	// Asked says that the provider was asked about the credentials, and Err what was
	// wrong, in a sentence.
	Asked bool
	Err   error
}

// Check asks each provider, without sending anything, whether it takes the credentials.
func (c *Carrier) Check(ctx context.Context) []Health {
	all := make([]Health, 0, len(c.lanes))
	for _, l := range c.lanes {
		h := Health{Name: l.name, Place: l.place}
		if _, byRule := l.speaks.(*clickSend); byRule {
			h.Receipts = l.hook.url(l.hook.secret())
		}
		h.Asked, h.Err = c.ask(ctx, l)
		all = append(all, h)
	}
	return all
}

func (c *Carrier) ask(ctx context.Context, l *lane) (asked bool, err error) {
	if r, err := l.speaks.probe(ctx); r == nil {
		return false, err
	}
	got := c.exchange(ctx, whole, l.speaks.probe)
	switch {
	case got.status == 0:
		return true, fmt.Errorf("the provider cannot be reached (%s)", troubleOf(got.err))
	case got.status/100 == 2:
		return true, nil
	case got.status == http.StatusUnauthorized || got.status == http.StatusForbidden:
		return true, errors.New("the provider does not take the user and password")
	}
	return true, fmt.Errorf("the provider answered with status %d", got.status)
}
