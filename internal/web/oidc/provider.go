// Package oidc is the provider's face: the addresses that browsers are sent to by
// applications, those that applications call themselves, and the three pages between them.
// What they mean is in the package of the same name below the web.
package oidc

import (
	"embed"
	"encoding/json"
	"net/http"

	"keyturn/internal/check"
	"keyturn/internal/client"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/oidc"
	"keyturn/internal/policy"
	"keyturn/internal/signin"
	"keyturn/internal/web"
)

//go:embed *.html
var files embed.FS

// Face is the pages between an application and the sign-in, for the kit.
func Face() web.Face { return web.Face{Name: "oidc", Files: files} }

// The addresses.
const (
	Discovery  = "/.well-known/openid-configuration"
	Authorize  = "/oauth/authorize"
	Token      = "/oauth/token" //nolint:gosec // an address, and no secret
	Userinfo   = "/oauth/userinfo"
	Introspect = "/oauth/introspect"
	Revoke     = "/oauth/revoke"
	Keys       = "/oauth/jwks"
	Logout     = "/oauth/logout"
)

// Provider serves them.
type Provider struct {
	Kit   *web.Kit
	Desk  *oidc.Desk
	Check *check.Checker
	// SignIn raises and ends sessions.
	SignIn *signin.Desk
	// Proceed goes where a step of a sign-in leads.
	Proceed func(http.ResponseWriter, *http.Request, signin.Next) error
}

// Describe answers "GET /.well-known/openid-configuration": what there is, and nothing that
// there is not.
func (p *Provider) Describe() http.Handler {
	at := func(path string) string { return p.Desk.Issuer + path }
	var levels []string
	for level := 1; level <= 4; level++ {
		levels = append(levels, policy.URN(level))
	}
	secret := []string{"client_secret_basic", "client_secret_post"}
	said := map[string]any{
		"issuer":                                         p.Desk.Issuer,
		"authorization_endpoint":                         at(Authorize),
		"token_endpoint":                                 at(Token),
		"userinfo_endpoint":                              at(Userinfo),
		"introspection_endpoint":                         at(Introspect),
		"revocation_endpoint":                            at(Revoke),
		"end_session_endpoint":                           at(Logout),
		"jwks_uri":                                       at(Keys),
		"response_types_supported":                       []string{"code"},
		"response_modes_supported":                       []string{"query"},
		"grant_types_supported":                          []string{"authorization_code", "refresh_token", "client_credentials"},
		"subject_types_supported":                        []string{"public"},
		"id_token_signing_alg_values_supported":          []string{client.RS256, client.ES256},
		"scopes_supported":                               oidc.Scopes(),
		"code_challenge_methods_supported":               []string{"S256"},
		"token_endpoint_auth_methods_supported":          append(append([]string{}, secret...), "none"),
		"revocation_endpoint_auth_methods_supported":     append(append([]string{}, secret...), "none"),
		"introspection_endpoint_auth_methods_supported":  secret,
		"acr_values_supported":                           levels,
		"prompt_values_supported":                        []string{"none", "login", "select_account", "consent"},
		"claims_parameter_supported":                     false,
		"request_parameter_supported":                    false,
		"request_uri_parameter_supported":                false,
		"authorization_response_iss_parameter_supported": true,
		"backchannel_logout_supported":                   true,
		"backchannel_logout_session_supported":           true,
		"ui_locales_supported":                           []string{"en-AU"},
		"claims_supported": []string{
			"iss", "sub", "aud", "exp", "iat", "nonce", "at_hash", "auth_time", "acr", "amr", "sid",
			"email", "email_verified", "name", "given_name", "family_name", "sites",
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=300")
		answer(w, http.StatusOK, said)
	})
}

// KeySet answers "GET /oauth/jwks".
func (p *Provider) KeySet() http.Handler {
	return p.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		set, err := p.Desk.KeySet(r.Context())
		if err != nil {
			return err
		}
		w.Header().Set("Cache-Control", "public, max-age=300")
		answer(w, http.StatusOK, set)
		return nil
	})
}

func answer(w http.ResponseWriter, status int, what any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(what) // the client has gone away
}

