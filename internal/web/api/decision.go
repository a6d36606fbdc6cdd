package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"keyturn/internal/address"
	"keyturn/internal/apikey"
	"keyturn/internal/id"
	"keyturn/internal/method"
	"keyturn/internal/phone"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
	"keyturn/internal/web/reason"
)

// decisionQuery is a sign-in that is asked about.
type decisionQuery struct {
	Ref     string `path:"ref" doc:"Your own reference of the site." example:"S01002"`
	UserRef string `path:"user_ref" doc:"Your own reference of the user in that site." example:"U100007"`
	Body    struct {
		App string `json:"app" enum:"web,mobile" example:"web" doc:"Which of your applications they would sign in to."`
		ACR int    `json:"acr,omitempty" minimum:"1" maximum:"4" example:"2" doc:"The level that the application would ask for, as in urn:keyturn:2; absent: none."`
	}
}

// Decision is what a fresh sign-in with the right password would get now.
type Decision struct {
	Outcome string `json:"outcome" enum:"allow,nudge,ask,enrol,refuse" example:"ask" doc:"enrol: they have no way that works, and somebody has to help; refuse: not here."`
	Asked   bool   `json:"asked" example:"true" doc:"A second factor would be asked for."`
	Why     []Why  `json:"why" nullable:"false" doc:"What led to it, in the order of the rules."`
	Ways    []Way  `json:"ways" nullable:"false" doc:"What they could pass it with, the one to begin with first."`
	//nolint:lll // one field
	Until *time.Time `json:"until,omitempty" example:"2026-06-02T18:00:00Z" doc:"The next moment at which the answer could change by time alone. Facts may change at any: keep it for seconds."`
}

// Why is one reason.
type Why struct {
	Key      string `json:"key" example:"xero_connected" doc:"A stable word."`
	Sentence string `json:"sentence" example:"The site is connected to Xero." doc:"Empty for a reason that has no words here."`
}

// Way is one way to pass.
type Way struct {
	Method string `json:"method" enum:"email,sms,totp,passkey,recovery" example:"email"`
	Masked string `json:"masked,omitempty" example:"s••@cornergarage.example" doc:"Where a code would go."`
	Proved bool   `json:"proved" example:"true" doc:"false: the first code that is typed back proves it."`
}

type decisionAnswer struct{ Body Decision }

func (a *API) decision() {
	add(a, operation{scope: apikey.AskDecision, Operation: huma.Operation{
		OperationID: "ask-decision", Method: http.MethodPost, Path: usersPath + "/{user_ref}/decision", Summary: "Would this member be asked, and why", Tags: []string{"Decision"},
		Description: "For versions of your application that cannot send people here yet. It is the decision that the sign-in itself would make of somebody on a device that is not remembered. " +
			"It lets nobody in, sends nothing and changes nothing, and may be asked as often as you like: nobody has passed anything by it.",
		Errors: []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType},
	}}, a.decide)
}

func (a *API) decide(ctx context.Context, k apikey.Key, in *decisionQuery) (*decisionAnswer, error) {
	at, err := a.site(ctx, k, in.Ref)
	if err != nil {
		return nil, err
	}
	m, err := a.membership(ctx, at, in.UserRef)
	if err != nil {
		return nil, err
	}
	who, err := user.ByID(ctx, a.DB, m.User)
	if err != nil {
		return nil, fmt.Errorf("find a user: %w", err)
	}
	now := a.DB.Clock.Now()
	client := policy.Client{Kind: policy.ClientKind(in.Body.App), ACR: in.Body.ACR}
	facts, err := a.Ready.Standing.Of(ctx, a.DB, now, standing.Asker{User: who, Sites: []id.Site{at.ID}, Client: client})
	if err != nil {
		return nil, fmt.Errorf("read the facts of a sign-in: %w", err)
	}
	d := policy.Decide(facts, now)
	out := Decision{
		Outcome: d.Outcome.String(), Asked: d.Outcome == policy.Ask || d.Outcome == policy.Enrol, Until: moment(d.ValidUntil), Why: whyOf(d, at, now),
	}
	out.Ways, err = a.waysOf(ctx, who.ID, d)
	return &decisionAnswer{out}, err
}

func whyOf(d policy.Decision, at site.Site, now time.Time) []Why {
	return each(d.Reasons, func(r policy.Reason) Why {
		return Why{string(r.Key), reason.Reader{Zone: at.Zone, Now: now, By: r.By}.Sentence(r)}
	})
}

// waysOf are the methods that a decision offers, its default first.
func (a *API) waysOf(ctx context.Context, who id.User, d policy.Decision) ([]Way, error) {
	all, err := method.Of(ctx, a.DB, who)
	if err != nil {
		return nil, fmt.Errorf("read methods: %w", err)
	}
	at := map[string]string{}
	for _, m := range all {
		switch m.Kind {
		case policy.Email:
			at[string(m.ID)] = address.Mask(address.Canonical(m.Address))
		case policy.SMS:
			at[string(m.ID)] = phone.Mask(m.Address)
		case policy.TOTP, policy.Passkey, policy.Recovery:
		}
	}
	first, others := []Way{}, []Way{}
	for _, o := range d.Offered {
		w := Way{Method: string(o.Kind), Masked: at[o.ID], Proved: o.Proved}
		if o.Kind == d.Default {
			first = append(first, w)
		} else {
			others = append(others, w)
		}
	}
	return append(first, others...), nil
}
