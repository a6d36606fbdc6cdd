package staff

import (
	"keyturn/internal/locale"
	"keyturn/internal/web"
)

// SitesPage is the call list.
type SitesPage struct {
	// Find is what was looked for; Rows are the sites, Older and Newer the pages beside.
	Find         string
	Rows         []SiteRow
	Older, Newer string
	// Done says what was just done.
	Done string
	// Open is the form for a site that is not given.
	Open OpenForm
}

// OpenForm is what was typed to open another site, and what is wrong with it.
type OpenForm struct{ Ref, Reason, Fault string }

// SiteRow is one site of it.
type SiteRow struct {
	ID, Name, Ref string
	// Help, Manage and Ready count its people; More says that there are more.
	Help, Manage, Ready int
	More                bool
	// Date is the site's date in words, Until how long it is open to whoever gave a reason.
	Date, Until string
	Admins      []AdminLine
	// Contact is when it was last spoken with; Note and NoteBy the latest note.
	Contact, Note, NoteBy string
}

// AdminLine is an admin: the name, and what is known to reach them by, masked.
type AdminLine struct{ Name, Email, Phone string }

// Head implements web.Page.
func (p SitesPage) Head() web.Head {
	return web.Head{Template: "staff/sites", Title: locale.Say(locale.ConsoleSites), Problem: p.Open.Fault, Layout: web.Broad}
}

// SitePage is one site.
type SitePage struct {
	Path, Name, Ref string
	// Until says how long it is open, Reason why, where it is not the member's own.
	Until, Reason string
	Facts         []Fact
	// Help, Manage and Ready count its people.
	Help, Manage, Ready int
	Contacts            []AdminLine
	// Called says that the contacts are whole.
	Called  bool
	Members []MemberRow
	// Rehearsed says how many signed in lately, and how many would have been stuck; empty
	// where nobody did, or a second step is asked. Stopped are those.
	Rehearsed string
	Stopped   []StoppedRow
	// Next is the address of the next page of members.
	Next  string
	Notes []NoteRow
	Done  string
	TopUp TopUpForm
	Note  NoteForm
	// Recoveries is how many are open.
	Recoveries int
}

// TopUpForm is what was typed to add SMS; Prove is where to prove first who one is, with
// the way back to what was typed.
type TopUpForm struct{ Parts, Reference, Fault, Prove string }

// NoteForm is what was typed as a note.
type NoteForm struct {
	Words, Fault string
	Contact      bool
}

// NoteRow is one note.
type NoteRow struct {
	Words, By string
	Contact   bool
}

// StoppedRow is one who would have been stuck, when, and how they stand now.
type StoppedRow struct {
	MemberRow

	At string
}

// MemberRow is one person.
type MemberRow struct {
	Name, Group, Email, Mobile string
	// Look is ready, manage, help or none, Mark its word, Why what is lacking.
	Look, Mark string
	Why        []string
	// TwoFA says whether a second step is asked, and what is proved.
	TwoFA string
}

// Head implements web.Page.
func (p SitePage) Head() web.Head {
	problem := p.TopUp.Fault
	if problem == "" {
		problem = p.Note.Fault
	}
	return web.Head{Template: "staff/site", Title: p.Name, Problem: problem, Layout: web.Broad}
}

// DeliveryPage is how messages do.
type DeliveryPage struct {
	// Hour says that it is about the last hour, else it is the last day.
	Hour bool
	Rows []CarrierRow
}

// CarrierRow is one channel and carrier.
type CarrierRow struct {
	Channel, Carrier                        string
	Sent, Delivered, Failed, Waiting, Codes int
	Within1, Within3, Within10, Parts       int
	Share1, Share3, Share10                 int
	IsSMS                                   bool
	Chart                                   string
}

// Head implements web.Page.
func (p DeliveryPage) Head() web.Head {
	return web.Head{Template: "staff/delivery", Title: locale.Say(locale.ConsoleDelivery), Layout: web.Broad}
}

// PeoplePage is who is staff.
type PeoplePage struct {
	Rows  []PersonRow
	Done  string
	Fault string
	// User and Reason are what was typed to end somebody; Prove as in TopUpForm.
	User, Reason, Prove string
}

// PersonRow is one member of staff.
type PersonRow struct {
	ID, Name, Login, Since string
	// Self says that it is whoever looks, Ending that it is proposed already.
	Self, Ending bool
}

// Head implements web.Page.
func (p PeoplePage) Head() web.Head {
	return web.Head{Template: "staff/people", Title: locale.Say(locale.ConsolePeople), Problem: p.Fault, Layout: web.Broad}
}

// ProposalRow waits for a second person.
type ProposalRow struct {
	ID, What, Why, By, Until string
	// Own says that whoever looks proposed it; Barred that it is about them.
	Own, Barred bool
}
