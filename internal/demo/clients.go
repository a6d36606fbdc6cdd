package demo

import (
	"context"
	"errors"
	"fmt"

	"keyturn/internal/client"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/secret"
)

// Application is a client of the demo, with all that a product on this machine needs.
type Application struct {
	ID       string `json:"id"`
	Secret   string `json:"secret,omitempty"`
	Redirect string `json:"redirect_uri"`
	Kind     string `json:"kind"`
}

// products are the demo's applications: a web product beside it on this machine, and a
// mobile app.
func products() []client.Order {
	return []client.Order{
		{
			Name: "Workshop", Kind: client.Web, All: true,
			Redirects:   []string{"http://localhost:8090/signed-in", "http://127.0.0.1:8090/signed-in"},
			PostLogouts: []string{"http://localhost:8090/", "http://127.0.0.1:8090/"}, BackChannel: "http://127.0.0.1:8090/backchannel",
		},
		{Name: "Workshop Mobile", Kind: client.Mobile, All: true, Redirects: []string{"com.example.workshop:/signed-in"}, Audiences: []string{"workshop-mobile"}},
	}
}

// Applications registers the demo's applications. Of a folder that has them already each gets
// another secret: the one before is not to be had any more.
func Applications(ctx context.Context, d *db.DB) (all []Application, err error) {
	err = d.Do(ctx, func(tx *db.Tx) error {
		all = nil
		for _, o := range products() {
			c, text, err := client.Rotate(ctx, tx, By(), o.Name, true)
			if errors.Is(err, fault.NotFound) {
				c, text, err = client.Make(ctx, tx, By(), o)
			}
			if c.Public() && errors.Is(err, fault.Invalid) {
				text, err = secret.Text{}, nil // it has none to change
			}
			if err != nil {
				return err
			}
			all = append(all, Application{ID: string(c.ID), Secret: text.Reveal(), Redirect: c.Redirects[0], Kind: string(c.Kind)})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("register the demo's applications: %w", err)
	}
	return all, nil
}
