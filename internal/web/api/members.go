package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"keyturn/internal/address"
	"keyturn/internal/apikey"
	"keyturn/internal/fault"
	"keyturn/internal/member"
	"keyturn/internal/policy"
	"keyturn/internal/site"
)

const usersPath = "/sites/{ref}/users"

// Member is a user's place in a site.
type Member struct {
	UserRef              string   `json:"user_ref" example:"U100007" doc:"Your own reference of the user in that site."`
	ID                   string   `json:"id" format:"uuid" example:"0192f3c4-6a2b-7d10-8c44-91b0d2e3f405" doc:"The user's, never reused: the subject of claims."`
	Email                string   `json:"email" example:"sam@cornergarage.example" doc:"The login name. Of users from an import it need not be an address."`
	FirstName            string   `json:"first_name" example:"Sam"`
	LastName             string   `json:"last_name" example:"Osei"`
	Mobile               string   `json:"mobile,omitempty" example:"+61 491 570 156"`
	Group                string   `json:"group" example:"Mechanic"`
	Kind                 string   `json:"kind" enum:"office,mobile" example:"office" doc:"mobile: uses the mobile app only, and is exempt from 2FA there."`
	Status               string   `json:"status" enum:"active,inactive,blocked" example:"active"`
	SalesDashboard       bool     `json:"sales_dashboard" example:"false"`
	BusinessIntelligence bool     `json:"business_intelligence" example:"false"`
	TwoFA                bool     `json:"twofa" example:"true" doc:"The member's own toggle. More may be required of them by the site and by Xero."`
	Permissions          []string `json:"permissions" nullable:"false" example:"[\"customers\",\"vehicles\",\"search\"]" doc:"Those of the group and the two toggles."`
	//nolint:lll // one field
	OnlyHere     bool           `json:"only_here" example:"true" doc:"false: a member elsewhere too, or the vendor's staff. Email, mobile and name are then the user's own to change."`
	Readiness    string         `json:"readiness" enum:"ready,will_manage,needs_help,exempt" example:"ready"`
	Methods      []MemberMethod `json:"methods" nullable:"false" doc:"How they can pass the second factor."`
	AccessUntil  *time.Time     `json:"access_until,omitempty" example:"2026-12-15T13:00:00Z" doc:"When an access with an end is over."`
	LastSignInAt *time.Time     `json:"last_sign_in_at,omitempty" example:"2026-05-02T23:10:00Z" doc:"At this site, in the last 90 days."`
	CreatedAt    time.Time      `json:"created_at" example:"2026-01-15T03:04:05Z"`
}

// MemberMethod is one way to pass the second factor.
type MemberMethod struct {
	Method string `json:"method" enum:"email,sms,totp,passkey,recovery" example:"email"`
	Proved bool   `json:"proved" example:"true" doc:"A code was typed back, or it was set up with success. Only proof makes it so."`
}

type memberAnswer struct {
	ETag string `header:"ETag" doc:"What a change is compared with: send it as If-Match."`
	Body Member
}

func memberOf(r member.Row) Member {
	f := r.Form()
	m := Member{
		UserRef: r.Member.UserRef, ID: string(r.User.ID), Email: f.Email, FirstName: f.First, LastName: f.Last, Mobile: f.Mobile,
		Group: string(f.Group), Kind: string(f.Kind), Status: string(f.Status), SalesDashboard: f.SalesDashboard,
		BusinessIntelligence: f.BusinessIntelligence, TwoFA: f.TwoFA, OnlyHere: !r.Elsewhere(), Readiness: string(r.Readiness.Mark),
		Permissions: each(r.Member.Permissions(), func(p site.Permission) string { return string(p) }),
		Methods:     []MemberMethod{}, AccessUntil: moment(r.Member.Until), LastSignInAt: moment(r.LastAt), CreatedAt: r.Member.CreatedAt,
	}
	for _, one := range r.Methods {
		m.Methods = append(m.Methods, MemberMethod{string(one.Kind), !one.ProvedAt.IsZero() && !one.Pending})
	}
	return m
}

// etag is the version of what of a member can be changed.
func etag(r member.Row) string {
	text, _ := json.Marshal([]any{r.User.ID, r.Form()}) // plain values always can be
	sum := sha256.Sum256(text)
	const bytes = 15
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:bytes]) + `"`
}

