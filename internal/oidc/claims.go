package oidc

import (
	"context"
	"fmt"
	"slices"
	"time"

	"keyturn/internal/check"
	"keyturn/internal/client"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/standing"
)

// sitesInToken is up to how many sites the ID token lists them; userinfo lists them always.
const sitesInToken = 25

// Site is one of the person's sites as an application reads it.
type Site struct {
	ID      id.Site `json:"id"`
	Ref     string  `json:"ref"`
	UserRef string  `json:"user_ref"`
	Name    string  `json:"name"`
	// Kind is office or mobile.
	Kind string `json:"kind"`
	// Roles are the member's groups, of which there is one.
	Roles       []string          `json:"roles"`
	Permissions []site.Permission `json:"permissions"`
	// Satisfied says that what the site requires was proved in this session.
	Satisfied bool `json:"satisfied"`
}

// Claims are what an application is told of a person and a session. What was not asked for
// is left out.
type Claims struct {
	Subject       id.User  `json:"sub"`
	Email         string   `json:"email,omitempty"`
	EmailVerified *bool    `json:"email_verified,omitempty"`
	Name          string   `json:"name,omitempty"`
	GivenName     string   `json:"given_name,omitempty"`
	FamilyName    string   `json:"family_name,omitempty"`
	Sites         []Site   `json:"sites,omitempty"`
	ACR           string   `json:"acr"`
	AMR           []string `json:"amr"`
	AuthTime      int64    `json:"auth_time"`
	SID           string   `json:"sid"`
}

// live is what stands behind a grant that is worth something now.
type live struct {
	client client.Client
	answer check.Answer
	sites  []Site
}

// claims are those of the scopes.
func (d *Desk) claims(ctx context.Context, l live, scopes []string) (Claims, error) {
	s, who := l.answer.Session, l.answer.User
	c := Claims{
		Subject: who.ID, ACR: policy.URN(policy.ACR(passed(s))), AMR: amr(s), AuthTime: AuthAt(s).Unix(), SID: s.SID,
	}
	if slices.Contains(scopes, ScopeEmail) {
		proved, err := mailProved(ctx, d.DB, who.ID, string(who.Login))
		if err != nil {
			return c, err
		}
		c.Email, c.EmailVerified = string(who.Login), &proved
	}
	if slices.Contains(scopes, ScopeProfile) {
		c.Name, c.GivenName, c.FamilyName = who.Name(), who.FirstName, who.LastName
	}
	if slices.Contains(scopes, ScopeSites) {
		c.Sites = l.sites
	}
	return c, nil
}

// mailProved says whether a code that was sent to the login name was typed back.
func mailProved(ctx context.Context, from db.Reader, who id.User, login string) (bool, error) {
	all, err := method.Of(ctx, from, who)
	if err != nil {
		return false, fmt.Errorf("read methods: %w", err)
	}
	return slices.ContainsFunc(all, func(m method.Method) bool {
		return m.Kind == policy.Email && m.Address == login && !m.ProvedAt.IsZero() && !m.AwaitsProof && !m.Pending
	}), nil
}

func passed(s session.Session) []policy.Pass {
	if s.Factor == "" {
		return nil
	}
	return []policy.Pass{{Kind: policy.MethodKind(s.Factor), At: s.FactorAt}}
}

// amr says with what somebody showed who they are (RFC 8176, and words of our own for what
// it has none).
func amr(s session.Session) []string {
	var all []string
	if s.Began == session.BeganPassword {
		all = append(all, "pwd")
	}
	switch policy.MethodKind(s.Factor) {
	case policy.Email:
		all = append(all, "otp", "email", "mfa")
	case policy.SMS:
		all = append(all, "otp", "sms", "mfa")
	case policy.TOTP:
		all = append(all, "otp", "mfa")
	case policy.Recovery:
		all = append(all, "recovery", "mfa")
	case policy.Passkey:
		all = append(all, "hwk", "user", "mfa")
	}
	if s.Device != "" {
		all = append(all, "device")
	}
	return all
}

// sites are the person's places that a client may know of, each with whether this session
// satisfies it: the policy is asked of each by itself. On the web no mobile place is among
// them. A mobile app learns of mobile places, and of others only where its session was
// decided as one of the office.
func (d *Desk) sites(ctx context.Context, c client.Client, a check.Answer) ([]Site, error) {
	now := d.DB.Clock.Now()
	all, err := site.MembershipsOf(ctx, d.DB, a.User.ID)
	if err != nil {
		return nil, fmt.Errorf("read memberships: %w", err)
	}
	facts, err := d.facts(ctx, a, now)
	if err != nil {
		return nil, err
	}
	office := slices.ContainsFunc(all, func(m site.Membership) bool { return m.Site == a.Session.Site && m.Kind != policy.Mobile })
	var sites []Site
	for _, m := range all {
		yes, err := client.Reaches(ctx, d.DB, c, m.Site)
		if err != nil {
			return nil, err
		}
		if !yes || !m.Active(now) || m.Kind == policy.Mobile && c.Kind != client.Mobile || m.Kind != policy.Mobile && c.Kind == client.Mobile && !office {
			continue
		}
		at, err := site.ByID(ctx, d.DB, m.Site)
		if err != nil {
			return nil, fmt.Errorf("read a site: %w", err)
		}
		sites = append(sites, Site{
			ID: m.Site, Ref: at.Ref, UserRef: m.UserRef, Name: at.Name, Kind: string(m.Kind), Roles: []string{string(m.Group)},
			Permissions: m.Permissions(), Satisfied: satisfied(facts, m.Site, now),
		})
	}
	return sites, nil
}

// facts are those of the session for all of the person's sites at once.
func (d *Desk) facts(ctx context.Context, a check.Answer, now time.Time) (policy.Facts, error) {
	s := a.Session
	asker := standing.Asker{User: a.User, Client: policy.Client{Kind: policy.ClientKind(s.Client)}, Place: s.Place, Passed: passed(s)}
	if s.Device != "" {
		if device, err := session.DeviceByID(ctx, d.DB, s.User, s.Device, now); err == nil {
			asker.Remembered = standing.Remembered(device)
		}
	}
	f, err := d.Standing.Of(ctx, d.DB, now, asker)
	if err != nil {
		return f, fmt.Errorf("read what sites require: %w", err)
	}
	return f, nil
}

// satisfied asks the policy of one site alone.
func satisfied(f policy.Facts, which id.Site, now time.Time) bool {
	alone := f
	alone.Memberships, alone.Others = nil, nil
	for _, m := range f.Memberships {
		if m.Site == string(which) {
			alone.Memberships = append(alone.Memberships, m)
		} else {
			alone.Others = append(alone.Others, m)
		}
	}
	return policy.Decide(alone, now).Outcome.GoesOn()
}
