package door

import (
	"net/http"
	"slices"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/limit"
	"keyturn/internal/locale"
	"keyturn/internal/method"
	"keyturn/internal/phone"
	"keyturn/internal/policy"
	"keyturn/internal/signin"
	"keyturn/internal/site"
	"keyturn/internal/web"
	"keyturn/internal/web/adding"
	"keyturn/internal/web/reason"
)

// showStep shows the page of what an attempt asks, with what was wrong just now.
func (d *Door) showStep(w http.ResponseWriter, r *http.Request, status int, v signin.View, next signin.Next) error {
	switch v.Step {
	case signin.AskSite:
		return d.Kit.Show(w, r, status, choosePage(v))
	case signin.AskCode, signin.Rest:
		return d.Kit.Show(w, r, status, codePage(v, next))
	case signin.Stuck:
		return d.Kit.Show(w, r, http.StatusForbidden, stuckPage(v))
	case signin.AskEnrol:
		return web.Go(w, r, "/signin/enrol")
	case signin.Refused:
		return d.Kit.Show(w, r, http.StatusForbidden, refusedPage(v))
	case signin.In:
		// What was asked is asked no more: the next step opens the door.
		return d.Kit.Show(w, r, status, codePage(v, next))
	case signin.AskPassword, signin.Both, signin.Gone:
	}
	return d.gone(w, r)
}

func choosePage(v signin.View) ChoosePage {
	page := ChoosePage{As: v.User.Name()}
	for _, c := range v.Choices {
		one := SiteChoice{ID: string(c.Site.ID), Name: c.Site.Name}
		switch {
		case c.Shut:
			one.Note = NoteMobile()
			page.Shut = append(page.Shut, one)
			continue
		case c.Asks:
			one.Note = NoteAsks()
		}
		page.Sites = append(page.Sites, one)
	}
	return page
}

func codePage(v signin.View, next signin.Next) CodePage {
	zone := zoneOf(v.Site)
	page := CodePage{
		As: v.User.Name(), Site: v.Site.Name, Reference: v.Attempt.Reference, Helpers: v.Helpers,
		Why: reason.Why(v.Decision), Facts: reason.Facts(v.Decision, zone, v.Now), By: By(v.Kind),
	}
	if page.By == "" {
		page.By = ByEmail
	}
	if !v.RememberUntil.IsZero() {
		page.RememberUntil = locale.Exact(v.RememberUntil, zone, v.Now)
	}
	page.Offers = offers(v.Decision, v.Methods, page.By)
	page.NoBalance = next.Wrong == signin.NoBalance
	if page.Sends() {
		page.sent(v, zone)
	} else if i := slices.IndexFunc(v.Methods, func(m method.Method) bool { return m.Kind == v.Kind && m.Name != "" }); i >= 0 {
		page.Name = v.Methods[i].Name
	}
	page.Fault, page.FaultCostsNothing = faultOf(v, next, zone)
	page.closed(v, next, zone)
	if page.Failed() {
		page.OtherWay = OtherWay(page.Offers)
	}
	return page
}

// sent fills in what became of the newest code, and how the channel delivers now.
func (p *CodePage) sent(v signin.View, zone *time.Location) {
	if weather := v.Weather.Channels[string(p.By)]; (weather.Slow || weather.Down) && len(p.Offers) > 0 {
		p.Weather = Weather(p.By, weather.About, weather.Down)
	}
	c := v.Code
	if c == nil {
		return
	}
	p.SentTo = masked(c.Method)
	p.Until = locale.Clock(c.Until, zone)
	trail := adding.Trail{Steps: c.Trail, By: p.By, Live: c.Live, Zone: zone, Now: v.Now, Site: v.Site.Name, Helpers: v.Helpers}
	p.Trail, p.Refused = trail.Words(), trail.Failed()
	p.CanResend = !v.Now.Before(c.NextAt)
	if !p.CanResend {
		p.ResendAt = locale.ClockSeconds(c.NextAt, zone)
	}
}

// faultOf says what was wrong with what was typed, and whether it cost nothing.
func faultOf(v signin.View, next signin.Next, zone *time.Location) (words string, free bool) {
	switch next.Wrong {
	case signin.WrongForm:
		if v.Kind == policy.Recovery {
			return FaultRecoveryForm(), true
		}
		return FaultForm(), true
	case signin.WrongCode:
		return wrongCode(v), false
	case signin.WrongPasskey:
		return FaultPasskey(), false
	case signin.StaleCode:
		at := locale.Clock(next.MadeAt, zone)
		if v.Code != nil && v.Code.Live {
			return FaultReplaced(at), true
		}
		return FaultExpired(at), true
	case signin.NoCode:
		if left(v) == 0 {
			return FaultSpent(), false
		}
		return FaultRanOut(), false
	case signin.WrongPassword, signin.Resting, signin.TooSoon, signin.NotOffered, signin.NotMember,
		signin.NoBalance, signin.NotJoined:
	}
	return "", false
}

// wrongCode is the answer to what is not right, for the way that the page is about.
func wrongCode(v signin.View) string {
	switch v.Kind {
	case policy.Recovery:
		return FaultRecovery()
	case policy.TOTP:
		return FaultTOTPUsed()
	case policy.Email, policy.SMS, policy.Passkey:
	}
	if v.Code != nil && !v.Code.Live {
		return FaultSpent()
	}
	return FaultWrong(left(v))
}

func left(v signin.View) int {
	if v.Code == nil {
		return 0
	}
	return limit.GuessesPerCode - v.Code.Wrong
}

