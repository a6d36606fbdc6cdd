package people

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/id"
	"keyturn/internal/integration"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/standing"
	"keyturn/internal/user"
)

// reach marks those whom the policy leaves at the door when the file is written: it asks
// them for a second factor, and none can work.
//
// Of those who are here already only the ones are asked about whose login name no mail
// can reach. An address that turned out dead is no matter of an import, and a file that
// is imported again would otherwise cost many questions for each of its people.
func (j *judging) reach(ctx context.Context) error {
	now := j.im.DB.Clock.Now()
	for _, p := range j.order {
		var demands *policy.Membership
		for _, i := range p.rows {
			r := &j.rows[i]
			if r.refused() || r.Here && r.draft.mailable {
				continue
			}
			if demands == nil {
				m, err := j.demands(ctx, p)
				if err != nil {
					return fmt.Errorf("read what site %s demands: %w", p.ref, err)
				}
				demands = &m
			}
			facts := r.draft.facts(*demands, now)
			if r.Here {
				var err error
				if facts, err = j.present(ctx, r, *demands, now); err != nil {
					return fmt.Errorf("line %d: %w", r.Line, err)
				}
			}
			r.Stuck = policy.Decide(facts, now).Outcome == policy.Enrol
		}
	}
	return nil
}

// demands is what a site demands of its members when the file is written.
func (j *judging) demands(ctx context.Context, p *place) (policy.Membership, error) {
	at, m := p.make(), policy.Membership{}
	if p.there != nil {
		var err error
		if at, err = site.ByRef(ctx, j.im.DB, p.ref); err != nil {
			return m, fmt.Errorf("find the site: %w", err)
		}
		if err := j.ties(ctx, at.ID, &m); err != nil {
			return m, err
		}
	}
	m.Site, m.Setting, m.Remember, m.Weakest, m.Zone = string(at.ID), at.TwoFA, at.Remember, at.Weakest, at.Zone
	if j.im.Standing.SMS {
		m.SMSAvailable = at.SMSAvailable
	}
	if p.connected() && (p.there == nil || p.there.xero == "") {
		m.Integrations = append(m.Integrations, policy.Integration{Kind: policy.Xero, State: policy.Connected})
	}
	return m, nil
}

// ties reads the connections of a site that is here, and its dates.
func (j *judging) ties(ctx context.Context, at id.Site, m *policy.Membership) error {
	all, err := integration.Of(ctx, j.im.DB, at)
	if err != nil {
		return fmt.Errorf("read its connections: %w", err)
	}
	for _, i := range all {
		m.Integrations = append(m.Integrations, policy.Integration{
			Kind: i.Kind, State: i.State, Since: i.Since, DisconnectedAt: i.DisconnectedAt, LoweredAt: i.LoweredAt,
		})
	}
	p, defined, err := plan.Of(ctx, j.im.DB, at)
	if err != nil {
		return err
	}
	m.Rollout = policy.Rollout{
		Defined: defined, BeganAt: p.BeganAt, PrepareFrom: p.PrepareFrom, EnforceAt: p.EnforceAt, ExtendedUntil: p.ExtendedUntil,
	}
	return nil
}

// facts are what the policy knows of a new person when they first sign in on the web.
func (d *draft) facts(m policy.Membership, now time.Time) policy.Facts {
	m.Kind, m.Group, m.Status = d.kind, d.group, d.status
	f := policy.Facts{Memberships: []policy.Membership{m}, Client: policy.Client{Kind: policy.ClientWeb}}
	if d.mailable {
		f.User.Methods = append(f.User.Methods, policy.Method{ID: "email", Kind: policy.Email, LinkedAt: now})
	}
	if d.mobile != "" {
		f.User.Methods = append(f.User.Methods, policy.Method{ID: "sms", Kind: policy.SMS, LinkedAt: now})
	}
	return f
}

// present are the facts of somebody who is here already, entering this site, when the
// file is written.
func (j *judging) present(ctx context.Context, r *Row, m policy.Membership, now time.Time) (policy.Facts, error) {
	who, err := user.ByLogin(ctx, j.im.DB, r.draft.login)
	if err != nil {
		return policy.Facts{}, fmt.Errorf("find who is here: %w", err)
	}
	facts, err := j.im.Standing.Of(ctx, j.im.DB, now, standing.Asker{
		User: who, Sites: []id.Site{id.Site(m.Site)}, Client: policy.Client{Kind: policy.ClientWeb},
	})
	if err != nil {
		return facts, fmt.Errorf("read the facts of who is here: %w", err)
	}
	for i := range facts.Memberships {
		facts.Memberships[i].Integrations = m.Integrations
	}
	return facts, nil
}
