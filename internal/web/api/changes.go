package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"keyturn/internal/apikey"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/member"
	"keyturn/internal/policy"
	"keyturn/internal/site"
)

// newMember is somebody new.
type newMember struct {
	Named

	Ref  string `path:"ref" doc:"Your own reference of the site." example:"S01002"`
	Body struct {
		UserRef              string `json:"user_ref" minLength:"1" maxLength:"64" example:"U100042" doc:"Your own reference of the user in that site."`
		Email                string `json:"email" maxLength:"254" example:"kim@cornergarage.example" doc:"An address that nobody signs in with."`
		FirstName            string `json:"first_name,omitempty" maxLength:"60" example:"Kim"`
		LastName             string `json:"last_name,omitempty" maxLength:"60" example:"Osei"`
		Mobile               string `json:"mobile,omitempty" maxLength:"40" example:"0491 570 156"`
		Group                string `json:"group" enum:"Admin,Owner,Manager,User,Invoice & Payment Only,Pay Only,Invoice Only,Mechanic,Sales" example:"Mechanic"`
		Kind                 string `json:"kind" enum:"office,mobile" example:"office"`
		SalesDashboard       bool   `json:"sales_dashboard,omitempty" example:"false"`
		BusinessIntelligence bool   `json:"business_intelligence,omitempty" example:"false"`
		Sure                 bool   `json:"sure,omitempty" example:"false" doc:"Take the address although it is doubtful."`
	}
}

// Added is who was added. It holds nothing personal, because it is kept for a day.
type Added struct {
	UserRef string `json:"user_ref" example:"U100042"`
	ID      string `json:"id" format:"uuid" example:"0192f3c4-7b3c-7e21-9d55-02c1e3f4a516"`
	State   string `json:"state" enum:"invited" example:"invited" doc:"The link for a first password is on its way to the address."`
}

type addedAnswer struct{ Body Added }

// changed is what a member is to be. What is absent stays.
type changed struct {
	Ref     string `path:"ref" doc:"Your own reference of the site." example:"S01002"`
	UserRef string `path:"user_ref" doc:"Your own reference of the user in that site." example:"U100007"`
	Match   string `header:"If-Match" maxLength:"100" doc:"The ETag of what you have read; needed." example:"\"h1vJq0Zx8rJmW2T4bC9d\""`
	Body    struct {
		Email                *string `json:"email,omitempty" maxLength:"254" example:"sam@cornergarage.example"`
		Mobile               *string `json:"mobile,omitempty" maxLength:"40" example:"0491 570 156" doc:"Empty takes it away."`
		FirstName            *string `json:"first_name,omitempty" maxLength:"60" example:"Sam"`
		LastName             *string `json:"last_name,omitempty" maxLength:"60" example:"Osei"`
		Group                *string `json:"group,omitempty" enum:"Admin,Owner,Manager,User,Invoice & Payment Only,Pay Only,Invoice Only,Mechanic,Sales" example:"Sales"`
		Kind                 *string `json:"kind,omitempty" enum:"office,mobile" example:"office"`
		Status               *string `json:"status,omitempty" enum:"active,inactive,blocked" example:"active"`
		SalesDashboard       *bool   `json:"sales_dashboard,omitempty" example:"true"`
		BusinessIntelligence *bool   `json:"business_intelligence,omitempty" example:"false"`
		TwoFA                *bool   `json:"twofa,omitempty" example:"true" doc:"A program switches it on, and never off."`
		//nolint:lll // one field
		SamePerson bool `json:"same_person,omitempty" example:"true" doc:"Needed where name and email change: it is still the same person. Somebody else gets a place of their own: say that this one has left, and add the other."`
		Sure       bool `json:"sure,omitempty" example:"false" doc:"Save it although it is doubtful."`
	}
}

// hasLeft says that a member has left.
type hasLeft struct {
	Named

	Ref     string `path:"ref" doc:"Your own reference of the site." example:"S01002"`
	UserRef string `path:"user_ref" doc:"Your own reference of the user in that site." example:"U100007"`
}

// Left is a member who has left.
type Left struct {
	UserRef string `json:"user_ref" example:"U100007"`
	Status  string `json:"status" enum:"inactive" example:"inactive"`
}

type leftAnswer struct{ Body Left }

func (a *API) changes() {
	add(a, operation{scope: apikey.WriteUsers, Operation: huma.Operation{
		OperationID: "add-user", Method: http.MethodPost, Path: usersPath, Summary: "Add somebody new", Tags: []string{"Users"}, DefaultStatus: http.StatusCreated,
		Description: "They get a link for a first password; address and mobile are linked, and proved by the first code that is typed back. People are never merged: " +
			"somebody who signs in here already is asked for with a request, and accepts it themselves. An Admin is asked for with a request too, but for the very first member of a site.",
		Errors: bodyErrors,
	}}, a.addMember)
	add(a, operation{scope: apikey.WriteUsers, Operation: huma.Operation{
		OperationID: "change-user", Method: http.MethodPatch, Path: usersPath + "/{user_ref}", Summary: "Change a member", Tags: []string{"Users"},
		Description: "By the rules of User Setup: what an Admin may not do there, no program does here, and Admins are left to Admins. A new email is the only login name at once; " +
			"the old address can undo it for 7 days. What is proved is only ever proved by a code. " +
			"412: it was changed meanwhile; 428: If-Match is missing.",
		Errors: append([]int{http.StatusPreconditionFailed, http.StatusPreconditionRequired}, bodyErrors...),
	}}, a.changeMember)
	add(a, operation{scope: apikey.WriteUsers, Operation: huma.Operation{
		OperationID: "end-user", Method: http.MethodPost, Path: usersPath + "/{user_ref}/left", Summary: "Say that a member has left", Tags: []string{"Users"},
		Description: "Everything of theirs at the site is dead within five seconds; where they are active nowhere else, everywhere. The site's Admins are told.",
		Errors:      []int{http.StatusConflict, http.StatusUnprocessableEntity},
	}}, a.endMember)
}