// Authorize answers "GET /oauth/authorize".
func (p *Provider) Authorize() http.Handler {
	return p.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		browser := p.Kit.Browser(w, r)
		asked, err := p.Desk.Begin(r.Context(), r.URL.Query(), browser, web.Network(p.Kit.Client(r)).String())
		switch {
		case err != nil:
			return err
		case asked.Page:
			return p.Kit.Show(w, r, http.StatusBadRequest, RefusedPage{Words: asked.Refused.Words})
		case asked.Refused != nil:
			away(w, asked.Request.Denied(p.Desk.Issuer, asked.Refused))
			return nil
		}
		next, err := p.next(r, asked.Request, browser)
		if err != nil {
			return err
		}
		if next.Turn == oidc.Done {
			// No form leads here, so that the browser may be sent on at once.
			away(w, next.To)
			return nil
		}
		return lead(w, r, asked.Request, next)
	})
}

// session is how the session stands that counts for a request: the browser's own, or, for a
// mobile app, the one that its sign-in has just made.
func (p *Provider) session(r *http.Request, one oidc.Request) (check.Answer, error) {
	if one.Client.Kind == client.Mobile {
		return p.Check.OfApp(r.Context(), p.Kit.Cookie(r, web.AppCookie))
	}
	return p.Check.Of(r.Context(), p.Kit.Cookie(r, web.SessionCookie))
}

func (p *Provider) next(r *http.Request, one oidc.Request, browser string) (oidc.Next, error) {
	a, err := p.session(r, one)
	if err != nil {
		return oidc.Next{}, err
	}
	return p.Desk.Go(r.Context(), one, browser, a)
}

// lead goes to the page that a request waits for.
func lead(w http.ResponseWriter, r *http.Request, one oidc.Request, next oidc.Next) error {
	back := one.Back()
	switch next.Turn {
	case oidc.Unlock:
		return web.Go(w, r, after("/signin/locked", back))
	case oidc.Raise:
		return web.Go(w, r, after("/signin/more", back))
	case oidc.StepUp:
		return web.Go(w, r, back)
	case oidc.SignIn, oidc.Done:
	}
	return web.Go(w, r, after("/signin", back))
}

// away sends the browser to an address that its client registered. web.Go cannot leave the
// site; this is the one place that does.
func away(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// find finds the request that an address or a form names, for this browser; ok is false, and
// the answer is given, where there is none any more.
func (p *Provider) find(w http.ResponseWriter, r *http.Request, named string) (one oidc.Request, browser string, ok bool, err error) {
	browser = p.Kit.Cookie(r, web.BrowserCookie)
	which, err := id.Parse[id.Authorization](named)
	if err == nil {
		one, err = p.Desk.Find(r.Context(), which, browser)
	}
	if lost(err) {
		return one, browser, false, p.Kit.Show(w, r, http.StatusBadRequest, RefusedPage{Words: locale.Say(locale.OidcOver)})
	}
	return one, browser, err == nil, err
}

// Continue answers "GET /oauth/continue": somebody comes back from a sign-in.
func (p *Provider) Continue() http.Handler {
	return p.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		one, browser, ok, err := p.find(w, r, web.ReadQuery(r).Get("request"))
		if err != nil || !ok {
			return err
		}
		a, err := p.session(r, one)
		if err != nil {
			return err
		}
		next, err := p.Desk.Go(r.Context(), one, browser, a)
		switch {
		case err != nil:
			return err
		case next.Turn == oidc.Done:
			if one.Client.Kind == client.Mobile {
				p.Kit.DropCookie(w, web.AppCookie)
			}
			return p.leave(w, r, one.Client.Name, next.To)
		case next.Turn == oidc.StepUp:
			return p.Kit.Show(w, r, http.StatusOK, StepUpPage{As: a.User.Name(), Client: one.Client.Name, Request: string(one.ID)})
		}
		return lead(w, r, one, next)
	})
}

// StepUp answers "POST /oauth/continue": it begins the proof that the application asks for.
func (p *Provider) StepUp() http.Handler {
	return p.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		one, _, ok, err := p.find(w, r, form.Get("request"))
		if err != nil || !ok {
			return err
		}
		a, err := p.session(r, one)
		if err != nil {
			return err
		}
		if a.State != check.In {
			return web.Go(w, r, one.Back())
		}
		next, err := p.SignIn.StepUp(r.Context(), a.Session, one.ACR, one.Back())
		if err != nil {
			return err
		}
		return p.Proceed(w, r, next)
	})
}

// leave shows the page that leads out. It does so by itself: a browser that was led here by
// a form may not be redirected elsewhere (form-action), and a page may.
func (p *Provider) leave(w http.ResponseWriter, r *http.Request, name, to string) error {
	w.Header().Set("Refresh", "0; url="+to)
	return p.Kit.Show(w, r, http.StatusOK, leavePage(name, to))
}
