package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/danielgtaylor/huma/v2"

	"keyturn/internal/address"
	"keyturn/internal/apikey"
	"keyturn/internal/fault"
	"keyturn/internal/site"
)

// Site is one customer business.
type Site struct {
	Ref            string `json:"ref" example:"S01002" doc:"Your own reference of the site."`
	ID             string `json:"id" format:"uuid" example:"0192f3c4-5d1e-7c3a-9f2b-3a5c7e9d1f20" doc:"Ours, which claims carry."`
	Name           string `json:"name" example:"Corner Garage"`
	Region         string `json:"region" example:"AU" doc:"The country whose numbers its people have, and whose holidays count."`
	TimeZone       string `json:"time_zone" example:"Australia/Sydney" doc:"An IANA name: where its days begin."`
	AccountManager string `json:"account_manager,omitempty" example:"ana@vendor.example" doc:"The login name of the member of staff who looks after it."`
	//nolint:lll // one field
	TwoFA     string    `json:"twofa" enum:"off,per_user,everyone" example:"everyone" doc:"The site's own setting, which its Admins change and no program does. Xero may require more: see readiness."`
	Remember  string    `json:"remember" enum:"off,daily,7,14,30" example:"daily" doc:"How long a device need not pass again: 7, 14 and 30 are days."`
	Weakest   string    `json:"weakest" enum:"email,sms,totp" example:"email" doc:"The weakest method that it accepts; totp: authenticator and passkey only."`
	CreatedAt time.Time `json:"created_at" example:"2026-01-15T03:04:05Z"`
}

func siteOf(s site.Site) Site {
	return Site{
		Ref: s.Ref, ID: string(s.ID), Name: s.Name, Region: s.Region, TimeZone: s.Zone.String(), AccountManager: s.AccountManager,
		TwoFA: string(s.TwoFA), Remember: string(s.Remember), Weakest: string(s.Weakest), CreatedAt: s.CreatedAt,
	}
}

type siteAnswer struct{ Body Site }

type siteList struct {
	Turned

	Body struct {
		Items []Site `json:"items" nullable:"false" doc:"By their references."`
		Next  string `json:"next,omitempty" example:"WyJzaXRlcyIsIlMwMTAwMiJd" doc:"The cursor of the next page; absent on the last."`
	}
}

// describedSite is what the host product says that a site is.
type describedSite struct {
	Ref  string `path:"ref" doc:"Your own reference of the site. It never changes." example:"S01002"`
	Body struct {
		Name           string `json:"name" minLength:"1" maxLength:"200" example:"Corner Garage"`
		Region         string `json:"region" enum:"AU,NZ,GB,US" example:"AU"`
		TimeZone       string `json:"time_zone" maxLength:"64" example:"Australia/Sydney" doc:"An IANA name."`
		AccountManager string `json:"account_manager,omitempty" maxLength:"200" example:"ana@vendor.example" doc:"An email address; absent: nobody."`
	}
}

type describedAnswer struct {
	Body struct {
		Site
		Added   bool `json:"added" example:"false" doc:"The site is new."`
		Changed bool `json:"changed" example:"true" doc:"false: it was so already, and nothing was done."`
	}
}

func (a *API) sites() {
	add(a, operation{scope: apikey.ReadSites, Operation: huma.Operation{
		OperationID: "list-sites", Method: http.MethodGet, Path: "/sites", Summary: "The sites of the key", Tags: []string{"Sites"},
		Errors: []int{http.StatusUnprocessableEntity},
	}}, a.listSites)
	add(a, operation{scope: apikey.ReadSites, Operation: huma.Operation{
		OperationID: "get-site", Method: http.MethodGet, Path: "/sites/{ref}", Summary: "One site", Tags: []string{"Sites"},
	}}, a.getSite)
	add(a, operation{scope: apikey.WriteSites, Operation: huma.Operation{
		OperationID: "put-site", Method: http.MethodPut, Path: "/sites/{ref}", Summary: "Add a site, or say what it is now", Tags: []string{"Sites"},
		Description: "You are master of these four. The same again does nothing. A site is added by a key for all sites alone. What a site requires of its " +
			"people is its Admins' to say, and nothing here lowers it. Another time zone moves where its days begin; a date of the rollout stays the moment that it is.",
		Errors: bodyErrors,
	}}, a.putSite)
}

