package door

import (
	"net/http"
	"slices"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/limit"
	"keyturn/internal/locale"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/signin"
	"keyturn/internal/site"
	"keyturn/internal/web"
)

// showStep shows the page of what an attempt asks, with what was wrong just now.
func (d *Door) showStep(w http.ResponseWriter, r *http.Request, status int, v signin.View, next signin.Next) error {
	switch v.Step {
	case signin.AskSite:
		return d.Kit.Show(w, r, status, choosePage(v))
	case signin.AskCode, signin.Rest:
		return d.Kit.Show(w, r, status, codePage(v, next))
	case signin.Stuck, signin.Refused:
		return d.Kit.Show(w, r, http.StatusForbidden, refusedPage(v))
	case signin.In:
		// What was asked is asked no more: the next step opens the door.
		return d.Kit.Show(w, r, status, codePage(v, next))
	case signin.AskPassword, signin.Gone:
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
		Why: why(v.Decision), Facts: facts(v.Decision, zone, v.Now), By: ByEmail,
	}
	if c := v.Code; c != nil {
		page.By = By(c.Method.Kind)
		page.SentTo = masked(c.Method)
		page.Until = locale.Clock(c.Until, zone)
		page.Trail = trail(*c, v.Helpers, zone)
		page.Refused = refusal(c.Trail)
		page.CanResend = !v.Now.Before(c.NextAt)
		if !page.CanResend {
			page.ResendAt = locale.ClockSeconds(c.NextAt, zone)
		}
	}
	page.Offers = offers(v.Decision, v.Methods, page.By)
	page.Fault, page.FaultCostsNothing = fault(v, next, zone)
	page.closed(v, next, zone)
	return page
}

// fault says what was wrong with what was typed, and whether it cost nothing.
func fault(v signin.View, next signin.Next, zone *time.Location) (words string, free bool) {
	switch next.Wrong {
	case signin.WrongForm:
		return FaultForm(), true
	case signin.WrongCode:
		if v.Code != nil && !v.Code.Live {
			return FaultSpent(), false
		}
		return FaultWrong(left(v)), false
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
	case signin.WrongPassword, signin.Resting, signin.TooSoon, signin.NotOffered, signin.NotMember:
	}
	return "", false
}

func left(v signin.View) int {
	if v.Code == nil {
		return 0
	}
	return limit.GuessesPerCode - v.Code.Wrong
}

