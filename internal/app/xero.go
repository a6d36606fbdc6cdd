package app

import (
	"net/url"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/secret"
	"keyturn/internal/web/settings"
	"keyturn/internal/xero"
)

// Xero is the vendor's app at Xero. The zero value says that there is none: no site can be
// connected here.
type Xero struct {
	ClientID     string
	ClientSecret secret.Text
	// BaseURL stands in for Xero's own hosts; empty: Xero's own.
	BaseURL string
	// Every is how often connections are read; 0 is the usual.
	Every time.Duration
}

// client speaks with Xero; nil where there is no app.
func (x Xero) client(d *db.DB, public *url.URL) (*xero.Client, error) {
	if x.ClientID == "" {
		return nil, nil
	}
	return xero.New(xero.App{
		ClientID: x.ClientID, ClientSecret: x.ClientSecret, BaseURL: x.BaseURL, Now: d.Clock.Now,
		Redirect: public.JoinPath(settings.XeroBack).String(),
	})
}
