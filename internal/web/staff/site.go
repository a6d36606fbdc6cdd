package staff

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"keyturn/internal/authority"
	"keyturn/internal/console"
	"keyturn/internal/id"
	"keyturn/internal/integration"
	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/web"
)

// at runs a handler for a site of the address.
func (s *Staff) at(do func(http.ResponseWriter, *http.Request, authority.Bearer, id.Site) error) http.Handler {
	return s.only(func(w http.ResponseWriter, r *http.Request, by authority.Bearer) error {
		which, err := id.Parse[id.Site](r.PathValue("site"))
		if err != nil {
			return err
		}
		return do(w, r, by, which)
	})
}

// Site answers "GET /staff/sites/{site}". The query may bring back what was typed into the
// form for SMS before a proof, and say what was done.
func (s *Staff) Site() http.Handler {
	return s.at(func(w http.ResponseWriter, r *http.Request, by authority.Bearer, which id.Site) error {
		page, err := s.sitePage(r, by, which)
		if err != nil {
			return err
		}
		query := web.ReadQuery(r)
		page.TopUp.Parts, page.TopUp.Reference = query.Get("parts"), query.Get("reference")
		switch query.Get("did") {
		case "sms":
			page.Done = locale.Say(locale.ConsoleToppedUp)
		case "note":
			page.Done = locale.Say(locale.ConsoleNoted)
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

func (s *Staff) sitePage(r *http.Request, by authority.Bearer, which id.Site) (SitePage, error) {
	// A member after whom nobody stands is nobody's id: the list then begins anew.
	after, err := id.Parse[id.User](web.ReadQuery(r).Get("after"))
	if err != nil {
		after = ""
	}
	seen, err := s.Console.Site(r.Context(), by, which, after)
	if err != nil {
		return SitePage{}, err
	}
	now := s.DB.Clock.Now()
	page := SitePage{
		Path: sitePath(which), Name: seen.Site.Name, Ref: seen.Site.Ref, Until: untilWords(seen.Given, now), Reason: seen.Reason,
		Facts: siteFacts(seen, now), Help: seen.NeedsHelp, Manage: seen.WillManage, Ready: seen.Ready, Recoveries: seen.Recoveries,
	}
	for _, c := range seen.Contacts {
		page.Contacts = append(page.Contacts, AdminLine{Name: c.Name, Email: c.Email, Phone: c.Phone})
	}
	for _, n := range seen.Notes {
		page.Notes = append(page.Notes, NoteRow{Words: n.Words, By: noteBy(n, seen.Site.Zone, now), Contact: n.Contact})
	}
	for _, m := range seen.Members {
		page.Members = append(page.Members, memberRow(m))
	}
	if seen.Rehearsal.People > 0 {
		page.Rehearsed = shadowWords(seen.Rehearsal)
	}
	for _, one := range seen.Stopped {
		page.Stopped = append(page.Stopped, StoppedRow{MemberRow: memberRow(one.Member), At: locale.Moment(one.At, seen.Site.Zone, now)})
	}
	if seen.Next != "" {
		page.Next = page.Path + "?after=" + string(seen.Next)
	}
	return page, nil
}

func siteFacts(seen console.Seen, now time.Time) []Fact {
	zone := seen.Site.Zone
	var all []Fact
	add := func(what locale.Key, which string) {
		if which != "" {
			all = append(all, Fact{What: locale.Say(what), Which: which})
		}
	}
	add(locale.ConsoleFactXero, xeroWords(seen.Xero, zone))
	add(locale.ConsoleFactDate, dateWords(seen.Asking, zone, now))
	add(locale.ConsoleFactTwofa, settingWords(seen.Site.TwoFA))
	add(locale.ConsoleFactRemember, rememberWords(seen.Site.Remember))
	add(locale.ConsoleFactSms, locale.Say(locale.ConsoleSmsIs, locale.Data{"Count": seen.Balance.Available, "Float": strconv.Itoa(seen.Balance.Float)}))
	add(locale.ConsoleFactManager, seen.Site.AccountManager)
	add(locale.ConsoleFactTime, locale.Exact(now, zone, now))
	return all
}

func xeroWords(i *integration.Integration, zone *time.Location) string {
	switch {
	case i == nil:
		return locale.Say(locale.ConsoleXeroNever)
	case !i.DisconnectedAt.IsZero():
		return locale.Say(locale.ConsoleXeroWas, locale.Data{"Day": locale.Day(i.DisconnectedAt, zone)})
	case i.Since.IsZero():
		return locale.Say(locale.ConsoleXeroLong)
	case i.By == "":
		return locale.Say(locale.WhyFactXeroSince, locale.Data{"Day": locale.Day(i.Since, zone)})
	}
	return locale.Say(locale.WhyFactXeroBy, locale.Data{"Day": locale.Day(i.Since, zone), "Who": i.By})
}

func settingWords(of policy.Setting) string {
	switch of {
	case policy.SettingEveryone:
		return locale.Say(locale.ConsoleTwofaEveryone)
	case policy.SettingPerUser:
		return locale.Say(locale.ConsoleTwofaUser)
	case policy.SettingOff:
	}
	return locale.Say(locale.ConsoleTwofaOff)
}

func rememberWords(of policy.Remember) string {
	switch of {
	case policy.RememberDaily:
		return locale.Say(locale.ConsoleRememberDaily)
	case policy.Remember7, policy.Remember14, policy.Remember30:
		return locale.Say(locale.ConsoleRememberDays, locale.Data{"Days": string(of)})
	case policy.RememberOff:
	}
	return locale.Say(locale.ConsoleRememberOff)
}

func memberRow(m console.Member) MemberRow {
	row := MemberRow{Name: m.Name, Group: string(m.Group), Email: m.Email, Mobile: m.Mobile}
	row.Look, row.Mark = markOf(m)
	if m.Mark == policy.Exempt {
		return row
	}
	row.TwoFA = locale.Say(locale.ConsoleTwofaNotAsked)
	if m.Required {
		row.TwoFA = locale.Say(locale.ConsoleTwofaAsked)
	}
	var ways []string
	for _, kind := range m.Proved {
		ways = append(ways, wayWord(kind))
	}
	if len(ways) > 0 {
		row.TwoFA += " · " + locale.Say(locale.ConsoleProved, locale.Data{"Ways": locale.AllOf(ways)})
	}
	switch {
	case m.Mark == policy.WillManage && m.Alone:
		row.Why = []string{locale.Say(locale.ConsoleLackAlone)}
	case m.Mark == policy.WillManage:
		row.Why = []string{locale.Say(locale.ConsoleLackProof)}
	}
	for _, key := range m.Lacks {
		row.Why = append(row.Why, lackWords(key))
	}
	return row
}

func markOf(m console.Member) (look, word string) {
	switch {
	case m.Status == policy.Blocked:
		return "none", locale.Say(locale.ConsoleMarkBlocked)
	case m.Status == policy.Inactive:
		return "none", locale.Say(locale.ConsoleMarkInactive)
	case m.Mark == policy.Ready:
		return "ready", locale.Say(locale.ConsoleMarkReady)
	case m.Mark == policy.WillManage:
		return "manage", locale.Say(locale.ConsoleMarkManage)
	case m.Mark == policy.NeedsHelp:
		return "help", locale.Say(locale.ConsoleMarkHelp)
	}
	return "none", locale.Say(locale.ConsoleMarkMobile)
}

func wayWord(kind policy.MethodKind) string {
	switch kind {
	case policy.Email:
		return locale.Say(locale.ConsoleWayEmail)
	case policy.SMS:
		return locale.Say(locale.ConsoleWaySms)
	case policy.TOTP:
		return locale.Say(locale.ConsoleWayTotp)
	case policy.Passkey:
		return locale.Say(locale.ConsoleWayPasskey)
	case policy.Recovery:
	}
	return locale.Say(locale.ConsoleWayRecovery)
}

// lackWords says why a way would not be offered. What is rare has one sentence.
func lackWords(key policy.WithheldKey) string {
	switch key { //nolint:exhaustive // the others have one sentence
	case policy.NoEmail:
		return locale.Say(locale.ConsoleLackEmail)
	case policy.NoMobile:
		return locale.Say(locale.ConsoleLackMobile)
	case policy.EmailBounced:
		return locale.Say(locale.ConsoleLackBounced)
	case policy.NumberRefused:
		return locale.Say(locale.ConsoleLackRefused)
	case policy.NoSMSAvailable:
		return locale.Say(locale.ConsoleLackSms)
	case policy.ResetMark:
		return locale.Say(locale.ConsoleLackReset)
	case policy.TooWeakForSite:
		return locale.Say(locale.ConsoleLackWeak)
	case policy.Resting:
		return locale.Say(locale.ConsoleLackRests)
	}
	return locale.Say(locale.ConsoleLackOther)
}

// Call answers "POST /staff/sites/{site}/call": whom to call, with their numbers.
func (s *Staff) Call() http.Handler {
	return s.at(func(w http.ResponseWriter, r *http.Request, by authority.Bearer, which id.Site) error {
		contacts, err := s.Console.Call(r.Context(), by, which)
		if err != nil {
			return err
		}
		page, err := s.sitePage(r, by, which)
		if err != nil {
			return err
		}
		page.Contacts, page.Called = nil, true
		for _, c := range contacts {
			page.Contacts = append(page.Contacts, AdminLine{Name: c.Name, Email: c.Email, Phone: c.Phone})
		}
		return s.Kit.Show(w, r, http.StatusOK, page)
	})
}

// Write answers "POST /staff/sites/{site}/notes".
func (s *Staff) Write() http.Handler {
	return s.at(func(w http.ResponseWriter, r *http.Request, by authority.Bearer, which id.Site) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		order := console.NoteOrder{Site: which, Words: form.Get("words"), Contact: form.Ticked("contact")}
		refused, err := s.Console.Write(r.Context(), by, order)
		if err != nil {
			return err
		}
		if refused == "" {
			return web.Go(w, r, sitePath(which)+"?did=note")
		}
		page, err := s.sitePage(r, by, which)
		if err != nil {
			return err
		}
		page.Note = NoteForm{Words: order.Words, Contact: order.Contact, Fault: locale.Say(locale.ConsoleNoteForm)}
		return s.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
	})
}

// TopUp answers "POST /staff/sites/{site}/sms".
func (s *Staff) TopUp() http.Handler {
	return s.at(func(w http.ResponseWriter, r *http.Request, by authority.Bearer, which id.Site) error {
		form, err := web.ReadForm(w, r)
		if err != nil {
			return err
		}
		typed := TopUpForm{Parts: form.Get("parts"), Reference: form.Get("reference")}
		parts, err := strconv.Atoi(strings.ReplaceAll(strings.TrimSpace(typed.Parts), ",", ""))
		if err != nil {
			parts = 0 // no number of parts, as the desk says
		}
		refused, err := s.Console.TopUp(r.Context(), by, console.TopUpOrder{Site: which, Parts: parts, Reference: typed.Reference})
		if err != nil {
			return err
		}
		if refused == "" {
			return web.Go(w, r, sitePath(which)+"?did=sms")
		}
		page, err := s.sitePage(r, by, which)
		if err != nil {
			return err
		}
		page.TopUp = typed
		switch refused { //nolint:exhaustive // the others do not come of a top-up
		case console.NotFresh:
			page.TopUp.Fault = locale.Say(locale.ConsoleProveFirst)
			page.TopUp.Prove = proveAt(sitePath(which) + "?" + url.Values{"parts": {typed.Parts}, "reference": {typed.Reference}}.Encode())
		case console.Counted:
			page.TopUp.Fault = locale.Say(locale.ConsoleTopupCounted)
		default:
			page.TopUp.Fault = locale.Say(locale.ConsoleTopupForm)
		}
		return s.Kit.Show(w, r, http.StatusUnprocessableEntity, page)
	})
}