// bodyErrors are the statuses of an operation that takes a body and changes something.
var bodyErrors = []int{http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType}

func (a *API) listSites(ctx context.Context, k apikey.Key, in *Paged) (*siteList, error) {
	after, err := in.after("sites", 1)
	if err != nil {
		return nil, err
	}
	var all []site.Site
	if k.All {
		all, err = site.List(ctx, a.DB, after[0], in.Limit+1)
	} else {
		all, err = a.named(ctx, k, after[0], in.Limit+1)
	}
	if err != nil {
		return nil, fmt.Errorf("list sites: %w", err)
	}
	out := &siteList{}
	all, out.Body.Next, out.Turned = page(a, *in, "sites", "/sites", nil, all, func(s site.Site) []string { return []string{s.Ref} })
	out.Body.Items = each(all, siteOf)
	return out, nil
}

// named are the sites that a key names, in the order of their references.
func (a *API) named(ctx context.Context, k apikey.Key, after string, limit int) ([]site.Site, error) {
	which, err := a.sitesOf(ctx, k)
	if err != nil {
		return nil, fmt.Errorf("read a key's sites: %w", err)
	}
	return site.ByIDs(ctx, a.DB, which, after, limit)
}

// each makes the items of an answer: an empty list is one, and not null.
func each[S, T any](all []S, of func(S) T) []T {
	items := make([]T, len(all))
	for i, one := range all {
		items[i] = of(one)
	}
	return items
}

func (a *API) getSite(ctx context.Context, k apikey.Key, in *ofSite) (*siteAnswer, error) {
	at, err := a.site(ctx, k, in.Ref)
	return &siteAnswer{siteOf(at)}, err
}

func (a *API) putSite(ctx context.Context, k apikey.Key, in *describedSite) (*describedAnswer, error) {
	at, err := a.site(ctx, k, in.Ref)
	fresh := errors.Is(err, fault.NotFound) && k.All
	if err != nil && !fresh {
		return nil, err
	}
	s := site.Site{Ref: in.Ref, Name: strings.TrimSpace(in.Body.Name), Region: in.Body.Region}
	if fresh && !isReference(in.Ref) {
		return nil, fmt.Errorf("a reference is up to 64 characters that can be seen, without spaces around them: %w", fault.Invalid)
	}
	if s.Name == "" || !sound(s.Name) {
		return nil, fmt.Errorf("a site has a name, without control characters: %w", fault.Invalid)
	}
	if s.Zone, err = site.Zone(in.Body.TimeZone); err != nil {
		return nil, fmt.Errorf("%w", err)
	}
	if in.Body.AccountManager != "" {
		manager, err := address.Email(in.Body.AccountManager)
		if err != nil {
			return nil, fmt.Errorf("account_manager is an email address, or absent: %w", fault.Invalid)
		}
		s.AccountManager = string(manager)
	}
	if !fresh {
		s.ID = at.ID
	}
	done, err := a.Setup.Describe(ctx, k.Actor(), s, fresh)
	if err != nil {
		return nil, fmt.Errorf("describe a site: %w", err)
	}
	out := &describedAnswer{}
	out.Body.Site, out.Body.Added, out.Body.Changed = siteOf(done.Site), done.Added, done.Changed
	return out, nil
}

// longestRef bounds a reference that is made here, in characters: as an import has it.
const longestRef = 64

// isReference says whether a text can be a reference of the host product.
func isReference(ref string) bool {
	return ref != "" && sound(ref) && len([]rune(ref)) <= longestRef && strings.TrimSpace(ref) == ref &&
		!strings.ContainsFunc(ref, func(c rune) bool { return !unicode.IsGraphic(c) })
}
