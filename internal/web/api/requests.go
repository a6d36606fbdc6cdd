package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"keyturn/internal/address"
	"keyturn/internal/apikey"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/policy"
	"keyturn/internal/request"
	"keyturn/internal/site"
)

const requestsPath = "/sites/{ref}/requests"

// Request is a site's request to its account manager for a user.
type Request struct {
	ID string `json:"id" format:"uuid" example:"0192f3c4-8c4d-7f32-8e66-13d2f4a5b627"`
	//nolint:lll // one field
	State     string     `json:"state" enum:"asked,approved_once,approved,accepted,declined,withdrawn,expired" example:"asked" doc:"approved_once waits for a second member of staff; approved for the person, who is invited."`
	Email     string     `json:"email" example:"kim@cornergarage.example" doc:"Empty, like the names, of somebody who was forgotten."`
	FirstName string     `json:"first_name" example:"Kim"`
	LastName  string     `json:"last_name" example:"Osei"`
	Mobile    string     `json:"mobile,omitempty" example:"+61491570156"`
	Group     string     `json:"group" example:"Sales"`
	Kind      string     `json:"kind" enum:"office,mobile" example:"office"`
	LastDay   string     `json:"last_day,omitempty" format:"date" example:"2026-12-14" doc:"The last day of the access, at the site; absent: it has no end."`
	AskedBy   string     `json:"asked_by,omitempty" example:"U100001" doc:"Your own reference of the Admin who asked, while they are a member."`
	AskedAt   time.Time  `json:"asked_at" example:"2026-03-12T01:30:00Z"`
	DecidedAt *time.Time `json:"decided_at,omitempty" example:"2026-03-12T03:00:00Z"`
	Reason    string     `json:"reason,omitempty" example:"Please use an address of her own." doc:"Why it was declined."`
	ExpiresAt time.Time  `json:"expires_at" example:"2026-03-19T03:00:00Z" doc:"When it ends by itself."`
	EndedAt   *time.Time `json:"ended_at,omitempty" example:"2026-03-14T22:10:00Z"`
}

type requestAnswer struct{ Body Request }

type requestsQuery struct {
	Paged

	Ref string `path:"ref" doc:"Your own reference of the site." example:"S01002"`
}

type requestList struct {
	Turned

	Body struct {
		Items []Request `json:"items" nullable:"false" doc:"The newest first."`
		Next  string    `json:"next,omitempty" example:"WyJyZXF1ZXN0cyIsIjE3NzMyNzkwMDAwMDAwMDAiLCIwMTkyIl0" doc:"The cursor of the next page; absent on the last."`
	}
}

type ofRequest struct {
	Ref     string `path:"ref" doc:"Your own reference of the site." example:"S01002"`
	Request string `path:"request" doc:"The id of the request." example:"0192f3c4-8c4d-7f32-8e66-13d2f4a5b627"`
}

type newRequest struct {
	Named

	Ref  string `path:"ref" doc:"Your own reference of the site." example:"S01002"`
	Body struct {
		AskedBy   string `json:"asked_by" minLength:"1" maxLength:"64" example:"U100001" doc:"Your own reference of the Admin who asks: active, in the office."`
		Email     string `json:"email" maxLength:"254" example:"kim@cornergarage.example"`
		FirstName string `json:"first_name,omitempty" maxLength:"60" example:"Kim"`
		LastName  string `json:"last_name,omitempty" maxLength:"60" example:"Osei"`
		Mobile    string `json:"mobile,omitempty" maxLength:"40" example:"0491 570 156"`
		Group     string `json:"group" enum:"Admin,Owner,Manager,User,Invoice & Payment Only,Pay Only,Invoice Only,Mechanic,Sales" example:"Sales"`
		Kind      string `json:"kind" enum:"office,mobile" example:"office"`
		LastDay   string `json:"last_day,omitempty" format:"date" example:"2026-12-14" doc:"The last day of the access, at the site; absent: it has no end."`
		Sure      bool   `json:"sure,omitempty" example:"false" doc:"Take the address although it is doubtful."`
	}
}