// closed says why no code can be typed now, where that is so.
func (p *CodePage) closed(v signin.View, next signin.Next, zone *time.Location) {
	if until := restsUntil(v.Decision, v.Kind); v.Step == signin.Rest || !until.IsZero() {
		if until.IsZero() {
			until = restsUntil(v.Decision, "")
		}
		p.Closed = ClosedRestsBy(p.By, locale.Clock(until, zone))
		p.CanResend, p.ResendAt = false, ""
		return
	}
	if next.Wrong == signin.Resting {
		p.Closed = ClosedRestsBy(p.By, locale.Clock(next.Retry, zone))
		return
	}
	if !p.Sends() {
		return
	}
	live := v.Code != nil && v.Code.Live
	if next.Wrong == signin.TooSoon {
		p.CanResend, p.ResendAt = false, locale.ClockSeconds(next.Retry, zone)
		if !live {
			p.Closed = ClosedSends(p.ResendAt)
		}
		return
	}
	switch {
	case v.Code == nil && v.SendAt.After(v.Now):
		p.ResendAt = locale.ClockSeconds(v.SendAt, zone)
		p.Closed = ClosedSends(p.ResendAt)
	case v.Code == nil:
		p.CanResend, p.RanOut, p.Closed = true, true, ClosedNone()
	case !live && left(v) > 0 && p.Refused == "":
		p.RanOut, p.Closed = true, ClosedRanOut(p.Until)
	}
}

// restsUntil is until when a kind rests, or the first of all where none is named; zero: it
// does not.
func restsUntil(decision policy.Decision, kind policy.MethodKind) time.Time {
	var first time.Time
	for _, off := range decision.NotOffered {
		if off.Key == policy.Resting && (kind == "" || off.Kind == kind) && (first.IsZero() || off.Until.Before(first)) {
			first = off.Until
		}
	}
	return first
}

// offers are the ways on offer, one of a kind, but for the one in use.
func offers(decision policy.Decision, methods []method.Method, but By) []Offer {
	var all []Offer
	for _, o := range decision.Offered {
		by := By(o.Kind)
		if by == but || slices.ContainsFunc(all, func(other Offer) bool { return other.Method == by }) {
			continue
		}
		i := slices.IndexFunc(methods, func(m method.Method) bool { return string(m.ID) == o.ID })
		if i >= 0 {
			all = append(all, Offer{Method: by, To: masked(methods[i])})
		}
	}
	return all
}

func wayPage(v signin.View) WayPage {
	zone := zoneOf(v.Site)
	page := WayPage{
		As: v.User.Name(), Site: v.Site.Name, Helpers: v.Helpers, Manager: web.ContactOf(v.Manager),
		CanAsk: v.Attempt.Session == "" && v.Site.ID != "",
	}
	if c := v.Code; c != nil && c.Live {
		page.Sent = adding.Trail{Steps: c.Trail, By: By(c.Method.Kind)}.Failed() == ""
	}
	for _, by := range []By{ByEmail, BySMS} {
		if w := v.Weather.Channels[string(by)]; w.Slow || w.Down {
			page.Notice = Weather(by, w.About, w.Down)
			break
		}
	}
	for _, o := range offers(v.Decision, v.Methods, "") {
		if c := v.Code; c != nil && By(c.Method.Kind) == o.Method && v.Now.Before(c.NextAt) {
			page.Off = append(page.Off, OffWaits(o.Method, locale.ClockSeconds(c.NextAt, zone)))
			continue
		}
		page.On = append(page.On, WayBy(o.Method, o.To))
	}
	page.Off = append(page.Off, withheld(v)...)
	return page
}

// withheld are the ways that are not on offer, each with its reason.
func withheld(v signin.View) []WayOff {
	zone := zoneOf(v.Site)
	var all []WayOff
	for _, off := range v.Decision.NotOffered {
		facts := OffFacts{Site: v.Site.Name, Fix: off.Fix, Helpers: v.Helpers}
		if !off.Until.IsZero() {
			facts.Until = locale.Clock(off.Until, zone)
		}
		all = append(all, Off(By(off.Kind), off.Key, facts))
	}
	return all
}

func stuckPage(v signin.View) StuckPage {
	return StuckPage{As: v.User.Name(), Site: v.Site.Name, Off: withheld(v), Helpers: v.Helpers, Manager: web.ContactOf(v.Manager)}
}

func refusedPage(v signin.View) RefusedPage {
	page := RefusedPage{As: v.User.Name(), Site: v.Site.Name, Why: NoWay, Helpers: v.Helpers, Manager: web.ContactOf(v.Manager)}
	for _, r := range v.Decision.Reasons {
		switch r.Key { //nolint:exhaustive // the other reasons are not for this place
		case policy.MobileOnWeb:
			page.Why = MobileOnly
		case policy.IsBlocked:
			page.Why = Blocked
		case policy.IsInactive:
			page.Why = Inactive
		case policy.NoMembership:
			page.Why = NoSite
		}
	}
	return page
}

// masked is where codes of a method go, or what it is called.
func masked(m method.Method) string {
	switch m.Kind {
	case policy.Email:
		return address.Mask(address.Canonical(m.Address))
	case policy.SMS:
		return phone.Mask(m.Address)
	case policy.TOTP, policy.Passkey, policy.Recovery:
	}
	return m.Name
}

// zoneOf is where times are said: the site's, or UTC where there is none.
func zoneOf(s site.Site) *time.Location {
	if s.Zone == nil {
		return time.UTC
	}
	return s.Zone
}