func shown(r member.Row) *memberAnswer { return &memberAnswer{ETag: etag(r), Body: memberOf(r)} }

// membersQuery chooses members of a site.
type membersQuery struct {
	Paged

	Ref    string `path:"ref" doc:"Your own reference of the site." example:"S01002"`
	Group  string `query:"group" maxLength:"40" doc:"Only those of a group." example:"Mechanic"`
	Kind   string `query:"kind" enum:"office,mobile" doc:"Only those of a kind." example:"office"`
	Status string `query:"status" enum:"active,inactive,blocked" doc:"Only those of a status." example:"active"`
	Email  string `query:"email" maxLength:"254" doc:"Only whoever signs in with this whole address." example:"sam@cornergarage.example"`
}

type memberList struct {
	Turned

	Body struct {
		Items []Member `json:"items" nullable:"false" doc:"By your references of them."`
		Next  string   `json:"next,omitempty" example:"WyJ1c2VycyIsIlUxMDAwMDciXQ" doc:"The cursor of the next page; absent on the last."`
	}
}

func (a *API) members() {
	add(a, operation{scope: apikey.ReadUsers, Operation: huma.Operation{
		OperationID: "list-users", Method: http.MethodGet, Path: usersPath, Summary: "The members of a site", Tags: []string{"Users"},
		Errors: []int{http.StatusUnprocessableEntity},
	}}, a.listMembers)
	add(a, operation{scope: apikey.ReadUsers, Operation: huma.Operation{
		OperationID: "get-user", Method: http.MethodGet, Path: usersPath + "/{user_ref}", Summary: "One member", Tags: []string{"Users"},
	}}, a.getMember)
}

func (a *API) listMembers(ctx context.Context, k apikey.Key, in *membersQuery) (*memberList, error) {
	at, err := a.site(ctx, k, in.Ref)
	if err != nil {
		return nil, err
	}
	after, err := in.after("users", 1)
	if err != nil {
		return nil, err
	}
	q := member.ByRefs{
		After: after[0], Limit: in.Limit + 1, Group: policy.Group(in.Group), Kind: policy.Kind(in.Kind), Status: policy.Status(in.Status),
	}
	if !sound(in.Group) || !sound(in.Email) {
		return nil, fmt.Errorf("group and email are text without control characters: %w", fault.Invalid)
	}
	if in.Email != "" {
		login, err := address.Login(in.Email)
		if err != nil {
			return nil, fmt.Errorf("email is a whole login name: %w", fault.Invalid)
		}
		q.Email = string(login)
	}
	all, err := a.Members.ListByRef(ctx, at.ID, q)
	if err != nil {
		return nil, err
	}
	out := &memberList{}
	filters := url.Values{"group": {in.Group}, "kind": {in.Kind}, "status": {in.Status}, "email": {in.Email}}
	all, out.Body.Next, out.Turned = page(a, in.Paged, "users", "/sites/"+url.PathEscape(at.Ref)+"/users", filters, all,
		func(r member.Row) []string { return []string{r.Member.UserRef} })
	out.Body.Items = each(all, memberOf)
	return out, nil
}

func (a *API) getMember(ctx context.Context, k apikey.Key, in *ofMember) (*memberAnswer, error) {
	_, row, err := a.see(ctx, k, in.Ref, in.UserRef)
	if err != nil {
		return nil, err
	}
	return shown(row), nil
}

// see finds a member of a site by the product's own reference, whatever their status.
func (a *API) see(ctx context.Context, k apikey.Key, ref, userRef string) (at site.Site, row member.Row, err error) {
	if at, err = a.site(ctx, k, ref); err != nil {
		return at, row, err
	}
	m, err := a.membership(ctx, at, userRef)
	if err != nil {
		return at, row, err
	}
	row, err = a.Members.See(ctx, at.ID, m.User)
	return at, row, err
}

// membership is a place in a site, by the product's own reference.
func (a *API) membership(ctx context.Context, at site.Site, userRef string) (site.Membership, error) {
	if !sound(userRef) {
		return site.Membership{}, fmt.Errorf("a member: %w", fault.NotFound)
	}
	m, err := site.MembershipByRef(ctx, a.DB, at.ID, userRef)
	if err != nil {
		return m, fmt.Errorf("find a member: %w", err)
	}
	return m, nil
}
