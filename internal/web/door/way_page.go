package door

import (
	"keyturn/internal/locale"
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

// Way is a way on offer.
type Way struct {
	// Method is the value of the form's field "method".
	Method By
	// Name is what it is called, Hint where the code would go: "To s••@gmail.example".
	Name, Hint string
}

// WayOff is a way that is not on offer.
type WayOff struct {
	// Method picks the picture.
	Method By
	// Name is what it is called, Why the reason it is not on offer, Who whoever can fix
	// it, each a sentence. Who may be empty.
	Name, Why, Who string
}

// WayByEmail is the way by email, to a masked address.
func WayByEmail(to string) Way {
	return Way{ByEmail, locale.Say(locale.WayEmail), locale.Say(locale.WayEmailHint, locale.Data{"To": to})}
}

// OffSMSNotYet says that codes by SMS do not exist here yet.
func OffSMSNotYet() WayOff {
	return WayOff{BySMS, locale.Say(locale.WaySms), locale.Say(locale.WaySmsNotYet), ""}
}

// OffEmailWaits says that the next code by email can be sent from a time on.
func OffEmailWaits(at string) WayOff {
	return WayOff{ByEmail, locale.Say(locale.WayEmail), locale.Say(locale.WayEmailWaits, locale.Data{"At": at}), ""}
}

// OffEmailRests says that codes by email rest after too many wrong tries, until when.
func OffEmailRests(until string) WayOff {
	return WayOff{ByEmail, locale.Say(locale.WayEmail), locale.Say(locale.WayEmailRests, locale.Data{"Until": until}), ""}
}

// OffEmailRefused says that the mail server would not take codes, why, and who can
// change the address.
func OffEmailRefused(why string, helpers []string) WayOff {
	off := WayOff{ByEmail, locale.Say(locale.WayEmail), locale.Say(locale.WayEmailRefused, locale.Data{"Why": why}), ""}
	if len(helpers) > 0 {
		off.Who = locale.Say(locale.WayEmailWho, locale.Data{"Who": locale.AnyOf(helpers)})
	}
	return off
}
