package door

import (
	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/web"
)

// WayPage shows the ways to pass, those on offer first, then the others with the
// reason and whoever can fix it.
type WayPage struct {
	// As is the name of whoever signs in, Site where.
	As, Site string
	// Notice is a caution: "Mail is slow now, about 6 minutes." May be empty.
	Notice string
	// Sent says that a code is out that still works.
	Sent bool
	// On are the ways that a press starts.
	On []Way
	// Off are the ways that are not on offer.
	Off []WayOff
	// CanAsk says that an admin can be asked to let this person in, and that a help code
	// counts: the last two rows. Not for somebody who is in already.
	CanAsk bool
	// Helpers are the names of the site's admins. May be empty.
	Helpers []string
	// Manager looks after the site. May be empty.
	Manager web.Contact
}

// Head implements web.Page.
func (p WayPage) Head() web.Head {
	return web.Head{Template: "door/way", Title: locale.Say(locale.WayTitle), Site: p.Site, Layout: web.Beside}
}

// One says whether a single person can help.
func (p WayPage) One() bool { return len(p.Helpers) == 1 }

// Rescue are the last rows of the page.
func (p WayPage) Rescue() RescueRows { return RescueRows{Helpers: p.Helpers} }

// RescueRows are the rows "Ask Pat to let me in" and "I have a help code", for the
// template "door.rescue".
type RescueRows struct {
	// Helpers are the names of the site's admins. Empty: nobody can be asked.
	Helpers []string
}

// AskWords are those of the row that asks an admin: with the first name where one can
// help.
func (r RescueRows) AskWords() string {
	if len(r.Helpers) == 1 {
		return locale.Say(locale.WayAskOne, locale.Data{"Who": r.Helpers[0]})
	}
	return locale.Say(locale.WayAskAny)
}

// Way is a way on offer.
type Way struct {
	// Method is the value of the form's field "method".
	Method By
	// Name is what it is called, Hint where the code would go: "To s••@gmail.example".
	Name, Hint string
}

// WayBy is a way on offer. To is where a code would go, masked, or what the authenticator
// is called, which may be empty.
func WayBy(by By, to string) Way {
	w := Way{Method: by, Name: nameOf(by)}
	switch by {
	case BySMS:
		w.Hint = locale.Say(locale.WaySmsHint, locale.Data{"To": to})
	case ByTOTP:
		w.Hint = locale.Say(locale.WayTotpHint)
		if to != "" {
			w.Hint = locale.Say(locale.WayTotpHintName, locale.Data{"Name": to})
		}
	case ByPasskey:
		w.Hint = locale.Say(locale.WayPasskeyHint)
	case ByRecovery:
		w.Hint = locale.Say(locale.WayRecoveryHint)
	case ByEmail:
		w.Hint = locale.Say(locale.WayEmailHint, locale.Data{"To": to})
	}
	return w
}

// nameOf is what a way is called.
func nameOf(by By) string {
	switch by {
	case BySMS:
		return locale.Say(locale.WaySms)
	case ByTOTP:
		return locale.Say(locale.WayTotp)
	case ByPasskey:
		return locale.Say(locale.WayPasskey)
	case ByRecovery:
		return locale.Say(locale.WayRecovery)
	case ByEmail:
	}
	return locale.Say(locale.WayEmail)
}

// WayOff is a way that is not on offer.
type WayOff struct {
	// Method picks the picture.
	Method By
	// Name is what it is called, Why the reason it is not on offer, Who whoever can fix
	// it, each a sentence. Who may be empty.
	Name, Why, Who string
}

// OffFacts are what the words about a way that is not on offer need.
type OffFacts struct {
	// Site is the name of the site that is entered. May be empty.
	Site string
	// Until is when a way that rests works again: "8:02 am".
	Until string
	// Fix is who can mend it, as the policy says.
	Fix policy.Fixer
	// Helpers are the names of the site's admins. May be empty.
	Helpers []string
}

// Off says why a way is not on offer, for every key of the policy, and who can mend it.
func Off(by By, key policy.WithheldKey, f OffFacts) WayOff {
	return WayOff{Method: by, Name: nameOf(by), Why: whyOff(by, key, f), Who: whoMends(key, f)}
}

