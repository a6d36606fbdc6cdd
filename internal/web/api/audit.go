package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"keyturn/internal/apikey"
	"keyturn/internal/audit"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

// Event is one entry of a site's audit trail.
type Event struct {
	ID       string            `json:"id" format:"uuid" example:"0192f3c4-9d5e-7a43-8f77-24e3a5b6c738"`
	At       time.Time         `json:"at" example:"2026-03-12T01:30:00Z"`
	Kind     string            `json:"kind" example:"membership.changed" doc:"A word that is never renamed. There will be more of them."`
	Actor    Actor             `json:"actor"`
	UserID   string            `json:"user_id,omitempty" example:"0192f3c4-6a2b-7d10-8c44-91b0d2e3f405" doc:"Whom it is about; absent: the site as a whole."`
	UserRef  string            `json:"user_ref,omitempty" example:"U100007" doc:"Your own reference of them, while they are a member."`
	Facts    map[string]string `json:"facts" example:"{\"group\":\"Sales\",\"group_was\":\"Mechanic\"}" doc:"Never personal."`
	Personal map[string]string `json:"personal" example:"{\"name\":\"Sam Osei\"}" doc:"Addresses, numbers and names, of people who were not forgotten."`
}

// Actor is who did it.
type Actor struct {
	Kind    string `json:"kind" enum:"user,staff,system,command,client" example:"client" doc:"client is a program, by the id of its key."`
	ID      string `json:"id" example:"0192f3c4-ae6f-7b54-9a88-35f4b6c7d849"`
	UserRef string `json:"user_ref,omitempty" example:"U100001"`
	Network string `json:"network,omitempty" example:"203.0.113.7"`
	Agent   string `json:"agent,omitempty" example:"Chrome on Windows"`
}

type auditQuery struct {
	Paged

	Ref     string    `path:"ref" doc:"Your own reference of the site." example:"S01002"`
	From    time.Time `query:"from" doc:"Only events from then on." example:"2026-03-01T00:00:00Z"`
	Until   time.Time `query:"until" doc:"Only events before then." example:"2026-04-01T00:00:00Z"`
	Kind    string    `query:"kind" maxLength:"60" doc:"Only those of a kind." example:"membership.changed"`
	UserRef string    `query:"user_ref" maxLength:"200" doc:"Only those about a member." example:"U100007"`
}

type auditList struct {
	Turned

	Body struct {
		Items []Event `json:"items" nullable:"false" doc:"The newest first."`
		Next  string  `json:"next,omitempty" example:"WyJhdWRpdCIsIjQyIl0" doc:"The cursor of the next page; absent on the last."`
	}
}

func (a *API) audit() {
	add(a, operation{scope: apikey.ReadAudit, Operation: huma.Operation{
		OperationID: "list-audit", Method: http.MethodGet, Path: "/sites/{ref}/audit", Summary: "A site's audit trail", Tags: []string{"Audit"},
		Description: "To check a copy offline, take one in Settings › Audit or with keyturn audit export: this is for reading along.",
		Errors:      []int{http.StatusUnprocessableEntity},
	}}, a.trail)
}

func (a *API) trail(ctx context.Context, k apikey.Key, in *auditQuery) (*auditList, error) {
	at, err := a.site(ctx, k, in.Ref)
	if err != nil {
		return nil, err
	}
	after, err := in.after("audit", 1)
	if err != nil {
		return nil, err
	}
	f := audit.Filter{Site: at.ID, Kind: audit.Kind(in.Kind), From: in.From, Until: in.Until}
	if !sound(in.Kind) {
		return nil, fmt.Errorf("kind is a word of the trail: %w", fault.Invalid)
	}
	if in.UserRef != "" {
		m, err := a.membership(ctx, at, in.UserRef)
		if err != nil {
			return nil, err
		}
		f.User = m.User
	}
	if f.Before.Seq, err = number(after[0]); err != nil {
		return nil, err
	}
	all, err := audit.List(ctx, a.DB, f, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &auditList{}
	if err := a.more(ctx, f, in, all, out); err != nil {
		return nil, err
	}
	refs, err := a.refsOf(ctx, at.ID, people(all))
	if err != nil {
		return nil, err
	}
	out.Body.Items = each(all, func(e audit.Entry) Event { return eventOf(e, refs) })
	return out, nil
}

// more looks whether there is another page: a list of the trail has 200 at most.
func (a *API) more(ctx context.Context, f audit.Filter, in *auditQuery, all []audit.Entry, out *auditList) error {
	if len(all) < in.Limit {
		return nil
	}
	f.Before = all[len(all)-1].Place
	next, err := audit.List(ctx, a.DB, f, 1)
	if err != nil || len(next) == 0 {
		return err
	}
	filters := url.Values{"kind": {in.Kind}, "user_ref": {in.UserRef}}
	for name, t := range map[string]time.Time{"from": in.From, "until": in.Until} {
		if !t.IsZero() {
			filters.Set(name, t.Format(time.RFC3339Nano))
		}
	}
	path := "/sites/" + url.PathEscape(in.Ref) + "/audit"
	_, out.Body.Next, out.Turned = page(a, in.Paged, "audit", path, filters, append(all, next...),
		func(e audit.Entry) []string { return []string{strconv.FormatInt(e.Seq, 10)} })
	return nil
}

// people are whom events are about, and who did them.
func people(all []audit.Entry) (who []id.User) {
	for _, e := range all {
		who = append(who, e.User)
		if e.Actor.Kind == audit.ActorUser {
			who = append(who, id.User(e.Actor.ID))
		}
	}
	return who
}

func eventOf(e audit.Entry, refs map[id.User]string) Event {
	out := Event{
		ID: string(e.ID), At: e.At, Kind: string(e.Kind), UserID: string(e.User), UserRef: refs[e.User], Facts: e.Facts, Personal: e.Personal,
		Actor: Actor{Kind: string(e.Actor.Kind), ID: e.Actor.ID, Network: e.Actor.Network, Agent: e.Actor.Agent},
	}
	if e.Actor.Kind == audit.ActorUser {
		out.Actor.UserRef = refs[id.User(e.Actor.ID)]
	}
	if out.Facts == nil {
		out.Facts = map[string]string{}
	}
	if out.Personal == nil {
		out.Personal = map[string]string{}
	}
	return out
}