// Asked is a request that was made. It holds nothing personal, because it is kept for a day.
type Asked struct {
	ID    string `json:"id" format:"uuid" example:"0192f3c4-8c4d-7f32-8e66-13d2f4a5b627"`
	State string `json:"state" enum:"asked" example:"asked"`
}

type askedAnswer struct{ Body Asked }

func (a *API) requests() {
	add(a, operation{scope: apikey.ReadRequests, Operation: huma.Operation{
		OperationID: "list-requests", Method: http.MethodGet, Path: requestsPath, Summary: "A site's requests for users", Tags: []string{"Requests"},
		Errors: []int{http.StatusUnprocessableEntity},
	}}, a.listRequests)
	add(a, operation{scope: apikey.ReadRequests, Operation: huma.Operation{
		OperationID: "get-request", Method: http.MethodGet, Path: requestsPath + "/{request}", Summary: "One request", Tags: []string{"Requests"},
	}}, a.getRequest)
	add(a, operation{scope: apikey.WriteRequests, Operation: huma.Operation{
		OperationID: "add-request", Method: http.MethodPost, Path: requestsPath, Summary: "Ask the account manager for a user", Tags: []string{"Requests"},
		DefaultStatus: http.StatusCreated,
		Description: "In the name of one of the site's Admins, who presses the button in your product. Staff approve or decline it, an Admin by two of them, and the person accepts " +
			"an invitation. Whether the address is held elsewhere makes no difference to the answer. Codes of 409: already, member, too_many, asker_gone, doubtful.",
		Errors: bodyErrors,
	}}, a.addRequest)
}

// refsOf are the product's own references of some users of a site; who is no member any
// more has none.
func (a *API) refsOf(ctx context.Context, at id.Site, who []id.User) (map[id.User]string, error) {
	who = slices.DeleteFunc(slices.Clone(who), func(u id.User) bool { return u == "" })
	slices.Sort(who)
	all, err := site.MembershipsOfAll(ctx, a.DB, slices.Compact(who))
	if err != nil {
		return nil, fmt.Errorf("read references: %w", err)
	}
	refs := map[id.User]string{}
	for u, memberships := range all {
		for _, m := range memberships {
			if m.Site == at {
				refs[u] = m.UserRef
			}
		}
	}
	return refs, nil
}

func (a *API) requestsOf(ctx context.Context, at site.Site, all []request.Request) ([]Request, error) {
	refs, err := a.refsOf(ctx, at.ID, each(all, func(r request.Request) id.User { return r.AskedBy }))
	if err != nil {
		return nil, err
	}
	return each(all, func(r request.Request) Request {
		out := Request{
			ID: string(r.ID), State: string(r.State), Email: string(r.Email), FirstName: r.FirstName, LastName: r.LastName, Mobile: r.Mobile,
			Group: string(r.Group), Kind: string(r.Kind), AskedBy: refs[r.AskedBy], AskedAt: r.AskedAt, DecidedAt: moment(r.DecidedAt),
			Reason: r.Reason, ExpiresAt: r.ExpiresAt, EndedAt: moment(r.EndedAt),
		}
		if !r.Until.IsZero() {
			out.LastDay = site.LastDay(r.Until, at.Zone).Format(time.DateOnly)
		}
		return out
	}), nil
}

