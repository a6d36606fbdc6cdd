// Package api is what programs of the vendor's call: /api/v1, described by an OpenAPI 3.1
// document at /api/v1/openapi.json.
//
// A caller has a key (package apikey) in "Authorization: Bearer ktk_…", or the token of a
// service (package client) in its place. What it may do are
// its scopes; what site it may do it at are its sites, and any other site is not there, for
// it. Every error is problem JSON (RFC 9457) that repeats nothing of what was sent. A
// changing operation says what is to be so, and may be sent again.
//
// Reading counts against the key's budget and notes its use, and writes nothing else.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"keyturn/internal/apikey"
	"keyturn/internal/connect"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/member"
	"keyturn/internal/oidc"
	"keyturn/internal/readiness"
	"keyturn/internal/request"
	"keyturn/internal/secret"
	"keyturn/internal/setup"
	"keyturn/internal/site"
	"keyturn/internal/web"
)

// Base is where the API is; Document is its description.
const (
	Base     = "/api/v1"
	Document = Base + "/openapi.json"
)

const (
	// bodyMost bounds what is sent, in bytes: a few fields.
	bodyMost = 16 << 10
	// longestText bounds a name or reference that is sent, in characters.
	longestText = 200
)

// Parts are what an API is made of.
type Parts struct {
	Kit      *web.Kit
	DB       *db.DB
	Keys     *secret.Keys
	Connect  *connect.Desk
	Ready    readiness.Source
	Members  *member.Desk
	Requests *request.Desk
	Setup    *setup.Desk
}

// API serves the operations. It is made by New.
type API struct {
	Parts

	mux        *http.ServeMux
	huma       huma.API
	operations []registered
	document   []byte
	reference  DocsPage
}

// registered is one operation as it was described.
type registered struct {
	method, path string
	scope        apikey.Scope
}

// New puts the operations together.
func New(p Parts) (*API, error) {
	plainErrors()
	a := &API{Parts: p, mux: http.NewServeMux()}
	config := huma.DefaultConfig("Keyturn", "1")
	// Three defaults that are not safe: a "$schema" in every answer that is made of the Host
	// that was asked, pages that load scripts from elsewhere, and a list of the schemas.
	config.CreateHooks, config.SchemasPath, config.DocsPath, config.OpenAPIPath = nil, "", "", ""
	config.Formats = map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat}
	config.Info.Description = "What a product that stands before Keyturn tells it and asks of it. Every call carries a key, " +
		"every error is problem JSON (RFC 9457). Times are RFC 3339."
	config.Servers = []*huma.Server{{URL: strings.TrimSuffix(p.Kit.Public("/"), "/")}}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key": {Type: "http", Scheme: "bearer", Description: "A key of `keyturn apikey add`, which begins with " + apikey.Prefix + ", or the token of a service, which begins with " + oidc.ServicePrefix + "."},
	}
	a.huma = humago.New(a.mux, config)
	for _, describe := range []func(){
		a.sites, a.members, a.changes, a.groups, a.requests, a.integrations, a.balance, a.rollout, a.readiness, a.audit, a.decision,
	} {
		describe()
	}
	exemplify(a.huma.OpenAPI())
	var err error
	if a.document, err = json.MarshalIndent(a.huma.OpenAPI(), "", "  "); err != nil {
		return nil, fmt.Errorf("describe the API: %w", err)
	}
	a.reference = a.docs()
	return a, nil
}

// ServeHTTP implements http.Handler for the operations.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// Describe answers "GET /api/v1/openapi.json", to anybody: it holds nothing of any site.
func (a *API) Describe() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
		_, _ = w.Write(a.document) // the client has gone away
	})
}

// Lost answers whatever under /api/ no operation knows: 405 with Allow where it knows the
// path by another method, 404 otherwise.
func (a *API) Lost() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		allow := a.allowed(r)
		if len(allow) == 0 {
			problem(http.StatusNotFound, "There is no such operation.").write(w, r)
			return
		}
		w.Header().Set("Allow", strings.Join(allow, ", "))
		problem(http.StatusMethodNotAllowed, "This path is there for other methods; see Allow.").write(w, r)
	})
}

func (a *API) allowed(r *http.Request) (all []string) {
	if r.URL.Path == Document || r.URL.Path == Reference {
		return []string{http.MethodGet, http.MethodHead}
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		one := r.Clone(r.Context())
		one.Method = method
		if _, pattern := a.mux.Handler(one); pattern != "" {
			all = append(all, method)
		}
	}
	return all
}

// operation is one of the API's, before its handler.
type operation struct {
	huma.Operation
	scope apikey.Scope
}

// errorsOf are the statuses that every operation may answer with.
var errorsOf = []int{
	http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests, http.StatusServiceUnavailable,
}

// add registers an operation with what is the same for all: the key, the budgets and the
// errors.
func add[I, O any](a *API, o operation, do func(context.Context, apikey.Key, *I) (*O, error)) {
	op := o.Operation
	op.Path = Base + op.Path
	op.MaxBodyBytes, op.RejectUnknownQueryParameters = bodyMost, true
	op.Security = []map[string][]string{{"key": {}}}
	op.Description = strings.TrimSpace(op.Description + "\n\n" + scopeWords(o.scope))
	a.operations = append(a.operations, registered{op.Method, op.Path, o.scope})
	op.Errors = append(slices.Clone(errorsOf), op.Errors...)
	op.Middlewares = huma.Middlewares{func(c huma.Context, next func(huma.Context)) { a.guard(c, o.scope, next) }}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, keyOf(ctx), in)
		if err != nil {
			return nil, fail(ctx, err)
		}
		return out, nil
	})
}

// scopeWords is how the description says what scope an operation needs.
func scopeWords(s apikey.Scope) string { return "Scope: `" + string(s) + "`." }

type keyKey struct{}

func keyOf(ctx context.Context) apikey.Key {
	k, _ := ctx.Value(keyKey{}).(apikey.Key)
	return k
}

// site finds the site that a call names, for its key. One that the key is not for is
// fault.NotFound, like one that is not there: after the same look-ups.
func (a *API) site(ctx context.Context, k apikey.Key, ref string) (site.Site, error) {
	if !sound(ref) {
		return site.Site{}, fmt.Errorf("a site: %w", fault.NotFound)
	}
	at, err := site.ByRef(ctx, a.DB, ref)
	lost := errors.Is(err, fault.NotFound)
	if err != nil && !lost {
		return site.Site{}, fmt.Errorf("find a site: %w", err)
	}
	yes, err := a.reaches(ctx, k, at.ID)
	if err != nil {
		return site.Site{}, err
	}
	if lost || !yes {
		return site.Site{}, fmt.Errorf("a site: %w", fault.NotFound)
	}
	return at, nil
}

// sound says whether a text can be looked up, stored and shown: no control characters, which
// PostgreSQL takes in part only, none that turns the words after it round (CVE-2021-42574),
// and not longer than any name.
func sound(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= longestText && !strings.ContainsFunc(s, func(c rune) bool {
		return unicode.In(c, unicode.Cc, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
	})
}

// plainErrors has huma make our errors, which hold nothing of what was sent. It is a
// setting of the whole process, and is made once.
var plainErrors = sync.OnceFunc(func() {
	huma.NewError = func(status int, words string, errs ...error) huma.StatusError { return fromHuma(status, words, errs) }
	huma.NewErrorWithContext = func(c huma.Context, status int, words string, errs ...error) huma.StatusError {
		p := fromHuma(status, words, errs)
		p.Reference = web.Reference(c.Context())
		return p
	}
})
