package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/integration"
	"keyturn/internal/method"
	"keyturn/internal/password"
	"keyturn/internal/plan"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// Seed writes the story into a migrated database, one transaction a site, and says who
// is in it. A site that is there already is left as it is, so that a demo on a kept
// folder, or one that was stopped half way, may seed again. Dates are counted from the
// database's clock.
func Seed(ctx context.Context, d *db.DB) ([]Person, error) {
	hash, err := password.Parse(password.Hash(Password)) // once: it is slow, and nothing is open
	if err != nil {
		return nil, fmt.Errorf("hash the demo's password: %w", err)
	}
	for _, s := range story() {
		err := d.Do(ctx, func(tx *db.Tx) error { return s.seed(ctx, tx, hash) })
		if err != nil {
			return nil, fmt.Errorf("seed the site %s: %w", s.ref, err)
		}
	}
	return People(), nil
}

// seed writes one site whole.
func (s workshop) seed(ctx context.Context, tx *db.Tx, hash password.Stored) error {
	_, err := site.ByRef(ctx, tx, s.ref)
	if err == nil {
		return nil
	}
	if !errors.Is(err, fault.NotFound) {
		return fmt.Errorf("look for the site: %w", err)
	}
	at, err := s.open(ctx, tx)
	if err != nil {
		return err
	}
	if err := s.connect(ctx, tx, at); err != nil {
		return err
	}
	if err := s.schedule(ctx, tx, at); err != nil {
		return err
	}
	for n, m := range s.members {
		if err := m.join(ctx, tx, at, n, hash); err != nil {
			return fmt.Errorf("%s: %w", m.login, err)
		}
	}
	return nil
}

func (s workshop) open(ctx context.Context, tx *db.Tx) (site.Site, error) {
	zone, err := site.Zone(s.zone)
	if err != nil {
		return site.Site{}, err
	}
	at, err := site.Add(ctx, tx, site.Site{
		Ref: s.ref, Name: s.name, Region: s.region, Zone: zone, TwoFA: s.twofa, Remember: s.remember,
		SMSAvailable: s.sms, AccountManager: cmp.Or(s.manager, accountManager),
	})
	if err != nil {
		return at, err
	}
	return at, audit.Record(ctx, tx, audit.Event{
		Kind: audit.SiteAdded, Actor: By(), Site: at.ID, Facts: map[string]string{"ref": at.Ref},
	})
}

// connect stores the connection to Xero, if the site has or had one.
func (s workshop) connect(ctx context.Context, tx *db.Tx, at site.Site) error {
	if s.since == nil {
		return nil
	}
	facts := map[string]string{"organisation": s.organisation}
	_, err := integration.Connect(ctx, tx, integration.Integration{
		Site: at.ID, Kind: policy.Xero, Since: s.since(tx.Now, at.Zone), By: s.by, Organisation: s.organisation,
	})
	if err != nil {
		return err
	}
	if err := audit.Record(ctx, tx, audit.Event{Kind: audit.XeroConnected, Actor: By(), Site: at.ID, Facts: facts}); err != nil {
		return err
	}
	if !s.unplugged {
		return nil
	}
	if _, err := integration.Disconnect(ctx, tx, at.ID, policy.Xero); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Event{Kind: audit.XeroDisconnected, Actor: By(), Site: at.ID})
}

// schedule stores the site's dates, if the rollout knows of it.
func (s workshop) schedule(ctx context.Context, tx *db.Tx, at site.Site) error {
	if s.rollout == unknown {
		return nil
	}
	p := plan.Plan{Site: at.ID, BeganAt: tx.Now.Add(-rolloutBegan)}
	switch s.rollout {
	case begun:
		p.EnforceAt = begunDay(tx.Now).Morning(at.Zone)
	case preparing:
		p.EnforceAt = comingDay(tx.Now, prepareDays).Morning(at.Zone)
	case later:
		p.EnforceAt = comingDay(tx.Now, lateDays).Morning(at.Zone)
	case unknown, undated:
	}
	if !p.EnforceAt.IsZero() {
		p.PrepareFrom = tx.Now.Add(-10 * day)
	}
	return plan.Set(ctx, tx, p)
}

