package settings

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/id"
	"keyturn/internal/locale"
	"keyturn/internal/member"
	"keyturn/internal/policy"
	"keyturn/internal/user"
	"keyturn/internal/web"
)

// HelpUser answers "POST /sites/{site}/settings/users/{user}/help": what helps somebody to
// get in, or ends what they have open.
func (s *Settings) HelpUser() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		whom, err := id.Parse[id.User](r.PathValue("user"))
		if err != nil {
			return err
		}
		switch form.Get("do") {
		case "test":
			return s.sendTest(w, r, a, whom, policy.Email)
		case "test-sms":
			return s.sendTest(w, r, a, whom, policy.SMS)
		}
		saved, err := s.Members.EndSessions(r.Context(), a.bearer(), whom)
		if err != nil {
			return err
		}
		if saved.Refused == "" {
			return web.Go(w, r, a.path+"/users/"+string(whom)+"?did=ended")
		}
		card, err := s.card(r, a)
		if err != nil {
			return err
		}
		page, err := s.userPage(a, card, card.Form)
		if err != nil {
			return err
		}
		status := http.StatusUnprocessableEntity
		page.Problem = locale.Say(locale.UsersCannot)
		if saved.Refused == member.TooMany {
			status, page.Problem = http.StatusTooManyRequests, locale.Say(locale.UsersTooMany, locale.Data{"At": locale.Clock(saved.Retry, a.site.Zone)})
			web.RetryAfter(w, saved.Retry.Sub(s.DB.Clock.Now()))
		}
		return s.Kit.Show(w, r, status, page)
	})
}

// Leaving answers "GET /sites/{site}/settings/users/{user}/left".
func (s *Settings) Leaving() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		page, err := s.leftPage(r, a)
		if err != nil {
			return err
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

// Left answers "POST /sites/{site}/settings/users/{user}/left".
func (s *Settings) Left() http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, a admin) error {
		if _, err := web.ReadForm(w, r); err != nil {
			return err
		}
		whom, err := id.Parse[id.User](r.PathValue("user"))
		if err != nil {
			return err
		}
		refused, err := s.Members.Left(r.Context(), a.bearer(), whom)
		if err != nil {
			return err
		}
		here := a.path + "/users/" + string(whom) + "/left"
		switch refused { //nolint:exhaustive // the others are of the form
		case "":
			return web.Go(w, r, here)
		case member.NotFresh:
			return prove(w, r, here)
		}
		page, err := s.leftPage(r, a)
		if err != nil {
			return err
		}
		words := map[member.Refused]locale.Key{member.Oneself: locale.UsersOneself, member.AboveRank: locale.UsersAboveRank}
		key, known := words[refused]
		page.Problem = locale.Say(locale.UsersLastAdmin, locale.Data{"First": page.First})
		if known {
			page.Problem = locale.Say(key)
		}
		return s.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
	})
}

func (s *Settings) leftPage(r *http.Request, a admin) (LeftPage, error) {
	card, err := s.card(r, a)
	if err != nil {
		return LeftPage{}, err
	}
	now := s.DB.Clock.Now()
	page := LeftPage{
		Site: a.site.Name, Path: a.path, ID: string(card.User.ID), Name: card.User.Name(),
		First: cmp.Or(card.User.FirstName, card.User.Name()), Gone: card.Member.Status == policy.Inactive,
		Fresh: card.Fresh, Elsewhere: card.Elsewhere,
	}
	deeds, cut, err := member.Deeds(r.Context(), s.DB, now, a.site.ID, card.User.ID)
	if err != nil {
		return page, err
	}
	page.Cut = cut
	return page, s.deedLines(r, a, card, &page, deeds, now)
}

// deedLines put what somebody did into words.
func (s *Settings) deedLines(r *http.Request, a admin, card member.Card, page *LeftPage, deeds []member.Deed, now time.Time) error {
	var about []id.User
	for _, d := range deeds {
		if d.About != "" && d.About != card.User.ID {
			about = append(about, d.About)
		}
	}
	names, err := user.ByIDs(r.Context(), s.DB, about)
	if err != nil {
		return err
	}
	for _, d := range deeds {
		line := DeedLine{At: locale.Moment(d.At, a.site.Zone, now), What: deedWords(d.Kind)}
		if who, known := names[d.About]; known {
			line.About = who.Name()
		}
		page.Deeds = append(page.Deeds, line)
	}
	return nil
}

func deedWords(kind audit.Kind) string {
	words := map[audit.Kind]locale.Key{
		audit.MethodAdded: locale.UsersDeedMethodAdded, audit.MethodRemoved: locale.UsersDeedMethodRemoved,
		audit.MethodLinked: locale.UsersDeedMethodLinked, audit.RecoveryCodesMade: locale.UsersDeedRecoveryCodes,
		audit.PasswordChanged: locale.UsersDeedPassword, audit.PasswordReset: locale.UsersDeedPassword,
		audit.DeviceRemembered: locale.UsersDeedDevice, audit.HelpCodeGiven: locale.UsersDeedHelpCode,
		audit.HelpApproved: locale.UsersDeedApproved, audit.LoginChanged: locale.UsersDeedLogin,
		audit.UserAdded: locale.UsersDeedAdded, audit.UserInvited: locale.UsersDeedInvited, audit.UserRenamed: locale.UsersDeedRenamed,
		audit.MembershipAdded: locale.UsersDeedMembership, audit.MembershipChanged: locale.UsersDeedMembership,
		audit.MemberLeft: locale.UsersDeedLeft, audit.SiteChanged: locale.UsersDeedSite,
		audit.XeroConnected: locale.UsersDeedXeroOn, audit.XeroDisconnected: locale.UsersDeedXeroOff, audit.LoginsJoined: locale.UsersDeedJoined,
	}
	if key, known := words[kind]; known {
		return locale.Say(key)
	}
	return strings.ReplaceAll(string(kind), "_", " ")
}

// lockWords say why the 2FA toggle cannot be changed, or what it does.
func lockWords(card member.Card, a admin, now time.Time) string {
	if !card.Locked {
		if card.Site.TwoFA != policy.SettingPerUser {
			return locale.Say(locale.UsersTwofaOff)
		}
		return locale.Say(locale.UsersTwofaChoose)
	}
	for _, r := range card.Reasons {
		d := locale.Data{"By": r.By, "Site": a.site.Name}
		if !r.Since.IsZero() {
			d["Day"] = locale.Day(r.Since, a.site.Zone)
		}
		switch r.Key { //nolint:exhaustive // the others lock nothing
		case policy.DateToCome:
			return locale.Say(locale.UsersLockDate, locale.Data{"When": locale.Exact(r.Until, a.site.Zone, now)})
		case policy.XeroConnected:
			if r.By != "" && !r.Since.IsZero() {
				return locale.Say(locale.UsersLockXeroBy, d)
			}
			return locale.Say(locale.UsersLockXero)
		case policy.XeroWasConnected:
			return locale.Say(locale.UsersLockWas)
		case policy.SiteRequiresEveryone:
			return locale.Say(locale.UsersLockSite, d)
		}
	}
	return locale.Say(locale.UsersLockXero)
}
