package settings

import (
	"keyturn/internal/locale"
	"keyturn/internal/web"
)

// RequestsPage is where a site asks its account manager for a user, and sees what became
// of what it asked.
type RequestsPage struct {
	// Site is the site's name, Path the address of its settings.
	Site, Path string
	// Done says what was done just now, Fault why something was not. May be empty.
	Done, Fault string
	// Prove is where the Admin proves who they are, before they can ask; empty if they have
	// lately. Kept says that what they typed is still there, and waits for that.
	Prove string
	Kept  bool
	Form  RequestForm
	Rows  []RequestRow
	// Manager is the account manager, known or not.
	Manager web.Contact
}

// RequestForm is the form, with what was typed and what is wrong with it.
type RequestForm struct {
	First, Last, Email, Mobile, Day string
	// IsMobile says that the mobile app is chosen.
	IsMobile bool
	Groups   []GroupChoice
	// Least and Most bound the last day, as the browser wants them.
	Least, Most string
	// Doubt asks whether the address is right as it is; empty if there is no doubt. The
	// form then has the tick box "sure".
	Doubt string
	// What is wrong with the fields; empty if nothing is.
	NameFault, EmailFault, MobileFault, GroupFault, KindFault, DayFault string
}

// GroupChoice is one group of the list.
type GroupChoice struct {
	// ID is the value of the form's field "group", May what it may do, in words.
	ID, Name, May string
	Chosen        bool
}

// RequestRow is one request of the list.
type RequestRow struct {
	ID, Who, Email string
	// What is the group, the kind and the end of the access; State how it stands.
	What, State string
	// Look is ready, manage, help or none.
	Look string
	// CanWithdraw and CanResend say which buttons it has.
	CanWithdraw, CanResend bool
}

// Head implements web.Page.
func (p RequestsPage) Head() web.Head {
	return web.Head{Template: "settings/requests", Title: locale.Say(locale.RequestTitle), Problem: p.Problem(), Site: p.Site, Layout: web.Broad}
}

// Problem is the first thing that is wrong; empty if nothing is.
func (p RequestsPage) Problem() string {
	f := p.Form
	for _, s := range []string{p.Fault, f.NameFault, f.EmailFault, f.MobileFault, f.GroupFault, f.KindFault, f.DayFault, f.Doubt} {
		if s != "" {
			return s
		}
	}
	return ""
}