// program is the caller at a site, for changes of its members.
func (a *API) program(k apikey.Key, s apikey.Scope, at site.Site) authority.Bearer {
	return authority.ByKey(k, s, at.ID, a.Kit.VendorName())
}

func (a *API) addMember(ctx context.Context, k apikey.Key, in *newMember) (*addedAnswer, error) {
	at, err := a.site(ctx, k, in.Ref)
	if err != nil {
		return nil, err
	}
	call, err := in.call(k, "add-user", at.Ref, in.Body)
	if err != nil {
		return nil, err
	}
	b, dead := in.Body, a.Members.Dead(ctx, in.Body.Email) // slow: nothing is open
	body, err := doOnce(ctx, a, call, func(tx *db.Tx) (Added, *Problem, error) {
		got, err := a.Members.AddIn(ctx, tx, a.program(k, apikey.WriteUsers, at), member.New{
			UserRef: b.UserRef, Email: b.Email, Mobile: b.Mobile, First: b.FirstName, Last: b.LastName, Group: policy.Group(b.Group),
			Kind: policy.Kind(b.Kind), SalesDashboard: b.SalesDashboard, BusinessIntelligence: b.BusinessIntelligence, Sure: b.Sure,
		}, dead)
		if err != nil || got.Refused != "" {
			return Added{}, refusal{why: got.Refused, words: got.Why, doubts: got.Doubts, wait: got.Retry.Sub(tx.Now)}.problem(), err
		}
		return Added{UserRef: b.UserRef, ID: string(got.User), State: "invited"}, nil, nil
	})
	return &addedAnswer{body}, err
}

func (a *API) endMember(ctx context.Context, k apikey.Key, in *hasLeft) (*leftAnswer, error) {
	at, err := a.site(ctx, k, in.Ref)
	if err != nil {
		return nil, err
	}
	m, err := a.membership(ctx, at, in.UserRef)
	if err != nil {
		return nil, err
	}
	call, err := in.call(k, "end-user", at.Ref, in.UserRef)
	if err != nil {
		return nil, err
	}
	body, err := doOnce(ctx, a, call, func(tx *db.Tx) (Left, *Problem, error) {
		refused, err := a.Members.LeftIn(ctx, tx, a.program(k, apikey.WriteUsers, at), m.User)
		return Left{UserRef: m.UserRef, Status: string(policy.Inactive)}, refusal{why: refused}.problem(), err
	})
	return &leftAnswer{body}, err
}

func (a *API) changeMember(ctx context.Context, k apikey.Key, in *changed) (*memberAnswer, error) {
	at, row, err := a.see(ctx, k, in.Ref, in.UserRef)
	if err != nil {
		return nil, err
	}
	switch in.Match {
	case etag(row):
	case "":
		return nil, problem(http.StatusPreconditionRequired, "Send the ETag of what you have read as If-Match.")
	default:
		return nil, refusal{why: member.Changed}.problem()
	}
	typed := member.Typed{Was: row.Form(), Now: in.form(row.Form())}
	if in.Body.SamePerson {
		typed.Person = member.Same
	}
	by := a.program(k, apikey.WriteUsers, at)
	saved, err := a.Members.Save(ctx, by, row.User.ID, typed)
	if err == nil && saved.Refused == member.Doubtful && in.Body.Sure {
		typed.Sure = saved.Sure
		saved, err = a.Members.Save(ctx, by, row.User.ID, typed)
	}
	if err != nil {
		return nil, err
	}
	no := refusal{why: saved.Refused, words: saved.Why, doubts: saved.Doubts, wait: a.until(saved.Retry)}
	if p := no.problem(); p != nil {
		return nil, p
	}
	if row, err = a.Members.See(ctx, at.ID, row.User.ID); err != nil {
		return nil, err
	}
	return shown(row), nil
}

func (a *API) until(t time.Time) time.Duration { return t.Sub(a.DB.Clock.Now()) }

// form is what a member's form becomes.
func (in *changed) form(f member.Form) member.Form {
	b := in.Body
	take(&f.Email, b.Email)
	take(&f.Mobile, b.Mobile)
	take(&f.First, b.FirstName)
	take(&f.Last, b.LastName)
	take(&f.Group, b.Group)
	take(&f.Kind, b.Kind)
	take(&f.Status, b.Status)
	for to, from := range map[*bool]*bool{
		&f.SalesDashboard: b.SalesDashboard, &f.BusinessIntelligence: b.BusinessIntelligence, &f.TwoFA: b.TwoFA,
	} {
		if from != nil {
			*to = *from
		}
	}
	return f
}

func take[T ~string](to *T, from *string) {
	if from != nil {
		*to = T(*from)
	}
}