func (a *API) listRequests(ctx context.Context, k apikey.Key, in *requestsQuery) (*requestList, error) {
	at, err := a.site(ctx, k, in.Ref)
	if err != nil {
		return nil, err
	}
	const parts = 2
	after, err := in.after("requests", parts)
	if err != nil {
		return nil, err
	}
	from := request.Place{ID: id.Request(after[1])}
	if n, err := number(after[0]); err != nil {
		return nil, err
	} else if n > 0 {
		from.AskedAt = time.UnixMicro(n)
	}
	all, err := request.Page(ctx, a.DB, at.ID, from, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &requestList{}
	all, out.Body.Next, out.Turned = page(a, in.Paged, "requests", "/sites/"+url.PathEscape(at.Ref)+"/requests", nil, all,
		func(r request.Request) []string { return []string{micros(r.AskedAt), string(r.ID)} })
	out.Body.Items, err = a.requestsOf(ctx, at, all)
	return out, err
}

func (a *API) getRequest(ctx context.Context, k apikey.Key, in *ofRequest) (*requestAnswer, error) {
	at, err := a.site(ctx, k, in.Ref)
	if err != nil {
		return nil, err
	}
	which, err := id.Parse[id.Request](in.Request)
	if err != nil {
		return nil, fmt.Errorf("a request: %w", err)
	}
	r, err := a.Requests.ByID(ctx, at.ID, which)
	if err != nil {
		return nil, err
	}
	all, err := a.requestsOf(ctx, at, []request.Request{r})
	if err != nil {
		return nil, err
	}
	return &requestAnswer{all[0]}, nil
}

func (a *API) addRequest(ctx context.Context, k apikey.Key, in *newRequest) (*askedAnswer, error) {
	at, err := a.site(ctx, k, in.Ref)
	if err != nil {
		return nil, err
	}
	call, err := in.call(k, "add-request", at.Ref, in.Body)
	if err != nil {
		return nil, err
	}
	b := in.Body
	asker, err := a.membership(ctx, at, b.AskedBy)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return nil, err
	}
	body, err := doOnce(ctx, a, call, func(tx *db.Tx) (Asked, *Problem, error) {
		got, err := a.Requests.AskFor(ctx, tx, a.program(k, apikey.WriteRequests, at), asker.User, request.Form{
			FirstName: b.FirstName, LastName: b.LastName, Email: b.Email, Mobile: b.Mobile, Group: policy.Group(b.Group), Kind: policy.Kind(b.Kind),
			LastDay: b.LastDay, Sure: b.Sure,
		})
		if err != nil {
			return Asked{}, nil, err
		}
		return Asked{ID: string(got.Request), State: string(request.Asked)}, notAsked(got), nil
	})
	if errors.Is(err, fault.Conflict) { // of two at once, the unique index lets one through
		return nil, notAsked(request.Answer{Refused: request.Already})
	}
	return &askedAnswer{body}, err
}

// wrongAsked are the words for what is wrong with a field of a request.
var wrongAsked = map[request.Field]Wrong{
	request.NoName:       {"body.first_name", "a first or last name, in one line that can be read"},
	request.BadEmail:     {"body.email", "an email address"},
	request.BadMobile:    {"body.mobile", "a mobile number that codes can go to, or none"},
	request.NoGroup:      {"body.group", "one of the groups"},
	request.MobileAdmin:  {"body.kind", "office, for an Admin"},
	request.BadDay:       {"body.last_day", "a day to come, within a year"},
	request.EndlessAdmin: {"body.last_day", "none, for an Admin"},
}

// notAsked is why a request was not made; nil if it was.
func notAsked(got request.Answer) *Problem {
	switch {
	case got.Made():
		return nil
	case len(got.Wrong) > 0:
		p := problem(http.StatusUnprocessableEntity, "Some of it cannot be used.")
		p.Errors = each(got.Wrong, func(f request.Field) Wrong { return wrongAsked[f] })
		return p
	case got.Refused == request.Already:
		return coded(http.StatusConflict, "already", "There is an open request for this address at the site.")
	case got.Refused == request.Member:
		return coded(http.StatusConflict, "member", "The address is that of a member of the site.")
	case got.Refused == request.TooMany:
		return coded(http.StatusConflict, "too_many", "The site has as many open requests as it may.")
	case got.Refused == request.AskerGone:
		return coded(http.StatusConflict, "asker_gone", "asked_by is no active Admin of the site's office.")
	}
	p := coded(http.StatusConflict, "doubtful", "The address is allowed and probably not meant; see doubts. Send it again with \"sure\": true to have it all the same.")
	if got.Meant != "" {
		p.Doubts = append(p.Doubts, "slip")
	}
	p.Doubts = append(p.Doubts, each(got.Doubts, func(s address.Suspicion) string { return string(s) })...)
	return p
}
