package me

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"keyturn/internal/check"
	"keyturn/internal/locale"
	"keyturn/internal/method"
	"keyturn/internal/phone"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/web"
)

// Security answers "GET /me/security".
func (m *Me) Security() http.Handler {
	return m.in(func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		page, err := m.securityPage(r, a)
		if err != nil {
			return err
		}
		page.Done = doneWords(r.URL.Query().Get("done"))
		return m.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (m *Me) securityPage(r *http.Request, a check.Answer) (SecurityPage, error) {
	ctx, now := r.Context(), m.Desk.DB.Clock.Now()
	page := SecurityPage{As: a.User.Name(), Email: Address{Shown: string(a.User.Login), Note: locale.Say(locale.SecurityEmailNone)}}
	zone, err := m.where(r, a, &page.Site)
	if err != nil {
		return page, err
	}
	// The policy says whether the mark still means something: of a person of whom nothing
	// is required it ends by itself.
	_, level, err := m.Desk.Fresh(ctx, a.Session, policy.AddMethod)
	if err != nil {
		return page, err
	}
	if !a.User.ResetMarkAt.IsZero() && level == 0 {
		page.Marked = locale.Say(locale.SecurityMarked)
	}
	methods, err := method.Of(ctx, m.Desk.DB, a.User.ID)
	if err != nil {
		return page, err
	}
	for _, one := range methods {
		if err := page.add(r, m, one, moments{zone, now}); err != nil {
			return page, err
		}
	}
	page.Usual = usual(methods, a.User.Usual)
	if page.Test, err = m.test(r, a); err != nil {
		return page, err
	}
	if page.Devices, err = m.devices(r, a, moments{zone, now}); err != nil {
		return page, err
	}
	page.Open, err = m.open(r, a, moments{zone, now})
	return page, err
}

// moments is how times are said: where, and seen from when.
type moments struct {
	zone *time.Location
	now  time.Time
}

func (m moments) say(t time.Time) string { return locale.Moment(t, m.zone, m.now) }

// where is the zone of the session's site, and its name.
func (m *Me) where(r *http.Request, a check.Answer, name *string) (*time.Location, error) {
	if a.Session.Site == "" {
		return time.UTC, nil
	}
	at, err := site.ByID(r.Context(), m.Desk.DB, a.Session.Site)
	if err != nil {
		return nil, err
	}
	*name = at.Name
	return at.Zone, nil
}

func (p *SecurityPage) add(r *http.Request, m *Me, one method.Method, at moments) error {
	switch one.Kind {
	case policy.Email:
		if one.Pending {
			return nil // it waits for its code, and is nothing yet
		}
		p.Email = Address{Shown: one.Address, Proved: !one.ProvedAt.IsZero(), Dead: dead(one)}
	case policy.SMS:
		if one.Pending && p.Mobile.Shown != "" {
			return nil
		}
		p.Mobile = Address{Shown: phone.Spoken(one.Address), Proved: !one.ProvedAt.IsZero(), Dead: dead(one)}
	case policy.TOTP, policy.Passkey:
		if one.ProvedAt.IsZero() {
			return nil
		}
		p.Ways = append(p.Ways, set(one, at))
	case policy.Recovery:
		left, err := method.RecoveryLeft(r.Context(), m.Desk.DB, one.User)
		if err != nil {
			return err
		}
		p.Codes = Codes{Left: left, Made: at.say(one.LinkedAt)}
	}
	return nil
}

// set is one way as its owner sees it.
func set(one method.Method, at moments) Set {
	s := Set{ID: string(one.ID), Kind: one.Kind, Name: one.Name}
	if s.Name == "" {
		s.Name = locale.Say(locale.WayTotp)
		if one.Kind == policy.Passkey {
			s.Name = locale.Say(locale.WayPasskey)
		}
	}
	s.Words = locale.Say(locale.SecurityAdded, locale.Data{"At": at.say(one.ProvedAt)})
	if !one.LastUsedAt.IsZero() {
		s.Words = locale.Say(locale.SecurityAddedUsed, locale.Data{"At": at.say(one.ProvedAt), "Used": at.say(one.LastUsedAt)})
	}
	return s
}

// dead says why nothing arrives at an address, if that is known.
func dead(one method.Method) string {
	if one.Health == policy.HealthRefused || one.Health == policy.HealthBounced {
		return locale.Say(locale.SecurityDead)
	}
	return ""
}

// usual are the ways that work without anybody's help, one of a kind.
func usual(methods []method.Method, chosen policy.MethodKind) []Choice {
	names := map[policy.MethodKind]locale.Key{
		policy.Email: locale.WayEmail, policy.SMS: locale.WaySms, policy.TOTP: locale.WayTotp, policy.Passkey: locale.WayPasskey,
	}
	var all []Choice
	for _, kind := range []policy.MethodKind{policy.Email, policy.SMS, policy.TOTP, policy.Passkey} {
		has := slices.ContainsFunc(methods, func(one method.Method) bool {
			return one.Kind == kind && !one.Pending && (kind == policy.Email || !one.ProvedAt.IsZero())
		})
		if has {
			all = append(all, Choice{Kind: kind, Name: locale.Say(names[kind]), On: kind == chosen})
		}
	}
	return all
}

func (m *Me) devices(r *http.Request, a check.Answer, at moments) ([]Entry, error) {
	all, err := session.Devices(r.Context(), m.Desk.DB, a.User.ID, at.now)
	if err != nil {
		return nil, err
	}
	var list []Entry
	for _, d := range all {
		list = append(list, Entry{
			ID: string(d.ID), From: d.Place.Agent, Here: d.Place.Browser == a.Session.Place.Browser,
			Words: locale.Say(locale.SecurityDeviceWords, locale.Data{"Since": at.say(d.Since), "Until": at.say(d.EndsAt)}),
		})
	}
	return list, nil
}

func (m *Me) open(r *http.Request, a check.Answer, at moments) ([]Entry, error) {
	all, err := session.Open(r.Context(), m.Desk.DB, a.User.ID, at.now)
	if err != nil {
		return nil, err
	}
	var list []Entry
	for _, s := range all {
		list = append(list, Entry{
			ID: string(s.ID), From: s.Place.Agent, Here: s.ID == a.Session.ID,
			Words: locale.Say(locale.SecuritySessionWords, locale.Data{"Since": at.say(s.StartedAt), "How": how(s)}),
		})
	}
	return list, nil
}

// doneWords says what was done just now. The address carries a word of ours and never a
// sentence.
func doneWords(done string) string {
	keys := map[string]locale.Key{
		"changed": locale.UsersDidSaved, "added": locale.SecurityDoneAdded, "removed": locale.SecurityDoneRemoved, "renamed": locale.SecurityDoneRenamed,
		"usual": locale.SecurityDoneUsual, "forgotten": locale.SecurityDoneForgotten, "ended": locale.SecurityDoneEnded,
		"password": locale.SecurityDonePassword, "joined": locale.SecurityDoneJoined, "tried": locale.SecurityDoneTried,
		"tested": locale.SecurityDoneTested,
	}
	if key, ok := keys[done]; ok {
		return locale.Say(key)
	}
	return ""
}

// ProveFirst answers "GET /me/prove", with "change" and "next".
func (m *Me) ProveFirst() http.Handler {
	return m.in(func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		page, err := m.provePage(r, a, r.URL.Query().Get("change"), r.URL.Query().Get("next"))
		if err != nil {
			return err
		}
		ok, level, err := m.Desk.Fresh(r.Context(), a.Session, page.Change)
		if err != nil {
			return err
		}
		if ok {
			return web.Go(w, r, page.Next)
		}
		page.Password, page.Stuck = level == policy.ACR(nil), level == 0
		if page.Stuck {
			if _, page.Helpers, err = m.Desk.Around(r.Context(), a.Session); err != nil {
				return err
			}
		}
		return m.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (m *Me) provePage(r *http.Request, a check.Answer, change, next string) (ProvePage, error) {
	page := ProvePage{As: a.User.Name(), Login: string(a.User.Login), Change: policy.OtherChange, Next: "/me/security", Back: "/me/security"}
	if _, err := m.where(r, a, &page.Site); err != nil {
		return page, err
	}
	if c := policy.Change(change); c == policy.AddMethod || c == policy.RemoveMethod {
		page.Change = c
	}
	if next != "" && web.Local(next) {
		page.Next = next
		// The pages of settings and staff are there without a proof, too.
		if strings.HasPrefix(next, "/sites/") || strings.HasPrefix(next, "/staff") {
			page.Back = next
		}
	}
	return page, nil
}

// Prove answers "POST /me/prove".
func (m *Me) Prove() http.Handler {
	return m.in(func(w http.ResponseWriter, r *http.Request, a check.Answer) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		page, err := m.provePage(r, a, form.Get("change"), form.Get("next"))
		if err != nil {
			return err
		}
		if typed := form.Get("password"); typed != "" {
			return m.provePassword(w, r, a, page, typed)
		}
		next, err := m.Desk.Prove(r.Context(), a.Session, page.Change, page.Next)
		if err != nil {
			return err
		}
		return m.proceed(w, r, next)
	})
}

// toProve sends a person to prove again who they are, and back.
func toProve(w http.ResponseWriter, r *http.Request, change policy.Change, next string) error {
	return web.Go(w, r, "/me/prove?change="+url.QueryEscape(string(change))+"&next="+url.QueryEscape(next))
}
