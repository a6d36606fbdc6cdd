package settings

import (
	"keyturn/internal/locale"
	"keyturn/internal/web"
)

// ApprovalsPage lists who waits to be let in, for the phone of whoever can let them in.
type ApprovalsPage struct {
	// Site is the site's name, Path the address of its settings, "/sites/…/settings".
	Site, Path string
	Waiting    []Waiting
	// Done says what was done just now. May be empty.
	Done string
	// Fresh says that nothing has to be proved first, NeedsProof that an answer was given
	// without it: nobody was let in, and what was typed is kept.
	Fresh, NeedsProof bool
}

// Proof is where the admin proves who they are, and comes back here.
func (p ApprovalsPage) Proof() string { return proofPath(p.Path + "/approvals") }

// ProofAside is like Proof, in a window of its own: what was typed stays in this one.
func (p ApprovalsPage) ProofAside() string { return proofPath(p.Path + "/shared/proved") }

// Head implements web.Page.
func (p ApprovalsPage) Head() web.Head {
	h := web.Head{Template: "settings/approvals", Title: locale.Say(locale.SettingsApprovalsTitle), Site: p.Site, Layout: web.Narrow}
	if p.NeedsProof {
		h.Problem = locale.Say(locale.UsersProofTitle)
	}
	for _, w := range p.Waiting {
		if w.Fault != "" {
			h.Problem = w.Fault
		}
	}
	return h
}

// Waiting is somebody who waits.
type Waiting struct {
	// ID is the value of the form's field "ask".
	ID string
	// Name is who, Since and From when and with what they asked, Until when it ends.
	Name, Since, From, Until string
	// Fault says what was wrong with the number that was typed, Number what it was where
	// nothing was wrong with it. Both may be empty.
	Fault, Number string
}

// HelpCodesPage lists who can be given a help code.
type HelpCodesPage struct {
	Site, Path, Fault string
	Members           []Member
	// Cut says that there are more members than the page lists.
	Cut bool
	// Find is what was searched for.
	Find string
}

// Head implements web.Page.
func (p HelpCodesPage) Head() web.Head {
	return web.Head{Template: "settings/helpcodes", Title: locale.Say(locale.SettingsHelpTitle), Problem: p.Fault, Site: p.Site, Layout: web.Narrow}
}

// Member is one member of the site.
type Member struct {
	// ID is the value of the form's field "user".
	ID, Name, Group string
	// Not says why they cannot be given one here; empty if they can.
	Not string
}

// HelpCodePage shows a help code, this once.
type HelpCodePage struct {
	Site, Path string
	// For is who it is for, Code the code in groups, Until when it ends.
	For, Code, Until string
	// Spelling is the code as it is read out.
	Spelling []Letter
}

// Letter is one letter or digit of a code, and how it is said.
type Letter struct{ Sign, Said string }

// Head implements web.Page.
func (p HelpCodePage) Head() web.Head {
	return web.Head{Template: "settings/helpcode", Title: locale.Say(locale.SettingsHelpCodeTitle), Site: p.Site, Layout: web.Narrow}
}

// SMSPage is the site's SMS balance.
type SMSPage struct {
	Site, Path string
	// Available can be spent, Held is on its way, Float kept back for the Admins.
	Available, Held, Float int
	// Forecast says in a sentence how long it lasts.
	Forecast string
	// Low says that it is time to buy.
	Low bool
	// BuyURL is where SMS are bought; empty: the account manager is asked.
	BuyURL  string
	Manager web.Contact
	// Bars are the last 28 days, the oldest first.
	Bars  []Bar
	Users []Use
	// Lines are the statement, the newest first; Older is the address of the next page.
	Lines []Line
	Older string
}

// Head implements web.Page.
func (p SMSPage) Head() web.Head {
	return web.Head{Template: "settings/sms", Title: locale.Say(locale.SettingsSmsTitle), Site: p.Site, Layout: web.Broad}
}

// Bar is one day of the chart: X from the left, Y from the top and H high, in a drawing
// of 280 by 60.
type Bar struct{ X, Y, H int }

// Use is what one member used.
type Use struct {
	Name  string
	Parts int
}

// Line is one line of the statement.
type Line struct {
	At, What, Who string
	// Parts is signed as people read it: "−1", "+200".
	Parts string
	After int
}