// closed says why no code can be typed now, where that is so.
func (p *CodePage) closed(v signin.View, next signin.Next, zone *time.Location) {
	if v.Step == signin.Rest {
		p.Closed = ClosedRests(locale.Clock(restsUntil(v.Decision), zone))
		p.CanResend, p.ResendAt = false, ""
		return
	}
	if next.Wrong == signin.Resting {
		p.Closed = ClosedRests(locale.Clock(next.Retry, zone))
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

func restsUntil(decision policy.Decision) time.Time {
	var first time.Time
	for _, off := range decision.NotOffered {
		if off.Key == policy.Resting && (first.IsZero() || off.Until.Before(first)) {
			first = off.Until
		}
	}
	return first
}

// trail puts the stored steps of a message into words, and adds what is still to come.
func trail(c signin.CodeView, helpers []string, zone *time.Location) []Step {
	by := By(c.Method.Kind)
	var steps []Step
	for _, s := range c.Trail {
		switch s.Kind {
		case message.StepPromised:
			steps = append(steps, StepSent(by, s.At, zone))
		case message.StepAccepted:
			steps = append(steps, StepTaken(by, s.At, zone))
		case message.StepRefused:
			steps = append(steps, StepRefused(by, bounce(s.Why), helpers, s.At, zone))
		case message.StepDelayed, message.StepUnknown, message.StepExpired:
		}
	}
	if len(c.Trail) == 0 || !c.Live {
		return steps
	}
	switch c.Trail[len(c.Trail)-1].Kind {
	case message.StepPromised:
		steps = append(steps, StepPromised())
	case message.StepDelayed:
		steps = append(steps, StepRetry())
	case message.StepAccepted, message.StepUnknown:
		steps = append(steps, StepSoon(by))
	case message.StepRefused, message.StepExpired:
	}
	return steps
}

// refusal is why the other side would not take the message, if it would not.
func refusal(steps []message.Step) string {
	for _, s := range steps {
		if s.Kind == message.StepRefused {
			return bounce(s.Why)
		}
	}
	return ""
}

func bounce(why message.Reason) string {
	switch why {
	case message.MailboxFull:
		return BounceFull()
	case message.NoSuchMailbox:
		return BounceUnknown()
	case message.Blocked:
		return BouncePolicy()
	case message.RelayDown, message.Timeout, message.TLS, message.Auth, message.Other:
	}
	return BounceOther()
}

// offers are the ways on offer that carry a code, but for the one in use.
func offers(decision policy.Decision, methods []method.Method, but By) []Offer {
	var all []Offer
	for _, o := range decision.Offered {
		by := By(o.Kind)
		if by == but || (by != ByEmail && by != BySMS) {
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
	page := WayPage{As: v.User.Name(), Site: v.Site.Name, Helpers: v.Helpers, Manager: manager(v.Site)}
	page.Sent = v.Code != nil && v.Code.Live && refusal(v.Code.Trail) == ""
	zone := zoneOf(v.Site)
	for _, o := range offers(v.Decision, v.Methods, "") {
		if o.Method != ByEmail {
			continue
		}
		if v.Code != nil && v.Now.Before(v.Code.NextAt) {
			page.Off = append(page.Off, OffEmailWaits(locale.ClockSeconds(v.Code.NextAt, zone)))
			continue
		}
		page.On = append(page.On, WayByEmail(o.To))
	}
	for _, off := range v.Decision.NotOffered {
		switch {
		case off.Kind == policy.Email && off.Key == policy.Resting:
			page.Off = append(page.Off, OffEmailRests(locale.Clock(off.Until, zone)))
		case off.Kind == policy.Email && off.Key == policy.EmailBounced:
			page.Off = append(page.Off, OffEmailRefused(BounceUnknown(), v.Helpers))
		}
	}
	page.Off = append(page.Off, OffSMSNotYet())
	return page
}

func refusedPage(v signin.View) RefusedPage {
	page := RefusedPage{As: v.User.Name(), Site: v.Site.Name, Why: NoWay, Helpers: v.Helpers, Manager: manager(v.Site)}
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
	for _, off := range v.Decision.NotOffered {
		if page.Why == NoWay && off.Kind == policy.Email && off.Key == policy.EmailBounced {
			page.Detail = OffEmailRefused(BounceUnknown(), nil).Why
		}
	}
	return page
}

// manager is who looks after a site, or nobody that is known.
func manager(s site.Site) web.Contact {
	return web.Contact{Name: s.AccountManager, Email: s.AccountManager}
}

// why is the one sentence that says why more than a password is asked.
func why(decision policy.Decision) string {
	for _, r := range decision.Reasons {
		switch r.Key { //nolint:exhaustive // the other reasons are not for this place
		case policy.IsStaff:
			return WhyStaff()
		case policy.XeroConnected:
			return WhyXero(r.SiteName, true)
		case policy.XeroWasConnected:
			return WhyXero(r.SiteName, false)
		case policy.SiteRequiresEveryone:
			return WhySite(r.SiteName)
		case policy.SiteRequiresMember:
			return WhyMember(r.SiteName)
		case policy.OwnChoice:
			return WhyOwn()
		}
	}
	return ""
}

// facts are what led to the decision, each with its date and who.
func facts(decision policy.Decision, zone *time.Location, now time.Time) []Fact {
	var all []Fact
	for _, r := range decision.Reasons {
		switch r.Key { //nolint:exhaustive // the other reasons are not for this place
		case policy.XeroConnected, policy.XeroWasConnected:
			if !r.Since.IsZero() {
				all = append(all, FactXero(locale.Day(r.Since, zone), r.By))
			}
		case policy.EnforcedSince:
			all = append(all, FactRequired(r.SiteName, locale.Moment(r.Since, zone, now)))
		}
	}
	return append(all, FactDevice())
}

func masked(m method.Method) string {
	return address.Mask(address.Canonical(m.Address))
}

// zoneOf is where times are said: the site's, or UTC where there is none.
func zoneOf(s site.Site) *time.Location {
	if s.Zone == nil {
		return time.UTC
	}
	return s.Zone
}
