package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"keyturn/internal/apikey"
	"keyturn/internal/connect"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/limit"
)

const xeroPath = "/sites/{ref}/integrations/xero"

// ofSite is what a call about a site names. Others repeat its field: huma fills no field
// of an embedded type that is not exported.
type ofSite struct {
	Ref string `path:"ref" doc:"Your own reference of the site." example:"S01002"`
}

// reported is what the product says of a connection.
type reported struct {
	Ref  string `path:"ref" doc:"Your own reference of the site." example:"S01002"`
	Body struct {
		State string `json:"state" enum:"connected,disconnected" example:"connected" doc:"How the site stands with Xero, as you know it."`
		//nolint:lll // one field
		ConnectedAt  *time.Time `json:"connected_at,omitempty" example:"2026-03-12T01:30:00Z" doc:"When it was connected; needed with connected. From 2006 on, and at most five minutes ahead."`
		Organisation string     `json:"organisation,omitempty" maxLength:"200" example:"Bayside Auto Pty Ltd" doc:"The organisation at Xero."`
		By           string     `json:"by,omitempty" maxLength:"200" example:"Pat Ng" doc:"Who did it, as the site's people read it; the vendor unless given."`
	}
}

// Xero is how a site stands with Xero.
type Xero struct {
	//nolint:lll // one field
	State          string     `json:"state" enum:"connected,failing,disconnected,never" example:"connected" doc:"failing is connected still, and does not work just now."`
	ConnectedAt    *time.Time `json:"connected_at,omitempty" example:"2026-03-12T01:30:00Z" doc:"Since when; absent: longer than is known."`
	By             string     `json:"by,omitempty" example:"Pat Ng"`
	Organisation   string     `json:"organisation,omitempty" example:"Bayside Auto Pty Ltd"`
	DisconnectedAt *time.Time `json:"disconnected_at,omitempty" example:"2026-05-02T23:10:00Z" doc:"2FA stays required until an Admin lowers it, 7 days later or more."`
	Linked         bool       `json:"linked" example:"false" doc:"The site has a link of its own to Xero, made here."`
	Reported       bool       `json:"reported" example:"true" doc:"You say that the site is connected. It is while either is so."`
}

type xeroAnswer struct{ Body Xero }

type reportAnswer struct {
	Body struct {
		Xero
		Changed bool `json:"changed" example:"true" doc:"false: it was known, and nothing was done."`
	}
}

// Token is a key to the books of one organisation.
type Token struct {
	//nolint:lll // one field
	AccessToken    string    `json:"access_token" example:"eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl" doc:"For Authorization: Bearer at Xero's API. It opens what the person at Xero allowed, so always name the organisation."`
	TokenType      string    `json:"token_type" enum:"Bearer" example:"Bearer"`
	ExpiresAt      time.Time `json:"expires_at" example:"2026-03-12T02:00:00Z" doc:"Five minutes ahead, or more; less while it is being renewed or Xero is out of reach."`
	OrganisationID string    `json:"organisation_id" example:"5b96e86b-418e-48e8-8949-308c14aec278" doc:"Xero's id of the organisation, for its header Xero-Tenant-Id."`
}

type tokenAnswer struct{ Body Token }

func (a *API) integrations() {
	add(a, operation{scope: apikey.ReadIntegrations, Operation: huma.Operation{
		OperationID: "get-xero", Method: http.MethodGet, Path: xeroPath, Summary: "How a site stands with Xero", Tags: []string{"Integrations"},
	}}, a.xero)
	add(a, operation{scope: apikey.WriteIntegrations, Operation: huma.Operation{
		OperationID: "put-xero", Method: http.MethodPut, Path: xeroPath, Summary: "Report how a site stands with Xero", Tags: []string{"Integrations"},
		Description: "For a product that keeps the connection itself. The same report again does nothing. A disconnect ends no link that the site has " +
			"here, and lowers nothing: it starts the seven days after which an Admin may. The site's Admins are told.",
		Errors: []int{http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType},
	}}, a.report)
	add(a, operation{scope: apikey.XeroToken, Operation: huma.Operation{
		OperationID: "post-xero-token", Method: http.MethodPost, Path: xeroPath + "/token", Summary: "Fetch an access token for a site's books", Tags: []string{"Integrations"},
		Description: "For a site that is linked here. Every token is in the site's audit trail, with the key that fetched it. Refresh tokens are given to nobody. " +
			"409 has the code not_linked, connect_again or not_set_up.",
		Errors: []int{http.StatusConflict},
	}}, a.token)
}

