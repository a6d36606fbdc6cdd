package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"keyturn/internal/apikey"
	"keyturn/internal/fault"
	"keyturn/internal/policy"
	"keyturn/internal/rollout"
	"keyturn/internal/site"
)

// Rollout is the programme that turns 2FA on, in waves.
type Rollout struct {
	Name     string     `json:"name" example:"2FA for Xero"`
	State    string     `json:"state" enum:"draft,running,paused,ended" example:"running"`
	BeganAt  *time.Time `json:"began_at,omitempty" example:"2026-03-01T02:00:00Z"`
	PausedAt *time.Time `json:"paused_at,omitempty" example:"2026-03-12T01:30:00Z"`
	Waves    []Wave     `json:"waves" nullable:"false" doc:"In their order."`
}

// Wave is some of its sites, with their day.
type Wave struct {
	Number     int    `json:"number" minimum:"1" example:"1"`
	Name       string `json:"name" example:"Pilot"`
	Day        string `json:"day" format:"date" example:"2026-04-14" doc:"A site that is not open then has its next open day."`
	State      string `json:"state" enum:"planned,back" example:"planned" doc:"back: it was rolled back."`
	Sites      int    `json:"sites" minimum:"0" example:"40" doc:"0 of a draft."`
	Come       int    `json:"come" minimum:"0" example:"0" doc:"Sites whose date has come."`
	ToCome     int    `json:"to_come" minimum:"0" example:"40" doc:"Sites with a date to come."`
	Held       int    `json:"held" minimum:"0" example:"1" doc:"Of those: held back, because none of their Admins could help others."`
	Extended   int    `json:"extended" minimum:"0" example:"2" doc:"Of those: with more time."`
	Ready      int    `json:"ready" minimum:"0" example:"210" doc:"Their people, as they were when they were last looked at."`
	WillManage int    `json:"will_manage" minimum:"0" example:"35"`
	NeedsHelp  int    `json:"needs_help" minimum:"0" example:"4"`
}

type rolloutAnswer struct{ Body Rollout }

// SiteRollout is a site's place in the rollout.
type SiteRollout struct {
	//nolint:lll // one field
	Phase    string     `json:"phase" enum:"outside,preparing,wave,settled" example:"preparing" doc:"outside: no date of the rollout asks anything there; preparing: its date is to come; wave: it came less than seven days ago; settled: longer ago."`
	Date     *time.Time `json:"date,omitempty" example:"2026-04-13T18:00:00Z" doc:"From when on 2FA is asked by the rollout; absent: no date yet."`
	Required bool       `json:"required" example:"false" doc:"2FA is asked of the office now, for whatever reason."`
	Wave     int        `json:"wave,omitempty" minimum:"1" example:"1" doc:"Absent: in none."`
	WaveName string     `json:"wave_name,omitempty" example:"Pilot"`
	Held     int        `json:"held,omitempty" minimum:"0" example:"1" doc:"How often it was held back."`
	Extended string     `json:"extended,omitempty" format:"date" example:"2026-04-28" doc:"The day to which it was given more time."`
}

type siteRolloutAnswer struct{ Body SiteRollout }

func (a *API) rollout() {
	add(a, operation{scope: apikey.ReadRollout, Operation: huma.Operation{
		OperationID: "get-rollout", Method: http.MethodGet, Path: "/rollout", Summary: "The rollout", Tags: []string{"Rollout"},
		Description: "For keys for all sites; to others, and where none is under way, it is not there.",
	}}, a.programme)
	add(a, operation{scope: apikey.ReadRollout, Operation: huma.Operation{
		OperationID: "get-site-rollout", Method: http.MethodGet, Path: "/sites/{ref}/rollout", Summary: "A site's place in it", Tags: []string{"Rollout"},
	}}, a.placeOf)
}

func (a *API) programme(ctx context.Context, k apikey.Key, _ *struct{}) (*rolloutAnswer, error) {
	r, counts, there, err := rollout.Waves(ctx, a.DB, a.DB.Clock.Now())
	if err != nil {
		return nil, err
	}
	if !there || !k.All {
		return nil, fmt.Errorf("a rollout: %w", fault.NotFound)
	}
	return &rolloutAnswer{Rollout{
		Name: r.Name, State: string(r.State), BeganAt: moment(r.BeganAt), PausedAt: moment(r.PausedAt),
		Waves: each(r.Waves, func(w rollout.Wave) Wave {
			c := counts[w.Number]
			return Wave{
				Number: w.Number, Name: w.Name, Day: w.Day.String(), State: string(w.State), Sites: c.Sites, Come: c.Come, ToCome: c.ToCome,
				Held: c.Held, Extended: c.Extended, Ready: c.Ready, WillManage: c.Manage, NeedsHelp: c.Help,
			}
		}),
	}}, nil
}

func (a *API) placeOf(ctx context.Context, k apikey.Key, in *ofSite) (*siteRolloutAnswer, error) {
	at, err := a.site(ctx, k, in.Ref)
	if err != nil {
		return nil, err
	}
	now := a.DB.Clock.Now()
	anybody, err := a.Ready.Standing.Place(ctx, a.DB, now, site.Membership{
		Site: at.ID, Group: policy.GroupUser, Kind: policy.Office, Status: policy.Active,
	})
	if err != nil {
		return nil, fmt.Errorf("read what a site requires: %w", err)
	}
	when, err := a.Ready.When(ctx, a.DB, now, at.ID)
	if err != nil {
		return nil, err
	}
	phase, date := anybody.Phase(now)
	out := SiteRollout{Phase: string(phase), Date: moment(date), Required: when.Now}
	if phase == policy.Outside {
		out.Phase = "outside"
	}
	place, wave, there, err := rollout.PlaceOf(ctx, a.DB, at.ID)
	if err != nil {
		return nil, err
	}
	if there {
		out.Wave, out.WaveName, out.Held = place.Wave, wave, place.Held
		if place.Extended != (rollout.Place{}).Extended {
			out.Extended = place.Extended.String()
		}
	}
	return &siteRolloutAnswer{out}, nil
}
