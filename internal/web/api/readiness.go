package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"keyturn/internal/apikey"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/readiness"
	"keyturn/internal/site"
	"keyturn/internal/web/reason"
)

// Readiness is who of a site would get in if 2FA were asked now.
type Readiness struct {
	Ready       int        `json:"ready" minimum:"0" example:"6" doc:"A way that was proved and works now."`
	WillManage  int        `json:"will_manage" minimum:"0" example:"2" doc:"A way that should work, and was never proved."`
	NeedsHelp   int        `json:"needs_help" minimum:"0" example:"1" doc:"Would not get in."`
	Exempt      int        `json:"exempt" minimum:"0" example:"3" doc:"Not asked: mobile members."`
	AdminProved bool       `json:"admin_proved" example:"true" doc:"An Admin of its office is sure to get in."`
	LoneAdmin   bool       `json:"lone_admin" example:"false" doc:"There is one Admin, whom nobody at the site could help."`
	Required    bool       `json:"required" example:"false" doc:"2FA is asked of the office now."`
	From        *time.Time `json:"from,omitempty" example:"2026-06-02T18:00:00Z" doc:"Since when, or from when on; absent: not known, or no date."`
}

type readyAnswer struct{ Body Readiness }

// ofMember is what every call about a member names.
type ofMember struct {
	Ref     string `path:"ref" doc:"Your own reference of the site." example:"S01002"`
	UserRef string `path:"user_ref" doc:"Your own reference of the user in that site." example:"U100007"`
}

// Banner is what the product should say to a member. All words are ready to be shown.
type Banner struct {
	Show      bool       `json:"show" example:"true" doc:"false: there is nothing to say; the other words are absent."`
	Readiness string     `json:"readiness" enum:"ready,will_manage,needs_help,exempt" example:"will_manage"`
	Required  bool       `json:"required" example:"false" doc:"2FA is asked of this member's site now."`
	Date      *time.Time `json:"date,omitempty" example:"2026-06-02T18:00:00Z" doc:"The date that is to come."`
	DaysLeft  *int       `json:"days_left,omitempty" minimum:"0" example:"12" doc:"Calendar days to it, at the site."`
	Heading   string     `json:"heading,omitempty" example:"2FA is asked from Wednesday 3 June, in 12 days."`
	Lacks     []string   `json:"lacks,omitempty" nullable:"false" example:"[\"You have never typed a code that we sent.\"]" doc:"What stands in the way, as sentences."`
	//nolint:lll // one field
	Do   string `json:"do,omitempty" enum:"try,second_road,set_up,email,help_code,manager,wait" example:"try" doc:"The one thing that helps, as a stable word."`
	Next string `json:"next,omitempty" example:"Try the new sign-in once" doc:"The same in words, for a button."`
	Link string `json:"link,omitempty" format:"uri" example:"https://signin.example/me/security" doc:"Where it is done, or read about."`
	// Snippet is the same as HTML, signed.
	Snippet *Snippet `json:"snippet,omitempty" doc:"The same as a piece of a page, signed."`
}

type bannerAnswer struct{ Body Banner }

func (a *API) readiness() {
	add(a, operation{scope: apikey.ReadReadiness, Operation: huma.Operation{
		OperationID: "get-readiness", Method: http.MethodGet, Path: "/sites/{ref}/readiness", Summary: "How ready a site is", Tags: []string{"Readiness"},
	}}, a.ready)
	add(a, operation{scope: apikey.ReadReadiness, Operation: huma.Operation{
		OperationID: "get-banner", Method: http.MethodGet, Path: "/sites/{ref}/users/{user_ref}/banner", Summary: "What to say to a member", Tags: []string{"Readiness"},
		Description: "Ask when the member opens the product, and show what comes. Somebody who is no active member is not there.",
	}}, a.banner)
}

func (a *API) ready(ctx context.Context, k apikey.Key, in *ofSite) (*readyAnswer, error) {
	at, err := a.site(ctx, k, in.Ref)
	if err != nil {
		return nil, err
	}
	now := a.DB.Clock.Now()
	s, err := a.Ready.OfSite(ctx, a.DB, now, at.ID)
	if err != nil {
		return nil, err
	}
	when, err := a.Ready.When(ctx, a.DB, now, at.ID)
	if err != nil {
		return nil, err
	}
	return &readyAnswer{Readiness{
		Ready: s.Ready, WillManage: s.WillManage, NeedsHelp: s.NeedsHelp, Exempt: s.Exempt,
		AdminProved: s.AdminProved, LoneAdmin: s.LoneAdmin, Required: when.Now, From: moment(when.From),
	}}, nil
}

func (a *API) banner(ctx context.Context, k apikey.Key, in *ofMember) (*bannerAnswer, error) {
	at, err := a.site(ctx, k, in.Ref)
	if err != nil {
		return nil, err
	}
	now := a.DB.Clock.Now()
	p, err := a.member(ctx, at, in.UserRef, now)
	if err != nil {
		return nil, err
	}
	when, err := a.Ready.When(ctx, a.DB, now, at.ID)
	if err != nil {
		return nil, err
	}
	b := Banner{Readiness: string(p.Mark), Required: when.Now}
	if date := when.Date(); !date.IsZero() {
		left := locale.DaysBetween(now, date, at.Zone)
		b.Date, b.DaysLeft = &date, &left
	}
	// Of whom nothing is asked, today or on a date, there is nothing to say.
	if b.Show = p.Do != readiness.DoNothing && (b.Required || b.Date != nil); !b.Show {
		return &bannerAnswer{b}, nil
	}
	b.Heading = locale.Say(locale.BannerNow)
	if b.Date != nil {
		b.Heading = locale.Say(locale.ReadinessDate, locale.Data{"At": locale.Moment(*b.Date, at.Zone, now), "Away": locale.Away(*b.Date, at.Zone, now)})
	}
	b.Lacks, b.Do, b.Next, b.Link = reason.YouUnready(p), string(p.Do), reason.YouMend(p.Do), a.Kit.Public("/help/xero")
	if slices.Contains([]readiness.Action{readiness.DoTry, readiness.DoSecondRoad, readiness.DoSetUp}, p.Do) {
		b.Link = a.Kit.Public("/me/security")
	}
	if b.Snippet, err = snippet(a.Keys, *in, b, now); err != nil {
		return nil, err
	}
	return &bannerAnswer{b}, nil
}

// member is an active member of a site, by the product's own reference.
func (a *API) member(ctx context.Context, at site.Site, ref string, now time.Time) (readiness.Person, error) {
	lost := fmt.Errorf("a member: %w", fault.NotFound)
	if !sound(ref) {
		return readiness.Person{}, lost
	}
	m, err := site.MembershipByRef(ctx, a.DB, at.ID, ref)
	if err != nil {
		return readiness.Person{}, fmt.Errorf("find a member: %w", err)
	}
	if !m.Active(now) {
		return readiness.Person{}, lost
	}
	all, err := a.Ready.OfUsers(ctx, a.DB, now, at.ID, []id.User{m.User})
	if err != nil || len(all) == 0 {
		return readiness.Person{}, err
	}
	return all[0], nil
}