func (a *API) xero(ctx context.Context, k apikey.Key, in *ofSite) (*xeroAnswer, error) {
	at, err := a.site(ctx, k, in.Ref)
	if err != nil {
		return nil, err
	}
	x, err := a.standing(ctx, at.ID)
	return &xeroAnswer{x}, err
}

func (a *API) standing(ctx context.Context, at id.Site) (Xero, error) {
	s, err := a.Connect.Status(ctx, a.DB, at)
	if err != nil {
		return Xero{}, err
	}
	x := Xero{State: "never", Linked: s.Link != nil, Reported: s.Reported}
	if c := s.Connection; c != nil {
		x.State, x.By, x.Organisation = string(c.State), c.By, c.Organisation
		x.ConnectedAt = moment(c.Since)
		if !s.Live() {
			x.DisconnectedAt = moment(c.DisconnectedAt)
		}
	}
	return x, nil
}

// moment is nil for the zero time.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (a *API) report(ctx context.Context, k apikey.Key, in *reported) (*reportAnswer, error) {
	at, err := a.site(ctx, k, in.Ref)
	if err != nil {
		return nil, err
	}
	b := in.Body
	if !sound(b.Organisation) || !sound(b.By) {
		return nil, fmt.Errorf("organisation and by are names, without control characters: %w", fault.Invalid)
	}
	r := connect.Report{Connected: b.State == "connected", Organisation: b.Organisation, By: b.By}
	if b.ConnectedAt != nil {
		r.Since = *b.ConnectedAt
	}
	if r.By == "" {
		r.By = a.Kit.VendorName()
	}
	out := &reportAnswer{}
	if out.Body.Changed, err = a.Connect.Report(ctx, k.Actor(), at.ID, r); err != nil {
		return nil, err
	}
	out.Body.Xero, err = a.standing(ctx, at.ID)
	return out, err
}

func (a *API) token(ctx context.Context, k apikey.Key, in *ofSite) (*tokenAnswer, error) {
	at, err := a.site(ctx, k, in.Ref)
	if err != nil {
		return nil, err
	}
	_, err = a.count(ctx, k, limit.Charge{Budget: limit.APITokens, Subject: string(k.ID) + "." + string(at.ID)})
	if err != nil {
		return nil, err
	}
	got, err := a.Connect.Access(ctx, k.Actor(), at.ID)
	if err != nil {
		return nil, err
	}
	if got.Refused != "" {
		return nil, noToken(got.Refused)
	}
	return &tokenAnswer{Token{
		AccessToken: got.Token.Reveal(), TokenType: "Bearer", ExpiresAt: got.Until, OrganisationID: got.Organisation,
	}}, nil
}

// noToken says why there is none.
func noToken(why connect.Refused) *Problem {
	switch why { //nolint:exhaustive // connect.Access gives no other
	case connect.NotSetUp:
		return coded(http.StatusConflict, "not_set_up", "Xero is not set up here: the vendor's app at Xero is missing from the settings.")
	case connect.NotAllowed:
		return coded(http.StatusConflict, "connect_again", "Xero does not let us in any more. An Admin of the site has to connect it again.")
	}
	return coded(http.StatusConflict, "not_linked", "The site has no link of its own to Xero.")
}