func whyOff(by By, key policy.WithheldKey, f OffFacts) string {
	switch key {
	case policy.NoEmail:
		return locale.Say(locale.WayOffNoEmail)
	case policy.NoMobile:
		return locale.Say(locale.WayOffNoMobile)
	case policy.NotSetUp:
		if by == ByRecovery {
			return locale.Say(locale.WayOffNoRecovery)
		}
		return locale.Say(locale.WayOffNotSetUp)
	case policy.NoCodesLeft:
		return locale.Say(locale.WayOffNoCodesLeft)
	case policy.PendingProof:
		return locale.Say(locale.WayOffPending)
	case policy.TooWeakForSite:
		return locale.Say(locale.WayOffWeakSite, locale.Data{"Site": f.Site})
	case policy.TooWeakForClient:
		return locale.Say(locale.WayOffWeakClient)
	case policy.NotForStaff:
		return locale.Say(locale.WayOffStaff)
	case policy.ResetMark:
		return locale.Say(locale.WayOffResetMark)
	case policy.SpentMethod:
		if by == ByTOTP {
			return locale.Say(locale.WayOffSpentTotp)
		}
		return locale.Say(locale.WayOffSpent)
	case policy.AwaitsProof, policy.EmailBounced, policy.NumberRefused, policy.NotProved, policy.UnprovedSpent,
		policy.NoSMSAvailable, policy.Resting:
		return whyNotSent(key, f)
	}
	return locale.Say(locale.WayOffOther)
}

// whyNotSent is whyOff for what stands in the way of a code that is sent.
func whyNotSent(key policy.WithheldKey, f OffFacts) string {
	switch key { //nolint:exhaustive // whyOff has the others
	case policy.AwaitsProof:
		return locale.Say(locale.WayOffAwaits)
	case policy.EmailBounced:
		return locale.Say(locale.WayOffBounced)
	case policy.NumberRefused:
		return locale.Say(locale.WayOffNumber)
	case policy.NotProved:
		return locale.Say(locale.WayOffNotProved)
	case policy.UnprovedSpent:
		return locale.Say(locale.WayOffUnprovedSpent)
	case policy.NoSMSAvailable:
		if f.Site == "" {
			return locale.Say(locale.WayOffNoSmsAny)
		}
		return locale.Say(locale.WayOffNoSms, locale.Data{"Site": f.Site})
	case policy.Resting:
		return locale.Say(locale.WayOffResting, locale.Data{"Until": f.Until})
	}
	return locale.Say(locale.WayOffOther)
}

// whoMends says who can mend it, or "" where time does or nobody needs to.
func whoMends(key policy.WithheldKey, f OffFacts) string {
	if f.Fix == policy.FixAccountManager {
		return locale.Say(locale.WayFixManager)
	}
	nobody, who := len(f.Helpers) == 0, locale.Data{"Who": locale.AnyOf(f.Helpers)}
	switch key {
	case policy.NotSetUp, policy.NoCodesLeft, policy.PendingProof:
		return locale.Say(locale.WayFixSelf)
	case policy.NoEmail, policy.NoMobile, policy.EmailBounced, policy.NumberRefused:
		if nobody {
			return locale.Say(locale.WayFixSetupAny)
		}
		return locale.Say(locale.WayFixSetup, who)
	case policy.NoSMSAvailable:
		if nobody {
			return locale.Say(locale.WayFixSmsAny)
		}
		return locale.Say(locale.WayFixSms, who)
	case policy.ResetMark, policy.SpentMethod, policy.UnprovedSpent:
		if nobody {
			return locale.Say(locale.WayFixLetInAny)
		}
		return locale.Say(locale.WayFixLetIn, who)
	case policy.TooWeakForSite, policy.TooWeakForClient, policy.NotForStaff, policy.AwaitsProof, policy.NotProved, policy.Resting:
	}
	return ""
}

// OffWaits says that the next code by a channel can be sent from a time on.
func OffWaits(by By, at string) WayOff {
	return WayOff{by, nameOf(by), locale.Say(locale.WayOffWaits, locale.Data{"At": at}), ""}
}