// join makes the membership, and the user if this is the first of their sites.
func (m member) join(ctx context.Context, tx *db.Tx, at site.Site, n int, hash password.Stored) error {
	who, fresh, err := m.user(ctx, tx, hash)
	if err != nil {
		return err
	}
	joined := site.Membership{
		Site: at.ID, User: who.ID, UserRef: fmt.Sprintf("u-%02d", n+1),
		Group: m.group, Kind: m.kindOr(), Status: m.statusOr(), TwoFA: m.twofa,
	}
	if err := site.Join(ctx, tx, joined); err != nil {
		return err
	}
	if fresh {
		if err := m.link(ctx, tx, who.ID); err != nil {
			return err
		}
		if err := m.recordUser(ctx, tx, at.ID, who); err != nil {
			return err
		}
		if m.shared {
			if err := share(ctx, tx, at, who.ID); err != nil {
				return err
			}
		}
	}
	return audit.Record(ctx, tx, audit.Event{
		Kind: audit.MembershipImported, Actor: By(), Site: at.ID, User: who.ID,
		Facts: map[string]string{
			"user_ref": joined.UserRef, "group": string(joined.Group),
			"kind": string(joined.Kind), "status": string(joined.Status),
		},
	})
}

// user finds the user by the login name or makes one; fresh says which.
func (m member) user(ctx context.Context, tx *db.Tx, hash password.Stored) (who user.User, fresh bool, err error) {
	login, err := address.Login(m.login)
	if err != nil {
		return who, false, err
	}
	who, err = user.ByLogin(ctx, tx, login)
	if !errors.Is(err, fault.NotFound) {
		return who, false, err
	}
	who, err = user.Add(ctx, tx, user.User{
		Login: login, FirstName: m.first, LastName: m.last, Password: hash, PasswordSetAt: tx.Now.Add(-90 * day),
	})
	return who, true, err
}

func (m member) recordUser(ctx context.Context, tx *db.Tx, at id.Site, who user.User) error {
	return audit.Record(ctx, tx, audit.Event{
		Kind: audit.UserImported, Actor: By(), Site: at, User: who.ID,
		Facts:    map[string]string{"password": string(who.Password.Form())},
		Personal: map[string]string{"login": string(who.Login), "name": who.Name(), "mobile": m.mobile},
	})
}

// link stores where codes can go: the login name where mail can be sent to it, and the
// mobile. Numbers are linked and not proved.
func (m member) link(ctx context.Context, tx *db.Tx, who id.User) error {
	if !m.unmailable {
		login, err := address.Email(m.login)
		if err != nil {
			return err
		}
		mail := method.Method{User: who, Kind: policy.Email, Address: string(login)}
		if m.proved {
			mail.ProvedAt, mail.Health = tx.Now.Add(-20*day), policy.HealthGood
		}
		if m.dead {
			mail.Health, mail.HealthWhy = policy.HealthRefused, string(m.refuses)
		}
		if _, err := method.Link(ctx, tx, mail); err != nil {
			return err
		}
	}
	if m.mobile == "" {
		return nil
	}
	mobile := method.Method{User: who, Kind: policy.SMS, Address: m.mobile}
	if m.texted {
		mobile.ProvedAt, mobile.Health = tx.Now.Add(-20*day), policy.HealthGood
	}
	_, err := method.Link(ctx, tx, mobile)
	return err
}

const day = 24 * time.Hour

// fourAM is 4 am site time, so many calendar days from now.
func fourAM(now time.Time, zone *time.Location, days int) time.Time {
	y, mo, d := now.In(zone).Date()
	return time.Date(y, mo, d+days, 4, 0, 0, 0, zone)
}
