package staff

import (
	"keyturn/internal/locale"
	"keyturn/internal/web"
)

// RequestsPage lists the requests that wait for staff, the oldest first.
type RequestsPage struct {
	As, Done string
	Rows     []Row
	// Elsewhere is how many more there are at sites that are not given.
	Elsewhere int
}

// Head implements web.Page.
func (p RequestsPage) Head() web.Head {
	return web.Head{Template: "staff/requests", Title: locale.Say(locale.RequestStaffTitle), Layout: web.Narrow}
}

// RequestPage is one request, with the difference that it makes.
type RequestPage struct {
	As, Path string
	// Who is the person, Site the site's name, State how the request stands.
	Who, Site, State string
	Facts            []Fact
	// May is what the group may do; Difference how many of the site's people are in each
	// group, and would be.
	Group, May string
	Difference []GroupCount
	// Doubt is what speaks against the address. May be empty.
	Doubt string
	// Second says that a second member of staff has to confirm it.
	Second bool
	// CanDecide says that it waits; CanApprove that this member of staff may approve it, Not
	// why they may not.
	CanDecide, CanApprove bool
	Not                   string
	// Seen is the state that is decided on.
	Seen string
	// Reason is what was typed; Prove is where to prove first, with that kept. May be empty.
	Reason, Prove string
	Fault         string
}

// GroupCount is one group of a site.
type GroupCount struct {
	Group     string
	Now, Then int
	// Changes says that this is the group that is asked for.
	Changes bool
}

// Head implements web.Page.
func (p RequestPage) Head() web.Head {
	return web.Head{Template: "staff/request", Title: locale.Say(locale.RequestStaffOne, locale.Data{"Who": p.Who}), Problem: p.Fault, Layout: web.Narrow}
}
