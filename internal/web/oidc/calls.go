package oidc

import (
	"net/http"
	"net/url"
	"strings"

	"keyturn/internal/client"
	"keyturn/internal/id"
	"keyturn/internal/oidc"
	"keyturn/internal/web"
)

// caller is who calls, by its credentials.
type caller struct {
	client client.Client
	form   web.Fields
}

// call is a call of a program's: its form is read, and its client known, before do.
func (p *Provider) call(public bool, do func(http.ResponseWriter, *http.Request, caller) error) http.Handler {
	return p.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			web.Note(r.Context(), err)
			deny(w, http.StatusBadRequest, oidc.Refusal{Code: oidc.InvalidRequest, Words: "The body is a form, with each field once."})
			return nil
		}
		c, refused, err := p.authenticate(r, form, public)
		if err != nil {
			return err
		}
		if refused != nil {
			status := http.StatusBadRequest
			if refused.Code == oidc.InvalidClient {
				status = http.StatusUnauthorized
				w.Header().Set("WWW-Authenticate", `Basic realm="keyturn"`)
			}
			deny(w, status, *refused)
			return nil
		}
		return do(w, r, caller{c, form})
	})
}

var (
	noClient  = &oidc.Refusal{Code: oidc.InvalidClient, Words: "The client is not one that works, or its secret is another."}
	twoClient = &oidc.Refusal{Code: oidc.InvalidRequest, Words: "The client names itself in one way only."}
)

// authenticate finds the client of a call: by Basic or by the form, never by both (RFC 6749,
// section 2.3), and without a secret only where it can have none.
func (p *Provider) authenticate(r *http.Request, form web.Fields, public bool) (c client.Client, refused *oidc.Refusal, err error) {
	name, text := form.Get("client_id"), form.Get("client_secret")
	if header := r.Header.Values("Authorization"); len(header) > 0 {
		user, pass, ok := basic(r)
		if !ok || len(header) != 1 || name != "" && name != user {
			return c, noClient, nil
		}
		if form.Ticked("client_secret") {
			return c, twoClient, nil
		}
		name, text = user, pass
	}
	which, err := id.Parse[id.Client](name)
	if lost(err) {
		return c, noClient, nil
	}
	if text != "" {
		c, ok, err := client.Authenticate(r.Context(), p.Desk.DB, which, text, p.Desk.DB.Clock.Now())
		if err != nil || ok {
			return c, nil, err
		}
		return c, noClient, nil
	}
	c, err = client.Living(r.Context(), p.Desk.DB, which)
	if lost(err) || err == nil && (!public || !c.Public()) {
		return client.Client{}, noClient, nil
	}
	return c, nil, err
}

// basic reads the two halves of a Basic header, which are encoded as fields of a form are
// (RFC 6749, section 2.3.1).
func basic(r *http.Request) (user, pass string, ok bool) {
	user, pass, ok = r.BasicAuth()
	user, err1 := url.QueryUnescape(user)
	pass, err2 := url.QueryUnescape(pass)
	return user, pass, ok && err1 == nil && err2 == nil
}

// deny answers a call with a refusal (RFC 6749, section 5.2).
func deny(w http.ResponseWriter, status int, why oidc.Refusal) {
	w.Header().Set("Pragma", "no-cache")
	answer(w, status, map[string]string{"error": why.Code, "error_description": why.Words})
}

// Token answers "POST /oauth/token".
func (p *Provider) Token() http.Handler {
	return p.call(true, func(w http.ResponseWriter, r *http.Request, by caller) error {
		var tokens oidc.Tokens
		var refused *oidc.Refusal
		var err error
		form := by.form
		switch grant := form.Get("grant_type"); {
		case grant == "client_credentials":
			tokens, refused, err = p.Desk.Service(r.Context(), by.client, form.Get("scope"))
		case by.client.Kind == client.Service && (grant == "authorization_code" || grant == "refresh_token"):
			refused = &oidc.Refusal{Code: oidc.UnauthorizedClient, Words: "A service acts without people."}
		case grant == "authorization_code":
			tokens, refused, err = p.Desk.Redeem(r.Context(), by.client, oidc.Redemption{
				Code: form.Get("code"), Redirect: form.Get("redirect_uri"), Verifier: form.Get("code_verifier"),
			})
		case grant == "refresh_token":
			tokens, refused, err = p.Desk.Refresh(r.Context(), by.client, form.Get("refresh_token"), form.Get("scope"))
		case grant == "":
			refused = &oidc.Refusal{Code: oidc.InvalidRequest, Words: "grant_type is needed."}
		default:
			refused = &oidc.Refusal{Code: oidc.UnsupportedGrant, Words: "grant_type is authorization_code, refresh_token or client_credentials."}
		}
		if err != nil {
			return err
		}
		if refused != nil {
			deny(w, http.StatusBadRequest, *refused)
			return nil
		}
		w.Header().Set("Pragma", "no-cache")
		answer(w, http.StatusOK, tokens)
		return nil
	})
}

// Introspect answers "POST /oauth/introspect".
func (p *Provider) Introspect() http.Handler {
	return p.call(false, func(w http.ResponseWriter, r *http.Request, by caller) error {
		seen, err := p.Desk.Introspect(r.Context(), by.client, by.form.Get("token"))
		if err != nil {
			return err
		}
		answer(w, http.StatusOK, seen)
		return nil
	})
}

// Revoke answers "POST /oauth/revoke".
func (p *Provider) Revoke() http.Handler {
	return p.call(true, func(w http.ResponseWriter, r *http.Request, by caller) error {
		if err := p.Desk.Revoke(r.Context(), by.client, by.form.Get("token")); err != nil {
			return err
		}
		w.WriteHeader(http.StatusOK)
		return nil
	})
}

// Userinfo answers "GET /oauth/userinfo" and "POST": the token stands in the header.
func (p *Provider) Userinfo() http.Handler {
	return p.Kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
		kind, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(kind, "Bearer") || len(r.Header.Values("Authorization")) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="keyturn"`)
			deny(w, http.StatusUnauthorized, oidc.Refusal{Code: oidc.InvalidRequest, Words: "The access token stands in the header, as in: Authorization: Bearer " + oidc.AccessPrefix + "…"})
			return nil
		}
		claims, ok, err := p.Desk.Userinfo(r.Context(), text)
		if err != nil {
			return err
		}
		if !ok {
			w.Header().Set("WWW-Authenticate", `Bearer realm="keyturn", error="invalid_token"`)
			deny(w, http.StatusUnauthorized, oidc.Refusal{Code: "invalid_token", Words: "The token is over, or the sign-in behind it."})
			return nil
		}
		answer(w, http.StatusOK, claims)
		return nil
	})
}
