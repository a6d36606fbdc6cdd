package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"keyturn/internal/apikey"
	"keyturn/internal/client"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/secret"
)

// Application is a client of the demo, with all that a product on this machine needs.
type Application struct {
	Name     string `json:"name"`
	ID       string `json:"id"`
	Secret   string `json:"secret,omitempty"`
	Redirect string `json:"redirect_uri,omitempty"`
	Kind     string `json:"kind"`
}

// The names of the demo's applications.
const (
	// Product is a web product beside the demo on this machine, Mobile its app, and Service
	// is how its server reads what to say on its own pages.
	Product = "Workshop"
	Mobile  = "Workshop Mobile"
	Service = "Workshop API"
)

// products are the demo's applications. port is the web product's, on this machine.
func products(port string) []client.Order {
	named, numbered := "http://localhost:"+port, "http://127.0.0.1:"+port
	return []client.Order{
		{
			Name: Product, Kind: client.Web, All: true,
			Redirects:   []string{named + "/signed-in", numbered + "/signed-in"},
			PostLogouts: []string{named + "/", numbered + "/"}, BackChannel: numbered + "/backchannel",
		},
		{Name: Mobile, Kind: client.Mobile, All: true, Redirects: []string{"com.example.workshop:/signed-in"}, Audiences: []string{"workshop-mobile"}},
		{Name: Service, Kind: client.Service, All: true, Scopes: []apikey.Scope{apikey.ReadReadiness}},
	}
}

// Applications registers the demo's applications, of which the web product answers at a port
// of this machine. Of a folder that has them already each gets another secret: the one before
// is not to be had any more.
func Applications(ctx context.Context, d *db.DB, port string) (all []Application, err error) {
	err = d.Do(ctx, func(tx *db.Tx) error {
		all = nil
		for _, o := range products(port) {
			c, text, err := register(ctx, tx, o)
			if err != nil {
				return err
			}
			a := Application{Name: c.Name, ID: string(c.ID), Secret: text.Reveal(), Kind: string(c.Kind)}
			if len(c.Redirects) > 0 {
				a.Redirect = c.Redirects[0]
			}
			all = append(all, a)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("register the demo's applications: %w", err)
	}
	return all, nil
}

// register makes an application, or gives the one that is there another secret. The addresses
// of one are never changed: one that is to answer elsewhere is another.
func register(ctx context.Context, tx *db.Tx, o client.Order) (client.Client, secret.Text, error) {
	c, text, err := client.Rotate(ctx, tx, By(), o.Name, true)
	switch {
	case errors.Is(err, fault.NotFound):
		return client.Make(ctx, tx, By(), o)
	case c.Public() && errors.Is(err, fault.Invalid):
		return c, secret.Text{}, nil // it has no secret to change
	case err == nil && !slices.Equal(c.Redirects, o.Redirects):
		if _, err := client.Disable(ctx, tx, By(), o.Name); err != nil {
			return c, text, err
		}
		return client.Make(ctx, tx, By(), o)
	}
	return c, text, err
}
