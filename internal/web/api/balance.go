package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"keyturn/internal/apikey"
	"keyturn/internal/balance"
	"keyturn/internal/id"
)

// Balance is how many SMS parts a site can send.
type Balance struct {
	Available int        `json:"available" minimum:"0" example:"120" doc:"Parts that can be spent."`
	Held      int        `json:"held" minimum:"0" example:"1" doc:"Reserved for messages under way."`
	Float     int        `json:"float" minimum:"0" example:"6" doc:"Of the available ones: kept back for the Admins' own sign-ins."`
	PerDay    *float64   `json:"per_day,omitempty" minimum:"0" example:"3.5" doc:"Parts a day, over four weeks; absent while there were too few."`
	EmptyAt   *time.Time `json:"empty_at,omitempty" example:"2026-04-14T02:00:00Z" doc:"When only the float will be left, if it goes on so."`
}

type balanceAnswer struct{ Body Balance }

// BalanceEntry is one line of a statement.
type BalanceEntry struct {
	No        int64     `json:"no" minimum:"1" example:"42" doc:"1 is the opening, and they go on without a gap."`
	At        time.Time `json:"at" example:"2026-03-12T01:30:00Z"`
	Kind      string    `json:"kind" enum:"opening,topup,hold,charge,release,refund" example:"charge"`
	Parts     int       `json:"parts" minimum:"0" example:"1" doc:"The kind says which way."`
	Available int       `json:"available" minimum:"0" example:"119" doc:"How the account stood then."`
	Held      int       `json:"held" minimum:"0" example:"0"`
	UserRef   string    `json:"user_ref,omitempty" example:"U100007" doc:"Whom the message was for, while they are a member."`
	By        string    `json:"by,omitempty" example:"Ana Ruiz" doc:"Who topped up."`
	Reference string    `json:"reference,omitempty" example:"INV-1042"`
}

type statementQuery struct {
	Paged

	Ref string `path:"ref" doc:"Your own reference of the site." example:"S01002"`
}

type statementList struct {
	Turned

	Body struct {
		Items []BalanceEntry `json:"items" nullable:"false" doc:"The newest first."`
		Next  string         `json:"next,omitempty" example:"WyJzbXMiLCI0MiJd" doc:"The cursor of the next page; absent on the last."`
	}
}

func (a *API) balance() {
	add(a, operation{scope: apikey.ReadBalance, Operation: huma.Operation{
		OperationID: "get-balance", Method: http.MethodGet, Path: "/sites/{ref}/sms", Summary: "A site's SMS balance", Tags: []string{"SMS balance"},
	}}, a.getBalance)
	add(a, operation{scope: apikey.ReadBalance, Operation: huma.Operation{
		OperationID: "list-statement", Method: http.MethodGet, Path: "/sites/{ref}/sms/statement", Summary: "Its statement", Tags: []string{"SMS balance"},
		Errors: []int{http.StatusUnprocessableEntity},
	}}, a.statement)
}

func (a *API) getBalance(ctx context.Context, k apikey.Key, in *ofSite) (*balanceAnswer, error) {
	at, err := a.site(ctx, k, in.Ref)
	if err != nil {
		return nil, err
	}
	now := a.DB.Clock.Now()
	account, err := balance.Of(ctx, a.DB, now, at.ID)
	if err != nil {
		return nil, err
	}
	f, err := balance.Foresee(ctx, a.DB, now, at.ID)
	if err != nil {
		return nil, err
	}
	b := Balance{Available: account.Available, Held: account.Held, Float: account.Float}
	if f.Known {
		b.PerDay, b.EmptyAt = &f.PerDay, moment(f.EmptyAt)
	}
	return &balanceAnswer{b}, nil
}

func (a *API) statement(ctx context.Context, k apikey.Key, in *statementQuery) (*statementList, error) {
	at, err := a.site(ctx, k, in.Ref)
	if err != nil {
		return nil, err
	}
	after, err := in.after("sms", 1)
	if err != nil {
		return nil, err
	}
	before, err := number(after[0])
	if err != nil {
		return nil, err
	}
	all, err := balance.Statement(ctx, a.DB, at.ID, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &statementList{}
	all, out.Body.Next, out.Turned = page(a, in.Paged, "sms", "/sites/"+url.PathEscape(at.Ref)+"/sms/statement", nil, all,
		func(e balance.Entry) []string { return []string{strconv.FormatInt(e.No, 10)} })
	refs, err := a.refsOf(ctx, at.ID, each(all, func(e balance.Entry) id.User { return e.User }))
	if err != nil {
		return nil, err
	}
	out.Body.Items = each(all, func(e balance.Entry) BalanceEntry {
		return BalanceEntry{
			No: e.No, At: e.At, Kind: string(e.Kind), Parts: e.Parts, Available: e.AvailableAfter, Held: e.HeldAfter,
			UserRef: refs[e.User], By: e.ByName, Reference: e.Reference,
		}
	})
	return out, nil
}
